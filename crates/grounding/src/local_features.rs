//! `LocalFeatures`: the features of a frame's masked crops, each encoded when it is first asked for, and kept.

use super::prepared_frame::PreparedFrame;
use candle_core::{DType, Tensor};
use referseg_files::{Error, Result};
use referseg_models::device::Device;
use referseg_models::tensor_math::l2_normalize;
use referseg_models::ModelFamily;
use referseg_proposals::Proposal;
use std::sync::{Mutex, PoisonError};

/// What CUDA says when a device's memory does not suffice.
const OUT_OF_MEMORY: &str = "OUT_OF_MEMORY";

/// Local features of `n` proposals, f32 on the CPU.
pub struct LocalFeatures {
    /// For each proposal its feature, `[d]`, where it is encoded.
    rows: Mutex<Vec<Option<Vec<f32>>>>,
    /// What crops are cut from; absent when all are encoded.
    prepared: Option<PreparedFrame>,
}

/// What encodes crops.
pub struct CropEncoder<'a> {
    /// Whose crops.
    pub proposals: &'a [Proposal],
    /// The model.
    pub family: &'a dyn ModelFamily,
    /// Proposals encoded at once; `None` for what suits the device.
    pub batch: Option<usize>,
    /// Where the model is.
    pub device: &'a Device,
}

/// Encodes `batch` items at a time, so that memory does not grow with their number: `[n, d]`. A device that has no memory for
/// as many is asked again for half of them. `batch`: `None` for what suits the device.
pub fn in_batches<T>(
    items: &[T],
    batch: Option<usize>,
    device: &Device,
    encode: impl Fn(&[T]) -> Result<Tensor>,
) -> Result<Tensor> {
    let mut batch = batch.unwrap_or(if device.is_cpu() { 32 } else { 256 });
    let (mut parts, mut done) = (Vec::new(), 0);
    while done < items.len() {
        let next = &items[done..(done + batch).min(items.len())];
        match encode(next) {
            Ok(part) => {
                parts.push(part);
                done += next.len();
            }
            Err(Error::Computation(cause)) if next.len() > 1 && cause.contains(OUT_OF_MEMORY) => {
                batch = next.len() / 2;
            }
            Err(error) => return Err(error),
        }
    }
    match &parts[..] {
        [only] => Ok(only.clone()),
        parts => Ok(Tensor::cat(parts, 0)?),
    }
}

impl CropEncoder<'_> {
    /// Features of the crops of some proposals, `[k, d]`, on the device.
    ///
    /// # Errors
    /// When a mask is empty or the device fails.
    pub fn encode(&self, prepared: &PreparedFrame, which: &[usize]) -> Result<Tensor> {
        let features = in_batches(which, self.batch, self.device, |which| {
            let crops = prepared.crops(which.iter().map(|i| &self.proposals[*i].mask), self.device)?;
            self.family.encode_images(&crops)
        })?;
        match self.family.normalizes_before_mixing() {
            true => Ok(l2_normalize(&features)?),
            false => Ok(features),
        }
    }
}

impl LocalFeatures {
    /// None of `n` encoded yet.
    pub fn deferred(n: usize, prepared: PreparedFrame) -> LocalFeatures {
        LocalFeatures { rows: Mutex::new(vec![None; n]), prepared: Some(prepared) }
    }

    /// All of them, `[n, d]`.
    ///
    /// # Errors
    /// When they can't be read from the device.
    pub fn whole(features: &Tensor) -> Result<LocalFeatures> {
        let rows = features.to_dtype(DType::F32)?.to_vec2()?.into_iter().map(Some).collect();
        Ok(LocalFeatures { rows: Mutex::new(rows), prepared: None })
    }

    /// The features of some proposals, `[k]` rows of `[d]`; encodes those that are not yet.
    ///
    /// # Errors
    /// When a mask is empty or the device fails.
    pub fn of(&self, which: &[usize], encoder: &CropEncoder) -> Result<Vec<Vec<f32>>> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let absent: Vec<usize> = which.iter().copied().filter(|i| rows[*i].is_none()).collect();
        if !absent.is_empty() {
            let prepared = self.prepared.as_ref();
            let prepared = prepared.ok_or_else(|| Error::Computation("crops without a frame; this is a bug".into()))?;
            let encoded = encoder.encode(prepared, &absent)?.to_dtype(DType::F32)?.to_vec2()?;
            for (i, row) in absent.into_iter().zip(encoded) {
                rows[i] = Some(row);
            }
        }
        Ok(which.iter().filter_map(|i| rows[*i].clone()).collect())
    }

    /// All of them as one tensor, `[n, d]` on the CPU.
    ///
    /// # Errors
    /// When some are not encoded.
    pub fn tensor(&self) -> Result<Tensor> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<&Vec<f32>> = rows.iter().flatten().collect();
        if known.len() < rows.len() {
            return Err(Error::Computation("local features to keep are not all encoded; this is a bug".into()));
        }
        let width = known.first().map_or(0, |row| row.len());
        Ok(Tensor::from_vec(rows.iter().flatten().flatten().copied().collect(), (rows.len(), width), &Device::Cpu)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_without_memory_is_asked_for_half_again_and_again() {
        let asked = Mutex::new(Vec::new());
        let encode = |items: &[f32]| {
            asked.lock().unwrap().push(items.len());
            match items.len() {
                0..=3 => Ok(Tensor::new(items, &Device::Cpu)?),
                _ => Err(Error::Computation("DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")".into())),
            }
        };
        let items = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let found = in_batches(&items, Some(1024), &Device::Cpu, encode).unwrap();
        assert_eq!(found.to_vec1::<f32>().unwrap(), items);
        assert_eq!(*asked.lock().unwrap(), [7, 3, 3, 1]);
        let other = in_batches(&items, None, &Device::Cpu, |_| Err(Error::Computation("shapes".into())));
        assert!(other.is_err());
    }
}
