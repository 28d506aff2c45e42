//! `PreparedFrame`: a frame as pixels for the vision encoder, whole or cropped to a mask (section 3.2 of the paper).

use candle_core::Tensor;
use rayon::prelude::*;
use referseg_config::{MaskResampling, Resampling, VisualSettings};
use referseg_files::{Error, Result};
use referseg_image::resample::{bilinear, resize_like_pillow, Filter, Normalization};
use referseg_image::{area_on_grid, bilinear_on_grid, Frame, Mask, Rect};
use referseg_models::device::Device;
use referseg_models::tensor_math::normalized;
use referseg_models::Preprocessing;

/// Most pixels of the frame that `visual.short_side` may ask for.
const MAX_SCALED_PIXELS: usize = 1 << 24;

/// A frame at the sizes that the encoder needs.
pub struct PreparedFrame {
    frame: Frame,
    fill: [f32; 3],
    side: usize,
    normalization: Normalization,
    filter: Filter,
    /// With plain resampling: the normalized planes, `[3, h, w]`, at the size of `short_side`, and at the frame's.
    planes: Option<Planes>,
}

struct Planes {
    width: usize,
    height: usize,
    scaled: Vec<f32>,
    original: Vec<f32>,
}

impl PreparedFrame {
    /// Prepares a frame; mean and standard deviation of the settings take the place of the checkpoint's.
    ///
    /// # Errors
    /// When the frame is too narrow for `visual.short_side`.
    pub fn new(frame: &Frame, preprocessing: &Preprocessing, settings: &VisualSettings) -> Result<Self> {
        let normalization = settings.normalization(preprocessing.normalization);
        let plain = settings.resampling == Resampling::Plain;
        let planes = plain.then(|| Planes::new(frame, settings.short_side, normalization)).transpose()?;
        let (side, filter) = (preprocessing.image_size, preprocessing.filter);
        Ok(PreparedFrame { frame: frame.clone(), fill: settings.fill, side, normalization, filter, planes })
    }

    /// The whole frame for the encoder: `[1, 3, s, s]`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn tensor(&self, device: &Device) -> Result<Tensor> {
        Ok(Tensor::from_vec(self.whole()?, (1, 3, self.side, self.side), device)?)
    }

    /// The whole frame squashed to the encoder's square: `[3, s, s]`.
    fn whole(&self) -> Result<Vec<f32>> {
        let s = self.side;
        Ok(match &self.planes {
            Some(planes) => {
                let (width, area) = (planes.width, planes.width * planes.height);
                let rect = Rect::whole(planes.width, planes.height);
                let plane = |c: usize| bilinear(rect, s, s, |x, y| planes.scaled[c * area + y * width + x]);
                (0..3).flat_map(plane).collect()
            }
            None => {
                let squashed = resize_like_pillow(&self.frame, s, s, self.filter)?;
                self.normalization.planes(squashed.rgb())
            }
        })
    }

    /// The boxes of masks, filled outside them, squashed to the encoder's square: `[n, 3, s, s]`.
    ///
    /// # Errors
    /// When a mask is empty or the device fails.
    pub fn crops<'m>(&self, masks: impl Iterator<Item = &'m Mask>, device: &Device) -> Result<Tensor> {
        let masks: Vec<&Mask> = masks.collect();
        let (n, s) = (masks.len(), self.side);
        if self.planes.is_none() && !device.is_cpu() {
            // bytes are a quarter of what normalized pixels are to carry
            let crops = masks.into_par_iter().map(|mask| self.cropped(mask)).collect::<Result<Vec<_>>>()?;
            let bytes = crops.iter().map(Frame::rgb).collect::<Vec<_>>().concat();
            return Ok(normalized(&Tensor::from_vec(bytes, (n, s, s, 3), device)?, self.normalization)?);
        }
        let crops = masks.into_par_iter().map(|mask| self.crop(mask)).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::from_vec(crops.concat(), (n, 3, s, s), device)?)
    }

    /// The box of a mask, filled outside it, squashed to the encoder's square: bytes.
    fn cropped(&self, mask: &Mask) -> Result<Frame> {
        let rect = extent(mask)?;
        let outside = self.normalization.nearest_bytes(self.fill);
        let mut rgb = Vec::with_capacity(rect.area() * 3);
        for y in rect.y..rect.bottom() {
            for x in rect.x..rect.right() {
                rgb.extend(if mask.at(x, y) { self.frame.pixel(x, y) } else { outside });
            }
        }
        resize_like_pillow(&Frame::new(rect.width, rect.height, rgb)?, self.side, self.side, self.filter)
    }

    fn crop(&self, mask: &Mask) -> Result<Vec<f32>> {
        let s = self.side;
        let Some(planes) = &self.planes else {
            return Ok(self.normalization.planes(self.cropped(mask)?.rgb()));
        };
        let (rect, fill, width) = (extent(mask)?, self.fill, self.frame.width());
        let area = width * self.frame.height();
        let plane = |c: usize| {
            let value = |x, y| if mask.at(x, y) { planes.original[c * area + y * width + x] } else { fill[c] };
            bilinear(rect, s, s, value)
        };
        Ok((0..3).flat_map(plane).collect())
    }
}

