//! `VisualFeatures`: a frame's proposals as the model sees them (section 3.2 of the paper).
//!
//! The *global* feature sees the whole image with the patch tokens masked in the last blocks; the
//! *local* feature sees the masked crop. Both are kept; they are mixed when they are scored. The paper's
//! baselines need less: the crop alone, a token for each region, or the last map of a ResNet.

use super::blurred_pictures::BlurredPictures;
use super::hybridgl::HybridPictures;
use super::local_features::{in_batches, CropEncoder, LocalFeatures};
use super::method::check_method;
use super::prepared_frame::{mask_on_grid, PreparedFrame};
use candle_core::Tensor;
use referseg_config::{Config, Crops, Method, ResNetNorms, VisualSettings};
use referseg_files::Result;
use referseg_image::resample::{resize_like_pillow, Filter};
use referseg_image::{nearest_on_grid, Frame, Mask};
use referseg_models::device::Device;
use referseg_models::tensor_math::l2_normalize;
use referseg_models::ModelFamily;
use referseg_proposals::Proposal;

/// Which features a method and its weights need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureKind {
    /// The masked whole image.
    Global,
    /// The crops.
    Local,
    /// Both, to be mixed.
    GlobalAndLocal,
    /// Both, and the whole image blurred outside the mask.
    GlobalLocalAndBlurred,
    /// A token for each region.
    RegionTokens,
    /// HybridGL's.
    Hybrid,
    /// The last map.
    LastMap,
}

impl FeatureKind {
    /// What the settings need; nothing that would have weight 0.
    pub fn needed(config: &Config) -> FeatureKind {
        match (config.method, config.visual.global_weight) {
            (Method::GlobalLocal, _) if config.visual.blurred_weight > 0.0 => FeatureKind::GlobalLocalAndBlurred,
            (Method::GlobalLocal, 1.0) => FeatureKind::Global,
            (Method::GlobalLocal, 0.0) | (Method::Cropping, _) => FeatureKind::Local,
            (Method::GlobalLocal, _) => FeatureKind::GlobalAndLocal,
            (Method::HybridGl, _) => FeatureKind::Hybrid,
            (Method::RegionToken, _) => FeatureKind::RegionTokens,
            (Method::ScoreMap | Method::GradCam, _) => FeatureKind::LastMap,
        }
    }

    /// What settings that differ from these in weights alone need too, so that all can share it.
    pub fn shareable(config: &Config) -> FeatureKind {
        match FeatureKind::needed(config) {
            FeatureKind::Global | FeatureKind::Local => FeatureKind::GlobalAndLocal,
            needed => needed,
        }
    }
}

/// Features of `n` proposals, f32, on the CPU but for the map: what is left to do with them is small.
pub enum VisualFeatures {
    /// One feature a proposal, `[n, d]`: the masked whole image alone, the crops alone, or region tokens.
    One(Tensor),
    /// Two features a proposal, to be mixed.
    Both {
        /// The masked whole image, `[n, d]`.
        global: Tensor,
        /// The crops.
        local: LocalFeatures,
        /// The whole image blurred outside the mask, `[n, d]`, where it has a weight.
        blurred: Option<Tensor>,
    },
    /// The last map of a ResNet, `[1, w, g, g]`; the proposals come in when it is scored.
    Map(Tensor),
}

impl VisualFeatures {
    /// Encodes the proposals of a frame. `proposals` is not empty.
    ///
    /// # Errors
    /// When the model can't do the configured method or the device fails.
    pub fn encode(
        frame: &Frame,
        proposals: &[Proposal],
        family: &dyn ModelFamily,
        kind: FeatureKind,
        config: &Config,
        device: &Device,
    ) -> Result<VisualFeatures> {
        check_method(config.method, family)?;
        let settings = &config.visual;
        if kind == FeatureKind::Hybrid {
            return Ok(VisualFeatures::One(on_cpu(&hybrid(frame, proposals, family, config, device)?)?));
        }
        let prepared = PreparedFrame::new(frame, family.preprocessing(), settings)?;
        let encoder = Encoder { prepared: &prepared, proposals, family, settings, device };
        let crops = CropEncoder { proposals, family, batch: settings.batch, device };
        let all: Vec<usize> = (0..proposals.len()).collect();
        Ok(match kind {
            FeatureKind::Global => VisualFeatures::One(on_cpu(&encoder.global()?)?),
            FeatureKind::Local => VisualFeatures::One(on_cpu(&crops.encode(&prepared, &all)?)?),
            FeatureKind::GlobalAndLocal | FeatureKind::GlobalLocalAndBlurred => {
                let global = encoder.global()?;
                let blurred =
                    (kind == FeatureKind::GlobalLocalAndBlurred).then(|| encoder.blurred(frame)).transpose()?;
                let blurred = blurred.map(|blurred| on_cpu(&blurred)).transpose()?;
                let local = match config.crops_in_force() {
                    Crops::All => LocalFeatures::whole(&crops.encode(&prepared, &all)?)?,
                    Crops::Adaptive => LocalFeatures::deferred(proposals.len(), prepared),
                };
                VisualFeatures::Both { global: on_cpu(&global)?, local, blurred }
            }
            FeatureKind::RegionTokens => VisualFeatures::One(on_cpu(&encoder.region_tokens()?)?),
            FeatureKind::LastMap | FeatureKind::Hybrid => match family.dense_encoder() {
                Some(dense) => VisualFeatures::Map(dense.encode_map(&prepared.tensor(device)?)?),
                None => return Err(unavailable("a feature for each place")),
            },
        })
    }

