//! `VisualFeatures`: a frame's proposals as CLIP sees them (section 3.2 of the paper).
//!
//! The *global* feature sees the whole picture with the patch tokens masked in the last blocks; the
//! *local* feature sees the masked crop. Both are kept; they are mixed when they are scored. The paper's
//! baselines need less: the crop alone, a token for each region, or the last map of a ResNet.

use crate::clip::pixels::{self, Rgb, Window};
use crate::clip::{VisionEncoder, VisionTransformer};
use crate::config::{Config, MaskResampling, Method, ResNetNorms, Resampling, VisualSettings};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::mask::Mask;
use crate::proposals::Proposal;
use crate::scoring::unit;
use candle_core::{Device, Tensor};
use fast_image_resize::FilterType;

/// Features of `n` proposals, f32. What would have weight zero is not encoded.
pub enum VisualFeatures {
    /// One feature a proposal, `[n, d]`: the masked whole picture alone, the crops alone, or region tokens.
    One(Tensor),
    /// Two features a proposal, `[n, d]` each, to be mixed.
    Both {
        /// The masked whole picture.
        global: Tensor,
        /// The crops.
        local: Tensor,
    },
    /// The last map of a ResNet, `[1, w, g, g]`; the proposals come in when it is scored.
    Map(Tensor),
}

impl VisualFeatures {
    /// Encodes the proposals of a frame by the configured method. `proposals` is not empty.
    ///
    /// # Errors
    /// When the method does not fit the encoder or the device fails.
    pub fn encode(
        frame: &Frame,
        proposals: &[Proposal],
        encoder: &VisionEncoder,
        config: &Config,
        device: &Device,
    ) -> Result<VisualFeatures> {
        let settings = &config.visual;
        let picture = Picture::prepare(frame, encoder.image_size(), settings);
        let global = || global_features(&picture, proposals, encoder, device);
        let local = || local_features(&picture, proposals, encoder, device);
        Ok(match (config.method, encoder) {
            (Method::GlobalLocal, _) => match settings.global_weight {
                1.0 => VisualFeatures::One(global()?),
                0.0 => VisualFeatures::One(local()?),
                _ => VisualFeatures::Both { global: global()?, local: local()? },
            },
            (Method::Cropping, _) => VisualFeatures::One(local()?),
            (Method::RegionToken, VisionEncoder::Transformer(encoder)) => {
                VisualFeatures::One(region_tokens(&picture, proposals, encoder, device)?)
            }
            (Method::ScoreMap | Method::GradCam, VisionEncoder::ResNet(encoder)) => {
                VisualFeatures::Map(encoder.map(&picture.tensor(device)?)?)
            }
            (method, encoder) => return Err(unfit(method, encoder)),
        })
    }

    /// `v * global + (1 - v) * local`, `[n, d]`; equation 5 of the paper, on features as they come. A map
    /// has nothing to mix.
    ///
    /// # Errors
    /// When the device fails.
    pub fn mixed(&self, global_weight: f32) -> Result<Tensor> {
        let v = f64::from(global_weight);
        Ok(match self {
            VisualFeatures::Both { global, local } => ((global * v)? + (local * (1.0 - v))?)?,
            VisualFeatures::One(only) | VisualFeatures::Map(only) => only.clone(),
        })
    }
}

/// Refuses a method that the encoder can't do.
///
/// # Errors
/// When it can't.
pub fn check(method: Method, encoder: &VisionEncoder) -> Result<()> {
    match (method, encoder) {
        (Method::GlobalLocal | Method::Cropping, _)
        | (Method::RegionToken, VisionEncoder::Transformer(_))
        | (Method::ScoreMap | Method::GradCam, VisionEncoder::ResNet(_)) => Ok(()),
        (method, encoder) => Err(unfit(method, encoder)),
    }
}

fn unfit(method: Method, encoder: &VisionEncoder) -> Error {
    let (kind, methods) = match encoder {
        VisionEncoder::Transformer(_) => ("vision transformer", "global_local, cropping and region_token"),
        VisionEncoder::ResNet(_) => ("ResNet", "global_local, cropping, score_map and grad_cam"),
    };
    Error::config("method", format!("{method} can't run on this model, a CLIP {kind}; it can do {methods}"))
}

