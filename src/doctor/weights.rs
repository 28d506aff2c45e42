//! The weights: whether they load, on which device, and which they are.

use super::finding::Finding;
use crate::config::Config;
use crate::grounding::Segmenter;
use crate::Result;

/// Loads what the settings name, as the node would.
pub fn weights(config: Result<Config>) -> Vec<Finding> {
    let remedy = "correct it; `referseg models list` shows what can be fetched, config/referseg.yaml every setting";
    let config = match config {
        Ok(config) => config,
        Err(error) => return vec![Finding::wrong("settings", error.to_string(), remedy)],
    };
    let model = config.model.display().to_string();
    let asked = config.device.clone();
    match Segmenter::open(config) {
        Err(error) => vec![Finding::wrong("weights", error.to_string(), remedy)],
        Ok(segmenter) => {
            let cuda =
                if cfg!(feature = "cuda") { "" } else { "; built without CUDA (scripts/build_cuda.sh builds with it)" };
            let device =
                format!("{} (asked: {asked}), computes in {}{cuda}", segmenter.device_name(), segmenter.dtype_name());
            vec![
                Finding::fine("weights", format!("{model}, sha256 {}", segmenter.weights_digest().get())),
                Finding::fine("device", device),
            ]
        }
    }
}
