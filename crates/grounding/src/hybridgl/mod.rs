//! HybridGL (Liu and Li, CVPR 2025): the best training-free method with public code, part by part.
//!
//! Pictures of the proposals (`pictures`) for the encoder; the features of the words (`text`); relations of boxes
//! (`box_relations`) and the heat of a phrase (`place_heat`), which together decide among the likeliest (`guidance`).

mod box_relations;
mod guidance;
mod pictures;
mod place_heat;
mod text;

pub use box_relations::holds;
pub use guidance::{HybridGuidance, HybridScores, Seen};
pub use pictures::HybridPictures;
pub use place_heat::PlaceHeat;
pub use text::HybridText;
