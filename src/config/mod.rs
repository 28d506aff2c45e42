//! `Config`: the segmenter's settings, checked once; behind it every value is in range.
//!
//! Layers of YAML are laid over each other, and every layer may name only keys that the complete
//! default file (`config/referseg.yaml`) has.

mod layer;

pub use layer::Layer;

use crate::error::{Error, Result};
use layer::{known, lay_over};
use serde::Deserialize;
use serde_yaml::Value;
use std::path::PathBuf;

const DEFAULTS: &str = include_str!("../../config/referseg.yaml");
const PAPER: &str = include_str!("../../config/paper.yaml");
const SAM_EVERYTHING: &str = include_str!("../../config/sam_everything.yaml");
/// Settings that belong to a model, beside its weights.
const MODEL_FILE: &str = "referseg.yaml";

/// All settings of a segmenter. The keys are documented in `config/referseg.yaml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Config {
    pub preset: Preset,
    pub model: PathBuf,
    pub device: String,
    pub method: Method,
    pub proposals: ProposalSettings,
    pub visual: VisualSettings,
    pub text: TextSettings,
    pub answer: AnswerSettings,
}

/// A named set of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Preset {
    Clean,
    Paper,
}

/// How proposals are scored: the method, or one of the baselines of its paper (section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Global and local features, sentence and noun phrase.
    GlobalLocal,
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
    pub const NAMES: [(&'static str, Method); 5] = [
        ("global_local", Method::GlobalLocal),
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

/// Which proposals, and how many.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct ProposalSettings {
    pub generator: Generator,
    pub limit: usize,
    pub min_area: f32,
    pub max_area: f32,
    pub sam: SamSettings,
}

/// How Segment Anything is asked, after its `SamAutomaticMaskGenerator`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct SamSettings {
    pub preset: SamPreset,
    pub model: PathBuf,
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

/// A named set of values for Segment Anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SamPreset {
    /// A coarse grid and tolerant thresholds: whole things.
    Objects,
    /// The generator's own defaults: everything, parts included.
    Everything,
}

/// A proposal generator by name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub enum Generator {
    /// From the pixels alone.
    Regions,
    /// From a label image.
    Labels(PathBuf),
    /// From Segment Anything.
    Sam,
}

impl TryFrom<String> for Generator {
    type Error = String;

    fn try_from(name: String) -> std::result::Result<Self, String> {
        match name.split_once(':') {
            None if name == "regions" => Ok(Generator::Regions),
            None if name == "sam" => Ok(Generator::Sam),
            Some(("labels", file)) if !file.is_empty() => Ok(Generator::Labels(file.into())),
            _ => Err(format!("no proposal generator {name:?}; expected regions, sam or labels:FILE.png")),
        }
    }
}

impl std::fmt::Display for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Generator::Regions => f.write_str("regions"),
            Generator::Sam => f.write_str("sam"),
            Generator::Labels(path) => write!(f, "labels:{}", path.display()),
        }
    }
}

/// How pictures become features.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct VisualSettings {
    pub global_weight: f32,
    pub masked_blocks: usize,
    pub mean: [f32; 3],
    pub std: [f32; 3],
    pub fill: [f32; 3],
    pub resampling: Resampling,
    pub short_side: usize,
    pub mask_resampling: MaskResampling,
    pub resnet_norms: ResNetNorms,
    pub batch: usize,
}

/// How pictures change size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resampling {
    /// Bicubic over the whole support: CLIP's own preprocessing.
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

/// How a command becomes a feature.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct TextSettings {
    pub sentence_weight: f32,
    pub parser: Parser,
    pub parser_model: PathBuf,
}

/// A noun phrase extractor by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Parser {
    /// Closed-class words and their order.
    Rules,
    /// spaCy's `en_core_web_sm` trees and the paper's rule on them.
    Dependency,
}

