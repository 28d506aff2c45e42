//! `Weights`: the tensors of a checkpoint file, under the names that a model asks for.
//!
//! Checkpoints of one model come in several layouts: other names, projections fused or transposed. A layout
//! is a function from the model's names to their sources in the file; errors name the file's own tensors.

use super::fused::borrowed;
use super::pickle;
use super::weight_files::tensor_files;
use candle_core::safetensors::MmapedSafetensors;
use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::VarBuilder;
use rayon::prelude::*;
use referseg_files::fingerprint::FileDigest;
use referseg_files::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

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
    /// Where it lies, or the index of its parts.
    pub path: PathBuf,
    /// The SHA-256 of its contents.
    pub digest: FileDigest,
}

/// What training puts before every name: PyTorch's DataParallel, its compiler.
const PREFIXES: [&str; 2] = ["module.", "_orig_mod."];

/// Parts of the names of tensors that PyTorch saves beside weights, and of classification heads that segmentation leaves out: MobileSAM
/// keeps TinyViT's.
const WITHOUT_EFFECT: [&str; 21] = [
    "position_ids",
    "num_batches_tracked",
    "attention_bias_idxs",
    "attn_mask",
    "input_resolution",
    "context_length",
    "vocab_size",
    "image_encoder.norm_head.",
    "image_encoder.head.",
    "relative_position_index",
    // a second copy, and what SAM 2 needs for videos alone, by the authors' names and by Hugging Face's
    "prompt_encoder.shared_embedding.",
    "memory_attention.",
    "memory_encoder.",
    "maskmem_tpos_enc",
    "mem_pos_enc",
    "obj_ptr",
    "no_obj_embed",
    "mask_downsample",
    "object_pointer",
    "memory_temporal_positional_encoding",
    "occlusion_spatial_embedding_parameter",
];
/// Parts of the names of an adapter's tensors.
const ADAPTERS: [&str; 6] = ["lora", "adapter", "linear_a_", "linear_b_", "prompt_learner", "ia3_"];
/// Unused tensors that are named at most.
const NAMED: usize = 3;

/// An open checkpoint file; models hold the tensors that they asked for, so it is dropped when they are built.
#[derive(Clone)]
pub struct Weights {
    file: WeightsFile,
    contents: Arc<Contents>,
    /// The tensors that were asked for, by their names in the file.
    used: Arc<Mutex<HashSet<String>>>,
    /// What stands before every name in the file.
    prefix: &'static str,
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
    /// and whose code is never run; or an index (`.index.json`) of several such files.
    ///
    /// # Errors
    /// When a file is absent or damaged.
    pub fn open(path: &Path) -> Result<Weights> {
        let files = tensor_files(path)?;
        let is_pickle =
            |file: &Path| file.extension().is_some_and(|kind| ["pth", "pt", "bin"].iter().any(|known| kind == *known));
        let unreadable = |file: &Path, kind: &str, cause: candle_core::Error| {
            Error::model(file, format!("not a readable {kind} file, is it truncated? {}", first_line(&cause)))
        };
        let contents = if files.iter().any(|file| is_pickle(file)) {
            let mut all = HashMap::new();
            for file in &files {
                let read = pickle::read(file).map_err(|cause| unreadable(file, "PyTorch (1.6 or newer)", cause))?;
                all.extend(read);
            }
            Contents::Read(all)
        } else {
            // SAFETY: the mapping is undefined only if another program changes the file while a model is built from it,
            // which would damage any way of reading it; it is dropped right after
            let mapped = unsafe { MmapedSafetensors::multi(&files) };
            // the one that is at fault, of several
            let of = |file: &&PathBuf| unsafe { MmapedSafetensors::new(file) }.is_err();
            let fault = |cause| unreadable(files.iter().find(of).map_or(path, |file| file), "safetensors", cause);
            Contents::Mapped(mapped.map_err(fault)?)
        };
        let parts = if files == [path] { files } else { [vec![path.to_path_buf()], files].concat() };
        let file = WeightsFile { path: path.into(), digest: FileDigest::start(parts) };
        let names = contents.names();
        let of_all = |prefix: &&str| !names.is_empty() && names.iter().all(|name| name.starts_with(*prefix));
        let prefix = PREFIXES.into_iter().find(of_all).unwrap_or_default();
        let (contents, used) = (Arc::new(contents), Arc::default());
        Ok(Weights { file, contents, used, prefix, layout: |name| TensorSource::Whole(name.into()) })
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

    /// Whether the file has a tensor of this name (its own, without what training put before it).
    pub fn has(&self, name: &str) -> bool {
        let name = format!("{}{name}", self.prefix);
        match &*self.contents {
            Contents::Mapped(mapped) => mapped.get(&name).is_ok(),
            Contents::Read(tensors) => tensors.contains_key(&name),
        }
    }

    /// Refuses a file that has more blocks at `layers` (the model's name) than the `count` of its configuration; fewer are
    /// noticed when they are asked for.
    ///
    /// # Errors
    /// When it has.
    pub fn check_depth(&self, layers: &str, count: usize) -> Result<()> {
        if !self.contains_tensor(&format!("{layers}.{count}.layer_norm1.weight")) {
            return Ok(());
        }
        let fact = format!("it has more than the {count} blocks at {layers} that its configuration names: these files belong to different models");
        Err(Error::model(self.path(), fact))
    }

    /// The tensors of the file that no model has asked for yet, by their own names, sorted, without those that change nothing.
    pub fn unused(&self) -> Vec<String> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names = self.contents.names();
        names.retain(|name| !used.contains(name) && !WITHOUT_EFFECT.iter().any(|part| name.contains(part)));
        names.sort();
        names
    }

