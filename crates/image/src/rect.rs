//! `Rect`: an axis-aligned rectangle of pixels, half-open: columns `x .. x + width`, rows `y .. y + height`.

/// Columns `x .. x + width` and rows `y .. y + height` of an image, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Rect {
    /// Leftmost column.
    pub x: usize,
    /// Topmost row.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Rect {
    /// The rectangle of a whole image.
    pub fn whole(width: usize, height: usize) -> Rect {
        Rect { x: 0, y: 0, width, height }
    }

    /// First column to the right of it.
    pub fn right(&self) -> usize {
        self.x + self.width
    }

    /// First row below it.
    pub fn bottom(&self) -> usize {
        self.y + self.height
    }

    /// Pixels.
    pub fn area(&self) -> usize {
        self.width * self.height
    }

    /// Left, top, right and bottom edge, pixels.
    pub fn corners(&self) -> [f32; 4] {
        [self.x, self.y, self.right(), self.bottom()].map(|edge| edge as f32)
    }

    /// Pixels of both over pixels of either, 0..1; 0 without any.
    pub fn iou(&self, other: Rect) -> f32 {
        let across = self.right().min(other.right()).saturating_sub(self.x.max(other.x));
        let down = self.bottom().min(other.bottom()).saturating_sub(self.y.max(other.y));
        let shared = across * down;
        shared as f32 / (self.area() + other.area() - shared).max(1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_that_only_touch_share_nothing() {
        let rect = |x, y, width, height| Rect { x, y, width, height };
        assert_eq!(rect(0, 0, 2, 2).iou(rect(1, 0, 2, 2)), 1.0 / 3.0);
        assert_eq!(rect(0, 0, 2, 2).iou(rect(2, 0, 2, 2)), 0.0);
        assert_eq!(rect(5, 5, 0, 0).iou(rect(5, 5, 0, 0)), 0.0);
    }
}
