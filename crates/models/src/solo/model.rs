//! `SoloModel`: a SOLO checkpoint, ready to propose masks for frames.

use super::config::{Sizes, SoloConfig};
use super::network::Network;
use super::selection::{probabilities, select, Candidate, Selected};
use crate::compute::Compute;
use crate::weights::Weights;
use candle_core::{DType, Tensor};
use referseg_files::fingerprint::FileDigest;
use referseg_files::Result;
use referseg_image::resample::{bilinear_twice, resize_like_pillow, Filter, Normalization};
use referseg_image::{Frame, Mask};
use std::path::Path;

/// A mask that a SOLO proposes.
pub struct SoloMask {
    /// In image pixels.
    pub mask: Mask,
    /// Category score times maskness, after suppression, 0..1.
    pub score: f32,
}

/// A network with its settings.
pub struct SoloModel {
    network: Network,
    /// Sizes and thresholds.
    pub config: SoloConfig,
    compute: Compute,
    dtype: DType,
    digest: FileDigest,
}

impl SoloModel {
    /// Opens a checkpoint of FreeSOLO's layout (`.pth` or `.safetensors`), with a `config.json` beside it or without.
    ///
    /// # Errors
    /// When it can't be used.
    pub fn open(path: &Path, compute: &Compute) -> Result<SoloModel> {
        let weights = Weights::open(path)?;
        let config = SoloConfig::beside(path)?;
        let sizes = Sizes::of(&weights)?;
        let dtype = compute.dtype(&weights)?;
        let network = weights.build(dtype, &compute.device, |vb| Network::new(&sizes, vb))?;
        weights.check_all_used()?;
        let digest = weights.file().digest.clone();
        Ok(SoloModel { network, config, compute: compute.clone(), dtype, digest })
    }

    /// The SHA-256 of the weights.
    pub fn digest(&self) -> &FileDigest {
        &self.digest
    }

    /// Normalised pixels `[1, 3, h, w]` of a frame, resized and padded with zeros to the right and below.
    ///
    /// # Errors
    /// When the device fails.
    pub fn pixels(&self, frame: &Frame) -> Result<Tensor> {
        let [(width, height), (columns, rows)] = self.config.sizes(frame.width(), frame.height());
        let small = resize_like_pillow(frame, width, height, Filter::Bilinear)?;
        let planes = Normalization { mean: self.config.mean, std: self.config.std }.planes(small.rgb());
        let mut padded = vec![0f32; 3 * columns * rows];
        for (plane, values) in planes.chunks_exact(width * height).enumerate() {
            for (row, values) in values.chunks_exact(width).enumerate() {
                let at = (plane * rows + row) * columns;
                padded[at..at + width].copy_from_slice(values);
            }
        }
        Ok(Tensor::from_vec(padded, (1, 3, rows, columns), &self.compute.device)?.to_dtype(self.dtype)?)
    }

    /// The masks of a frame, best first.
    ///
    /// # Errors
    /// When the device fails.
    pub fn propose(&self, frame: &Frame) -> Result<Vec<SoloMask>> {
        self.propose_on(&self.pixels(frame)?, (frame.width(), frame.height()))
    }

    /// The masks of a picture of this size, whose normalised pixels are those of [`SoloModel::pixels`].
    pub(super) fn propose_on(&self, pixels: &Tensor, picture: (usize, usize)) -> Result<Vec<SoloMask>> {
        let outputs = self.network.forward(pixels, &self.config.grids)?;
        let selected = select(&outputs, &self.config)?;
        if selected.is_empty() {
            return Ok(Vec::new());
        }
        let [resized, _] = self.config.sizes(picture.0, picture.1);
        let (_, _, h, w) = outputs.mask_features.dims4()?;
        let chosen: Vec<Candidate> = selected.iter().map(|one| one.candidate).collect();
        let rows = probabilities(&outputs, &chosen)?;
        let masks = selected.into_iter().zip(rows).map(|(one, row): (Selected, Vec<f32>)| {
            let mask = self.full_size(&row, (w, h), resized, picture);
            SoloMask { mask, score: one.score }
        });
        Ok(masks.filter(|proposed| proposed.mask.area() > 0).collect())
    }

    /// Probabilities brought to the picture's size by two bilinear steps, as the authors do, and cut at the threshold.
    fn full_size(
        &self,
        probabilities: &[f32],
        (w, h): (usize, usize),
        resized: (usize, usize),
        picture: (usize, usize),
    ) -> Mask {
        let ratio = resized.1.div_ceil(h).max(resized.0.div_ceil(w));
        let enlarged = (w * ratio, h * ratio);
        let full = bilinear_twice(probabilities, (w, h), enlarged, resized, picture);
        Mask::from_fn(picture.0, picture.1, |x, y| full[y * picture.0 + x] > self.config.mask_thr)
    }

    /// The network, for tests of its steps.
    #[cfg(test)]
    pub(super) fn network(&self) -> &Network {
        &self.network
    }
}
