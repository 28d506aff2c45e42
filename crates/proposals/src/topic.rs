//! `TopicProposals`: the proposals that a detector or tracker on the robot publishes for each frame.
//!
//! A label image is taken as it is. Boxes need masks: the region that fills the box best, Segment Anything asked with the
//! box, or the box itself.

use super::budget::check_budget;
use super::generator::{FrameInput, ProposalGenerator};
use super::labels::{check_same_size, of_labels};
use super::proposal::Proposal;
use super::regions::Regions;
use referseg_config::{BoxMasks, ProposalSettings};
use referseg_files::fingerprint::Fingerprint;
use referseg_files::{Error, Result};
use referseg_image::{DetectedBox, ExternalProposals};
use referseg_image::{Frame, Mask, Rect};
use referseg_models::sam::{weights_file, SamModel};
use referseg_models::Compute;
use std::path::PathBuf;

/// Raised when the same frame and the same that was given make other proposals.
const VERSION: u32 = 1;

/// IoU of a region's box with a given one, from which on the region is what the box means.
const SAME_BOX: f32 = 0.5;

/// What makes masks of boxes.
pub struct TopicProposals {
    settings: ProposalSettings,
    regions: Regions,
    /// Present where Segment Anything makes the masks.
    sam: Option<(SamModel, PathBuf)>,
}

impl TopicProposals {
    /// Loads what masks are made with.
    ///
    /// # Errors
    /// When Segment Anything is asked for and its weights can't be used.
    pub fn open(settings: &ProposalSettings, compute: &Compute) -> Result<TopicProposals> {
        let path = &settings.sam.model;
        let open = || Ok::<_, Error>((SamModel::open(path, compute)?, weights_file(path)));
        let sam = (settings.box_masks == BoxMasks::Sam).then(open).transpose()?;
        Ok(TopicProposals { settings: settings.clone(), regions: Regions::new(settings), sam })
    }

    /// The masks of boxes in a frame, in the order of the boxes, as many as the limit; boxes outside the frame are left out.
    fn of_boxes(&mut self, input: &FrameInput, boxes: &[DetectedBox]) -> Result<Vec<Proposal>> {
        let frame = input.frame;
        let inside = boxes.iter().filter_map(|found| Some((found, within(found.corners, frame)?)));
        let inside: Vec<(&DetectedBox, Rect)> = inside.take(self.settings.limit).collect();
        check_budget(frame.width(), frame.height(), inside.len())?;
        if inside.is_empty() {
            return Ok(Vec::new());
        }
        let rects: Vec<Rect> = inside.iter().map(|(_, rect)| *rect).collect();
        let masks = match self.settings.box_masks {
            BoxMasks::Box => rects.iter().map(|rect| filled(*rect, frame)).collect(),
            BoxMasks::Regions => self.regions_in(input, &rects)?,
            BoxMasks::Sam => self.asked(frame, &rects)?,
        };
        let proposal = |((found, _), mask): (&(&DetectedBox, Rect), Mask)| Proposal {
            class: found.class.clone(),
            quality: found.class.as_ref().map_or(1.0, |class| class.score.clamp(0.0, 1.0)),
            ..Proposal::of_mask(mask)
        };
        Ok(inside.iter().zip(masks).map(proposal).collect())
    }

    /// For each box the region whose own box is most like it, cut at the box; the box itself where none is like it.
    fn regions_in(&mut self, input: &FrameInput, rects: &[Rect]) -> Result<Vec<Mask>> {
        let regions = self.regions.propose(input)?;
        let of = |rect: &Rect| {
            let fit = |mask: &Mask| mask.bounding_box().map_or(0.0, |own| own.iou(*rect));
            let best = regions.iter().map(|region| &region.mask).max_by(|a, b| fit(a).total_cmp(&fit(b)));
            let cut = |mask: &Mask| Mask::in_rect(mask.width(), mask.height(), *rect, |x, y| mask.at(x, y));
            let best = best.filter(|mask| fit(mask) >= SAME_BOX).map(cut);
            best.filter(|mask| mask.area() > 0).unwrap_or_else(|| filled(*rect, input.frame))
        };
        Ok(rects.iter().map(of).collect())
    }

    /// For each box what Segment Anything sees in it; the box itself where it sees nothing.
    fn asked(&self, frame: &Frame, rects: &[Rect]) -> Result<Vec<Mask>> {
        let (sam, _) =
            self.sam.as_ref().ok_or_else(|| Error::Proposals("no Segment Anything; this is a bug".into()))?;
        let embedding = sam.embed(frame)?;
        let mut masks = Vec::new();
        for batch in rects.chunks(self.settings.sam.points_per_batch) {
            let corners = |rect: &Rect| [rect.x, rect.y, rect.right(), rect.bottom()].map(|edge| edge as f32);
            let decoded = sam.decode_boxes(&embedding, &batch.iter().map(corners).collect::<Vec<_>>(), false)?;
            let low = decoded.logits()?;
            for (low, rect) in low.chunks_exact(low.len() / batch.len()).zip(batch) {
                let mask = embedding.mask(low);
                masks.push(if mask.area() > 0 { mask } else { filled(*rect, frame) });
            }
        }
        Ok(masks)
    }
}

/// The pixels of a frame that a box covers at least by half; nothing when it covers none.
fn within(corners: [f32; 4], frame: &Frame) -> Option<Rect> {
    let [left, top, right, bottom] = corners;
    if corners.iter().any(|edge| !edge.is_finite()) {
        return None;
    }
    let clamped = |edge: f32, most: usize| edge.round().clamp(0.0, most as f32) as usize;
    let (x, right) = (clamped(left, frame.width()), clamped(right, frame.width()));
    let (y, bottom) = (clamped(top, frame.height()), clamped(bottom, frame.height()));
    (right > x && bottom > y).then(|| Rect { x, y, width: right - x, height: bottom - y })
}

