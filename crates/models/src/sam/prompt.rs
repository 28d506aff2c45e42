//! `Prompt`: the points or box given to Segment Anything for an embedded image, and its masks.

use super::mask_decoder::Features;
use candle_core::Tensor;
use referseg_files::Result;
use referseg_image::resample::{bilinear, bilinear_twice};
use referseg_image::{Mask, Rect};

/// A prompt for one embedded image, in image pixels.
#[derive(Clone, Debug)]
pub enum Prompt {
    /// A place, and whether it belongs to the thing.
    Points(Vec<([f32; 2], bool)>),
    /// Left, top, right and bottom.
    Box([f32; 4]),
    /// A box, and places in it.
    BoxWithPoints([f32; 4], Vec<([f32; 2], bool)>),
}

/// An image as the decoder reads it.
pub struct Embedding {
    /// What the encoder found.
    pub features: Features,
    /// Columns and rows of the image.
    pub(super) image: (usize, usize),
    /// Columns and rows that it fills in model pixels.
    pub(super) inner: (usize, usize),
    /// Model pixels a side.
    pub(super) side: usize,
    /// Whether logits are brought to the image's size in one step: SAM 2, whose images are squashed and not padded.
    pub(super) is_squashed: bool,
}

/// The decoder's answer to `n` prompts of one kind.
pub struct Decoded {
    /// Logits in low pixels, `[n, masks, s, s]`.
    pub low: Tensor,
    /// IoU that the model predicts, `[n, masks]`.
    pub predicted_iou: Tensor,
    /// SAM 2's logit of there being an object at the prompt, `[n]`.
    pub object: Option<Tensor>,
}

/// One mask for a prompt.
pub struct PromptedMask {
    /// In image pixels; it may be empty.
    pub mask: Mask,
    /// Quality that the model predicts.
    pub predicted_iou: f32,
}

impl Embedding {
    /// Image pixels to model pixels.
    pub(super) fn in_model(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [x * (self.inner.0 as f32 / self.image.0 as f32), y * (self.inner.1 as f32 / self.image.1 as f32)]
    }

    /// Logits in low pixels, `[s, s]` row by row, to image pixels: enlarged to the model's size, the padding cut
    /// off, and brought to the image's size, both bilinear, as the original's `postprocess_masks`; SAM 2's in one step.
    pub fn in_image(&self, low: &[f32]) -> Vec<f32> {
        let (rows, side) = (low.len().isqrt(), self.side);
        if self.is_squashed {
            let (width, height) = self.image;
            return bilinear(Rect::whole(rows, rows), width, height, |x, y| low[y * rows + x]);
        }
        bilinear_twice(low, (rows, rows), (side, side), self.inner, self.image)
    }

    /// The mask of logits in low pixels, `[s, s]`: where they are above 0, in image pixels.
    pub fn mask(&self, low: &[f32]) -> Mask {
        let ((width, height), logits) = (self.image, self.in_image(low));
        Mask::from_fn(width, height, |x, y| logits[y * width + x] > 0.0)
    }
}

impl Decoded {
    /// How good each mask is, `[n * masks]`, 0..1: the IoU that the model predicts, with SAM 2 times how surely there is an object.
    ///
    /// # Errors
    /// When the device fails.
    pub fn quality(&self) -> Result<Vec<f32>> {
        let quality = match &self.object {
            Some(object) => self.predicted_iou.broadcast_mul(&candle_nn::ops::sigmoid(&object.unsqueeze(1)?)?)?,
            None => self.predicted_iou.clone(),
        };
        Ok(quality.flatten_all()?.to_vec1()?)
    }

    /// The logits of all masks, `[n * masks]` of `[s * s]`, one behind the other.
    ///
    /// # Errors
    /// When the device fails.
    pub fn logits(&self) -> Result<Vec<f32>> {
        Ok(self.low.flatten_all()?.to_vec1()?)
    }
}
