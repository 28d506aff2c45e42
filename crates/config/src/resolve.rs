//! Resolving: layers of YAML laid over each other become one checked [`Config`].
//!
//! Every layer may name only keys that the complete default file (`config/referseg.yaml`) has.

use super::layer::{check_known_keys, lay_over, Layer};
use super::settings::{Config, TermWeights, VisualSettings};
use referseg_files::{Error, Result};
use serde_yaml::Value;
use std::path::{Path, PathBuf};

const DEFAULTS: &str = include_str!("../../../config/referseg.yaml");
const PAPER: &str = include_str!("../../../config/paper.yaml");
const BEST: &str = include_str!("../../../config/best.yaml");
const SAM_EVERYTHING: &str = include_str!("../../../config/sam_everything.yaml");
/// Settings that belong to a model, beside its weights.
const MODEL_FILE: &str = "referseg.yaml";

impl Config {
    /// The defaults under `layers`, the last the strongest. The preset and the model that they name add
    /// their own layers below them; the model's are read from its folder. The thresholds of a model's file count only
    /// with the guidance that they were calibrated for: that of the same file, or the default.
    ///
    /// # Errors
    /// When a layer has an unknown key, a wrong type or a value out of range.
    pub fn from_layers(layers: &[Layer]) -> Result<Config> {
        Config::resolve(layers, Config::model_layer(layers)?.as_ref())
    }

    /// The settings that the model named by `layers` brings with it; read from disk.
    ///
    /// # Errors
    /// When its file can't be read.
    pub fn model_layer(layers: &[Layer]) -> Result<Option<Layer>> {
        let Some(model) = Config::named_model(layers)? else { return Ok(None) };
        let file = located(model.into()).join(MODEL_FILE);
        file.is_file().then(|| Layer::read(&file)).transpose()
    }

    /// The model that `layers` name, as they write it.
    ///
    /// # Errors
    /// Never for layers that parse.
    pub fn named_model(layers: &[Layer]) -> Result<Option<String>> {
        let defaults = Layer::parse("config/referseg.yaml", DEFAULTS)?;
        Ok(match strongest("model", layers.iter().rev().chain([&defaults])) {
            Some(Value::String(model)) => Some(model),
            _ => None,
        })
    }

