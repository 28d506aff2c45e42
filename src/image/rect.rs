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
}
