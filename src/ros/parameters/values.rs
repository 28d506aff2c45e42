//! `Parameters`: the values in effect, how they override the configuration file, and what may change when.
//!
//! The configuration file and the model's own settings are read when the process starts and when the node is configured,
//! and never in between: a live change of one parameter must not bring in edits of a file.

use super::node_settings::NodeSettings;
use super::table::{position, subject, Kind, Spec, When, PARAMETERS};
use crate::config::{expanded, Config, Layer};
use crate::proposals;
use crate::{Error, Result};
use r2r::ParameterValue;
use std::path::Path;
use Kind::{Count, Flag, Number, Text, Texts};
use When::{Reload, Start};

/// The values in effect, and what follows from them.
#[derive(Clone)]
pub struct Parameters {
    /// What the user set; the rest follows from the configuration.
    given: Vec<Option<ParameterValue>>,
    values: Vec<ParameterValue>,
    files: Files,
    config: Config,
    node: NodeSettings,
}

/// Settings as they were read from files.
#[derive(Clone, Default)]
struct Files {
    /// The configuration file with its path.
    config: Option<(String, Layer)>,
    /// The model's own settings, with its name.
    model: Option<(Option<String>, Option<Layer>)>,
}

/// The shortest decimal that is this number, rather than its digits as a double.
fn decimal(number: f32) -> ParameterValue {
    ParameterValue::Double(number.to_string().parse().unwrap_or(number.into()))
}

/// The value without anything set.
fn default(spec: &Spec, config: &Config) -> ParameterValue {
    let text = |text: String| ParameterValue::String(text);
    match spec.name {
        "mode" => text("continuous".into()),
        "model" => text(config.model.display().to_string()),
        "device" => text(config.device.clone()),
        "dtype" => text(config.dtype.name().into()),
        "threads" => ParameterValue::Integer(config.threads as i64),
        "preset" => text(format!("{:?}", config.preset).to_lowercase()),
        "method" => text(config.method.to_string()),
        "solo_model" => text(config.proposals.solo.model.display().to_string()),
        "sam_model" => text(config.proposals.sam.model.display().to_string()),
        "sam_preset" => text(format!("{:?}", config.proposals.sam.preset).to_lowercase()),
        "guidance" => text(format!("{:?}", config.guidance).to_lowercase()),
        "proposals" => text(config.proposals.generator.to_string()),
        "refine" => text(format!("{:?}", config.refine).to_lowercase()),
        "proposal_limit" => ParameterValue::Integer(config.proposals.limit as i64),
        "parser" => text(format!("{:?}", config.text.parser).to_lowercase()),
        "global_weight" => decimal(config.visual.global_weight),
        "sentence_weight" => decimal(config.text.sentence_weight),
        "footprint" => decimal(config.placement.footprint),
        "clearance" => decimal(config.placement.clearance),
        "min_score" => decimal(config.answer.min_score),
        "min_margin" => decimal(config.answer.min_margin),
        "static_tolerance" => decimal(config.live.static_tolerance),
        "cameras" => ParameterValue::StringArray(Vec::new()),
        "captions" => text("line".into()),
        "image_transport" => text("raw".into()),
        "image_reliability" => text("auto".into()),
        "rectified" => text("auto".into()),
        "depth_scale" => ParameterValue::Double(0.001),
        "max_frame_age" => ParameterValue::Double(2.0),
        "request_timeout" => ParameterValue::Double(10.0),
        "depth_tolerance" | "proposals_tolerance" => ParameterValue::Double(0.02),
        "proposals_wait" => ParameterValue::Double(1.0),
        "autostart" | "tracking" => ParameterValue::Bool(true),
        "diagnostics_period" => ParameterValue::Double(1.0),
        "dialogue_timeout" => ParameterValue::Double(60.0),
        "depth" | "dialogue" | "use_sim_time" => ParameterValue::Bool(false),
        _ => text(String::new()),
    }
}

