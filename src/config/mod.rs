//! The configuration: settings with their defaults, presets and ranges, and the YAML layers that they are made of.

mod layer;
mod resolve;
mod settings;

pub use layer::Layer;
pub use settings::{
    AnswerSettings, Config, Crops, Dtype, Generator, Guidance, HybridReadout, HybridSettings, MaskResampling, Method,
    Parser, Preset, PromptKind, ProposalSettings, Refine, RefinementSettings, ResNetNorms, Resampling, SamPreset,
    SamSettings, TermWeights, TextSettings, VisualSettings, WordSettings,
};
