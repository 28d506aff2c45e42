//! `Config`: the settings of a segmenter, one struct for each section of `config/referseg.yaml`.
//!
//! Values are checked where a `Config` is made (`resolve.rs`); behind it every value is in range.

use super::proposal_settings::{ProposalSettings, Refine, RefinementSettings, TOPIC};
use referseg_image::resample::Normalization;
use referseg_language::ParserKind;
use referseg_models::{Dtype, HybridReadout};
use serde::Deserialize;
use std::path::PathBuf;

/// All settings of a segmenter. The keys are documented in `config/referseg.yaml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Config {
    pub preset: Preset,
    pub model: PathBuf,
    pub device: String,
    pub dtype: Dtype,
    pub threads: usize,
    pub method: Method,
    pub guidance: Guidance,
    pub live: LiveSettings,
    pub proposals: ProposalSettings,
    pub refine: Refine,
    pub refinement: RefinementSettings,
    pub visual: VisualSettings,
    pub hybridgl: HybridSettings,
    pub text: TextSettings,
    pub words: WordSettings,
    pub terms: TermWeights,
    pub answer: AnswerSettings,
    pub placement: PlacementSettings,
}

impl Config {
    /// Whether frames that show the same have the same proposals: not when these are external.
    pub fn proposals_follow_from_frames(&self) -> bool {
        self.proposals.generator.name != TOPIC
    }

    /// Whether a heat map of the words is part of the score.
    pub fn needs_heat(&self) -> bool {
        self.guidance_in_force() == Guidance::HybridGl || self.terms.heat != 0.0
    }

    /// Which crops are encoded: HybridGL's guidance reads the features of all proposals.
    pub fn crops_in_force(&self) -> Crops {
        match (self.guidance_in_force(), self.global_weight_in_force()) {
            // without the global feature there is nothing to choose by
            (Guidance::HybridGl, _) | (_, 0.0) => Crops::All,
            _ => self.visual.crops,
        }
    }

    /// The weight of the global feature that applies: cropping has none.
    pub fn global_weight_in_force(&self) -> f32 {
        match self.method {
            Method::Cropping => 0.0,
            _ => self.visual.global_weight,
        }
    }

    /// The guidance that applies: the paper's baselines have none.
    pub fn guidance_in_force(&self) -> Guidance {
        if matches!(self.method, Method::GlobalLocal | Method::HybridGl) {
            self.guidance
        } else {
            Guidance::None
        }
    }
}

/// A named set of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Preset {
    Clean,
    Paper,
    Best,
}

/// How proposals are scored: the method, or one of the baselines of its paper (section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Global and local features, sentence and noun phrase.
    GlobalLocal,
    /// Two pictures of each proposal whose streams meet in the last blocks of a vision transformer (HybridGL, CVPR 2025).
    HybridGl,
    /// The masked crops and the sentence.
    Cropping,
    /// A class token for each region of a vision transformer (AdaptingCLIP), and the sentence.
    RegionToken,
    /// The similarity of every place of a ResNet's last map with the sentence (MaskCLIP), averaged in the mask.
    ScoreMap,
    /// The places of a ResNet's last map that raise the similarity with the sentence, averaged in the mask.
    GradCam,
}

impl Method {
    /// All of them, with the names that users give them.
    pub const NAMES: [(&'static str, Method); 6] = [
        ("global_local", Method::GlobalLocal),
        ("hybrid_gl", Method::HybridGl),
        ("cropping", Method::Cropping),
        ("region_token", Method::RegionToken),
        ("score_map", Method::ScoreMap),
        ("grad_cam", Method::GradCam),
    ];
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named = Self::NAMES.iter().find(|(_, method)| method == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

/// What of a command's meaning, beside the similarity of its words, decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Guidance {
    /// Nothing: the paper's method.
    None,
    /// HybridGL's: relations of boxes, and a heat map with ramps, among the best three.
    HybridGl,
    /// All that the parser understands: places, orders, relations, exclusions, likeness, numbers.
    Full,
}

/// What is done with the frames of live cameras; recordings take every frame by itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct LiveSettings {
    pub static_tolerance: f32,
}

/// How images become features.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct VisualSettings {
    pub global_weight: f32,
    pub masked_blocks: usize,
    /// `None` for the checkpoint's own.
    pub mean: Option<[f32; 3]>,
    /// `None` for the checkpoint's own.
    pub std: Option<[f32; 3]>,
    pub fill: [f32; 3],
    pub resampling: Resampling,
    pub short_side: usize,
    pub mask_resampling: MaskResampling,
    pub resnet_norms: ResNetNorms,
    pub blurred_weight: f32,
    pub blur: f32,
    pub crops: Crops,
    pub crop_shape: CropShape,
    /// `None` for what suits the device.
    pub batch: Option<usize>,
}

impl VisualSettings {
    /// How pixels are normalized: the settings' own mean and standard deviation, else those of the checkpoint.
    pub fn normalization(&self, of_checkpoint: Normalization) -> Normalization {
        Normalization { mean: self.mean.unwrap_or(of_checkpoint.mean), std: self.std.unwrap_or(of_checkpoint.std) }
    }
}

/// How images change size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resampling {
    /// The checkpoint's own filter over the whole support: CLIP's preprocessing.
    Antialiased,
    /// The four neighbours, half-pixel centres.
    Plain,
}

/// How a mask becomes a value for each patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MaskResampling {
    /// The part of the patch that the mask covers.
    Area,
    /// The four pixels around the patch's centre.
    Bilinear,
}

/// Which crops are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Crops {
    /// Those of proposals that can still win; others when another command needs them.
    Adaptive,
    /// All.
    All,
}

/// What becomes of a crop that is not square.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CropShape {
    /// Its sides change to the encoder's.
    Squashed,
    /// It stands in the middle of a square of its longer side, filled around it.
    Padded,
}

/// How long a ResNet's features are when they are mixed and scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResNetNorms {
    /// All of unit length; the score is a cosine.
    Unit,
    /// The global feature as it comes, the local one of unit length; the score is their mixture's dot product
    /// with the text, so that long features win: the authors' code.
    Paper,
}

/// What HybridGL's method and guidance leave open.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct HybridSettings {
    pub readout: HybridReadout,
    pub fill: [f32; 3],
    pub as_published: bool,
}

/// How a command becomes a feature.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct TextSettings {
    pub sentence_weight: f32,
    pub templates: Vec<String>,
    pub parser: ParserKind,
    pub parser_model: PathBuf,
}

/// The words that a description is judged against: a thing is a mug if no other noun fits it better.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordSettings {
    /// The text for a noun or a description, `{}` in its place.
    pub template: String,
    /// Whether the model knows no other words than these.
    pub closed: bool,
    /// Names of things.
    pub nouns: Vec<String>,
    /// Colours.
    pub colours: Vec<String>,
    /// What a proposal can be that is no thing.
    pub nothing: Vec<String>,
    /// Other words for some of the nouns.
    pub synonyms: std::collections::BTreeMap<String, Vec<String>>,
}

/// Weights of the scoring terms; a term of weight 0 is not computed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct TermWeights {
    pub similarity: f32,
    pub generic: f32,
    pub quality: f32,
    pub heat: f32,
    pub description: f32,
    pub place: f32,
    pub order: f32,
    pub relation: f32,
    pub exclusion: f32,
    pub likeness: f32,
    pub class: f32,
}

/// When an answer counts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct AnswerSettings {
    pub min_score: f32,
    pub min_margin: f32,
    pub min_probability: f32,
}

/// The room that a thing needs where it is put down.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct PlacementSettings {
    pub footprint: f32,
    pub clearance: f32,
}
