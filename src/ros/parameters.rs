//! The node's parameters: their names, what they mean, and how they lie over the configuration file.

use crate::config::{Config, Layer};
use crate::error::{Error, Result};
use crate::worker::Mode;
use r2r::indexmap::IndexMap;
use r2r::{Parameter, ParameterValue, RosParams};
use std::path::PathBuf;

/// What a parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A floating-point number.
    Number,
    /// A whole number.
    Count,
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Its ROS name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The key of the configuration that it sets; empty for what concerns the node alone.
    pub key: &'static str,
    /// Whether it may change while the node runs.
    pub live: bool,
    /// Meaning, range and unit.
    pub description: &'static str,
}

const fn spec(name: &'static str, kind: Kind, key: &'static str, live: bool, description: &'static str) -> Spec {
    Spec { name, kind, key, live, description }
}

/// All parameters, in the order of the README's table.
pub const PARAMETERS: [Spec; 15] = [
    spec(
        "mode",
        Kind::Text,
        "",
        true,
        "continuous: every newest frame while a command is set; once: one answer per command, on the next frame",
    ),
    spec("model", Kind::Text, "model", false, "Model folder with config.json, model.safetensors and tokenizer.json"),
    spec(
        "config",
        Kind::Text,
        "",
        false,
        "YAML file of segmenter settings; empty for none. Parameters set on the node lie over it",
    ),
    spec("device", Kind::Text, "device", false, "auto (first GPU, else CPU), cpu or cuda:N"),
    spec("preset", Kind::Text, "preset", false, "clean (CLIP's own preprocessing) or paper (the paper's constants)"),
    spec(
        "method",
        Kind::Text,
        "method",
        false,
        "global_local, or a baseline: cropping, region_token (ViT), score_map, grad_cam (ResNet)",
    ),
    spec("proposals", Kind::Text, "proposals.generator", false, "regions, sam or labels:FILE.png"),
    spec("sam_model", Kind::Text, "proposals.sam.model", false, "Weights of Segment Anything for proposals:=sam"),
    spec("proposal_limit", Kind::Count, "proposals.limit", false, "Most proposals of one frame, 1 to 1000"),
    spec("parser", Kind::Text, "text.parser", false, "How the target's noun phrase is found: rules or dependency"),
    spec(
        "global_weight",
        Kind::Number,
        "visual.global_weight",
        false,
        "Weight of the global visual feature against the local one, 0.0 to 1.0",
    ),
    spec(
        "sentence_weight",
        Kind::Number,
        "text.sentence_weight",
        true,
        "Weight of the sentence against the noun phrase, 0.0 to 1.0",
    ),
    spec(
        "min_score",
        Kind::Number,
        "answer.min_score",
        true,
        "Cosine similarity below which the answer is NOT_FOUND, -1.0 to 1.0",
    ),
    spec(
        "min_margin",
        Kind::Number,
        "answer.min_margin",
        true,
        "Lead in cosine similarity below which the answer is AMBIGUOUS, 0.0 to 2.0",
    ),
    spec(
        "image_reliability",
        Kind::Text,
        "",
        false,
        "best_effort (takes every publisher) or reliable (no losses, but nothing from best-effort cameras)",
    ),
];

/// Told of every change.
type Apply = Box<dyn FnMut(&Config, Mode) + Send>;

/// The values in force, and what follows from them.
pub struct Parameters {
    layers: Vec<Layer>,
    values: Vec<ParameterValue>,
    config: Config,
    apply: Apply,
}

