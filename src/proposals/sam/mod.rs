//! `Sam`: proposals from Segment Anything, after its `SamAutomaticMaskGenerator`.
//!
//! A grid of points is asked, three masks each; masks of low predicted quality or stability are dropped, then
//! near copies by their boxes; holes are filled and islands removed. With crop layers the same is done on
//! finer and finer parts of the picture. The best `limit` by predicted quality are kept.

mod layout;
mod model;
mod regions;

pub use model::{weights_file, Decoded, Embedding, Prompt, PromptedMask, SamModel};

use super::{Proposal, ProposeMasks};
use crate::clip::pixels::Window;
use crate::config::{ProposalSettings, SamSettings};
use crate::error::Result;
use crate::frame::Frame;
use crate::mask::Mask;
use candle_core::Device;
use regions::{inclusive_box, suppressed, tidied};

/// A mask's box this near to its crop's edge, in pixels, was probably cut off by it.
const EDGE: f32 = 20.0;

/// The generator with its model.
pub struct Sam {
    model: SamModel,
    settings: SamSettings,
    limit: usize,
}

/// A mask of the picture with what is known of it.
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

impl Sam {
    /// Loads the model that the settings name.
    ///
    /// # Errors
    /// When its weights can't be used.
    pub fn open(settings: &ProposalSettings, device: &Device) -> Result<Sam> {
        let model = SamModel::open(&settings.sam.model, device)?;
        Ok(Sam { model, settings: settings.sam.clone(), limit: settings.limit })
    }

    /// The model, for prompts of one's own.
    pub fn model(&self) -> &SamModel {
        &self.model
    }

    /// All masks of a picture, best predicted quality first.
    ///
    /// # Errors
    /// When the device fails.
    pub fn everything(&self, frame: &Frame) -> Result<Vec<Candidate>> {
        let settings = &self.settings;
        let mut found = Vec::new();
        let crops = crops(frame.width(), frame.height(), settings);
        for (crop, layer) in &crops {
            let of_crop = self.in_crop(frame, *crop, *layer)?;
            found.extend(kept(of_crop, settings.box_nms, |c| c.predicted_iou));
        }
        if crops.len() > 1 {
            // finer crops see more
            found = kept(found, settings.crop_nms, |c| 1.0 / c.crop_area);
        }
        if settings.min_region_area > 0 {
            let tidy = found.into_iter().map(|candidate| {
                let (mask, changed) = tidied(&candidate.mask, settings.min_region_area);
                let extent = inclusive_box(&mask);
                (Candidate { mask, extent, ..candidate }, changed)
            });
            let (masks, changed): (Vec<_>, Vec<_>) = tidy.unzip();
            let mut index = 0;
            let untouched = |_: &Candidate| {
                index += 1;
                f32::from(u8::from(!changed[index - 1]))
            };
            found = kept(masks, settings.box_nms.max(settings.crop_nms), untouched);
        }
        found.retain(|candidate| candidate.mask.area() > 0);
        found.sort_by(|a, b| b.predicted_iou.total_cmp(&a.predicted_iou));
        Ok(found)
    }

    fn in_crop(&self, frame: &Frame, crop: Window, layer: usize) -> Result<Vec<Candidate>> {
        let settings = &self.settings;
        let embedding = self.model.embed_window(frame, crop)?;
        let points = grid(settings.points_per_side / settings.crop_points_downscale.pow(layer as u32), crop);
        let mut found = Vec::new();
        for batch in points.chunks(settings.points_per_batch) {
            let decoded = self.model.decode_points(&embedding, batch)?;
            let quality = decoded.predicted_iou.to_vec2::<f32>()?;
            for (point, qualities) in quality.iter().enumerate() {
                for (index, &predicted_iou) in qualities.iter().enumerate() {
                    if predicted_iou.is_nan() || predicted_iou <= settings.min_predicted_iou {
                        continue;
                    }
                    let logits = embedding.in_image(&decoded.low.get(point)?.get(index)?)?;
                    let stability = stability(&logits, settings.stability_offset);
                    if stability.is_nan() || stability < settings.min_stability {
                        continue;
                    }
                    let inside = logits.iter().map(|logit| *logit > 0.0).collect();
                    let mask = Mask::new(crop.width, crop.height, inside);
                    let extent = in_frame(inclusive_box(&mask), crop);
                    if cut_off(extent, crop, frame) {
                        continue;
                    }
                    let mask = uncropped(mask, crop, frame);
                    let crop_area = (crop.width * crop.height) as f32;
                    found.push(Candidate { mask, predicted_iou, stability, extent, crop_area });
                }
            }
        }
        Ok(found)
    }
}

