//! Segment Anything and MobileSAM: an image embedded once, prompts decoded to masks.

mod image_encoder;
mod layout;
mod mask_decoder;
mod model;

pub use model::{weights_file, Decoded, Embedding, Prompt, PromptedMask, SamModel};
