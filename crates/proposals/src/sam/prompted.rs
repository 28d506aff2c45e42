//! `PromptedSam`: proposals from Segment Anything asked where something is, instead of at a blind grid: at the centre and
//! with the box of each of the regions that the pixels alone give.
//!
//! A centre is asked for three masks, from part to whole, since a region may be a part; a box for one, since it says how
//! far the thing reaches. The masks go through the same filters as the grid's.

use super::generator::SamGenerator;
use crate::budget::check_budget;
use crate::generator::{FrameInput, ProposalGenerator};
use crate::proposal::Proposal;
use crate::regions::Regions;
use referseg_config::{PromptKind, ProposalSettings};
use referseg_files::fingerprint::Fingerprint;
use referseg_files::Result;
use referseg_image::{inner_point, Mask, Rect};
use referseg_models::Compute;

/// Raised when the same frame gives other proposals.
const VERSION: u32 = 1;

/// The two generators: one that says where to ask, one that is asked.
pub struct PromptedSam {
    regions: Regions,
    sam: SamGenerator,
}

impl PromptedSam {
    /// Loads the model that the settings name.
    ///
    /// # Errors
    /// When its weights can't be used.
    pub fn open(settings: &ProposalSettings, compute: &Compute) -> Result<PromptedSam> {
        Ok(PromptedSam { regions: Regions::new(settings), sam: SamGenerator::open(settings, compute)? })
    }
}

impl ProposalGenerator for PromptedSam {
    fn propose(&mut self, input: &FrameInput) -> Result<Vec<Proposal>> {
        let frame = input.frame;
        check_budget(frame.width(), frame.height(), self.sam.limit())?;
        let masks: Vec<Mask> = self.regions.propose(input)?.into_iter().map(|proposal| proposal.mask).collect();
        if masks.is_empty() {
            return Ok(Vec::new()); // the image encoder is the dear part
        }
        let whole = Rect::whole(frame.width(), frame.height());
        let (sam, settings) = (&self.sam, self.sam.settings());
        let embedding = sam.model().embed(frame)?;
        let mut found = Vec::new();
        if settings.prompts != PromptKind::Boxes {
            let centres: Vec<[f32; 2]> = masks.iter().filter_map(inner_point).collect();
            for batch in centres.chunks(settings.points_per_batch) {
                let decoded = sam.model().decode_points(&embedding, batch)?;
                found.extend(sam.passing(&decoded, &embedding, whole, frame)?);
            }
        }
        if settings.prompts != PromptKind::Centres {
            let boxes: Vec<[f32; 4]> = masks.iter().filter_map(Mask::bounding_box).map(|rect| rect.corners()).collect();
            for batch in boxes.chunks(settings.points_per_batch) {
                let decoded = sam.model().decode_boxes(&embedding, batch, false)?;
                found.extend(sam.passing(&decoded, &embedding, whole, frame)?);
            }
        }
        let found = sam.distinct(found);
        Ok(found.into_iter().take(sam.limit()).map(Proposal::from).collect())
    }

    fn fingerprint(&self) -> Fingerprint {
        let (regions, sam) = (self.regions.fingerprint(), self.sam.fingerprint());
        Fingerprint::of("prompted", VERSION, &[regions.text(), sam.text()])
    }

    fn reconfigure(&mut self, settings: &ProposalSettings) -> bool {
        let same = settings.generator.name == "prompted" && self.sam.take_on(settings);
        if same {
            self.regions = Regions::new(settings);
        }
        same
    }
}