    /// As [`Config::from_layers`], with the model's layer given: reads nothing from disk.
    ///
    /// # Errors
    /// As [`Config::from_layers`].
    pub fn resolve(layers: &[Layer], of_model: Option<&Layer>) -> Result<Config> {
        let defaults = Layer::parse("config/referseg.yaml", DEFAULTS)?;
        // what the model's own file says counts too, below the user's
        let named = |key: &str| strongest(key, layers.iter().rev().chain(of_model).chain([&defaults]));
        let mut all = vec![defaults.clone()];
        let preset = named("preset");
        for (name, file, text) in [("paper", "config/paper.yaml", PAPER), ("best", "config/best.yaml", BEST)] {
            if preset == Some(Value::from(name)) {
                all.push(Layer::parse(file, text)?);
            }
        }
        if named("proposals.sam.preset") == Some(Value::from("everything")) {
            all.push(Layer::parse("config/sam_everything.yaml", SAM_EVERYTHING)?);
        }
        let chosen = strongest("guidance", layers.iter().rev().chain(of_model).chain(all.iter().rev()));
        let own = strongest("guidance", of_model.into_iter().chain([&defaults]));
        all.extend(of_model.map(|of_model| match chosen == own {
            true => of_model.clone(),
            // thresholds of another kind of score
            false => of_model.without("answer"),
        }));
        all.extend(layers.iter().cloned());
        let mut merged = Value::Mapping(Default::default());
        for layer in &all {
            check_known_keys(layer, &layer.values, &defaults.values, "")?;
            lay_over(&mut merged, &layer.values);
        }
        let mut config = read(merged, &all)?;
        config.check()?;
        config.model = located(config.model);
        config.text.parser_model = located(config.text.parser_model);
        config.proposals.sam.model = located(config.proposals.sam.model);
        config.proposals.solo.model = located(config.proposals.solo.model);
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
        within("threads", self.threads as f32, 0.0, 1024.0)?;
        within("live.static_tolerance", self.live.static_tolerance, 0.0, 255.0)?;
        within("visual.global_weight", self.visual.global_weight, 0.0, 1.0)?;
        within("visual.blurred_weight", self.visual.blurred_weight, 0.0, 1.0)?;
        within("visual.blur", self.visual.blur, 0.001, 1.0)?;
        within("visual.batch", self.visual.batch.unwrap_or(1) as f32, 1.0, 1024.0)?;
        within("visual.masked_blocks", self.visual.masked_blocks as f32, 1.0, 256.0)?;
        within("visual.short_side", self.visual.short_side as f32, 0.0, 4096.0)?;
        for channel in 0..3 {
            within("visual.mean", mean.map_or(0.5, |mean| mean[channel]), 0.0, 1.0)?;
            within("visual.std", std.map_or(1.0, |std| std[channel]), 0.001, 10.0)?;
            within("visual.fill", fill[channel], -10.0, 10.0)?;
            within("hybridgl.fill", self.hybridgl.fill[channel], -10.0, 10.0)?;
        }
        within("text.sentence_weight", self.text.sentence_weight, 0.0, 1.0)?;
        within("proposals.limit", self.proposals.limit as f32, 1.0, 1000.0)?;
        within("proposals.min_area", self.proposals.min_area, 0.0, 1.0)?;
        within("proposals.max_area", self.proposals.max_area, self.proposals.min_area, 1.0)?;
        within("proposals.solo.min_score", self.proposals.solo.min_score, 0.0, 1.0)?;
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
        let refinement = &self.refinement;
        within("refinement.min_predicted_iou", refinement.min_predicted_iou, -1.0, 1.0)?;
        within("refinement.min_stability", refinement.min_stability, 0.0, 1.0)?;
        within("refinement.min_overlap", refinement.min_overlap, 0.0, 1.0)?;
        within("terms.similarity", self.terms.similarity, -100.0, 100.0)?;
        within("terms.generic", self.terms.generic, -100.0, 100.0)?;
        within("terms.quality", self.terms.quality, -100.0, 100.0)?;
        within("terms.heat", self.terms.heat, -100.0, 100.0)?;
        let TermWeights { description, place, order, relation, exclusion, likeness, class, .. } = self.terms;
        let weights = [description, place, order, relation, exclusion, likeness, class];
        let names = ["description", "place", "order", "relation", "exclusion", "likeness", "class"];
        for (name, weight) in names.iter().zip(weights) {
            within(&format!("terms.{name}"), weight, 0.0, 100.0)?;
        }
        if self.text.templates.is_empty() {
            return Err(Error::config("text.templates", "none; expected at least one, such as \"{}\""));
        }
        if let Some(template) = self.text.templates.iter().find(|template| !template.contains("{}")) {
            let fact = format!("\"{template}\" has no {{}}; expected a text with {{}} where the words stand");
            return Err(Error::config("text.templates", fact));
        }
        let words = &self.words;
        if !words.template.contains("{}") {
            let fact = format!("\"{}\" has no {{}}; expected a text with {{}} where the noun stands", words.template);
            return Err(Error::config("words.template", fact));
        }
        if words.nouns.len() < 2 || words.colours.len() < 2 {
            return Err(Error::config("words", "expected at least two nouns and two colours to judge by"));
        }
        for (word, others) in &words.synonyms {
            if let Some(other) = others.iter().find(|other| !words.nouns.contains(other)) {
                let fact = format!("\"{other}\" is not among words.nouns; expected names from that list");
                return Err(Error::config(format!("words.synonyms.{word}"), fact));
            }
        }
        within("answer.min_score", self.answer.min_score, -1.0, 1.0)?;
        within("answer.min_probability", self.answer.min_probability, 0.0, 1.0)?;
        within("answer.min_margin", self.answer.min_margin, 0.0, 2.0)?;
        within("placement.footprint", self.placement.footprint, 0.0, 10.0)?;
        within("placement.clearance", self.placement.clearance, 0.0, 10.0)
    }
}

/// The value of a key in the first of `layers` that has it.
fn strongest<'a>(key: &str, layers: impl Iterator<Item = &'a Layer>) -> Option<Value> {
    layers.filter_map(|layer| layer.at(key)).next().cloned()
}

/// A path with the home folder in the place of a leading `~`, which no shell has seen in a file or a launch argument.
pub fn expanded(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => Path::new(&home).join(rest),
        _ => path.into(),
    }
}

