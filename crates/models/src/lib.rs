//! Models: weights from files, the towers of CLIP, Segment Anything. Tensors in, tensors out.
//!
//! They know neither proposals nor commands; what the method asks of them is [`ModelFamily`].
#![warn(missing_docs)]

pub mod clip;
mod compute;
pub mod device;
mod family;
pub mod fused;
mod pickle;
mod preprocessing;
pub mod sam;
pub mod siglip;
pub mod solo;
pub mod tensor_math;
mod tokenizer_file;
mod transformer;
mod weight_files;
mod weights;

pub use compute::{Compute, Dtype};
pub use family::{
    DenseEncoder, HybridEncoder, HybridReadout, MaskedEncoder, ModelFamily, PlaceEncoder, Preprocessing, RegionEncoder,
    TextCut,
};
pub use weight_files::checkpoint_folder;
pub use weights::{Layout, TensorSource, Weights, WeightsFile};

use referseg_files::Result;
use std::path::Path;
use std::sync::Arc;

/// The configuration of a model in Hugging Face's layout.
const HUGGING_FACE_CONFIG: &str = "config.json";

/// Loads the model in a folder, or in a hub's cache of one, of whatever family it is.
///
/// # Errors
/// When a file is absent, damaged, or describes a model of no family that is known, or holds what `compute` can't.
pub fn load(folder: &Path, compute: &Compute) -> Result<Arc<dyn ModelFamily>> {
    let folder = &checkpoint_folder(folder)?;
    match model_type(folder).as_deref() {
        Some(siglip::MODEL_TYPE) => Ok(Arc::new(siglip::Siglip::load(folder, compute)?)),
        _ => Ok(clip::Clip::load(folder, compute)?.into_family()),
    }
}

/// What Hugging Face's configuration in a folder calls the model; what can't be read is for the loaders to say.
pub fn model_type(folder: &Path) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named {
        model_type: String,
    }
    let config = std::fs::read_to_string(folder.join(HUGGING_FACE_CONFIG)).ok()?;
    let named: Named = serde_json::from_str(&config).ok()?;
    Some(named.model_type)
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
