//! Checks of Segment Anything.

use super::finding::{tolerance, Finding};
use crate::Published;
use referseg_files::{Error, Result};
use referseg_image::{Frame, Mask, Rect};
use referseg_models::sam::{Prompt, SamModel};

/// Boxes given to a model without published values: the middle of the picture, as parts of its sides.
const BOXES: [[f32; 4]; 2] = [[0.04, 0.23, 0.96, 0.71], [0.34, 0.75, 0.56, 0.96]];
/// Part of a mask that must lie in the box that it was asked with. A mask may reach a little over it.
const INSIDE: f32 = 0.8;

/// The qualities that the model predicts for the published prompts beside the published ones.
///
/// # Errors
/// When the device fails.
pub fn predicted_ious(picture: &Frame, published: &Published, model: &SamModel) -> Result<Vec<Finding>> {
    let embedding = model.embed(picture)?;
    let tolerance = tolerance(published, model.dtype(), 1.0);
    let mut findings = Vec::new();
    for asked in &published.predicted_iou {
        let point = asked.point.map(|point| vec![(point, true)]);
        let (prompt, what) = match (asked.corners, point) {
            (Some(corners), Some(points)) => (Prompt::BoxWithPoints(corners, points), "a box and a point"),
            (Some(corners), None) => (Prompt::Box(corners), "a box"),
            (None, points) => (Prompt::Points(points.unwrap_or_default()), "a point"),
        };
        let ask = |multimask: bool| -> Result<Vec<f32>> {
            Ok(model.ask(&embedding, &prompt, multimask)?.predicted_iou.flatten_all()?.to_vec1()?)
        };
        let got = ask(true)?;
        let places: Vec<f32> = asked.corners.into_iter().flatten().chain(asked.point.into_iter().flatten()).collect();
        for (number, (expected, got)) in asked.masks.iter().zip(got).enumerate() {
            let what = format!("predicted IoU of mask {} for {what} {places:?}", number + 1);
            findings.extend(expected.map(|expected| Finding::near(what, expected, got, tolerance)));
        }
        if let Some(expected) = asked.one {
            let what = format!("predicted IoU of the one mask for {what} {places:?}");
            let got = ask(false)?.first().copied().unwrap_or(f32::NAN);
            findings.push(Finding::near(what, expected, got, tolerance));
        }
    }
    Ok(findings)
}

/// Whether a model without published values makes sense to itself: a mask asked with a box lies in the box, and is not empty.
///
/// # Errors
/// When the device fails.
pub fn agree_with_boxes(picture: &Frame, model: &SamModel) -> Result<Vec<Finding>> {
    let embedding = model.embed(picture)?;
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let mut findings = Vec::new();
    for parts in BOXES {
        let corners = [parts[0] * width, parts[1] * height, parts[2] * width, parts[3] * height];
        let masks = model.segment(&embedding, &Prompt::Box(corners), true)?;
        let best = masks.first().ok_or_else(|| Error::Computation("no mask for a box; this is a bug".into()))?;
        let [left, top, right, bottom] = corners.map(|edge| edge.round() as usize);
        let rect = Rect { x: left, y: top, width: right - left, height: bottom - top };
        let what = format!("part of the mask asked with the box {left}, {top}, {right}, {bottom} that lies in it");
        findings.push(Finding::at_least(what, INSIDE, part_inside(&best.mask, rect)));
        let what = "its predicted IoU, above a half".to_string();
        findings.push(Finding::at_least(what, 0.5, best.predicted_iou));
    }
    Ok(findings)
}

/// The part of a mask that lies in a rectangle, 0..1; 0 for an empty mask.
fn part_inside(mask: &Mask, rect: Rect) -> f32 {
    let inside = Mask::of_rect(mask.width(), mask.height(), rect);
    mask.intersection(&inside) as f32 / mask.area().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_half_out_of_its_box_is_half_inside() {
        let mask = Mask::from_fn(10, 10, |x, _| x < 6);
        let rect = Rect { x: 3, y: 0, width: 7, height: 10 };
        assert_eq!(part_inside(&mask, rect), 0.5);
        assert_eq!(part_inside(&Mask::empty(10, 10), rect), 0.0);
    }
}
