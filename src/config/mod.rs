//! The configuration: settings with their defaults, presets and ranges, and the YAML layers that they are made of.

mod layer;
mod proposal_settings;
mod resolve;
mod settings;

pub use layer::Layer;
pub use proposal_settings::{
    BoxMasks, Generator, PromptKind, ProposalSettings, Refine, RefinementSettings, SamPreset, SamSettings, TOPIC,
};
pub use resolve::expanded;
pub use settings::{
    AnswerSettings, Config, Crops, Dtype, Guidance, HybridReadout, HybridSettings, MaskResampling, Method, Parser,
    Preset, ResNetNorms, Resampling, TermWeights, TextSettings, VisualSettings, WordSettings,
};
