//! `PromptedSam`: proposals from Segment Anything asked where something is, instead of at a blind grid: at the centre and
//! with the box of each of the regions that the pixels alone give.
//!
//! A centre is asked for three masks, from part to whole, since a region may be a part; a box for one, since it says how
//! far the thing reaches. The masks go through the same filters as the grid's.

use super::generator::SamGenerator;
use crate::config::{PromptKind, ProposalSettings};
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::image::{Mask, Rect};
use crate::models::Compute;
use crate::proposals::budget::check_budget;
use crate::proposals::generator::{FrameInput, ProposalGenerator};
use crate::proposals::proposal::Proposal;
use crate::proposals::regions::Regions;

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
            let centres: Vec<[f32; 2]> = masks.iter().filter_map(centre).collect();
            for batch in centres.chunks(settings.points_per_batch) {
                let decoded = sam.model().decode_points(&embedding, batch)?;
                found.extend(sam.passing(&decoded, &embedding, whole, frame)?);
            }
        }
        if settings.prompts != PromptKind::Centres {
            let boxes: Vec<[f32; 4]> = masks.iter().filter_map(corners).collect();
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

/// The pixel of a mask that is furthest from what is outside (steps along rows and columns; beyond the image is outside),
/// of several the one nearest to the centroid: inside the thing also where the centroid is not, as of a ring. In image
/// pixels, at the pixel's middle.
fn centre(mask: &Mask) -> Option<[f32; 2]> {
    let (width, height) = (mask.width(), mask.height());
    let centroid = mask.centroid()?.map(|place| place as f32 - 0.5);
    // steps to the outside: from the upper left, then from the lower right; one row and column of outside around
    let stride = width + 2;
    let mut steps = vec![0u32; stride * (height + 2)];
    let at = |(column, row): (usize, usize)| (row + 1) * stride + column + 1;
    let inside: Vec<usize> = mask.inside().map(at).collect();
    for &place in &inside {
        steps[place] = 1 + steps[place - 1].min(steps[place - stride]);
    }
    for &place in inside.iter().rev() {
        steps[place] = steps[place].min(1 + steps[place + 1].min(steps[place + stride]));
    }
    let away = |(column, row): (usize, usize)| (column as f32 - centroid[0]).hypot(row as f32 - centroid[1]);
    let deepest = mask.inside().min_by(|a, b| {
        let deeper = steps[at(*b)].cmp(&steps[at(*a)]);
        deeper.then_with(|| away(*a).total_cmp(&away(*b)))
    });
    deepest.map(|(column, row)| [column as f32 + 0.5, row as f32 + 0.5])
}

/// Left, top, right and bottom edge of a mask, image pixels.
fn corners(mask: &Mask) -> Option<[f32; 4]> {
    let Rect { x, y, width, height } = mask.bounding_box()?;
    Some([x, y, x + width, y + height].map(|edge| edge as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_of_a_ring_lies_on_the_ring_and_that_of_a_block_in_its_middle() {
        let block = Mask::from_fn(20, 10, |x, y| (2..9).contains(&x) && (1..8).contains(&y));
        assert_eq!(centre(&block), Some([5.5, 4.5]));
        let ring = Mask::from_fn(40, 40, |x, y| {
            let away = (x as f32 - 20.0).hypot(y as f32 - 20.0);
            (8.0..16.0).contains(&away)
        });
        let [x, y] = centre(&ring).unwrap();
        let away = (x - 20.5).hypot(y - 20.5);
        assert!((10.0..14.0).contains(&away), "{away} from the middle");
        assert_eq!(centre(&Mask::from_fn(3, 3, |_, _| false)), None);
    }

    #[test]
    fn a_mask_at_the_images_edge_has_its_centre_off_the_edge() {
        let all = Mask::from_fn(9, 5, |_, _| true);
        assert_eq!(centre(&all), Some([4.5, 2.5]));
        assert_eq!(corners(&all), Some([0.0, 0.0, 9.0, 5.0]));
    }
}
