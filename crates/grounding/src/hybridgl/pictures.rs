//! `HybridPictures`: the two pictures that HybridGL makes of each proposal, as pixels for the vision encoder.
//!
//! *Global*: the whole image, blurred outside the proposal. *Local*: the whole image, one colour outside the proposal. Both
//! are squashed to the encoder's square; nothing is cropped (Liu and Li, CVPR 2025, and the authors' program).

use referseg_config::{Config, Resampling};
use referseg_files::Result;
use referseg_image::resample::{bilinear, resize_like_pillow, Filter, Normalization};
use referseg_image::{blur, Frame, Mask, Rect};
use referseg_models::Preprocessing;

/// A frame, ready to be shown proposal by proposal.
pub struct HybridPictures<'a> {
    frame: &'a Frame,
    blurred: Frame,
    side: usize,
    normalization: Normalization,
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
            normalization: config.visual.normalization(preprocessing.normalization),
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
            Resampling::Plain => Ok(self.plain(|c, x, y| self.normalization.value(c, seen.pixel(x, y)[c]))),
        }
    }

    /// The whole image, one colour outside the mask: normalized, `[3, s, s]`.
    ///
    /// # Errors
    /// As [`HybridPictures::global`].
    pub fn local(&self, mask: &Mask) -> Result<Vec<f32>> {
        match self.resampling {
            Resampling::Antialiased => {
                let outside = self.normalization.nearest_bytes(self.fill);
                let (width, height) = (self.frame.width(), self.frame.height());
                let mut rgb = outside.repeat(width * height);
                for (x, y) in mask.inside() {
                    let at = (y * width + x) * 3;
                    rgb[at..at + 3].copy_from_slice(&self.frame.pixel(x, y));
                }
                self.squashed(&Frame::new(width, height, rgb)?)
            }
            Resampling::Plain => Ok(self.plain(|c, x, y| match mask.at(x, y) {
                true => self.normalization.value(c, self.frame.pixel(x, y)[c]),
                false => self.fill[c],
            })),
        }
    }

    fn squashed(&self, frame: &Frame) -> Result<Vec<f32>> {
        let squashed = resize_like_pillow(frame, self.side, self.side, self.filter)?;
        Ok(self.normalization.planes(squashed.rgb()))
    }

    fn plain(&self, value: impl Fn(usize, usize, usize) -> f32) -> Vec<f32> {
        let whole = Rect::whole(self.frame.width(), self.frame.height());
        let plane = |c: usize| bilinear(whole, self.side, self.side, |x, y| value(c, x, y));
        (0..3).flat_map(plane).collect()
    }
}