fn of_config(spec: &Spec, config: &Config) -> ParameterValue {
    let text = |text: String| ParameterValue::String(text);
    match spec.name {
        "model" => text(config.model.display().to_string()),
        "device" => text(config.device.clone()),
        "preset" => text(format!("{:?}", config.preset).to_lowercase()),
        "method" => text(config.method.to_string()),
        "sam_model" => text(config.proposals.sam.model.display().to_string()),
        "proposals" => text(config.proposals.generator.to_string()),
        "proposal_limit" => ParameterValue::Integer(config.proposals.limit as i64),
        "parser" => text(format!("{:?}", config.text.parser).to_lowercase()),
        "global_weight" => ParameterValue::Double(config.visual.global_weight.into()),
        "sentence_weight" => ParameterValue::Double(config.text.sentence_weight.into()),
        "min_score" => ParameterValue::Double(config.answer.min_score.into()),
        "min_margin" => ParameterValue::Double(config.answer.min_margin.into()),
        _ => ParameterValue::NotSet,
    }
}

/// A value of the spec's type; whole numbers are taken for floating-point ones.
fn typed(spec: &Spec, value: ParameterValue) -> Result<ParameterValue> {
    match (spec.kind, value) {
        (Kind::Number, ParameterValue::Integer(whole)) => Ok(ParameterValue::Double(whole as f64)),
        (Kind::Text, value @ ParameterValue::String(_))
        | (Kind::Number, value @ ParameterValue::Double(_))
        | (Kind::Count, value @ ParameterValue::Integer(_)) => Ok(value),
        (kind, value) => {
            let expected = match kind {
                Kind::Text => "string",
                Kind::Number => "double",
                Kind::Count => "integer",
            };
            let fact = format!("is a {}; expected a {expected}", value.type_name());
            Err(Error::config(format!("parameter {}", spec.name), fact))
        }
    }
}

fn layer(spec: &Spec, value: &ParameterValue) -> Option<Layer> {
    let subject = format!("parameter {}", spec.name);
    match value {
        _ if spec.key.is_empty() => None,
        ParameterValue::String(text) => Some(Layer::value(subject, spec.key, text.as_str())),
        ParameterValue::Double(number) => Some(Layer::value(subject, spec.key, *number)),
        ParameterValue::Integer(count) => Some(Layer::value(subject, spec.key, *count)),
        _ => None,
    }
}

impl Parameters {
    /// Reads what the node was started with and lays it over the configuration.
    ///
    /// # Errors
    /// When a value has a wrong type or is out of range, or the configuration can't be used.
    pub fn read(node: &r2r::Node) -> Result<Parameters> {
        let given = |name: &str| {
            let parameters = node.params.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            parameters.get(name).map(|parameter| parameter.value.clone())
        };
        let mut values = Vec::new();
        for spec in &PARAMETERS {
            let value = given(spec.name).filter(|value| *value != ParameterValue::NotSet);
            values.push(value.map(|value| typed(spec, value)).transpose()?);
        }
        let mut layers = Vec::new();
        let position = |name: &str| PARAMETERS.iter().position(|spec| spec.name == name);
        if let Some(ParameterValue::String(path)) = position("config").and_then(|at| values[at].clone()) {
            if !path.is_empty() {
                layers.push(Layer::read(&PathBuf::from(path))?);
            }
        }
        // an empty text, as launch files pass for "not given", leaves the value to the configuration
        let given =
            |value: &Option<ParameterValue>| value.clone().filter(|v| *v != ParameterValue::String(String::new()));
        let set = PARAMETERS.iter().zip(&values).filter_map(|(spec, value)| layer(spec, &given(value)?));
        layers.extend(set);
        let config = Config::from_layers(&layers)?;
        let default = |spec: &Spec| match spec.name {
            "mode" => ParameterValue::String("continuous".into()),
            "config" => ParameterValue::String(String::new()),
            "image_reliability" => ParameterValue::String("best_effort".into()),
            _ => of_config(spec, &config),
        };
        let values = PARAMETERS.iter().zip(&values).map(|(spec, value)| match spec.key {
            "" => given(value).unwrap_or_else(|| default(spec)),
            _ => of_config(spec, &config),
        });
        let parameters = Parameters { values: values.collect(), layers, config, apply: Box::new(|_, _| {}) };
        parameters.mode()?;
        parameters.reliable()?;
        Ok(parameters)
    }

