//! `SamGenerator`: proposals from Segment Anything, after its `SamAutomaticMaskGenerator`.
//!
//! A grid of points is asked, three masks each; masks of low predicted quality or stability are dropped, then
//! near copies by their boxes; holes are filled and islands removed. With crop layers the same is done on
//! finer and finer parts of the frame. The best `limit` by predicted quality are kept.

use super::crops::{crops, grid, in_frame, is_near_crop_edge, uncrop};
use super::postprocess::{inclusive_box, non_max_suppression, remove_small_regions, stability};
use crate::budget::check_budget;
use crate::generator::{FrameInput, ProposalGenerator};
use crate::proposal::Proposal;
use rayon::prelude::*;
use referseg_config::{ProposalSettings, SamSettings};
use referseg_files::fingerprint::Fingerprint;
use referseg_files::{Error, Result};
use referseg_image::{Frame, Mask, Rect};
use referseg_models::sam::{weights_file, Decoded, Embedding, SamModel};
use referseg_models::Compute;
use std::path::PathBuf;

/// Raised when the same frame gives other proposals.
const VERSION: u32 = 2;

/// The generator with its model.
pub struct SamGenerator {
    model: SamModel,
    file: PathBuf,
    settings: SamSettings,
    limit: usize,
}

/// A mask of the frame with what is known of it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// In image pixels.
    pub mask: Mask,
    /// Quality that the model predicts.
    pub predicted_iou: f32,
    /// IoU of the masks at a higher and a lower threshold, 0..1.
    pub stability: f32,
    /// Left, top, right and bottom pixel, inclusive.
    extent: [f32; 4],
    /// Area of the crop that it was found in, pixels.
    crop_area: f32,
}

impl SamGenerator {
    /// Loads the model that the settings name.
    ///
    /// # Errors
    /// When its weights can't be used.
    pub fn open(settings: &ProposalSettings, compute: &Compute) -> Result<SamGenerator> {
        let model = SamModel::open(&settings.sam.model, compute)?;
        let file = weights_file(&settings.sam.model);
        Ok(SamGenerator { model, file, settings: settings.sam.clone(), limit: settings.limit })
    }