/// A value of the spec's type and range, or `None` for "not set"; whole numbers are taken for floating-point ones.
fn typed(spec: &Spec, value: ParameterValue) -> Result<Option<ParameterValue>> {
    let value = match (spec.kind, value) {
        (_, ParameterValue::NotSet) => return Ok(None),
        // as launch files pass for "not given"
        (_, ParameterValue::String(text)) if text.is_empty() => return Ok(None),
        (Texts, ParameterValue::StringArray(texts)) => {
            ParameterValue::StringArray(texts.into_iter().filter(|text| !text.is_empty()).collect())
        }
        (Number, ParameterValue::Integer(whole)) => ParameterValue::Double(whole as f64),
        (Text, value @ ParameterValue::String(_))
        | (Flag, value @ ParameterValue::Bool(_))
        | (Number, value @ ParameterValue::Double(_))
        | (Count, value @ ParameterValue::Integer(_)) => value,
        (kind, value) => {
            let expected = match kind {
                Text => "string",
                Texts => "string array",
                Flag => "boolean",
                Number => "double",
                Count => "integer",
            };
            return Err(Error::config(subject(spec), format!("must be a {expected}, got a {}", value.type_name())));
        }
    };
    let number = match value {
        ParameterValue::Double(number) => Some(number),
        ParameterValue::Integer(count) => Some(count as f64),
        _ => None,
    };
    if let (Some(number), Some((low, high))) = (number, spec.range) {
        if !(low..=high).contains(&number) {
            let fact = format!("{number} is out of range; expected {low} to {high}");
            return Err(Error::config(subject(spec), fact));
        }
    }
    Ok(Some(value))
}

fn layer(spec: &Spec, value: &ParameterValue) -> Option<Layer> {
    let subject = subject(spec);
    match value {
        _ if spec.key.is_empty() => None,
        ParameterValue::String(text) => Some(Layer::value(subject, spec.key, text.as_str())),
        ParameterValue::Double(number) => Some(Layer::value(subject, spec.key, *number)),
        ParameterValue::Integer(count) => Some(Layer::value(subject, spec.key, *count)),
        _ => None,
    }
}

impl Parameters {
    /// What a node was started with, over the configuration; `given` looks a parameter up.
    ///
    /// # Errors
    /// When a value has a wrong type or is out of range, or the configuration can't be used.
    pub fn read(given: impl Fn(&str) -> Option<ParameterValue>) -> Result<Parameters> {
        let given = PARAMETERS.iter().map(|spec| given(spec.name).map_or(Ok(None), |value| typed(spec, value)));
        Parameters::of(given.collect::<Result<Vec<_>>>()?, &Files::default())
    }

    /// The same parameters over the files as they are now.
    ///
    /// # Errors
    /// When a file can't be used.
    pub fn read_again(&self) -> Result<Parameters> {
        Parameters::of(self.given.clone(), &Files::default())
    }

    /// `known` are files that were read already; others are read now.
    fn of(given: Vec<Option<ParameterValue>>, known: &Files) -> Result<Parameters> {
        let mut files = Files::default();
        if let Some(ParameterValue::String(path)) = &given[position("config")?] {
            files.config = Some(match known.config.clone().filter(|(known, _)| known == path) {
                Some(known) => known,
                None => (path.clone(), Layer::read(&expanded(Path::new(path)))?),
            });
        }
        let mut layers: Vec<Layer> = files.config.iter().map(|(_, layer)| layer.clone()).collect();
        layers.extend(PARAMETERS.iter().zip(&given).filter_map(|(spec, value)| layer(spec, value.as_ref()?)));
        let model = Config::named_model(&layers)?;
        let (model, of_model) = match known.model.clone().filter(|(known, _)| *known == model) {
            Some(known) => known,
            None => (model, Config::model_layer(&layers)?),
        };
        let config = Config::resolve(&layers, of_model.as_ref())?;
        proposals::check_name(&config.proposals)?;
        files.model = Some((model, of_model));
        let value = |(spec, given): (&Spec, &Option<ParameterValue>)| {
            // a path is shown as it was found
            let found = given.clone().filter(|_| spec.kind != Text || spec.key.is_empty());
            found.unwrap_or_else(|| default(spec, &config))
        };
        let values: Vec<_> = PARAMETERS.iter().zip(&given).map(value).collect();
        let node = NodeSettings::of(&values)?;
        Ok(Parameters { given, values, files, config, node })
    }

