//! Segment Anything, MobileSAM and SAM 2 (of images): an image embedded once, prompts decoded to masks.

#[cfg(test)]
mod agreement_tests;
mod convolutions;
mod hiera;
mod image_encoder;
mod layout;
mod mask_decoder;
mod model;
mod plain_decoding;
mod plain_hiera;
mod prompt;
mod prompt_decoding;
mod second_layout;
#[cfg(test)]
mod second_tests;
mod tiny_vit;

pub use mask_decoder::Features;
pub use model::{weights_file, SamModel};
pub use prompt::{Decoded, Embedding, Prompt, PromptedMask};