    /// Calls `apply` after each change.
    pub fn on_change(&mut self, apply: impl FnMut(&Config, Mode) + Send + 'static) {
        self.apply = Box::new(apply);
    }

    /// The segmenter's settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    fn text(&self, name: &str) -> &str {
        let mut pairs = PARAMETERS.iter().zip(&self.values);
        match pairs.find(|(spec, _)| spec.name == name) {
            Some((_, ParameterValue::String(text))) => text,
            _ => "",
        }
    }

    /// The mode.
    ///
    /// # Errors
    /// When the parameter names none.
    pub fn mode(&self) -> Result<Mode> {
        Mode::parse(self.text("mode"))
    }

    /// Whether the image subscription is reliable.
    ///
    /// # Errors
    /// When the parameter names no reliability.
    pub fn reliable(&self) -> Result<bool> {
        match self.text("image_reliability") {
            "best_effort" => Ok(false),
            "reliable" => Ok(true),
            other => {
                let fact = format!("{other:?} is unknown; expected best_effort or reliable");
                Err(Error::config("parameter image_reliability", fact))
            }
        }
    }

    /// What a new value would make of the settings.
    fn changed(&self, name: &str, value: &ParameterValue) -> Result<(usize, ParameterValue, Config, Mode)> {
        let at = PARAMETERS.iter().position(|spec| spec.name == name);
        let Some(at) = at else {
            return Err(Error::config(format!("parameter {name}"), "is unknown"));
        };
        let spec = &PARAMETERS[at];
        let value = typed(spec, value.clone())?;
        if !spec.live && value != self.values[at] {
            return Err(Error::config(
                format!("parameter {name}"),
                "is read at the start; restart the node to change it",
            ));
        }
        let mut layers = self.layers.clone();
        layers.extend(layer(spec, &value));
        let mode = match (name, &value) {
            ("mode", ParameterValue::String(mode)) => Mode::parse(mode)?,
            _ => self.mode()?,
        };
        Ok((at, value, Config::from_layers(&layers)?, mode))
    }
}

fn refused(name: &str, error: Error) -> r2r::Error {
    r2r::Error::ParameterValueConv { name: name.into(), msg: error.to_string() }
}

impl RosParams for Parameters {
    fn register_parameters(
        &mut self,
        _prefix: &str,
        _own: Option<Parameter>,
        known: &mut IndexMap<String, Parameter>,
    ) -> r2r::Result<()> {
        for (spec, value) in PARAMETERS.iter().zip(&self.values) {
            known.shift_remove(spec.name);
            let parameter = Parameter { value: value.clone(), description: spec.description };
            known.insert(spec.name.into(), parameter);
        }
        Ok(())
    }

    fn get_parameter(&mut self, name: &str) -> r2r::Result<ParameterValue> {
        let mut pairs = PARAMETERS.iter().zip(&self.values);
        let found = pairs.find(|(spec, _)| spec.name == name).map(|(_, value)| value.clone());
        found.ok_or_else(|| r2r::Error::InvalidParameterName { name: name.into() })
    }

    fn set_parameter(&mut self, name: &str, value: &ParameterValue) -> r2r::Result<()> {
        let (at, value, config, mode) = self.changed(name, value).map_err(|error| refused(name, error))?;
        self.layers.extend(layer(&PARAMETERS[at], &value));
        self.values[at] = value;
        self.config = config;
        (self.apply)(&self.config, mode);
        Ok(())
    }

    fn check_parameter(&self, name: &str, value: &ParameterValue) -> r2r::Result<()> {
        self.changed(name, value).map(|_| ()).map_err(|error| refused(name, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_every_parameter_with_its_meaning() {
        let readme = include_str!("../../README.md");
        for Spec { name, description, .. } in PARAMETERS {
            let row = readme.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
            assert!(row.is_some_and(|row| row.contains(description)), "{name}: {row:?}");
        }
    }
}