    /// Warns of tensors that the models built from this file do not use: they compute something else than what was trained.
    ///
    /// # Errors
    /// When some belong to an adapter, whose training would be lost.
    pub fn check_all_used(&self) -> Result<()> {
        let unused = self.unused();
        let is_adapter = |name: &&String| ADAPTERS.iter().any(|part| name.to_lowercase().contains(part));
        if let Some(name) = unused.iter().find(is_adapter) {
            let fact = format!(
                "tensor {name:?} is of an adapter (LoRA and the like), which is not read and would have no effect; merge it \
                 into the weights first (peft: `model.merge_and_unload()`, then `save_pretrained`)"
            );
            return Err(Error::model(self.path(), fact));
        }
        if !unused.is_empty() {
            let first = unused.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = if unused.len() > NAMED { ", ..." } else { "" };
            let path = self.path().display();
            log::warn!("{path}: {} tensors have no effect: {first}{more}; is it of another model?", unused.len());
        }
        Ok(())
    }

    /// The one number in the tensor that the model knows by this name.
    ///
    /// # Errors
    /// When it is absent, or no single finite number.
    pub fn number(&self, name: &str) -> Result<f32> {
        let value = self.build(DType::F32, &Device::Cpu, |vb| vb.get_unchecked(name))?;
        match value.flatten_all()?.to_vec1::<f32>()?[..] {
            [value] => Ok(value),
            ref values => {
                let fact = format!("tensor {name:?} has {} values; expected one number", values.len());
                Err(Error::model(self.path(), fact))
            }
        }
    }

    /// The first tensor, by name, that holds a value out of f16's range, if there is one.
    ///
    /// # Errors
    /// When a tensor can't be read.
    pub fn too_large_for_f16(&self) -> Result<Option<String>> {
        let mut names = self.contents.names();
        names.sort();
        let too_large = names.into_par_iter().map(|name| -> candle_core::Result<Option<String>> {
            let Some(tensor) = self.contents.load(&name)? else { return Ok(None) };
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
        let source = self.source(name);
        let absent = || Error::model(self.path(), format!("tensor {:?} is absent", source.name()));
        let mut dims = match &*self.contents {
            Contents::Mapped(mapped) => mapped.get(source.name()).map_err(|_| absent())?.shape().to_vec(),
            Contents::Read(tensors) => tensors.get(source.name()).ok_or_else(absent)?.dims().to_vec(),
        };
        match (&source, dims.first_mut()) {
            (TensorSource::Part { of, .. }, Some(rows)) => *rows /= of,
            (TensorSource::Transposed(_), _) => dims.reverse(),
            _ => {}
        }
        dims.try_into().map_err(|dims: Vec<usize>| {
            Error::model(self.path(), format!("tensor {name:?} is {dims:?}; expected {N} dimensions"))
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

    /// Where the file has the tensor that the model knows by this name, under the file's own name.
    fn source(&self, name: &str) -> TensorSource {
        let whole = |name: String| format!("{}{name}", self.prefix);
        match (self.layout)(name) {
            TensorSource::Whole(name) => TensorSource::Whole(whole(name)),
            TensorSource::Part { name, index, of } => TensorSource::Part { name: whole(name), index, of },
            TensorSource::Transposed(name) => TensorSource::Transposed(whole(name)),
        }
    }

    fn find(&self, name: &str) -> candle_core::Result<Tensor> {
        let source = self.source(name);
        let Some(tensor) = self.contents.load(source.name())? else {
            candle_core::bail!("tensor {:?} is absent", source.name());
        };
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(source.name().into());
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

impl Contents {
    /// All names, in no order.
    fn names(&self) -> Vec<String> {
        match self {
            Contents::Mapped(mapped) => mapped.tensors().into_iter().map(|(name, _)| name).collect(),
            Contents::Read(tensors) => tensors.keys().cloned().collect(),
        }
    }

    /// A tensor by its own name, on the CPU.
    fn load(&self, name: &str) -> candle_core::Result<Option<Tensor>> {
        match self {
            Contents::Mapped(mapped) if mapped.get(name).is_ok() => mapped.load(name, &Device::Cpu).map(Some),
            Contents::Mapped(_) => Ok(None),
            Contents::Read(tensors) => Ok(tensors.get(name).cloned()),
        }
    }
}

/// Whether a tensor of the CPU has finite values only; one of whole numbers has.
fn all_finite(tensor: &Tensor) -> candle_core::Result<bool> {
    const CHUNK: usize = 1 << 16;
    if !tensor.dtype().is_float() {
        return Ok(true);
    }
    let wide = tensor.to_dtype(DType::F32)?.contiguous()?;
    let Some(values) = borrowed(&wide) else { return Ok(true) };
    Ok(values.par_chunks(CHUNK).all(|chunk| chunk.iter().fold(0.0f32, |sum, value| sum + value * 0.0) == 0.0))
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
                self.source(name).name(),
                found.dims(),
                expected.dims()
            );
        }
        Ok(found)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        let found = self.find(name)?;
        if !all_finite(&found)? {
            candle_core::bail!(
                "tensor {:?} holds infinities or values that are no numbers; the file is damaged or of a failed training",
                self.source(name).name()
            );
        }
        found.to_dtype(dtype)?.contiguous()?.to_device(device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.has((self.layout)(name).name())
    }
}

fn first_line(cause: &candle_core::Error) -> String {
    // candle appends a backtrace when RUST_BACKTRACE is set
    cause.to_string().lines().next().unwrap_or_default().to_string()
}