    /// One feature a proposal, `[n, d]`: where there are two, `v * global + (1 - v) * local` (equation 5 of the paper, on
    /// unnormalized features). Encodes the crops of the `chosen` proposals that are not yet. The local feature of any other
    /// is estimated: its global one, moved by as much as the chosen ones' differ from theirs in the mean. Where there is a
    /// blurred one, `b * blurred + (1 - b) * that`. A map has nothing to mix.
    ///
    /// # Errors
    /// When the device fails.
    pub fn mixed(&self, weights: FeatureWeights, chosen: &[usize], crops: &CropEncoder) -> Result<Tensor> {
        let FeatureWeights { global: global_weight, blurred: blurred_weight } = weights;
        let (global, local, blurred) = match self {
            VisualFeatures::Both { global, local, blurred } => (global, local, blurred),
            VisualFeatures::One(only) | VisualFeatures::Map(only) => return Ok(only.clone()),
        };
        let mut mixed = global.to_vec2::<f32>()?;
        let local = local.of(chosen, crops)?;
        let width = mixed.first().map_or(0, Vec::len);
        let mut moved = vec![0.0f32; width];
        // what is only estimated moves as the others did
        let known = if chosen.len() < mixed.len() { chosen } else { &[] };
        for (i, local) in known.iter().zip(&local) {
            let step = local.iter().zip(&mixed[*i]).map(|(local, global)| (local - global) / chosen.len() as f32);
            moved.iter_mut().zip(step).for_each(|(moved, step)| *moved += step);
        }
        let mut of_crop: Vec<Option<&Vec<f32>>> = vec![None; mixed.len()];
        chosen.iter().zip(&local).for_each(|(i, local)| of_crop[*i] = Some(local));
        for (row, local) in mixed.iter_mut().zip(of_crop) {
            match local {
                Some(local) => {
                    let both = row.iter_mut().zip(local);
                    both.for_each(|(value, local)| *value = global_weight * *value + (1.0 - global_weight) * local);
                }
                None => row.iter_mut().zip(&moved).for_each(|(value, step)| *value += (1.0 - global_weight) * step),
            }
        }
        let mixed = Tensor::from_vec(mixed.concat(), global.dims2()?, &Device::Cpu)?;
        Ok(match blurred {
            Some(blurred) => {
                let b = f64::from(blurred_weight);
                ((blurred * b)? + (mixed * (1.0 - b))?)?
            }
            None => mixed,
        })
    }
}

/// How features of one proposal are mixed.
#[derive(Clone, Copy, Debug)]
pub struct FeatureWeights {
    /// Of the global feature against the local one, 0..1.
    pub global: f32,
    /// Of the blurred picture's against the mixture of both, 0..1.
    pub blurred: f32,
}

fn on_cpu(features: &Tensor) -> Result<Tensor> {
    Ok(features.to_device(&Device::Cpu)?)
}

fn unavailable(what: &str) -> referseg_files::Error {
    referseg_files::Error::Computation(format!("this model gives no {what}; this is a bug, the method was checked"))
}

