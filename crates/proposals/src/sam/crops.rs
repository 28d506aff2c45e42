//! Crops: the parts of a frame that Segment Anything sees one by one, and the way of points, boxes and masks between a
//! crop's pixels and the frame's.

use referseg_config::SamSettings;
use referseg_image::{Frame, Mask, Rect};

/// A mask's box this near to its crop's edge, in pixels, was probably cut off by it (`is_box_near_crop_edge` of
/// segment-anything).
const EDGE: f32 = 20.0;

/// The frame, then each layer's crops, with the number of the layer: `2^layer` a side, overlapping.
pub fn crops(width: usize, height: usize, settings: &SamSettings) -> Vec<(Rect, usize)> {
    let mut crops = vec![(Rect { x: 0, y: 0, width, height }, 0)];
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
                    crops.push((Rect { x, y, width: right - x, height: bottom - y }, layer));
                }
            }
        }
    }
    crops
}

/// Points in the middles of a grid of `side * side` cells over a crop, row by row, in the crop's pixels.
pub fn grid(side: usize, crop: Rect) -> Vec<[f32; 2]> {
    let side = side.max(1);
    let middle = |cell: usize| (cell as f32 + 0.5) / side as f32;
    (0..side * side)
        .map(|cell| [middle(cell % side) * crop.width as f32, middle(cell / side) * crop.height as f32])
        .collect()
}

/// A crop's box in the frame's pixels.
pub fn in_frame([left, top, right, bottom]: [f32; 4], crop: Rect) -> [f32; 4] {
    let (x, y) = (crop.x as f32, crop.y as f32);
    [left + x, top + y, right + x, bottom + y]
}

/// Whether a box touches an edge of its crop that is not an edge of the frame.
pub fn is_near_crop_edge(extent: [f32; 4], crop: Rect, frame: &Frame) -> bool {
    let of_crop = [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height];
    let of_frame = [0, 0, frame.width(), frame.height()];
    let near = |a: f32, b: usize| (a - b as f32).abs() <= EDGE;
    (0..4).any(|side| near(extent[side], of_crop[side]) && !near(extent[side], of_frame[side]))
}

/// A crop's mask in the whole frame.
pub fn uncrop(mask: Mask, crop: Rect, frame: &Frame) -> Mask {
    let (width, height) = (frame.width(), frame.height());
    if (crop.width, crop.height) == (width, height) {
        return mask;
    }
    let moved: Vec<_> = mask.inside().map(|(x, y)| (crop.x + x, crop.y + y)).collect();
    Mask::of_pixels(width, height, &moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_stand_in_the_middles_of_their_cells() {
        let crop = Rect { x: 5, y: 6, width: 40, height: 20 };
        assert_eq!(grid(2, crop), [[10.0, 5.0], [30.0, 5.0], [10.0, 15.0], [30.0, 15.0]]);
        assert_eq!(grid(0, crop).len(), 1, "a layer never goes without points");
    }

    #[test]
    fn a_box_at_the_crops_edge_is_cut_off_unless_the_frame_ends_there() {
        let frame = Frame::new(100, 100, vec![0; 30_000]).unwrap();
        let crop = Rect { x: 0, y: 0, width: 60, height: 100 };
        assert!(!is_near_crop_edge([0.0, 0.0, 30.0, 99.0], crop, &frame));
        assert!(is_near_crop_edge([0.0, 0.0, 59.0, 50.0], crop, &frame));
    }

    #[test]
    fn a_crops_mask_lands_at_the_crops_columns_and_rows() {
        let frame = Frame::new(9, 7, vec![0; 9 * 7 * 3]).unwrap();
        let crop = Rect { x: 5, y: 2, width: 3, height: 4 };
        let mask = Mask::from_fn(3, 4, |x, y| (x, y) == (2, 1));
        let moved = uncrop(mask, crop, &frame);
        assert_eq!(moved.inside().collect::<Vec<_>>(), [(7, 3)]);
    }
}
