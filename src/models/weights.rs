//! `Weights`: the tensors of a checkpoint file, under the names that a model asks for.
//!
//! Checkpoints of one model come in several layouts: other names, projections fused or transposed. A layout
//! is a function from the model's names to their sources in the file; errors name the file's own tensors.

use super::pickle;
use crate::error::{Error, Result};
use crate::fingerprint::FileDigest;
use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::VarBuilder;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a tensor is found in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TensorSource {
    /// Under this name.
    Whole(String),
    /// One of several equal parts along the first dimension.
    Part {
        /// The tensor.
        name: String,
        /// Which part.
        index: usize,
        /// How many there are.
        of: usize,
    },
    /// Under this name, rows and columns swapped.
    Transposed(String),
}

/// A layout: the source of the tensor that the model knows by this name.
pub type Layout = fn(&str) -> TensorSource;

/// A loaded checkpoint file.
#[derive(Clone)]
pub struct Weights {
    path: PathBuf,
    digest: FileDigest,
    tensors: Arc<HashMap<String, Tensor>>,
    layout: Layout,
}

impl Weights {
    /// Reads a file: safetensors, or PyTorch's zip of pickles for `.pth`, `.pt` and `.bin`, whose data is read
    /// and whose code is never run.
    ///
    /// # Errors
    /// When the file is absent or damaged.
    pub fn open(path: &Path, device: &Device) -> Result<Weights> {
        let pickled = path.extension().is_some_and(|kind| ["pth", "pt", "bin"].iter().any(|known| kind == *known));
        if !path.is_file() {
            return Err(Error::model(path, "no such file; the README says where weights come from"));
        }
        let digest = FileDigest::start(path);
        let tensors = if pickled {
            pickle::read(path)
                .and_then(|all| all.into_iter().map(|(name, t)| Ok((name, t.to_device(device)?))).collect())
        } else {
            candle_core::safetensors::load(path, device)
        };
        let kind = if pickled { "PyTorch (1.6 or newer)" } else { "safetensors" };
        let tensors = tensors.map_err(|cause| {
            let fact = format!("not a readable {kind} file, is it truncated? {}", first_line(&cause));
            Error::model(path, fact)
        })?;
        Ok(Weights {
            path: path.into(),
            digest,
            tensors: Arc::new(tensors),
            layout: |name| TensorSource::Whole(name.into()),
        })
    }

    /// The same tensors in another layout.
    pub fn with_layout(self, layout: Layout) -> Weights {
        Weights { layout, ..self }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The SHA-256 of the file.
    pub fn digest(&self) -> &FileDigest {
        &self.digest
    }

    /// Whether the file has a tensor of this name (its own).
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The shape of the tensor that the model knows by this name.
    ///
    /// # Errors
    /// When the file has no such tensor, or one of another rank than `N`.
    pub fn shape<const N: usize>(&self, name: &str) -> Result<[usize; N]> {
        let found = self.find(name).map_err(|cause| Error::model(&self.path, first_line(&cause)))?;
        found.dims().try_into().map_err(|_| {
            Error::model(&self.path, format!("tensor {name:?} is {:?}; expected {N} dimensions", found.dims()))
        })
    }

    /// Builds a model in f32; its errors name the file, the tensor and both shapes.
    ///
    /// # Errors
    /// When a tensor is absent or of another shape.
    pub fn build<T>(&self, device: &Device, model: impl FnOnce(VarBuilder) -> candle_core::Result<T>) -> Result<T> {
        let weights = VarBuilder::from_backend(Box::new(self.clone()), DType::F32, device.clone());
        model(weights).map_err(|cause| Error::model(&self.path, first_line(&cause)))
    }

    fn find(&self, name: &str) -> candle_core::Result<Tensor> {
        let source = (self.layout)(name);
        let (TensorSource::Whole(own) | TensorSource::Part { name: own, .. } | TensorSource::Transposed(own)) = &source;
        let Some(tensor) = self.tensors.get(own) else {
            candle_core::bail!("tensor {own:?} is absent");
        };
        match source {
            TensorSource::Whole(_) => Ok(tensor.clone()),
            TensorSource::Part { index, of, .. } => {
                let part = tensor.dim(0)? / of;
                tensor.narrow(0, index * part, part)
            }
            TensorSource::Transposed(_) => tensor.t()?.contiguous(),
        }
    }
}

impl SimpleBackend for Weights {
    fn get(
        &self,
        expected: Shape,
        name: &str,
        _: candle_nn::Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let found = self.get_unchecked(name, dtype, device).map_err(|cause| match self.find(name) {
            Err(_) => candle_core::Error::Msg(format!("{}; expected {:?}", first_line(&cause), expected.dims())),
            Ok(_) => cause,
        })?;
        if *found.shape() != expected {
            let (TensorSource::Whole(own) | TensorSource::Part { name: own, .. } | TensorSource::Transposed(own)) =
                (self.layout)(name);
            candle_core::bail!(
                "shape mismatch: tensor {own:?} gives {:?}; expected {:?} from the configuration",
                found.dims(),
                expected.dims()
            );
        }
        Ok(found)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        self.find(name)?.to_device(device)?.to_dtype(dtype)?.contiguous()
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.find(name).is_ok()
    }
}

fn first_line(cause: &candle_core::Error) -> String {
    // candle appends a backtrace when RUST_BACKTRACE is set
    cause.to_string().lines().next().unwrap_or_default().to_string()
}
