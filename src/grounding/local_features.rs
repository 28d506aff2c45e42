//! `LocalFeatures`: the features of a frame's masked crops, each encoded when it is first asked for, and kept.

use super::prepared_frame::PreparedFrame;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::models::tensor_math::l2_normalize;
use crate::models::ModelFamily;
use crate::proposals::Proposal;
use candle_core::{DType, Tensor};
use std::sync::{Mutex, PoisonError};

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
    /// Proposals encoded at once.
    pub batch: usize,
    /// Where the model is.
    pub device: &'a Device,
}

/// Encodes `batch` items at a time, so that memory does not grow with their number: `[n, d]`.
pub fn in_batches<T>(items: &[T], batch: usize, encode: impl Fn(&[T]) -> Result<Tensor>) -> Result<Tensor> {
    let parts = items.chunks(batch).map(encode).collect::<Result<Vec<_>>>()?;
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
        let features = in_batches(which, self.batch, |which| {
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
