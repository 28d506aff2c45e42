//! SigLIP and SigLIP 2 (Zhai et al. 2023, Tschannen et al. 2025): vision transformers without a class token, whose patches
//! one query pools, with a text tower that reads all of a padded text; trained with a sigmoid loss, so that a similarity
//! is a probability by itself.

mod config;
mod pooling;
mod text;
mod tokenizer;
mod towers;
mod vision;

pub use config::MODEL_TYPE;
pub use towers::Siglip;