/// A relative path that is not here is looked for in the checkout that this program was built in, and in the share folder of the ROS package: of the one that this program
/// is installed with (`lib/referseg/PROGRAM` beside `share/referseg`), then of those in `AMENT_PREFIX_PATH`, for
/// `colcon build --symlink-install` leaves the program in its build folder.
fn located(path: PathBuf) -> PathBuf {
    let path = expanded(&path);
    if path.is_absolute() || path.exists() {
        return path;
    }
    let program = std::env::current_exe().ok();
    let own = program.as_deref().and_then(|program| program.ancestors().nth(3)).map(Path::to_path_buf);
    // TARGET/debug/referseg of a checkout
    if let Some(found) = own.as_ref().map(|root| root.join(&path)).filter(|found| found.exists()) {
        return found;
    }
    let sourced = std::env::var_os("AMENT_PREFIX_PATH").unwrap_or_default();
    let mut prefixes = own.into_iter().chain(std::env::split_paths(&sourced));
    let shared = prefixes.find_map(|prefix| {
        let shared = prefix.join("share/referseg").join(&path);
        shared.exists().then_some(shared)
    });
    shared.unwrap_or(path)
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
    use super::super::settings::{Guidance, MaskResampling, Method, Preset};
    use super::*;
    use referseg_language::ParserKind;

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
        assert_eq!(clean.visual.mean, None, "the checkpoint's own");
    }

    #[test]
    fn the_best_preset_is_hybridgl_with_segment_anything_and_gives_way_to_the_user() {
        let best = config("{preset: best, model: nowhere}").unwrap();
        assert_eq!((best.method, best.guidance), (Method::HybridGl, Guidance::HybridGl));
        assert_eq!((best.proposals.generator.name.as_str(), best.hybridgl.as_published), ("sam", false));
        let mine = config("{preset: best, model: nowhere, guidance: full, proposals: {generator: regions}}").unwrap();
        assert_eq!((mine.guidance, mine.proposals.generator.name.as_str()), (Guidance::Full, "regions"));
    }

    #[test]
    fn wordings_need_a_place_for_the_words() {
        let refused = config("text: {templates: [\"{}\", \"a photo\"]}").unwrap_err().to_string();
        assert!(refused.contains("text.templates") && refused.contains("\"a photo\" has no {}"), "{refused}");
        assert!(config("text: {templates: []}").unwrap_err().to_string().contains("at least one"));
        assert_eq!(config("text: {templates: [\"a {}\"]}").unwrap().text.templates, ["a {}"]);
    }

    #[test]
    fn the_paper_preset_lies_below_what_the_user_says() {
        let paper = config("{preset: paper, model: nowhere, visual: {global_weight: 0.85}}").unwrap();
        assert_eq!((paper.visual.short_side, paper.visual.global_weight), (800, 0.85));
        assert_eq!(paper.visual.mask_resampling, MaskResampling::Bilinear);
        assert_eq!(paper.text.parser, ParserKind::Dependency);
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
    fn a_models_thresholds_count_with_the_guidance_that_they_were_calibrated_for() {
        let folder = tempfile::tempdir().unwrap();
        let model = Layer::value("a", "model", folder.path().display().to_string());
        let least = |file: &str, layers: &[Layer]| {
            std::fs::write(folder.path().join("referseg.yaml"), file).unwrap();
            Config::from_layers(&[std::slice::from_ref(&model), layers].concat()).unwrap().answer.min_score
        };
        let (none, paper) = (Layer::value("b", "guidance", "none"), Layer::value("b", "preset", "paper"));
        assert_eq!(least("answer: {min_score: 0.3}", &[]), 0.3);
        assert_eq!(least("answer: {min_score: 0.3}", std::slice::from_ref(&none)), -1.0);
        assert_eq!(least("answer: {min_score: 0.3}", &[paper]), -1.0);
        assert_eq!(least("{guidance: none, answer: {min_score: 0.3}}", &[]), 0.3);
        assert_eq!(least("answer: {min_score: 0.3}", &[none, Layer::value("c", "answer.min_score", 0.5)]), 0.5);
    }

    #[test]
    fn a_models_own_preset_is_in_force() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("referseg.yaml"), "{preset: paper, visual: {global_weight: 0.5}}").unwrap();
        let model = Layer::value("a", "model", folder.path().display().to_string());
        let config = Config::from_layers(std::slice::from_ref(&model)).unwrap();
        assert_eq!((config.preset, config.visual.short_side, config.visual.global_weight), (Preset::Paper, 800, 0.5));
        let clean = Config::from_layers(&[model, Layer::value("b", "preset", "clean")]).unwrap();
        assert_eq!((clean.preset, clean.visual.short_side), (Preset::Clean, 0));
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        assert_eq!(
            refusal("visual: {alpah: 1}"),
            "configuration mine.yaml: unknown key \"visual.alpah\"; expected one of global_weight, masked_blocks, \
             mean, std, fill, resampling, short_side, mask_resampling, resnet_norms, blurred_weight, blur, crops, crop_shape, batch"
        );
        assert!(refusal("modle: x").contains("unknown key \"modle\""));
    }

    #[test]
    fn wrong_types_and_values_out_of_range_are_refused() {
        assert!(refusal("answer: {min_score: high}").contains("mine.yaml: answer.min_score: invalid type"));
        assert!(refusal("visual: {mean: [1, 2]}").contains("visual.mean"));
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
