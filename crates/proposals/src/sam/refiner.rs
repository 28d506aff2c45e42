//! `SamRefiner`: a mask that was found some other way, made again by Segment Anything.

use super::postprocess::stability;
use referseg_config::{Config, RefinementSettings};
use referseg_files::fingerprint::Fingerprint;
use referseg_files::Result;
use referseg_image::{inner_point, Frame, Mask};
use referseg_models::sam::{weights_file, Embedding, Prompt, SamModel};
use referseg_models::Compute;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Raised when the same mask is refined otherwise.
const VERSION: u32 = 1;

/// The model that is asked.
pub struct SamRefiner {
    model: SamModel,
    file: PathBuf,
}

impl SamRefiner {
    /// Loads the weights that `proposals.sam.model` names.
    ///
    /// # Errors
    /// When they can't be used.
    pub fn open(config: &Config, compute: &Compute) -> Result<SamRefiner> {
        let path = &config.proposals.sam.model;
        Ok(SamRefiner { model: SamModel::open(path, compute)?, file: weights_file(path) })
    }

    /// Whether it has the weights that the settings name.
    pub fn fits(&self, config: &Config) -> bool {
        weights_file(&config.proposals.sam.model) == self.file
    }

    /// The mask of what lies in this one's box and has its middle, where the limits allow it; one decoder call. `view` keeps
    /// the frame's embedding, which is made when it is first needed.
    ///
    /// # Errors
    /// When the device fails.
    pub fn refined(
        &self,
        frame: &Frame,
        view: &OnceLock<Embedding>,
        mask: &Mask,
        config: &Config,
    ) -> Result<Option<Mask>> {
        let (Some(place), Some(rect)) = (inner_point(mask), mask.bounding_box()) else { return Ok(None) };
        if view.get().is_none() {
            let _ = view.set(self.model.embed(frame)?);
        }
        let Some(embedding) = view.get() else { return Ok(None) };
        let decoded = self.model.ask(embedding, &Prompt::BoxWithPoints(rect.corners(), vec![(place, true)]), false)?;
        let quality = decoded.quality()?;
        let logits = embedding.in_image(&decoded.logits()?);
        let RefinementSettings { min_predicted_iou, min_stability, min_overlap } = config.refinement;
        // what is no number is not enough
        let enough = |value: f32, least: f32| value >= least;
        let good = quality.first().is_some_and(|quality| enough(*quality, min_predicted_iou))
            && enough(stability(&logits, config.proposals.sam.stability_offset), min_stability);
        if !good {
            return Ok(None);
        }
        let refined = Mask::from_fn(mask.width(), mask.height(), |x, y| logits[y * mask.width() + x] > 0.0);
        Ok(Some(refined).filter(|refined| enough(refined.iou(mask), min_overlap)))
    }

    /// What the refined masks depend on beside the frame and the mask.
    pub fn fingerprint(&self, config: &Config) -> Fingerprint {
        let settings = format!("{:?} {}", config.refinement, config.proposals.sam.stability_offset);
        Fingerprint::of("refined by sam", VERSION, &[&settings, self.model.dtype().as_str(), self.model.digest().get()])
    }
}
