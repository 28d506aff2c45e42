//! `BlurredPictures`: a frame as a visual prompt for each proposal, the whole of it and blurred outside the proposal
//! ("blur reverse mask" of FGVP, Yang et al., NeurIPS 2023).

use ::image::imageops::fast_blur;
use ::image::RgbImage;
use referseg_config::VisualSettings;
use referseg_files::{Error, Result};
use referseg_image::resample::{resize_like_pillow, Normalization};
use referseg_image::{area_on_grid, Frame, Mask};
use referseg_models::Preprocessing;

/// A frame at the encoder's size, sharp and blurred.
pub struct BlurredPictures {
    sharp: Frame,
    blurred: Vec<u8>,
    normalization: Normalization,
}

impl BlurredPictures {
    /// Squashes the frame to the encoder's square and blurs it by `visual.blur`; mean and standard deviation of the settings
    /// take the place of the checkpoint's.
    ///
    /// # Errors
    /// Never for a valid frame.
    pub fn new(frame: &Frame, preprocessing: &Preprocessing, settings: &VisualSettings) -> Result<BlurredPictures> {
        let side = preprocessing.image_size;
        let sharp = resize_like_pillow(frame, side, side, preprocessing.filter)?;
        let picture = RgbImage::from_raw(side as u32, side as u32, sharp.rgb().to_vec()).ok_or_else(|| {
            Error::Image(format!("size {side}x{side} of the encoder's square does not fit its bytes"))
        })?;
        let blurred = fast_blur(&picture, settings.blur * side as f32).into_raw();
        Ok(BlurredPictures { sharp, blurred, normalization: settings.normalization(preprocessing.normalization) })
    }

    /// The frame, sharp inside the mask: normalized, `[3, s, s]`.
    pub fn picture(&self, mask: &Mask) -> Vec<f32> {
        let covered = area_on_grid(mask, self.sharp.width());
        let pixels = self.sharp.rgb().chunks_exact(3).zip(self.blurred.chunks_exact(3)).zip(covered);
        let mixed = pixels.flat_map(|((sharp, blurred), covered)| {
            let mix = move |c: usize| covered * f32::from(sharp[c]) + (1.0 - covered) * f32::from(blurred[c]);
            [0, 1, 2].map(|c| mix(c).round() as u8)
        });
        self.normalization.planes(&mixed.collect::<Vec<u8>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use referseg_config::Config;
    use referseg_image::resample::Filter;

    #[test]
    fn the_proposal_stays_sharp_and_the_rest_loses_its_pattern() {
        let stripes = |at: usize| if at % 4 < 2 { 255u8 } else { 0 };
        let rgb = (0..32 * 32).flat_map(|at| [stripes(at % 32); 3]).collect();
        let frame = Frame::new(32, 32, rgb).unwrap();
        let mask = Mask::from_fn(32, 32, |x, _| x < 16);
        let normalization = Normalization { mean: [0.0; 3], std: [1.0; 3] };
        let preprocessing = Preprocessing { image_size: 32, normalization, filter: Filter::Bicubic };
        let settings = Config::from_layers(&[]).unwrap().visual;
        let seen = BlurredPictures::new(&frame, &preprocessing, &settings).unwrap().picture(&mask);
        assert_eq!(seen.len(), 3 * 32 * 32);
        let row = &seen[16 * 32..17 * 32];
        let spread =
            |row: &[f32]| row.iter().fold(0.0f32, |m, v| m.max(*v)) - row.iter().fold(1.0f32, |m, v| m.min(*v));
        assert_eq!(spread(&row[..16]), 1.0);
        assert!(spread(&row[16..]) < 0.2, "{row:?}");
    }
}
