//! Segment Anything and MobileSAM: an image embedded once, prompts decoded to masks.

#[cfg(test)]
mod agreement_tests;
mod convolutions;
mod image_encoder;
mod layout;
mod mask_decoder;
mod model;
mod plain_decoding;
mod prompt;
mod prompt_decoding;
mod tiny_vit;

pub use model::{weights_file, SamModel};
pub use prompt::{Decoded, Embedding, Prompt, PromptedMask};