/// When an answer counts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct AnswerSettings {
    pub min_score: f32,
    pub min_margin: f32,
}

impl Config {
    /// The defaults under `layers`, the last the strongest. The preset and the model that they name add
    /// their own layers below them.
    ///
    /// # Errors
    /// When a layer has an unknown key, a wrong type or a value out of range.
    pub fn from_layers(layers: &[Layer]) -> Result<Config> {
        let defaults = Layer::parse("config/referseg.yaml", DEFAULTS)?;
        let strongest = |key: &str| {
            let values = layers.iter().rev().chain([&defaults]);
            values.filter_map(|layer| layer.at(key)).next().cloned()
        };
        let mut all = vec![defaults.clone()];
        if strongest("preset") == Some(Value::from("paper")) {
            all.push(Layer::parse("config/paper.yaml", PAPER)?);
        }
        if strongest("proposals.sam.preset") == Some(Value::from("everything")) {
            all.push(Layer::parse("config/sam_everything.yaml", SAM_EVERYTHING)?);
        }
        if let Some(Value::String(model)) = strongest("model") {
            let file = located(model.into()).join(MODEL_FILE);
            if file.is_file() {
                all.push(Layer::read(&file)?);
            }
        }
        all.extend(layers.iter().cloned());
        let mut merged = Value::Mapping(Default::default());
        for layer in &all {
            known(layer, &layer.values, &defaults.values, "")?;
            lay_over(&mut merged, &layer.values);
        }
        let mut config = read(merged, &all)?;
        config.check()?;
        config.model = located(config.model);
        config.text.parser_model = located(config.text.parser_model);
        config.proposals.sam.model = located(config.proposals.sam.model);
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        let within = |key: &str, value: f32, low: f32, high: f32| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(Error::config(key, format!("{value} is out of range; expected {low} to {high}")))
            }
        };
        let VisualSettings { mean, std, fill, .. } = &self.visual;
        within("visual.global_weight", self.visual.global_weight, 0.0, 1.0)?;
        within("visual.batch", self.visual.batch as f32, 1.0, 1024.0)?;
        within("visual.masked_blocks", self.visual.masked_blocks as f32, 1.0, 256.0)?;
        within("visual.short_side", self.visual.short_side as f32, 0.0, 4096.0)?;
        for channel in 0..3 {
            within("visual.mean", mean[channel], 0.0, 1.0)?;
            within("visual.std", std[channel], 0.001, 10.0)?;
            within("visual.fill", fill[channel], -10.0, 10.0)?;
        }
        within("text.sentence_weight", self.text.sentence_weight, 0.0, 1.0)?;
        within("proposals.limit", self.proposals.limit as f32, 1.0, 1000.0)?;
        within("proposals.min_area", self.proposals.min_area, 0.0, 1.0)?;
        within("proposals.max_area", self.proposals.max_area, self.proposals.min_area, 1.0)?;
        let sam = &self.proposals.sam;
        within("proposals.sam.points_per_side", sam.points_per_side as f32, 1.0, 128.0)?;
        within("proposals.sam.points_per_batch", sam.points_per_batch as f32, 1.0, 1024.0)?;
        within("proposals.sam.min_predicted_iou", sam.min_predicted_iou, -1.0, 1.0)?;
        within("proposals.sam.min_stability", sam.min_stability, 0.0, 1.0)?;
        within("proposals.sam.stability_offset", sam.stability_offset, 0.0, 100.0)?;
        within("proposals.sam.box_nms", sam.box_nms, 0.0, 1.0)?;
        within("proposals.sam.crop_layers", sam.crop_layers as f32, 0.0, 4.0)?;
        within("proposals.sam.crop_nms", sam.crop_nms, 0.0, 1.0)?;
        within("proposals.sam.crop_overlap", sam.crop_overlap, 0.0, 0.99)?;
        within("proposals.sam.crop_points_downscale", sam.crop_points_downscale as f32, 1.0, 16.0)?;
        within("answer.min_score", self.answer.min_score, -1.0, 1.0)?;
        within("answer.min_margin", self.answer.min_margin, 0.0, 2.0)
    }
}

