//! What happens to masks after the decoder: overlap of boxes, holes and islands. Pure, safe with NaN, and in an
//! order that depends on nothing but the input.

use referseg_image::{Components, Mask, Rect};

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
    if mask.area() == 0 {
        return (mask.clone(), false);
    }
    let outside = Components::outside(mask);
    let holes = outside.areas();
    let mut changed = holes.iter().any(|area| *area < least);
    let filled = match changed {
        true => mask.union(&outside.mask(|hole| holes[hole] < least)),
        false => mask.clone(),
    };
    let inside = Components::inside(&filled);
    let islands = inside.areas();
    if islands.iter().all(|area| *area >= least) {
        return (filled, changed);
    }
    changed = true;
    // the first of the largest, where all are small
    let all_small = islands.iter().all(|area| *area < least);
    let largest = (0..islands.len()).rev().max_by_key(|island| islands[*island]).filter(|_| all_small);
    (inside.mask(|island| islands[island] >= least || Some(island) == largest), changed)
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
    fn runs_give_what_pixels_give() {
        // holes, islands, the border and slivers beside the box
        for seed in 0..200usize {
            let (width, height) = (7 + seed % 9, 5 + seed % 6);
            let hash = |x: usize, y: usize| (x * 7919 + y * 104_729 + seed * 1_299_709) / 7 % 11;
            let mask = Mask::from_fn(width, height, |x, y| x >= seed % 3 && y >= seed % 2 && hash(x, y) < 4 + seed % 5);
            for least in [1, 3, 8] {
                let frame = Mask::from_fn(width, height, |x, y| mask.at(x, y));
                let found = remove_small_regions(&frame, least);
                assert_eq!(found, whole(&mask, least), "{seed} {least}");
            }
        }
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

    /// Pixel by pixel, as the authors do.
    fn whole(mask: &Mask, least: usize) -> (Mask, bool) {
        let (width, height) = (mask.width(), mask.height());
        if mask.area() == 0 {
            return (mask.clone(), false);
        }
        let mut inside = mask.to_pixels();
        let mut changed = false;
        let outside: Vec<bool> = inside.iter().map(|inside| !inside).collect();
        let (labels, areas) = components(width, height, &outside);
        for (pixel, label) in labels.iter().enumerate() {
            if label.is_some_and(|label| areas[label] < least) {
                (inside[pixel], changed) = (true, true);
            }
        }
        let (labels, areas) = components(width, height, &inside);
        let keeps = areas.iter().any(|area| *area >= least);
        let largest = (0..areas.len()).rev().max_by_key(|label| areas[*label]);
        for (pixel, label) in labels.iter().enumerate() {
            let Some(label) = label else { continue };
            if areas[*label] < least {
                changed = true;
                inside[pixel] = !keeps && Some(*label) == largest;
            }
        }
        (Mask::new(width, height, &inside), changed)
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
