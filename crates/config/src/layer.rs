//! `Layer`: some settings as YAML with their source, which errors name.

use referseg_files::{Error, Result};
use serde_yaml::Value;
use std::path::Path;

/// One layer of settings with the name that its errors carry.
#[derive(Clone, Debug)]
pub struct Layer {
    pub(super) subject: String,
    pub(super) values: Value,
}

impl Layer {
    /// Parses YAML text; `subject` names it in errors.
    ///
    /// # Errors
    /// When it is no YAML mapping.
    pub fn parse(subject: impl Into<String>, text: &str) -> Result<Layer> {
        let subject = subject.into();
        let values: Value =
            serde_yaml::from_str(text).map_err(|cause| Error::config(&subject, format!("not YAML: {cause}")))?;
        let values = match values {
            Value::Null => Value::Mapping(Default::default()),
            Value::Mapping(_) => values,
            _ => return Err(Error::config(subject, "expected a mapping of keys to values")),
        };
        Ok(Layer { subject, values })
    }

    /// Reads a YAML file.
    ///
    /// # Errors
    /// When it can't be read or is no YAML mapping.
    pub fn read(path: &Path) -> Result<Layer> {
        let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
        Layer::parse(path.display().to_string(), &text)
    }

    /// A layer with one value at a dotted key, such as `answer.min_score`.
    pub fn value(subject: impl Into<String>, key: &str, value: impl Into<Value>) -> Layer {
        let nest = |inner: Value, part: &str| Value::Mapping([(Value::from(part), inner)].into_iter().collect());
        let values = key.rsplit('.').fold(value.into(), nest);
        Layer { subject: subject.into(), values }
    }

    /// A layer from `KEY=VALUE`, the key dotted, the value YAML.
    ///
    /// # Errors
    /// When there is no `=`, or the value is no YAML.
    pub fn assignment(given: &str) -> Result<Layer> {
        let Some((key, value)) = given.split_once('=') else {
            return Err(Error::config(given, "no \"=\" in it; expected KEY=VALUE, such as proposals.limit=20"));
        };
        let value: Value =
            serde_yaml::from_str(value).map_err(|cause| Error::config(given, format!("not YAML: {cause}")))?;
        Ok(Layer::value(given, key, value))
    }

    /// The layer without a section.
    pub(super) fn without(&self, section: &str) -> Layer {
        let mut layer = self.clone();
        if let Value::Mapping(values) = &mut layer.values {
            values.remove(section);
        }
        layer
    }

    pub(super) fn at(&self, key: &str) -> Option<&Value> {
        key.split('.').try_fold(&self.values, |value, part| value.get(part))
    }
}

/// Refuses keys of `layer` that the defaults do not have.
pub(super) fn check_known_keys(layer: &Layer, values: &Value, defaults: &Value, path: &str) -> Result<()> {
    let (Value::Mapping(values), Value::Mapping(defaults)) = (values, defaults) else {
        return Ok(());
    };
    if defaults.is_empty() {
        return Ok(()); // a map of the user's own keys
    }
    for (key, value) in values {
        let name = key.as_str().map_or_else(|| format!("{key:?}"), str::to_string);
        let Some(default) = defaults.get(key) else {
            let names: Vec<_> = defaults.keys().filter_map(Value::as_str).collect();
            let fact = format!("unknown key \"{path}{name}\"; expected one of {}", names.join(", "));
            return Err(Error::config(&layer.subject, fact));
        };
        check_known_keys(layer, value, default, &format!("{path}{name}."))?;
    }
    Ok(())
}

/// Puts values over others, key by key.
pub(super) fn lay_over(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Mapping(base), Value::Mapping(over)) => {
            for (key, value) in over {
                lay_over(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}
