//! `Canvas`: an RGB picture that is drawn on and may grow downwards.

use referseg_image::{Frame, Mask, Rect};

/// RGB bytes, row after row; coordinates are those of the image it began as.
pub struct Canvas {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Canvas {
    /// A canvas of `3 * width * height` bytes.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Canvas {
        Canvas { width, height, rgb }
    }

    /// A frame to draw on.
    pub fn of(frame: &Frame) -> Canvas {
        Canvas::new(frame.width(), frame.height(), frame.rgb().to_vec())
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// RGB bytes.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// RGB bytes.
    pub fn into_rgb(self) -> Vec<u8> {
        self.rgb
    }

    /// Mixes a colour into a pixel, `part` of it in 0..1; pixels outside are ignored.
    pub fn blend(&mut self, x: i64, y: i64, colour: [u8; 3], part: f32) {
        if (0..self.width as i64).contains(&x) && (0..self.height as i64).contains(&y) {
            let at = (y as usize * self.width + x as usize) * 3;
            for (value, ink) in self.rgb[at..at + 3].iter_mut().zip(colour) {
                *value = (f32::from(*value) + part.min(1.0) * (f32::from(ink) - f32::from(*value))) as u8;
            }
        }
    }

    /// Mixes a colour half into the pixels of a mask.
    pub fn tint(&mut self, mask: &Mask, colour: [u8; 3]) {
        for (x, y) in mask.inside() {
            let at = (y * self.width + x) * 3;
            for (channel, tint) in self.rgb[at..at + 3].iter_mut().zip(colour) {
                *channel = ((u16::from(*channel) + u16::from(tint)) / 2) as u8;
            }
        }
    }

    /// Draws the edge of a rectangle, inside it, thicker on larger images.
    pub fn outline(&mut self, rect: Rect, colour: [u8; 3]) {
        let thick = (self.width.max(self.height) / 320).max(1);
        let (left, top, right, bottom) = (rect.x, rect.y, rect.right(), rect.bottom());
        for row in top..bottom {
            for column in left..right {
                let edge = (row - top).min(bottom - 1 - row).min(column - left).min(right - 1 - column);
                if edge < thick {
                    let at = (row * self.width + column) * 3;
                    self.rgb[at..at + 3].copy_from_slice(&colour);
                }
            }
        }
    }

    /// Draws an upright cross around a point (x, y), larger on larger images.
    pub fn cross(&mut self, [x, y]: [f32; 2], colour: [u8; 3]) {
        let arm = (self.width.max(self.height) / 60).max(3) as i64;
        let (x, y) = (x.round() as i64, y.round() as i64);
        for along in -arm..=arm {
            for across in [0, 1] {
                self.blend(x + along, y + across, colour, 1.0);
                self.blend(x + across, y + along, colour, 1.0);
            }
        }
    }

    /// Leaves a part of the brightness inside a rectangle, which lies inside the canvas.
    pub fn darken(&mut self, rect: Rect, part: f32) {
        for row in rect.y..rect.bottom() {
            let at = (row * self.width + rect.x) * 3;
            for value in &mut self.rgb[at..at + rect.width * 3] {
                *value = (f32::from(*value) * part) as u8;
            }
        }
    }

    /// Adds rows of a colour below.
    pub fn extend_below(&mut self, rows: usize, colour: [u8; 3]) {
        self.rgb.extend(colour.iter().cycle().take(rows * self.width * 3));
        self.height += rows;
    }
}