fn extent(mask: &Mask) -> Result<Rect> {
    mask.bounding_box().ok_or_else(|| Error::Proposals("empty mask; this is a bug".into()))
}

/// A mask's value for each patch, 0..1: `[grid * grid]`.
pub fn mask_on_grid(mask: &Mask, grid: usize, resampling: MaskResampling) -> Vec<f32> {
    match resampling {
        MaskResampling::Area => area_on_grid(mask, grid),
        MaskResampling::Bilinear => bilinear_on_grid(mask, grid),
    }
}

impl Planes {
    /// The authors' chain: short side to 800 with antialiasing, normalized, and from there back to the
    /// frame's size without (which softens the crops).
    fn new(frame: &Frame, short_side: usize, normalization: Normalization) -> Result<Planes> {
        let (w, h) = (frame.width(), frame.height());
        let (width, height) = match short_side {
            0 => (w, h),
            // torchvision truncates the longer side
            short if w <= h => (short, short * h / w),
            short => (short * w / h, short),
        };
        if width.saturating_mul(height) > MAX_SCALED_PIXELS.max(w * h) {
            return Err(Error::Image(format!(
                "size {w}x{h} would be scaled to {width}x{height} by visual.short_side {short_side}, more than \
                 {MAX_SCALED_PIXELS} pixels; crop the image, or set visual.short_side to 0"
            )));
        }
        let scaled = if (width, height) == (w, h) {
            normalization.planes(frame.rgb())
        } else {
            normalization.planes(resize_like_pillow(frame, width, height, Filter::Bilinear)?.rgb())
        };
        let area = width * height;
        let back = |c: usize| bilinear(Rect::whole(width, height), w, h, |x, y| scaled[c * area + y * width + x]);
        let original = (0..3).flat_map(back).collect();
        Ok(Planes { width, height, scaled, original })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use referseg_config::{Config, Layer};

    #[test]
    fn a_line_of_pixels_is_refused_before_it_is_scaled_up() {
        let paper = Config::from_layers(&[Layer::value("test", "preset", "paper")]).unwrap();
        let line = Frame::new(1, 16_384, vec![0; 16_384 * 3]).unwrap();
        let normalization = Normalization { mean: [0.5; 3], std: [0.5; 3] };
        let preprocessing = Preprocessing { image_size: 32, normalization, filter: Filter::Bicubic };
        let refused = PreparedFrame::new(&line, &preprocessing, &paper.visual).err().unwrap().to_string();
        assert!(refused.contains("800x13107200") && refused.contains("visual.short_side to 0"), "{refused}");
    }
}
