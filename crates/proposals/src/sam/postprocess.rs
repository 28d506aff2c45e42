//! What happens to masks after the decoder: overlap of boxes, holes and islands. Pure, safe with NaN, and in an
//! order that depends on nothing but the input.

use referseg_image::{Mask, Rect};

/// Left, top, right and bottom pixels of a mask, inclusive as in the original; zeros for an empty mask.
pub fn inclusive_box(mask: &Mask) -> [f32; 4] {
    let Rect { x, y, width, height } = match mask.bounding_box() {
        Some(extent) => extent,
        None => return [0.0; 4],
    };
    [x as f32, y as f32, (x + width - 1) as f32, (y + height - 1) as f32]
}

fn box_iou(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let area = |b: &[f32; 4]| (b[2] - b[0]) * (b[3] - b[1]);
    let across = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let down = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let both = across * down;
    both / (area(a) + area(b) - both) // 0 / 0 of two boxes without area is NaN, which suppresses nothing
}

/// Greedy non-maximum suppression: indices of the boxes that stay, best score first, ties to the first.
pub fn non_max_suppression(boxes: &[[f32; 4]], scores: &[f32], max_iou: f32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..boxes.len()).filter(|i| !scores[*i].is_nan()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    let mut kept: Vec<usize> = Vec::new();
    for candidate in order {
        if !kept.iter().any(|better| box_iou(&boxes[*better], &boxes[candidate]) > max_iou) {
            kept.push(candidate);
        }
    }
    kept
}

/// The mask with holes below `least` pixels filled and islands below it removed (all but the largest, if all
/// are small), and whether anything changed.
pub fn remove_small_regions(mask: &Mask, least: usize) -> (Mask, bool) {
    let (width, height) = (mask.width(), mask.height());
    let mut inside = mask.to_pixels();
    let outside: Vec<bool> = inside.iter().map(|inside| !inside).collect();
    let (labels, areas) = components(width, height, &outside);
    let is_small: Vec<bool> = areas.iter().map(|area| *area < least).collect();
    let mut changed = is_small.contains(&true);
    for (pixel, label) in labels.iter().enumerate() {
        inside[pixel] |= label.is_some_and(|label| is_small[label]);
    }
    let (labels, areas) = components(width, height, &inside);
    let is_small: Vec<bool> = areas.iter().map(|area| *area < least).collect();
    if is_small.contains(&true) {
        changed = true;
        let largest = if is_small.iter().all(|small| *small) {
            (0..areas.len()).rev().max_by_key(|label| areas[*label]) // the first of the largest
        } else {
            None
        };
        for (pixel, label) in labels.iter().enumerate() {
            inside[pixel] = label.is_some_and(|label| !is_small[label] || Some(label) == largest);
        }
    }
    (Mask::new(width, height, &inside), changed)
}

/// The 8-connected components of a raster: each pixel's component, numbered in reading order, and their areas.
fn components(width: usize, height: usize, inside: &[bool]) -> (Vec<Option<usize>>, Vec<usize>) {
    let mut labels = vec![None; inside.len()];
    let mut areas = Vec::new();
    let mut open = Vec::new();
    for start in 0..inside.len() {
        if !inside[start] || labels[start].is_some() {
            continue;
        }
        let label = areas.len();
        areas.push(0);
        labels[start] = Some(label);
        open.push(start);
        while let Some(pixel) = open.pop() {
            areas[label] += 1;
            let (x, y) = (pixel % width, pixel / width);
            for row in y.saturating_sub(1)..(y + 2).min(height) {
                for column in x.saturating_sub(1)..(x + 2).min(width) {
                    let next = row * width + column;
                    if inside[next] && labels[next].is_none() {
                        labels[next] = Some(label);
                        open.push(next);
                    }
                }
            }
        }
    }
    (labels, areas)
}

/// IoU of the masks above `offset` and above `-offset`; NaN when both are empty.
pub fn stability(logits: &[f32], offset: f32) -> f32 {
    let above = |threshold: f32| logits.iter().filter(|logit| **logit > threshold).count() as f32;
    above(offset) / above(-offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_holes_are_filled_and_small_islands_removed() {
        let mask = Mask::drawn(&["####.....", "#.##....#", "####.....", "........."]);
        let (cleaned, changed) = remove_small_regions(&mask, 3);
        assert!(changed);
        assert_eq!(cleaned, Mask::drawn(&["####.....", "####.....", "####.....", "........."]));
        assert!(!remove_small_regions(&cleaned, 3).1);
        // corners connect, so two diagonal pixels are one island of two
        assert!(!remove_small_regions(&Mask::drawn(&["#....", ".#...", ".....", "....."]), 2).1);
    }

    #[test]
    fn the_largest_island_stays_when_all_are_small() {
        let (cleaned, _) = remove_small_regions(&Mask::drawn(&["#..##....", "........."]), 5);
        assert_eq!(cleaned, Mask::drawn(&["...##....", "........."]));
    }

    #[test]
    fn the_better_of_two_boxes_stays_and_nan_never_does() {
        let boxes = [[0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 10.0, 9.0], [20.0, 0.0, 30.0, 10.0], [50.0, 0.0, 60.0, 10.0]];
        assert_eq!(non_max_suppression(&boxes, &[0.5, 0.9, 0.7, f32::NAN], 0.7), [1, 2]);
        assert_eq!(non_max_suppression(&boxes, &[0.5, 0.5, 0.5, 0.5], 0.95), [0, 1, 2, 3]);
    }

    #[test]
    fn stability_is_an_iou_of_two_thresholds() {
        assert_eq!(stability(&[2.0, 0.5, -0.5, -2.0], 1.0), 1.0 / 3.0);
        assert!(stability(&[-5.0], 1.0).is_nan());
    }
}
