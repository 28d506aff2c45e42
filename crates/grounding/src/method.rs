//! Methods: which of them a model can do, by its capabilities.

use referseg_config::{Config, Method};
use referseg_files::{Error, Result};
use referseg_models::ModelFamily;

fn can(method: Method, family: &dyn ModelFamily) -> bool {
    match method {
        Method::GlobalLocal => family.masked_encoder().is_some(),
        Method::HybridGl => family.hybrid_encoder().is_some(),
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

/// Refuses guidance and terms that the model can't do.
///
/// # Errors
/// When a heat map is requested from a model without features per place.
pub fn check_guidance(config: &Config, family: &dyn ModelFamily) -> Result<()> {
    if !config.needs_heat() || family.place_encoder().is_some() {
        return Ok(());
    }
    let fact = format!(
        "the heat map of guidance hybridgl and of terms.heat can't be made by this model, a {}; it takes a vision \
         transformer, or guidance none or full with terms.heat 0",
        family.name()
    );
    Err(Error::config("guidance", fact))
}
