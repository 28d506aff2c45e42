//! `PreparedFrame`: a frame as pixels for the vision encoder, whole or cropped to a mask (section 3.2 of the paper).

use candle_core::Tensor;
use rayon::prelude::*;
use referseg_config::{CropShape, MaskResampling, Resampling, VisualSettings};
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
    crop_shape: CropShape,
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
        let (fill, crop_shape) = (settings.fill, settings.crop_shape);
        Ok(PreparedFrame { frame: frame.clone(), fill, side, crop_shape, normalization, filter, planes })
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

    /// The boxes of masks, filled outside them, at the encoder's size: `[n, 3, s, s]`.
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

    /// The box of a mask, filled outside it, at the encoder's size: bytes.
    fn cropped(&self, mask: &Mask) -> Result<Frame> {
        let rect = extent(mask)?;
        let outside = self.normalization.nearest_bytes(self.fill);
        let mut rgb = Vec::with_capacity(rect.area() * 3);
        for y in rect.y..rect.bottom() {
            for x in rect.x..rect.right() {
                rgb.extend(if mask.at(x, y) { self.frame.pixel(x, y) } else { outside });
            }
        }
        let (part, s) = (Frame::new(rect.width, rect.height, rgb)?, self.side);
        if self.crop_shape == CropShape::Squashed || rect.width == rect.height {
            return resize_like_pillow(&part, s, s, self.filter);
        }
        let longer = rect.width.max(rect.height);
        let [width, height] = [rect.width, rect.height].map(|side| ((side * s + longer / 2) / longer).max(1));
        let small = resize_like_pillow(&part, width, height, self.filter)?;
        let (left, top) = ((s - width) / 2, (s - height) / 2);
        let mut square = outside.repeat(s * s);
        for (y, line) in small.rgb().chunks_exact(3 * width).enumerate() {
            square[3 * ((top + y) * s + left)..][..3 * width].copy_from_slice(line);
        }
        Frame::new(s, s, square)
    }

    /// What is cut out of the planes for a mask.
    fn part(&self, mask: &Mask) -> Result<Part> {
        let rect = extent(mask)?;
        let (width, height) = match self.crop_shape {
            CropShape::Squashed => (rect.width, rect.height),
            CropShape::Padded => (rect.width.max(rect.height), rect.width.max(rect.height)),
        };
        Ok(Part { rect, width, height, left: (width - rect.width) / 2, top: (height - rect.height) / 2 })
    }

    fn crop(&self, mask: &Mask) -> Result<Vec<f32>> {
        let s = self.side;
        let Some(planes) = &self.planes else {
            return Ok(self.normalization.planes(self.cropped(mask)?.rgb()));
        };
        let (part, fill, width) = (self.part(mask)?, self.fill, self.frame.width());
        let area = width * self.frame.height();
        let plane = |c: usize| {
            let value = |x, y| {
                let inside = part.in_frame(x, y).filter(|(x, y)| mask.at(*x, *y));
                inside.map_or(fill[c], |(x, y)| planes.original[c * area + y * width + x])
            };
            bilinear(Rect::whole(part.width, part.height), s, s, value)
        };
        Ok((0..3).flat_map(plane).collect())
    }
}

/// A box of the frame within the picture that is cut out for it.
struct Part {
    rect: Rect,
    /// Sides of the picture.
    width: usize,
    height: usize,
    /// Where the box begins in it.
    left: usize,
    top: usize,
}

impl Part {
    /// The frame's pixel at a place of the picture; `None` beside the box.
    fn in_frame(&self, x: usize, y: usize) -> Option<(usize, usize)> {
        let (x, y) = (x.checked_sub(self.left)?, y.checked_sub(self.top)?);
        (x < self.rect.width && y < self.rect.height).then_some((self.rect.x + x, self.rect.y + y))
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

    #[test]
    fn a_padded_crop_keeps_the_proportions_of_the_mask() {
        let frame = Frame::new(40, 20, [200, 100, 50].repeat(40 * 20)).unwrap();
        let mask = Mask::of_rect(40, 20, Rect { x: 0, y: 8, width: 40, height: 4 });
        let normalization = Normalization { mean: [0.5; 3], std: [0.5; 3] };
        let preprocessing = Preprocessing { image_size: 16, normalization, filter: Filter::Bicubic };
        for resampling in ["antialiased", "plain"] {
            let layers = [
                Layer::value("test", "visual.crop_shape", "padded"),
                Layer::value("test", "visual.resampling", resampling),
            ];
            let settings = Config::from_layers(&layers).unwrap().visual;
            let prepared = PreparedFrame::new(&frame, &preprocessing, &settings).unwrap();
            let crop = prepared.crop(&mask).unwrap();
            let shown = |row: usize| (0..16).filter(|x| crop[16 * row + x] > 0.3).count();
            // 40 by 4 pixels become 16 by 2 in the middle
            assert_eq!([0, 6, 9, 15].map(shown), [0; 4], "{resampling}");
            assert_eq!([7, 8].map(shown), [16; 2], "{resampling}");
        }
    }
}
