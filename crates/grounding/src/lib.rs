//! Grounding: which proposal of a frame a command means.
//!
//! Frame → proposals → visual features; command → meaning → text features; both → terms → decision. [`Segmenter`] holds
//! this order and nothing else.
#![warn(missing_docs)]

mod answer;
mod blurred_pictures;
mod crop_choice;
mod decision;
mod destination;
mod encoded;
mod guidance;
mod heat_map;
pub mod hybridgl;
mod local_features;
mod mask_sources;
mod method;
mod naming;
mod prepared_frame;
mod reconfigure;
mod scorer;
mod segmenter;
mod softmax;
mod stage;
mod terms;
mod text_features;
mod visual_features;

pub use decision::{best_proposal, status_by_thresholds, BestProposal};
pub use encoded::Scope;
pub use encoded::{EncodedCommand, EncodedFrame, ProposedFrame};
pub use guidance::{Layout, Outline};
pub use heat_map::{grad_cam, mean_in_masks, score_map};
pub use local_features::LocalFeatures;
pub use method::{check_guidance, check_method, supported_methods};
pub use naming::ThingName;
pub use reconfigure::{ConfigPreparer, PreparedConfig};
pub use segmenter::Segmenter;
pub use softmax::softmax;
pub use stage::{Stage, StageFingerprints};
pub use text_features::TextFeatures;
pub use visual_features::{FeatureKind, VisualFeatures};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