/// A relative path that is not here is looked for in the share folder of the ROS package that this
/// program is installed with (`lib/referseg/PROGRAM` beside `share/referseg`).
fn located(path: PathBuf) -> PathBuf {
    if path.is_absolute() || path.exists() {
        return path;
    }
    let program = std::env::current_exe().ok();
    let prefix = program.as_deref().and_then(|program| program.ancestors().nth(3));
    let shared = prefix.map(|prefix| prefix.join("share/referseg").join(&path));
    shared.filter(|shared| shared.exists()).unwrap_or(path)
}

/// Reads the merged values; on failure names the key and the layer that it came from.
fn read(merged: Value, layers: &[Layer]) -> Result<Config> {
    serde_path_to_error::deserialize(merged).map_err(|error| {
        let key = error.path().to_string();
        let source = layers.iter().rev().find(|layer| layer.at(&key).is_some());
        let subject = source.map_or("", |layer| &layer.subject);
        Error::config(subject, format!("{key}: {}", error.into_inner()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Result<Config> {
        Config::from_layers(&[Layer::parse("mine.yaml", text)?])
    }

    fn refusal(text: &str) -> String {
        config(text).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_file_is_the_clean_preset() {
        let clean = config("model: nowhere").unwrap();
        assert_eq!((clean.preset, clean.visual.short_side), (Preset::Clean, 0));
        assert_eq!(clean.visual.mean, [0.48145466, 0.4578275, 0.40821073]);
    }

    #[test]
    fn the_paper_preset_lies_below_what_the_user_says() {
        let paper = config("{preset: paper, model: nowhere, visual: {global_weight: 0.85}}").unwrap();
        assert_eq!((paper.visual.short_side, paper.visual.global_weight), (800, 0.85));
        assert_eq!(paper.visual.mask_resampling, MaskResampling::Bilinear);
        assert_eq!(paper.text.parser, Parser::Dependency);
    }

    #[test]
    fn a_models_own_settings_lie_below_the_users() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("referseg.yaml"), "answer: {min_score: 0.3, min_margin: 0.1}").unwrap();
        let model = folder.path().display().to_string();
        let layers = [Layer::value("a", "model", model), Layer::value("b", "answer.min_score", 0.5)];
        let answer = Config::from_layers(&layers).unwrap().answer;
        assert_eq!((answer.min_score, answer.min_margin), (0.5, 0.1));
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        assert_eq!(
            refusal("visual: {alpah: 1}"),
            "configuration mine.yaml: unknown key \"visual.alpah\"; expected one of global_weight, masked_blocks, \
             mean, std, fill, resampling, short_side, mask_resampling, resnet_norms, batch"
        );
        assert!(refusal("modle: x").contains("unknown key \"modle\""));
    }

    #[test]
    fn wrong_types_and_values_out_of_range_are_refused() {
        assert!(refusal("answer: {min_score: high}").contains("mine.yaml: answer.min_score: invalid type"));
        assert!(refusal("visual: {mean: [1, 2]}").contains("visual.mean"));
        assert!(refusal("proposals: {generator: sma}").contains("expected regions, sam or labels:FILE.png"));
        assert_eq!(
            refusal("visual: {global_weight: 1.5}"),
            "configuration visual.global_weight: 1.5 is out of range; expected 0 to 1"
        );
        assert!(refusal("answer: {min_score: .nan}").contains("out of range"));
        assert!(refusal("proposals: {limit: 0}").contains("expected 1 to 1000"));
        assert!(refusal("proposals: {limit: -3}").contains("invalid value"));
        assert!(refusal("[1]").contains("expected a mapping"));
        assert!(refusal("a: [").contains("not YAML"));
    }
}
