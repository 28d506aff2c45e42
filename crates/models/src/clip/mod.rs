//! CLIP: vision transformers and ResNets of OpenAI's design with their text tower, in two checkpoint layouts.
//!
//! Weights are computed with in f32, whatever their type on disk.

mod checkpoint;
mod config;
mod fused_vision;
mod hugging_face;
mod hybrid;
mod load;
mod open_clip;
mod resnet;
mod self_attention;
mod stem;
mod text;
mod tokenizer;
mod towers;
mod vision_transformer;

pub use load::Clip;
pub use resnet::ResNet;
pub use text::TextEncoder;
pub use tokenizer::Tokenizer;
pub use towers::Towers;
pub use vision_transformer::VisionTransformer;
