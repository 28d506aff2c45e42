//! `Weights`: the tensors of a checkpoint file, under the names that a model asks for.
//!
//! Checkpoints of one model come in several layouts: other names, projections fused or transposed. A layout
//! is a function from the model's names to their sources in the file; errors name the file's own tensors.

use super::pickle;
use crate::error::{Error, Result};
use crate::fingerprint::FileDigest;
use candle_core::safetensors::MmapedSafetensors;
use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::VarBuilder;
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest finite value of f16.
const LARGEST_F16: f32 = 65504.0;

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

impl TensorSource {
    /// The tensor's name in the file.
    fn name(&self) -> &str {
        let (TensorSource::Whole(name) | TensorSource::Part { name, .. } | TensorSource::Transposed(name)) = self;
        name
    }
}

/// A layout: the source of the tensor that the model knows by this name.
pub type Layout = fn(&str) -> TensorSource;

/// A checkpoint file: where it lies and what is in it.
#[derive(Clone, Debug)]
pub struct WeightsFile {
    /// Where it lies.
    pub path: PathBuf,
    /// The SHA-256 of its contents.
    pub digest: FileDigest,
}

/// An open checkpoint file; models hold the tensors that they asked for, so it is dropped when they are built.
#[derive(Clone)]
pub struct Weights {
    file: WeightsFile,
    contents: Arc<Contents>,
    layout: Layout,
}

enum Contents {
    /// Safetensors, read where a tensor is asked for.
    Mapped(MmapedSafetensors),
    /// A pickle, read as a whole.
    Read(HashMap<String, Tensor>),
}

impl Weights {
    /// Opens a file: safetensors, or PyTorch's zip of pickles for `.pth`, `.pt` and `.bin`, whose data is read
    /// and whose code is never run.
    ///
    /// # Errors
    /// When the file is absent or damaged.
    pub fn open(path: &Path) -> Result<Weights> {
        let pickled = path.extension().is_some_and(|kind| ["pth", "pt", "bin"].iter().any(|known| kind == *known));
        if !path.is_file() {
            return Err(Error::model(path, "no such file; the README says where weights come from"));
        }
        let contents = if pickled {
            pickle::read(path).map(|all| Contents::Read(all.into_iter().collect()))
        } else {
            // SAFETY: the mapping is undefined only if another program changes the file while a model is built from it,
            // which would damage any way of reading it; it is dropped right after
            unsafe { MmapedSafetensors::new(path) }.map(Contents::Mapped)
        };
        let kind = if pickled { "PyTorch (1.6 or newer)" } else { "safetensors" };
        let contents = contents.map_err(|cause| {
            let fact = format!("not a readable {kind} file, is it truncated? {}", first_line(&cause));
            Error::model(path, fact)
        })?;
        let file = WeightsFile { path: path.into(), digest: FileDigest::start(path) };
        Ok(Weights { file, contents: Arc::new(contents), layout: |name| TensorSource::Whole(name.into()) })
    }

    /// The same tensors in another layout.
    pub fn with_layout(self, layout: Layout) -> Weights {
        Weights { layout, ..self }
    }

    /// The file.
    pub fn file(&self) -> &WeightsFile {
        &self.file
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Whether the file has a tensor of this name (its own).
    pub fn has(&self, name: &str) -> bool {
        match &*self.contents {
            Contents::Mapped(mapped) => mapped.get(name).is_ok(),
            Contents::Read(tensors) => tensors.contains_key(name),
        }
    }

    /// The first tensor, by name, that holds a value out of f16's range, if there is one.
    ///
    /// # Errors
    /// When a tensor can't be read.
    pub fn too_large_for_f16(&self) -> Result<Option<String>> {
        let mut names: Vec<String> = match &*self.contents {
            Contents::Mapped(mapped) => mapped.tensors().into_iter().map(|(name, _)| name).collect(),
            Contents::Read(tensors) => tensors.keys().cloned().collect(),
        };
        names.sort();
        let too_large = names.into_par_iter().map(|name| -> candle_core::Result<Option<String>> {
            let Some(tensor) = self.load(&name)? else { return Ok(None) };
            if !matches!(tensor.dtype(), DType::F32 | DType::F64 | DType::BF16) || tensor.elem_count() == 0 {
                return Ok(None);
            }
            let largest = tensor.to_dtype(DType::F32)?.abs()?.max_all()?.to_scalar::<f32>()?;
            Ok((largest > LARGEST_F16).then_some(name))
        });
        Ok(too_large.find_map_first(|found| found.transpose()).transpose()?)
    }

    /// The shape of the tensor that the model knows by this name.
    ///
    /// # Errors
    /// When the file has no such tensor, or one of another rank than `N`.
    pub fn shape<const N: usize>(&self, name: &str) -> Result<[usize; N]> {
        let found = self.find(name).map_err(|cause| Error::model(self.path(), first_line(&cause)))?;
        found.dims().try_into().map_err(|_| {
            Error::model(self.path(), format!("tensor {name:?} is {:?}; expected {N} dimensions", found.dims()))
        })
    }

    /// Builds a model of this type on a device; its errors name the file, the tensor and both shapes.
    ///
    /// # Errors
    /// When a tensor is absent or of another shape.
    pub fn build<T>(
        &self,
        dtype: DType,
        device: &Device,
        model: impl FnOnce(VarBuilder) -> candle_core::Result<T>,
    ) -> Result<T> {
        let weights = VarBuilder::from_backend(Box::new(self.clone()), dtype, device.clone());
        model(weights).map_err(|cause| Error::model(self.path(), first_line(&cause)))
    }

    /// A tensor by its own name, on the CPU.
    fn load(&self, name: &str) -> candle_core::Result<Option<Tensor>> {
        match &*self.contents {
            Contents::Mapped(mapped) if mapped.get(name).is_ok() => mapped.load(name, &Device::Cpu).map(Some),
            Contents::Mapped(_) => Ok(None),
            Contents::Read(tensors) => Ok(tensors.get(name).cloned()),
        }
    }

    fn find(&self, name: &str) -> candle_core::Result<Tensor> {
        let source = (self.layout)(name);
        let Some(tensor) = self.load(source.name())? else {
            candle_core::bail!("tensor {:?} is absent", source.name());
        };
        match source {
            TensorSource::Whole(_) => Ok(tensor),
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
            candle_core::bail!(
                "shape mismatch: tensor {:?} gives {:?}; expected {:?} from the configuration",
                (self.layout)(name).name(),
                found.dims(),
                expected.dims()
            );
        }
        Ok(found)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        self.find(name)?.to_dtype(dtype)?.contiguous()?.to_device(device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.has((self.layout)(name).name())
    }
}

fn first_line(cause: &candle_core::Error) -> String {
    // candle appends a backtrace when RUST_BACKTRACE is set
    cause.to_string().lines().next().unwrap_or_default().to_string()
}
