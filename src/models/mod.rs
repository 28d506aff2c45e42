//! Models: weights from files, the towers of CLIP, Segment Anything. Tensors in, tensors out.
//!
//! They know neither proposals nor commands; what the method asks of them is [`ModelFamily`].

pub mod clip;
mod compute;
mod family;
pub mod fused;
mod pickle;
pub mod sam;
pub mod tensor_math;
mod weights;

pub use compute::Compute;
pub use family::{DenseEncoder, HybridEncoder, MaskedEncoder, ModelFamily, PlaceEncoder, Preprocessing, RegionEncoder};
pub use weights::{Layout, TensorSource, Weights, WeightsFile};

use crate::error::{Error, Result};
use std::path::Path;
use std::sync::Arc;

impl From<candle_core::Error> for Error {
    fn from(cause: candle_core::Error) -> Error {
        Error::Computation(cause.to_string())
    }
}

/// Loads the model in a folder, of whatever family it is.
///
/// # Errors
/// When a file is absent, damaged, or describes a model of no family that is known, or holds what `compute` can't.
pub fn load(folder: &Path, compute: &Compute) -> Result<Arc<dyn ModelFamily>> {
    Ok(clip::Clip::load(folder, compute)?.into_family())
}