impl ProposeMasks for Sam {
    fn propose(&mut self, frame: &Frame) -> Result<Vec<Proposal>> {
        let best = self.everything(frame)?.into_iter().take(self.limit);
        Ok(best.map(|candidate| Proposal { mask: candidate.mask, label: None }).collect())
    }
}

/// The candidates that box suppression leaves, best score first.
fn kept(candidates: Vec<Candidate>, most: f32, score: impl FnMut(&Candidate) -> f32) -> Vec<Candidate> {
    let boxes: Vec<_> = candidates.iter().map(|candidate| candidate.extent).collect();
    let scores: Vec<_> = candidates.iter().map(score).collect();
    let mut candidates: Vec<_> = candidates.into_iter().map(Some).collect();
    suppressed(&boxes, &scores, most).into_iter().filter_map(|index| candidates[index].take()).collect()
}

/// The picture, then each layer's crops, with the number of the layer: `2^layer` a side, overlapping.
fn crops(width: usize, height: usize, settings: &SamSettings) -> Vec<(Window, usize)> {
    let mut crops = vec![(Window { x: 0, y: 0, width, height }, 0)];
    for layer in 1..=settings.crop_layers {
        let sides = 1usize << layer;
        let overlap = settings.crop_overlap * width.min(height) as f32 * (2.0 / sides as f32);
        let overlap = overlap as usize;
        let length = |whole: usize| (overlap * (sides - 1) + whole).div_ceil(sides);
        let (across, down) = (length(width), length(height));
        for column in 0..sides {
            for row in 0..sides {
                let (x, y) = (across.saturating_sub(overlap) * column, down.saturating_sub(overlap) * row);
                let (right, bottom) = ((x + across).min(width), (y + down).min(height));
                if x < right && y < bottom {
                    crops.push((Window { x, y, width: right - x, height: bottom - y }, layer));
                }
            }
        }
    }
    crops
}

/// Points in the middles of a grid of `side * side` cells over a crop, row by row, in the crop's pixels.
fn grid(side: usize, crop: Window) -> Vec<[f32; 2]> {
    let side = side.max(1);
    let middle = |cell: usize| (cell as f32 + 0.5) / side as f32;
    (0..side * side)
        .map(|cell| [middle(cell % side) * crop.width as f32, middle(cell / side) * crop.height as f32])
        .collect()
}

/// IoU of the masks above `offset` and above `-offset`; NaN when both are empty.
fn stability(logits: &[f32], offset: f32) -> f32 {
    let above = |threshold: f32| logits.iter().filter(|logit| **logit > threshold).count() as f32;
    above(offset) / above(-offset)
}

fn in_frame([left, top, right, bottom]: [f32; 4], crop: Window) -> [f32; 4] {
    let (x, y) = (crop.x as f32, crop.y as f32);
    [left + x, top + y, right + x, bottom + y]
}

/// Whether a box touches an edge of its crop that is no edge of the picture.
fn cut_off(extent: [f32; 4], crop: Window, frame: &Frame) -> bool {
    let of_crop = [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height];
    let of_frame = [0, 0, frame.width(), frame.height()];
    let near = |a: f32, b: usize| (a - b as f32).abs() <= EDGE;
    (0..4).any(|side| near(extent[side], of_crop[side]) && !near(extent[side], of_frame[side]))
}

/// A crop's mask in the whole picture.
fn uncropped(mask: Mask, crop: Window, frame: &Frame) -> Mask {
    let (width, height) = (frame.width(), frame.height());
    if (crop.width, crop.height) == (width, height) {
        return mask;
    }
    let mut inside = vec![false; width * height];
    for (row, line) in mask.pixels().chunks_exact(crop.width).enumerate() {
        inside[(crop.y + row) * width + crop.x..][..crop.width].copy_from_slice(line);
    }
    Mask::new(width, height, inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stand_in_the_middles_of_their_cells() {
        let crop = Window { x: 5, y: 6, width: 40, height: 20 };
        assert_eq!(grid(2, crop), [[10.0, 5.0], [30.0, 5.0], [10.0, 15.0], [30.0, 15.0]]);
        assert_eq!(grid(0, crop).len(), 1, "a layer never goes without points");
    }

    #[test]
    fn stability_is_an_iou_of_two_thresholds() {
        assert_eq!(stability(&[2.0, 0.5, -0.5, -2.0], 1.0), 1.0 / 3.0);
        assert!(stability(&[-5.0], 1.0).is_nan());
    }

    #[test]
    fn a_box_at_the_crops_edge_is_cut_off_unless_the_picture_ends_there() {
        let frame = Frame::new(100, 100, vec![0; 30_000]).unwrap();
        let crop = Window { x: 0, y: 0, width: 60, height: 100 };
        assert!(!cut_off([0.0, 0.0, 30.0, 99.0], crop, &frame));
        assert!(cut_off([0.0, 0.0, 59.0, 50.0], crop, &frame));
    }
}