    /// Finds out whether the file of weights is there, without reading it.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(settings: &ProposalSettings) -> Result<()> {
        let file = weights_file(&settings.sam.model);
        std::fs::File::open(&file).map(drop).map_err(|cause| {
            let fact = format!(
                "{cause}; expected SAM or MobileSAM weights, `referseg models list` shows where they come from"
            );
            Error::model(file, fact)
        })
    }

    /// What it asks by.
    pub(super) fn settings(&self) -> &SamSettings {
        &self.settings
    }

    /// Proposals that it gives at most.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The model, for prompts of one's own.
    pub fn model(&self) -> &SamModel {
        &self.model
    }

    /// All masks of a frame, best predicted quality first.
    ///
    /// # Errors
    /// When the device fails.
    pub fn generate(&self, frame: &Frame) -> Result<Vec<Candidate>> {
        let settings = &self.settings;
        let mut found = Vec::new();
        let crops = crops(frame.width(), frame.height(), settings);
        for (crop, layer) in &crops {
            let of_crop = self.in_crop(frame, *crop, *layer)?;
            found.extend(suppress(of_crop, settings.box_nms, |c| c.predicted_iou));
        }
        if crops.len() > 1 {
            // finer crops see more
            found = suppress(found, settings.crop_nms, |c| 1.0 / c.crop_area);
        }
        Ok(self.cleaned(found))
    }

    /// What box suppression and cleaning leave of masks that were found in the whole frame, best predicted quality first.
    pub(super) fn distinct(&self, found: Vec<Candidate>) -> Vec<Candidate> {
        self.cleaned(suppress(found, self.settings.box_nms, |c| c.predicted_iou))
    }

    /// Without holes and islands, and what these made alike; best predicted quality first.
    fn cleaned(&self, mut found: Vec<Candidate>) -> Vec<Candidate> {
        let settings = &self.settings;
        if settings.min_region_area > 0 {
            let cleaned: Vec<_> = found
                .into_par_iter()
                .map(|candidate| {
                    let (mask, changed) = remove_small_regions(&candidate.mask, settings.min_region_area);
                    let extent = inclusive_box(&mask);
                    (Candidate { mask, extent, ..candidate }, changed)
                })
                .collect();
            let (masks, changed): (Vec<_>, Vec<_>) = cleaned.into_iter().unzip();
            let mut index = 0;
            let untouched = |_: &Candidate| {
                index += 1;
                f32::from(u8::from(!changed[index - 1]))
            };
            found = suppress(masks, settings.box_nms.max(settings.crop_nms), untouched);
        }
        found.retain(|candidate| candidate.mask.area() > 0);
        found.sort_by(|a, b| b.predicted_iou.total_cmp(&a.predicted_iou));
        found
    }

    fn in_crop(&self, frame: &Frame, crop: Rect, layer: usize) -> Result<Vec<Candidate>> {
        let settings = &self.settings;
        let embedding = self.model.embed_crop(frame, crop)?;
        let points = grid(settings.points_per_side / settings.crop_points_downscale.pow(layer as u32), crop);
        let mut found = Vec::new();
        for batch in points.chunks(settings.points_per_batch) {
            let decoded = self.model.decode_points(&embedding, batch)?;
            found.extend(self.passing(&decoded, &embedding, crop, frame)?);
        }
        Ok(found)
    }

    /// The decoded masks of a crop that pass the thresholds, in their order.
    pub(super) fn passing(
        &self,
        decoded: &Decoded,
        embedding: &Embedding,
        crop: Rect,
        frame: &Frame,
    ) -> Result<Vec<Candidate>> {
        let settings = &self.settings;
        let qualities = decoded.quality()?;
        let low = decoded.logits()?;
        let masks = low.par_chunks_exact(low.len() / qualities.len().max(1)).zip(&qualities);
        let candidate = |(low, predicted_iou): (&[f32], &f32)| {
            if predicted_iou.is_nan() || *predicted_iou <= settings.min_predicted_iou {
                return None;
            }
            let logits = embedding.in_image(low);
            let stability = stability(&logits, settings.stability_offset);
            if stability.is_nan() || stability < settings.min_stability {
                return None;
            }
            let mask = Mask::from_fn(crop.width, crop.height, |x, y| logits[y * crop.width + x] > 0.0);
            let extent = in_frame(inclusive_box(&mask), crop);
            let inside = !is_near_crop_edge(extent, crop, frame);
            inside.then(|| Candidate {
                mask: uncrop(mask, crop, frame),
                predicted_iou: *predicted_iou,
                stability,
                extent,
                crop_area: crop.area() as f32,
            })
        };
        Ok(masks.filter_map(candidate).collect())
    }

    /// Takes on other settings if they name the same weights.
    pub(super) fn take_on(&mut self, settings: &ProposalSettings) -> bool {
        let same = weights_file(&settings.sam.model) == self.file;
        if same {
            (self.settings, self.limit) = (settings.sam.clone(), settings.limit);
        }
        same
    }
}

impl From<Candidate> for Proposal {
    fn from(candidate: Candidate) -> Proposal {
        Proposal { quality: candidate.predicted_iou.clamp(0.0, 1.0), ..Proposal::of_mask(candidate.mask) }
    }
}

impl ProposalGenerator for SamGenerator {
    fn propose(&mut self, input: &FrameInput) -> Result<Vec<Proposal>> {
        check_budget(input.frame.width(), input.frame.height(), self.limit)?;
        Ok(self.generate(input.frame)?.into_iter().take(self.limit).map(Proposal::from).collect())
    }

    fn fingerprint(&self) -> Fingerprint {
        // not where the file lies, but what is in it
        let settings = SamSettings { model: PathBuf::new(), ..self.settings.clone() };
        let settings = format!("{settings:?} {} {}", self.limit, self.model.dtype().as_str());
        Fingerprint::of("sam", VERSION, &[&settings, self.model.digest().get()])
    }

    fn reconfigure(&mut self, settings: &ProposalSettings) -> bool {
        settings.generator.name == "sam" && self.take_on(settings)
    }
}

/// The candidates that box suppression leaves, best score first.
fn suppress(candidates: Vec<Candidate>, max_iou: f32, score: impl FnMut(&Candidate) -> f32) -> Vec<Candidate> {
    let boxes: Vec<_> = candidates.iter().map(|candidate| candidate.extent).collect();
    let scores: Vec<_> = candidates.iter().map(score).collect();
    let mut candidates: Vec<_> = candidates.into_iter().map(Some).collect();
    non_max_suppression(&boxes, &scores, max_iou).into_iter().filter_map(|index| candidates[index].take()).collect()
}
