//! The configuration: settings with their defaults, presets and ranges, and the YAML layers that they are made of.
#![warn(missing_docs)]

mod layer;
mod proposal_settings;
mod resolve;
mod settings;

pub use layer::Layer;
pub use proposal_settings::{
    BoxMasks, Generator, PromptKind, ProposalSettings, Refine, RefinementSettings, SamPreset, SamSettings,
    SoloSettings, TOPIC,
};
pub use resolve::expanded;
pub use settings::{
    AnswerSettings, Config, CropShape, Crops, Guidance, HybridSettings, MaskResampling, Method, PlacementSettings,
    Preset, ResNetNorms, Resampling, TermWeights, TextSettings, VisualSettings, WordSettings,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