fn filled(rect: Rect, frame: &Frame) -> Mask {
    Mask::of_rect(frame.width(), frame.height(), rect)
}

impl ProposalGenerator for TopicProposals {
    fn propose(&mut self, input: &FrameInput) -> Result<Vec<Proposal>> {
        match input.given {
            Some(Ok(ExternalProposals::Labels(image))) => {
                check_same_size(image, input.frame)?;
                let proposals = of_labels(image)?;
                let (found, limit) = (proposals.len(), self.settings.limit);
                // which of them are objects is not this program's to choose
                if found > limit {
                    return Err(Error::Proposals(format!(
                        "{found} labels in the label image; expected at most {limit} (proposals.limit, up to 1000)"
                    )));
                }
                Ok(proposals)
            }
            Some(Ok(ExternalProposals::Boxes(boxes))) => self.of_boxes(input, boxes),
            Some(Err(why)) => Err(Error::Proposals(why.into())),
            None => Err(Error::Proposals(
                "proposals topic: no external proposals for this image; they arrive on a topic, live or recorded"
                    .into(),
            )),
        }
    }

    fn fingerprint(&self) -> Fingerprint {
        let settings = format!("{:?} {}", self.settings.box_masks, self.settings.limit);
        let regions = self.regions.fingerprint();
        let sam = self.sam.as_ref().map_or("", |(sam, _)| sam.digest().get());
        Fingerprint::of("topic", VERSION, &[&settings, regions.text(), sam])
    }

    fn reconfigure(&mut self, settings: &ProposalSettings) -> bool {
        let wanted = (settings.box_masks == BoxMasks::Sam).then(|| weights_file(&settings.sam.model));
        let same = settings.generator.name == "topic" && wanted == self.sam.as_ref().map(|(_, file)| file.clone());
        if same {
            (self.settings, self.regions) = (settings.clone(), Regions::new(settings));
        }
        same
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use referseg_config::{Config, Layer};
    use referseg_image::DetectedClass;
    use referseg_image::LabelImage;

    fn generator(box_masks: &str) -> TopicProposals {
        let layers = [
            Layer::value("test", "proposals.generator", "topic"),
            Layer::value("test", "proposals.box_masks", box_masks),
        ];
        TopicProposals::open(&Config::from_layers(&layers).unwrap().proposals, &Compute::on_cpu()).unwrap()
    }

    /// A red disc on grey, and boxes around it, beside it and outside.
    fn scene() -> (Frame, Vec<DetectedBox>) {
        let inside = |x: i32, y: i32| (x - 60).pow(2) + (y - 50).pow(2) < 25 * 25;
        let pixel = |at: i32| if inside(at % 160, at / 160) { [205, 25, 25] } else { [150; 3] };
        let frame = Frame::new(160, 100, (0..160 * 100).flat_map(pixel).collect()).unwrap();
        let class = Some(DetectedClass { name: "ball".into(), score: 0.9 });
        let found = |corners, class| DetectedBox { corners, class };
        let boxes = vec![
            found([34.0, 24.0, 86.0, 76.0], class),
            found([100.0, 5.0, 140.0, 30.0], None),
            found([170.0, 0.0, 190.0, 20.0], None),
            found([f32::NAN; 4], None),
        ];
        (frame, boxes)
    }

    fn proposed(generator: &mut TopicProposals, frame: &Frame, given: &ExternalProposals) -> Vec<Proposal> {
        generator.propose(&FrameInput { given: Some(Ok(given)), ..FrameInput::single(frame) }).unwrap()
    }

    #[test]
    fn a_box_means_the_region_that_fills_it_or_else_itself() {
        let (frame, boxes) = scene();
        let given = ExternalProposals::Boxes(boxes);
        let found = proposed(&mut generator("regions"), &frame, &given);
        assert_eq!(found.len(), 2, "what is outside or no number is left out");
        let disc = (std::f32::consts::PI * 25.0 * 25.0) as usize;
        assert!(found[0].mask.area().abs_diff(disc) < disc / 10, "{}", found[0].mask.area());
        assert_eq!((found[0].class.as_ref().unwrap().name.as_str(), found[0].quality), ("ball", 0.9));
        assert_eq!((found[1].mask.area(), &found[1].class, found[1].quality), (40 * 25, &None, 1.0));
        let boxed = proposed(&mut generator("box"), &frame, &given);
        assert_eq!(boxed[0].mask.area(), 52 * 52);
    }

    #[test]
    fn labels_are_taken_as_they_are_and_nothing_given_is_a_reason() {
        let (frame, _) = scene();
        let labels = LabelImage::new(160, 100, (0..16_000).map(|at| u32::from(at % 160 < 20) * 7).collect()).unwrap();
        let mut generator = generator("regions");
        let found = proposed(&mut generator, &frame, &ExternalProposals::Labels(labels));
        assert_eq!((found.len(), found[0].label, found[0].mask.area()), (1, Some(7), 2000));
        let mut refusal = |given| {
            let input = FrameInput { given, ..FrameInput::single(&frame) };
            generator.propose(&input).unwrap_err().to_string()
        };
        assert!(refusal(Some(Err("the newest proposals are 2 s older"))).contains("2 s older"));
        assert!(refusal(None).contains("no external proposals for this image"));
    }
}