    /// The segmenter's settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The node's settings.
    pub fn node(&self) -> &NodeSettings {
        &self.node
    }

    /// A parameter's value.
    pub fn value(&self, name: &str) -> Option<&ParameterValue> {
        Some(&self.values[position(name).ok()?])
    }

    /// Every name with its value.
    pub fn all(&self) -> impl Iterator<Item = (&'static Spec, &ParameterValue)> {
        PARAMETERS.iter().zip(&self.values)
    }

    /// What these changes together would make of the parameters; nothing is in effect yet. `loaded` says that what
    /// needs a reload can't change now.
    ///
    /// # Errors
    /// When one of them is unknown, of a wrong type, out of range, or can't change now.
    pub fn with(&self, changes: &[(String, ParameterValue)], loaded: bool) -> Result<Parameters> {
        let mut given = self.given.clone();
        for (name, value) in changes {
            let at = position(name)?;
            let spec = &PARAMETERS[at];
            let value = typed(spec, value.clone())?;
            let same = value.as_ref() == Some(&self.values[at]);
            let fixed = spec.when == Start || (spec.when == Reload && loaded);
            if fixed && !same {
                return Err(Error::config(subject(spec), spec.when.constraint()));
            }
            given[at] = value;
        }
        Parameters::of(given, &self.files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn started(given: &[(&str, ParameterValue)]) -> Result<Parameters> {
        let model = ParameterValue::String("nowhere".into());
        Parameters::read(|name| {
            let known = given.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
            known.or((name == "model").then_some(model.clone()))
        })
    }

    fn set(parameters: &Parameters, name: &str, value: ParameterValue, loaded: bool) -> Result<Parameters> {
        parameters.with(&[(name.into(), value)], loaded)
    }

    #[test]
    fn the_document_has_every_parameter_with_its_meaning() {
        let document = include_str!("../../../docs/interface.md");
        let parameters = Parameters::read(|_| None).unwrap();
        for spec in PARAMETERS {
            let row = document.lines().find(|line| line.starts_with(&format!("| `{}` |", spec.name)));
            let row = row.unwrap_or_else(|| panic!("{} is not in docs/interface.md", spec.name));
            assert!(row.contains(spec.description), "{row}");
            if let Some((low, high)) = spec.range {
                assert!(row.contains(&format!("{low} to {high}")), "{row}");
            }
            let when = ["live", "reload", "start"][spec.when as usize];
            assert!(row.contains(&format!("| {when} |")), "{row}");
            let default = match default(&spec, parameters.config()) {
                _ if ["global_weight", "min_score", "min_margin"].contains(&spec.name) => "the model's".into(),
                ParameterValue::String(text) => text,
                ParameterValue::Bool(flag) => flag.to_string(),
                ParameterValue::Integer(count) => count.to_string(),
                ParameterValue::Double(number) => format!("{number:?}"),
                _ => String::new(),
            };
            assert!(row.contains(&format!("| `{}` | {default} |", spec.name)), "{row}: the default is {default}");
        }
    }

    #[test]
    fn what_was_set_lies_over_the_preset_and_is_shown_as_it_was_set() {
        let parameters = started(&[("min_score", ParameterValue::Double(0.3))]).unwrap();
        let paper = set(&parameters, "preset", ParameterValue::String("paper".into()), true).unwrap();
        assert_eq!(paper.value("global_weight"), Some(&ParameterValue::Double(0.95)));
        assert_eq!(paper.value("min_score"), Some(&ParameterValue::Double(0.3)));
        assert_eq!(paper.config().visual.short_side, 800);
        let back = set(&paper, "preset", ParameterValue::String("clean".into()), true).unwrap();
        assert_eq!(back.value("global_weight"), Some(&ParameterValue::Double(0.85)));
    }

    #[test]
    fn edits_of_the_configuration_file_wait_for_the_next_configure() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "answer: {min_margin: 0.2}").unwrap();
        let path = ParameterValue::String(file.path().display().to_string());
        let parameters = started(&[("config", path)]).unwrap();
        std::fs::write(file.path(), "answer: {min_margin: 0.4}").unwrap();
        let changed = set(&parameters, "min_score", ParameterValue::Double(0.3), true).unwrap();
        assert_eq!(changed.value("min_margin"), Some(&ParameterValue::Double(0.2)), "one change brings in no other");
        std::fs::write(file.path(), "answer: [").unwrap();
        assert!(set(&parameters, "min_score", ParameterValue::Double(0.4), true).is_ok(), "nor does damage hinder it");
        assert!(changed.read_again().is_err());
        std::fs::write(file.path(), "answer: {min_margin: 0.4}").unwrap();
        let again = changed.read_again().unwrap();
        assert_eq!(again.value("min_margin"), Some(&ParameterValue::Double(0.4)));
        assert_eq!(again.value("min_score"), Some(&ParameterValue::Double(0.3)));
    }

