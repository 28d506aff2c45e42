//! The settings of what masks come from: the sections `proposals` and `refinement`, and `refine`.

use serde::Deserialize;
use std::path::PathBuf;

/// The generator whose proposals are external: a detector's or tracker's messages.
pub const TOPIC: &str = "topic";

/// Which proposals, and how many.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct ProposalSettings {
    pub generator: Generator,
    pub limit: usize,
    pub min_area: f32,
    pub max_area: f32,
    pub box_masks: BoxMasks,
    pub sam: SamSettings,
    pub solo: SoloSettings,
}

/// A SOLO network.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct SoloSettings {
    pub model: PathBuf,
    pub min_score: f32,
}

/// How a box that came on a topic becomes a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BoxMasks {
    /// The region that fills it best.
    Regions,
    /// Segment Anything asked with it.
    Sam,
    /// All of it.
    Box,
}

/// How Segment Anything is asked, after its `SamAutomaticMaskGenerator`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct SamSettings {
    pub preset: SamPreset,
    pub model: PathBuf,
    pub prompts: PromptKind,
    pub points_per_side: usize,
    pub points_per_batch: usize,
    pub min_predicted_iou: f32,
    pub min_stability: f32,
    pub stability_offset: f32,
    pub box_nms: f32,
    pub crop_layers: usize,
    pub crop_nms: f32,
    pub crop_overlap: f32,
    pub crop_points_downscale: usize,
    pub min_region_area: usize,
}

/// The prompts given to Segment Anything for each region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PromptKind {
    /// Its centre, for three masks.
    Centres,
    /// Its box, for one mask.
    Boxes,
    /// Both.
    Both,
}

/// A named set of values for Segment Anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SamPreset {
    /// A coarse grid and tolerant thresholds: whole things.
    Objects,
    /// The generator's own defaults: everything, parts included.
    Everything,
}

/// A proposal generator: its name and, for those that take one, an argument, written `NAME:ARGUMENT`. Which names
/// there are is known to `proposals/registry.rs` alone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
#[allow(missing_docs)]
pub struct Generator {
    pub name: String,
    pub argument: Option<String>,
}

impl From<String> for Generator {
    fn from(written: String) -> Self {
        match written.split_once(':') {
            Some((name, argument)) => Generator { name: name.into(), argument: Some(argument.into()) },
            None => Generator { name: written, argument: None },
        }
    }
}

impl std::fmt::Display for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.argument {
            Some(argument) => write!(f, "{}:{argument}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// What makes the mask of a thing that was found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Refine {
    /// Nothing: it stays the proposal's.
    None,
    /// Segment Anything, asked with the thing's box and middle.
    Sam,
}

/// Which masks may take the place of a proposal's.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct RefinementSettings {
    pub min_predicted_iou: f32,
    pub min_stability: f32,
    pub min_overlap: f32,
}
