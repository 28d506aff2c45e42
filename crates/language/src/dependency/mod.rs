//! Dependency trees of English, as spaCy's `en_core_web_sm` gives them.

mod parser;
mod token_vectors;
mod tokenizer;
mod transitions;
mod tree;
mod weights;

pub use parser::Parser;
pub use tree::Tree;
