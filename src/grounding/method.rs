//! Methods: which of them a model can do, by its capabilities.

use crate::config::Method;
use crate::error::{Error, Result};
use crate::models::ModelFamily;

fn can(method: Method, family: &dyn ModelFamily) -> bool {
    match method {
        Method::GlobalLocal => family.masked_encoder().is_some(),
        Method::Cropping => true,
        Method::RegionToken => family.region_encoder().is_some(),
        Method::ScoreMap | Method::GradCam => family.dense_encoder().is_some(),
    }
}

/// The methods that a model can do.
pub fn supported_methods(family: &dyn ModelFamily) -> Vec<Method> {
    Method::NAMES.iter().map(|(_, method)| *method).filter(|method| can(*method, family)).collect()
}

/// Refuses a method that the model can't do.
///
/// # Errors
/// When it can't; the methods that it can do are named.
pub fn check_method(method: Method, family: &dyn ModelFamily) -> Result<()> {
    if can(method, family) {
        return Ok(());
    }
    let names: Vec<String> = supported_methods(family).iter().map(ToString::to_string).collect();
    let (last, first) = names.split_last().map_or(("", &[][..]), |(last, first)| (last.as_str(), first));
    let fact =
        format!("{method} can't run on this model, a {}; it can do {} and {last}", family.name(), first.join(", "));
    Err(Error::config("method", fact))
}
