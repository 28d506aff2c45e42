//! `Mask`: which pixels of a picture belong to one thing, and `BoundingBox`, the pixels' extent.
//!
//! Both live in image pixels: column 0, row 0 is the top left pixel. Boxes are half-open.

/// Columns `x .. x + width` and rows `y .. y + height` of the image, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct BoundingBox {
    /// Leftmost column.
    pub x: u32,
    /// Topmost row.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// A binary raster of the image's size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    width: usize,
    height: usize,
    inside: Vec<bool>,
}

impl Mask {
    /// A mask of `width * height` row-major pixels.
    ///
    /// # Panics
    /// If `inside` has another length.
    pub fn new(width: usize, height: usize, inside: Vec<bool>) -> Self {
        assert_eq!(inside.len(), width * height, "a mask has one value for each pixel");
        Mask { width, height, inside }
    }

    /// Columns of the image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of the image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Row-major pixels.
    pub fn pixels(&self) -> &[bool] {
        &self.inside
    }

    /// Whether the pixel belongs to the mask.
    pub fn at(&self, column: usize, row: usize) -> bool {
        self.inside[row * self.width + column]
    }

    /// Pixels inside.
    pub fn area(&self) -> usize {
        self.inside.iter().filter(|inside| **inside).count()
    }

    /// The tight box; `None` for an empty mask.
    pub fn bounding_box(&self) -> Option<BoundingBox> {
        let rows = || self.inside.chunks_exact(self.width);
        let top = rows().position(|row| row.contains(&true))?;
        let bottom = rows().rposition(|row| row.contains(&true))?;
        let (mut left, mut right) = (self.width, 0);
        for row in rows().skip(top).take(bottom - top + 1) {
            if let Some(first) = row.iter().position(|inside| *inside) {
                left = left.min(first);
                right = right.max(row.iter().rposition(|inside| *inside).unwrap_or(first));
            }
        }
        Some(BoundingBox {
            x: left as u32,
            y: top as u32,
            width: (right - left + 1) as u32,
            height: (bottom - top + 1) as u32,
        })
    }

    /// The pixels that are further than `rim` rows and columns from all outside, the picture's edge not counted.
    pub fn eroded(&self, rim: usize) -> Mask {
        let (width, height) = (self.width, self.height);
        // along rows, then along columns: a square is both
        let kept = |line: &dyn Fn(usize) -> bool, length: usize, at: usize| {
            (at.saturating_sub(rim)..=(at + rim).min(length - 1)).all(line)
        };
        let rows: Vec<bool> = (0..width * height)
            .map(|i| self.inside[i] && kept(&|x| self.inside[i / width * width + x], width, i % width))
            .collect();
        let inside =
            (0..width * height).map(|i| rows[i] && kept(&|y| rows[y * width + i % width], height, i / width)).collect();
        Mask { width, height, inside }
    }

    /// Pixels inside both. The masks are of one size.
    pub fn intersection(&self, other: &Mask) -> usize {
        debug_assert_eq!((self.width, self.height), (other.width, other.height));
        self.inside.iter().zip(&other.inside).filter(|(a, b)| **a && **b).count()
    }

    /// Intersection over union; 0 when both are empty.
    pub fn iou(&self, other: &Mask) -> f32 {
        let both = self.intersection(other);
        let either = self.area() + other.area() - both;
        if either == 0 {
            0.0
        } else {
            both as f32 / either as f32
        }
    }

    /// One byte a pixel, 255 inside and 0 outside, as `sensor_msgs/Image` mono8.
    pub fn to_mono8(&self) -> Vec<u8> {
        self.inside.iter().map(|inside| 255 * u8::from(*inside)).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A mask drawn with `#` for the pixels inside.
    pub fn drawn(rows: &[&str]) -> Mask {
        let inside = rows.iter().flat_map(|row| row.chars().map(|c| c == '#')).collect();
        Mask::new(rows[0].len(), rows.len(), inside)
    }

    #[test]
    fn the_box_is_tight_and_half_open() {
        let mask = drawn(&["....", ".#..", "..#.", "...."]);
        let expected = BoundingBox { x: 1, y: 1, width: 2, height: 2 };
        assert_eq!(mask.bounding_box(), Some(expected));
        assert_eq!(drawn(&["..", ".."]).bounding_box(), None);
        let full = BoundingBox { x: 0, y: 0, width: 2, height: 1 };
        assert_eq!(drawn(&["##"]).bounding_box(), Some(full));
    }

    #[test]
    fn iou_counts_shared_pixels() {
        let (a, b) = (drawn(&["##..", "##.."]), drawn(&[".##.", ".##."]));
        assert_eq!(a.iou(&b), 2.0 / 6.0);
        assert_eq!(a.iou(&a), 1.0);
        assert_eq!(drawn(&["."]).iou(&drawn(&["."])), 0.0);
    }

    #[test]
    fn erosion_takes_the_rim_but_not_at_the_pictures_edge() {
        let mask = drawn(&["####.", "####.", "####.", "....."]);
        assert_eq!(mask.eroded(1), drawn(&["###..", "###..", ".....", "....."]));
        assert_eq!(mask.eroded(2).area(), 2, "in the corner");
        assert_eq!(mask.eroded(9).area(), 0);
    }

    #[test]
    fn mono8_is_0_or_255() {
        assert_eq!(drawn(&[".#"]).to_mono8(), [0, 255]);
    }
}