    #[test]
    fn what_needs_a_reload_changes_only_without_a_model() {
        let parameters = started(&[]).unwrap();
        let other = || ParameterValue::String("elsewhere".into());
        let refused = set(&parameters, "model", other(), true).err().unwrap().to_string();
        assert!(refused.contains("needs a reload"), "{refused}");
        assert_eq!(set(&parameters, "model", other(), false).unwrap().config().model, PathBuf::from("elsewhere"));
        assert!(set(&parameters, "autostart", ParameterValue::Bool(false), false).is_err());
        assert!(set(&parameters, "autostart", ParameterValue::Bool(true), true).is_ok(), "the same as it is");
    }

    #[test]
    fn values_of_a_wrong_kind_or_out_of_range_are_refused_and_change_nothing_together() {
        let parameters = started(&[]).unwrap();
        let text = |text: &str| ParameterValue::String(text.into());
        for (name, value, said) in [
            ("min_score", text("high"), "must be a double, got a string"),
            ("min_score", ParameterValue::Double(1.5), "1.5 is out of range; expected -1 to 1"),
            ("min_score", ParameterValue::Double(f64::NAN), "out of range"),
            ("proposal_limit", ParameterValue::Integer(0), "0 is out of range; expected 1 to 1000"),
            ("mode", text("twice"), "expected continuous or once"),
            ("proposals", text("sma"), "expected regions, sam, prompted, solo, topic or labels:FILE.png"),
            ("nothing", text("x"), "is unknown"),
        ] {
            let refused = set(&parameters, name, value, false).err().unwrap().to_string();
            assert!(refused.contains(said), "{refused}");
        }
        assert!(set(&parameters, "min_score", ParameterValue::Integer(0), true).is_ok());
        let unset = set(&parameters, "min_score", text(""), true).unwrap();
        assert_eq!(unset.value("min_score"), parameters.value("min_score"), "empty is not set");
        let both = [("min_margin".to_string(), ParameterValue::Double(0.1)), ("mode".to_string(), text("twice"))];
        assert!(parameters.with(&both, true).is_err());
    }

    #[test]
    fn cameras_are_names_of_topics() {
        let named = |names: &[&str]| {
            let names = names.iter().map(|name| name.to_string()).collect();
            started(&[("cameras", ParameterValue::StringArray(names))]).map(|started| started.node().cameras.clone())
        };
        assert_eq!(named(&[]).unwrap(), [""]);
        assert_eq!(named(&["left", "right_2"]).unwrap(), ["left", "right_2"]);
        for wrong in [&["a/b"][..], &["2nd"], &["a", "a"], &["ö"]] {
            assert!(named(wrong).is_err(), "{wrong:?}");
        }
    }
}
