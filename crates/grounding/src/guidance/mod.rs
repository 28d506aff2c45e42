//! Guidance: what of a command's meaning decides, beside the similarity of its words.
//!
//! Words → probabilities of looks (`vocabulary`, `appearance`); masks → places and things (`layout`, `things`); both and the
//! parsed command → how surely each thing is meant, reason by reason (`resolve`, `relations`).

mod allowed;
mod appearance;
mod guided;
mod layout;
mod ranks;
mod relations;
mod resolve;
mod things;
mod vocabulary;

pub use allowed::Allowed;
pub use appearance::Appearance;
pub use guided::Guided;
pub use layout::{Layout, Outline};
pub use resolve::Reason;
pub use things::{things, SAME_THING};
pub use vocabulary::{look_up, unknown_looks, NounIs, OwnWords, WordBank, WordBanks};