/// HybridGL's features, `[n, d]`.
fn hybrid(
    frame: &Frame,
    proposals: &[Proposal],
    family: &dyn ModelFamily,
    config: &Config,
    device: &Device,
) -> Result<Tensor> {
    let encoder = family.hybrid_encoder().ok_or_else(|| unavailable("feature of two pictures"))?;
    let pictures = HybridPictures::new(frame, family.preprocessing(), config)?;
    let (side, grid, settings) = (family.preprocessing().image_size, family.grid(), &config.visual);
    in_batches(proposals, settings.batch, device, |chunk| {
        let tensor = |pixels: Vec<f32>| Tensor::from_vec(pixels, (chunk.len(), 3, side, side), device);
        let of_each = |picture: &dyn Fn(&Mask) -> Result<Vec<f32>>| -> Result<Tensor> {
            let pixels = chunk.iter().map(|proposal| picture(&proposal.mask)).collect::<Result<Vec<_>>>()?;
            Ok(tensor(pixels.concat())?)
        };
        let (local, global) = (of_each(&|mask| pictures.local(mask))?, of_each(&|mask| pictures.global(mask))?);
        let masks: Vec<f32> =
            chunk.iter().flat_map(|p| mask_on_grid(&p.mask, grid, settings.mask_resampling)).collect();
        let masks = Tensor::from_vec(masks, (chunk.len(), grid * grid), device)?;
        encoder.encode_hybrid(config.hybridgl.readout, settings.masked_blocks, [&local, &global], &masks)
    })
}

/// Features of an image's places for a heat map, `[g * g, d]` f32 on the CPU (HybridGL, and GEM in it: the checkpoint's own
/// normalization, Pillow's bicubic filter).
///
/// # Errors
/// When the model gives none or the device fails.
pub fn encode_places(frame: &Frame, family: &dyn ModelFamily, device: &Device) -> Result<Tensor> {
    let encoder = family.place_encoder().ok_or_else(|| unavailable("feature for each place"))?;
    let (side, preprocessing) = (encoder.image_size(), family.preprocessing());
    let squashed = resize_like_pillow(frame, side, side, Filter::Bicubic)?;
    let pixels = preprocessing.normalization.planes(squashed.rgb());
    on_cpu(&encoder.encode_places(&Tensor::from_vec(pixels, (1, 3, side, side), device)?)?)
}

/// One frame's encoding under way.
struct Encoder<'a> {
    prepared: &'a PreparedFrame,
    proposals: &'a [Proposal],
    family: &'a dyn ModelFamily,
    settings: &'a VisualSettings,
    device: &'a Device,
}

impl Encoder<'_> {
    /// The whole image seen through each mask: `[n, d]`.
    fn global(&self) -> Result<Tensor> {
        let masked = self.family.masked_encoder().ok_or_else(|| unavailable("feature through a mask"))?;
        let (grid, blocks) = (self.family.grid(), self.settings.masked_blocks);
        let shared = masked.encode_shared(blocks, &self.prepared.tensor(self.device)?)?;
        let features = in_batches(self.proposals, self.settings.batch, self.device, |chunk| {
            let masks: Vec<f32> =
                chunk.iter().flat_map(|p| mask_on_grid(&p.mask, grid, self.settings.mask_resampling)).collect();
            let masks = Tensor::from_vec(masks, (chunk.len(), grid * grid), self.device)?;
            masked.encode_masked(blocks, &shared, &masks)
        })?;
        // the authors leave a ResNet's global feature unnormalized, so that long features win
        match self.family.normalizes_before_mixing() && self.settings.resnet_norms == ResNetNorms::Unit {
            true => Ok(l2_normalize(&features)?),
            false => Ok(features),
        }
    }

    /// The whole image blurred outside each mask: `[n, d]`.
    fn blurred(&self, frame: &Frame) -> Result<Tensor> {
        let pictures = BlurredPictures::new(frame, self.family.preprocessing(), self.settings)?;
        let side = self.family.preprocessing().image_size;
        let features = in_batches(self.proposals, self.settings.batch, self.device, |chunk| {
            let pixels: Vec<f32> = chunk.iter().flat_map(|proposal| pictures.picture(&proposal.mask)).collect();
            self.family.encode_images(&Tensor::from_vec(pixels, (chunk.len(), 3, side, side), self.device)?)
        })?;
        match self.family.normalizes_before_mixing() {
            true => Ok(l2_normalize(&features)?),
            false => Ok(features),
        }
    }

    /// A class token for each region, which sees the patches inside its mask alone: `[n, d]`.
    fn region_tokens(&self) -> Result<Tensor> {
        let encoder = self.family.region_encoder().ok_or_else(|| unavailable("token for each region"))?;
        let grid = self.family.grid();
        let inside: Vec<f32> = self.proposals.iter().flat_map(|p| nearest_on_grid(&p.mask, grid)).collect();
        let inside = Tensor::from_vec(inside, (self.proposals.len(), grid * grid), self.device)?;
        encoder.encode_regions(&self.prepared.tensor(self.device)?, &inside)
    }
}