/// A frame at the sizes that the encoder needs.
struct Picture<'a> {
    frame: &'a Frame,
    settings: &'a VisualSettings,
    side: usize,
    /// With plain resampling: the normalised planes, `[3, h, w]`, at the size of `short_side`, and at the frame's.
    planes: Option<Planes>,
}

struct Planes {
    width: usize,
    height: usize,
    scaled: Vec<f32>,
    original: Vec<f32>,
}

impl<'a> Picture<'a> {
    fn prepare(frame: &'a Frame, side: usize, settings: &'a VisualSettings) -> Picture<'a> {
        let planes = (settings.resampling == Resampling::Plain).then(|| Planes::new(frame, settings));
        Picture { frame, settings, side, planes }
    }

    fn rgb(&self) -> Rgb<'a> {
        Rgb { width: self.frame.width(), height: self.frame.height(), bytes: self.frame.rgb() }
    }

    /// The whole picture for the encoder: `[1, 3, s, s]`.
    fn tensor(&self, device: &Device) -> Result<Tensor> {
        Ok(Tensor::from_vec(self.whole(), (1, 3, self.side, self.side), device)?)
    }

    /// The whole picture squashed to the encoder's square: `[3, s, s]`.
    fn whole(&self) -> Vec<f32> {
        let s = self.side;
        match &self.planes {
            Some(planes) => {
                let window = Window { x: 0, y: 0, width: planes.width, height: planes.height };
                let area = planes.width * planes.height;
                let plane = |c: usize| pixels::bilinear(planes.width, window, s, s, |i| planes.scaled[c * area + i]);
                (0..3).flat_map(plane).collect()
            }
            None => {
                let bytes = pixels::resized(self.rgb(), s, s, FilterType::CatmullRom);
                pixels::normalised(&bytes, self.settings.mean, self.settings.std)
            }
        }
    }

    /// The mask's box, filled outside the mask, squashed to the encoder's square: `[3, s, s]`.
    fn crop(&self, mask: &Mask) -> Vec<f32> {
        let s = self.side;
        let extent = mask.bounding_box().expect("a proposal is not empty");
        let (x, y) = (extent.x as usize, extent.y as usize);
        let window = Window { x, y, width: extent.width as usize, height: extent.height as usize };
        let VisualSettings { mean, std, fill, .. } = self.settings;
        match &self.planes {
            Some(planes) => {
                let width = self.frame.width();
                let area = width * self.frame.height();
                let inside = mask.pixels();
                let plane = |c: usize| {
                    let value = |i: usize| if inside[i] { planes.original[c * area + i] } else { fill[c] };
                    pixels::bilinear(width, window, s, s, value)
                };
                (0..3).flat_map(plane).collect()
            }
            None => {
                let outside: [u8; 3] =
                    std::array::from_fn(|c| (((fill[c] * std[c]) + mean[c]) * 255.0).round().clamp(0.0, 255.0) as u8);
                let mut part = Vec::with_capacity(window.width * window.height * 3);
                for row in y..y + window.height {
                    for column in x..x + window.width {
                        let at = (row * self.frame.width() + column) * 3;
                        let here = &self.frame.rgb()[at..at + 3];
                        part.extend_from_slice(if mask.at(column, row) { here } else { &outside });
                    }
                }
                let part = Rgb { width: window.width, height: window.height, bytes: &part };
                let bytes = pixels::resized(part, s, s, FilterType::CatmullRom);
                pixels::normalised(&bytes, *mean, *std)
            }
        }
    }

    /// The mask's value for each patch, 0..1: `[g * g]`.
    fn patches(&self, mask: &Mask, grid: usize) -> Vec<f32> {
        match self.settings.mask_resampling {
            MaskResampling::Area => pixels::covered(mask.width(), mask.height(), mask.pixels(), grid),
            MaskResampling::Bilinear => sampled(mask, grid),
        }
    }
}

/// The mask at the patch centres by its four pixels there, `[grid * grid]`: the paper's resampling.
pub fn sampled(mask: &Mask, grid: usize) -> Vec<f32> {
    let window = Window { x: 0, y: 0, width: mask.width(), height: mask.height() };
    let inside = mask.pixels();
    pixels::bilinear(mask.width(), window, grid, grid, |i| f32::from(u8::from(inside[i])))
}

