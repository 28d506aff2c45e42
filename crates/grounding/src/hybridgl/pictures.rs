//! `HybridPictures`: the two pictures that HybridGL makes of each proposal, as pixels for the vision encoder.
//!
//! *Global*: the whole image, blurred outside the proposal. *Local*: the whole image, one colour outside the proposal. Both
//! are squashed to the encoder's square; nothing is cropped (Liu and Li, CVPR 2025, and the authors' program).

use referseg_config::{Config, Resampling};
use referseg_files::Result;
use referseg_image::resample::{bilinear, normalize, resize_like_pillow, Filter};
use referseg_image::{blur, Frame, Mask, Rect};
use referseg_models::Preprocessing;

/// A frame, ready to be shown proposal by proposal.
pub struct HybridPictures<'a> {
    frame: &'a Frame,
    blurred: Frame,
    side: usize,
    mean: [f32; 3],
    std: [f32; 3],
    /// In normalized units.
    fill: [f32; 3],
    resampling: Resampling,
    filter: Filter,
}

impl<'a> HybridPictures<'a> {
    /// Blurs the frame; mean and standard deviation of the settings take the place of the checkpoint's.
    ///
    /// # Errors
    /// Never for a valid frame.
    pub fn new(frame: &'a Frame, preprocessing: &Preprocessing, config: &Config) -> Result<HybridPictures<'a>> {
        Ok(HybridPictures {
            frame,
            blurred: blur(frame)?,
            side: preprocessing.image_size,
            mean: config.visual.mean.unwrap_or(preprocessing.mean),
            std: config.visual.std.unwrap_or(preprocessing.std),
            fill: config.hybridgl.fill,
            resampling: config.visual.resampling,
            filter: preprocessing.filter,
        })
    }

    /// The frame, blurred outside every proposal.
    pub fn blurred(&self) -> &Frame {
        &self.blurred
    }

    /// The whole image, blurred outside the mask: normalized, `[3, s, s]`.
    ///
    /// # Errors
    /// When the encoder's side is above the limit for images.
    pub fn global(&self, mask: &Mask) -> Result<Vec<f32>> {
        let mut rgb = self.blurred.rgb().to_vec();
        for (x, y) in mask.inside() {
            let at = (y * self.frame.width() + x) * 3;
            rgb[at..at + 3].copy_from_slice(&self.frame.pixel(x, y));
        }
        let seen = Frame::new(self.frame.width(), self.frame.height(), rgb)?;
        match self.resampling {
            Resampling::Antialiased => self.squashed(&seen),
            Resampling::Plain => {
                let (mean, std) = (self.mean, self.std);
                Ok(self.plain(|c, x, y| (f32::from(seen.pixel(x, y)[c]) / 255.0 - mean[c]) / std[c]))
            }
        }
    }

    /// The whole image, one colour outside the mask: normalized, `[3, s, s]`.
    ///
    /// # Errors
    /// As [`HybridPictures::global`].
    pub fn local(&self, mask: &Mask) -> Result<Vec<f32>> {
        let (mean, std, fill) = (self.mean, self.std, self.fill);
        match self.resampling {
            Resampling::Antialiased => {
                let outside: [u8; 3] =
                    std::array::from_fn(|c| ((fill[c] * std[c] + mean[c]) * 255.0).round().clamp(0.0, 255.0) as u8);
                let (width, height) = (self.frame.width(), self.frame.height());
                let mut rgb = outside.repeat(width * height);
                for (x, y) in mask.inside() {
                    let at = (y * width + x) * 3;
                    rgb[at..at + 3].copy_from_slice(&self.frame.pixel(x, y));
                }
                self.squashed(&Frame::new(width, height, rgb)?)
            }
            Resampling::Plain => Ok(self.plain(|c, x, y| match mask.at(x, y) {
                true => (f32::from(self.frame.pixel(x, y)[c]) / 255.0 - mean[c]) / std[c],
                false => fill[c],
            })),
        }
    }

    fn squashed(&self, frame: &Frame) -> Result<Vec<f32>> {
        let squashed = resize_like_pillow(frame, self.side, self.side, self.filter)?;
        Ok(normalize(squashed.rgb(), self.mean, self.std))
    }

    fn plain(&self, value: impl Fn(usize, usize, usize) -> f32) -> Vec<f32> {
        let whole = Rect::whole(self.frame.width(), self.frame.height());
        let plane = |c: usize| bilinear(whole, self.side, self.side, |x, y| value(c, x, y));
        (0..3).flat_map(plane).collect()
    }
}