/// The mask at the pixel nearest to each patch's upper left, 0 or 1, `[grid * grid]`: torch's "nearest",
/// which AdaptingCLIP uses for its region tokens.
pub fn nearest(mask: &Mask, grid: usize) -> Vec<f32> {
    let at = |cell: usize| mask.at(cell % grid * mask.width() / grid, cell / grid * mask.height() / grid);
    (0..grid * grid).map(|cell| f32::from(u8::from(at(cell)))).collect()
}

impl Planes {
    /// The authors' chain: short side to 800 with antialiasing, normalised, and from there back to the
    /// frame's size without (which softens the crops).
    fn new(frame: &Frame, settings: &VisualSettings) -> Planes {
        let (w, h) = (frame.width(), frame.height());
        let (width, height) = match settings.short_side {
            0 => (w, h),
            // torchvision truncates the longer side
            short if w <= h => (short, short * h / w),
            short => (short * w / h, short),
        };
        let rgb = Rgb { width: w, height: h, bytes: frame.rgb() };
        let scaled = if (width, height) == (w, h) {
            pixels::normalised(frame.rgb(), settings.mean, settings.std)
        } else {
            let bytes = pixels::resized(rgb, width, height, FilterType::Bilinear);
            pixels::normalised(&bytes, settings.mean, settings.std)
        };
        let window = Window { x: 0, y: 0, width, height };
        let back = |c: usize| pixels::bilinear(width, window, w, h, |i| scaled[c * width * height + i]);
        let original = (0..3).flat_map(back).collect();
        Planes { width, height, scaled, original }
    }
}

fn global_features(
    picture: &Picture,
    proposals: &[Proposal],
    encoder: &VisionEncoder,
    device: &Device,
) -> Result<Tensor> {
    let grid = encoder.grid();
    let masked = picture.settings.masked_blocks;
    let shared = encoder.shared(masked, &picture.tensor(device)?)?;
    let features = batched(proposals, picture.settings.batch, |chunk| {
        let masks: Vec<f32> = chunk.iter().flat_map(|p| picture.patches(&p.mask, grid)).collect();
        let masks = Tensor::from_vec(masks, (chunk.len(), grid * grid), device)?;
        Ok(encoder.masked_features(masked, &shared, &masks)?)
    })?;
    match (encoder, picture.settings.resnet_norms) {
        (VisionEncoder::ResNet(_), ResNetNorms::Unit) => Ok(unit(&features)?),
        _ => Ok(features),
    }
}

/// A class token for each region, which sees the patches inside its mask alone: `[n, d]`.
fn region_tokens(
    picture: &Picture,
    proposals: &[Proposal],
    encoder: &VisionTransformer,
    device: &Device,
) -> Result<Tensor> {
    let grid = encoder.grid();
    let inside: Vec<f32> = proposals.iter().flat_map(|p| nearest(&p.mask, grid)).collect();
    let inside = Tensor::from_vec(inside, (proposals.len(), grid * grid), device)?;
    Ok(encoder.region_tokens(&picture.tensor(device)?, &inside)?)
}

fn local_features(
    picture: &Picture,
    proposals: &[Proposal],
    encoder: &VisionEncoder,
    device: &Device,
) -> Result<Tensor> {
    let s = picture.side;
    let features = batched(proposals, picture.settings.batch, |chunk| {
        let crops: Vec<f32> = chunk.iter().flat_map(|p| picture.crop(&p.mask)).collect();
        Ok(encoder.features(&Tensor::from_vec(crops, (chunk.len(), 3, s, s), device)?)?)
    })?;
    // the authors bring a ResNet's local feature to unit length, a transformer's not
    match encoder {
        VisionEncoder::ResNet(_) => Ok(unit(&features)?),
        VisionEncoder::Transformer(_) => Ok(features),
    }
}

/// Encodes `size` proposals at a time, so that memory does not grow with their number: `[n, d]`.
fn batched(proposals: &[Proposal], size: usize, encode: impl Fn(&[Proposal]) -> Result<Tensor>) -> Result<Tensor> {
    let parts = proposals.chunks(size).map(encode).collect::<Result<Vec<_>>>()?;
    Ok(Tensor::cat(&parts, 0)?)
}
