//! A caption: lines of text beside what was found, never over it.
//!
//! One line goes into the image where it covers none of the pixels that must stay visible: at the top, the bottom, or
//! somewhere between. Where there is no such place, and for several lines, the picture grows by a strip below.

use super::canvas::Canvas;
use ab_glyph::{Font, FontRef, PxScale, PxScaleFont, ScaleFont};
use referseg_image::{Mask, Rect};
use std::sync::LazyLock;

/// Latin, Greek and Cyrillic; other letters appear as the font's box for missing glyphs.
static FONT: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(include_bytes!("DejaVuSans.ttf")).ok());

/// Brightness that remains of the image behind the text.
const KEPT_BRIGHTNESS: f32 = 0.35;
/// Brightness of a strip below the image.
const STRIP: [u8; 3] = [24; 3];
/// Part of the width that a strip's lines fill before they are wrapped, and how many lines it has at most.
const MAX_LINES: usize = 12;

/// A line of text in a colour.
pub type Line = (String, [u8; 3]);

/// Letters of the size that suits an image.
struct Lettering {
    font: PxScaleFont<&'static FontRef<'static>>,
    size: f32,
}

impl Lettering {
    /// Legible when an image of any size is shown as wide as a window.
    fn of_width(width: usize) -> Option<Lettering> {
        let size = (width as f32 / 36.0).clamp(11.0, 64.0);
        Some(Lettering { font: FONT.as_ref()?.as_scaled(PxScale::from(size)), size })
    }

    fn advance(&self, text: &str) -> f32 {
        text.chars().map(|c| self.font.h_advance(self.font.glyph_id(c))).sum()
    }

    fn pitch(&self) -> f32 {
        self.font.height() * 1.1
    }

    fn margin(&self) -> f32 {
        self.size / 2.0
    }

    /// The beginning of a text that fits into `room` pixels, with an ellipsis if it is cut.
    fn cut(&self, text: &str, room: f32) -> String {
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if self.advance(&text) <= room {
            return text;
        }
        let mut cut = String::new();
        let mut used = self.advance("…");
        for c in text.chars() {
            used += self.font.h_advance(self.font.glyph_id(c));
            if used > room {
                break;
            }
            cut.push(c);
        }
        cut.trim_end().to_string() + "…"
    }

    /// A text in lines that fit into `room` pixels; a word that is too long has a line of its own.
    fn wrapped(&self, text: &str, room: f32) -> Vec<String> {
        let mut lines = vec![String::new()];
        for word in text.split_whitespace() {
            let line = lines.last_mut().expect("there is one line at least");
            if line.is_empty() {
                *line = word.into();
            } else if self.advance(line) + self.advance(" ") + self.advance(word) > room {
                lines.push(word.into());
            } else {
                line.push(' ');
                line.push_str(word);
            }
        }
        lines
    }

    /// Draws a text whose first letter begins at `left`, in a line that begins at the row `top`.
    fn draw(&self, canvas: &mut Canvas, left: f32, top: f32, (text, colour): &Line) {
        let mut pen = ab_glyph::point(left, top + self.font.ascent());
        for c in text.chars() {
            let glyph = self.font.glyph_id(c).with_scale_and_position(self.size, pen);
            pen.x += self.font.h_advance(glyph.id);
            let Some(outline) = self.font.outline_glyph(glyph) else { continue };
            let bounds = outline.px_bounds();
            outline.draw(|x, y, part| {
                canvas.blend(bounds.min.x as i64 + i64::from(x), bounds.min.y as i64 + i64::from(y), *colour, part);
            });
        }
    }
}

/// Writes one line, cut to the image's width, where it covers no pixel of `visible`; below the image if there is no such place.
pub fn write_line(canvas: &mut Canvas, line: &Line, visible: &[&Mask]) {
    let Some(letters) = Lettering::of_width(canvas.width()) else { return };
    let margin = letters.margin();
    let text = letters.cut(&line.0, canvas.width() as f32 - 2.0 * margin);
    let width = ((letters.advance(&text) + 2.0 * margin).ceil() as usize).min(canvas.width());
    let height = (letters.pitch() + margin / 2.0).ceil() as usize;
    let place = free_place(canvas, width, height, visible);
    let label = place.unwrap_or_else(|| {
        let y = canvas.height();
        canvas.extend_below(height, STRIP);
        Rect { x: 0, y, width, height }
    });
    if place.is_some() {
        canvas.darken(label, KEPT_BRIGHTNESS);
    }
    letters.draw(canvas, label.x as f32 + margin, label.y as f32 + margin / 4.0, &(text, line.1));
}

/// A place for a label that covers no pixel of `visible`: the corners first, then further in.
fn free_place(canvas: &Canvas, width: usize, height: usize, visible: &[&Mask]) -> Option<Rect> {
    // on a picture that is hardly larger, a label would hide the scene
    let (right, below) = (canvas.width().checked_sub(width)?, canvas.height().checked_sub(3 * height)? + 2 * height);
    let rows = [0, below].into_iter().chain((1..below / height.max(1)).map(|row| row * height));
    let places = rows.flat_map(|y| [0, right].map(|x| Rect { x, y, width, height }));
    places.into_iter().find(|place| visible.iter().all(|mask| !mask.touches(*place)))
}

/// Writes lines on a strip below the image; long ones are wrapped, and what is more than a dozen is left out.
pub fn write_below(canvas: &mut Canvas, lines: &[Line]) {
    let Some(letters) = Lettering::of_width(canvas.width()) else { return };
    let margin = letters.margin();
    let room = canvas.width() as f32 - 2.0 * margin;
    let wrapped =
        lines.iter().flat_map(|(text, colour)| letters.wrapped(text, room).into_iter().map(|row| (row, *colour)));
    let rows: Vec<Line> = wrapped.take(MAX_LINES).collect();
    let top = canvas.height() as f32 + margin / 2.0;
    canvas.extend_below((rows.len() as f32 * letters.pitch() + margin).ceil() as usize, STRIP);
    for (number, row) in rows.iter().enumerate() {
        letters.draw(canvas, margin, top + number as f32 * letters.pitch(), row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: [u8; 3] = [255; 3];

    fn grey(width: usize, height: usize) -> Canvas {
        Canvas::new(width, height, vec![100; width * height * 3])
    }

    fn written(width: usize, height: usize, text: &str, visible: &[&Mask]) -> Canvas {
        let mut canvas = grey(width, height);
        write_line(&mut canvas, &(text.into(), WHITE), visible);
        canvas
    }

    /// Rows that differ from the grey image.
    fn rows(canvas: &Canvas) -> Vec<usize> {
        let rows = canvas.rgb().chunks(canvas.width() * 3).enumerate();
        rows.filter(|(_, row)| row.iter().any(|value| *value != 100)).map(|(y, _)| y).collect()
    }

    #[test]
    fn the_font_is_there_and_letters_differ() {
        assert!(FONT.is_some());
        let (found, error) = (written(320, 240, "FOUND", &[]), written(320, 240, "ERROR", &[]));
        assert_ne!(found.rgb(), error.rgb());
        assert!(found.rgb().iter().any(|value| *value > 240), "white ink");
        assert!(rows(&found).iter().all(|row| *row < 20), "the image below is untouched");
    }

    #[test]
    fn it_never_covers_what_must_stay_visible() {
        let long = "a caption that is as wide as the picture is ".repeat(3);
        let top = Mask::from_fn(320, 240, |_, y| y < 80);
        let bottom = Mask::from_fn(320, 240, |_, y| y >= 160);
        let column = Mask::from_fn(320, 240, |x, _| (100..140).contains(&x));
        for (visible, text) in [
            (vec![&top], long.as_str()),
            (vec![&bottom], &long),
            (vec![&top, &bottom], &long),
            (vec![&column], &long),
            (vec![&column], "FOUND"),
        ] {
            let canvas = written(320, 240, text, &visible);
            assert!(!rows(&canvas).is_empty());
            for mask in visible {
                assert!(mask.inside().all(|(x, y)| canvas.rgb()[(y * 320 + x) * 3] == 100));
            }
        }
        assert_eq!(written(320, 240, &long, &[&top, &bottom]).height(), 240, "there is room between");
        assert!(written(320, 240, &long, &[&column]).height() > 240, "no room: below the picture");
        assert_eq!(written(320, 240, "FOUND", &[&column]).height(), 240, "beside it");
    }

    #[test]
    fn no_script_and_no_size_breaks_it() {
        for text in ["赤いマグカップ", "الكوب الأحمر", "🦀🎉", "красная кружка", "\u{202e}\u{0}", "", &"w".repeat(5000)]
        {
            for (width, height) in [(1, 1), (1, 300), (300, 1), (64, 48), (640, 480)] {
                let mut canvas = written(width, height, text, &[]);
                write_below(&mut canvas, &[(text.into(), WHITE)]);
                assert_eq!(canvas.rgb().len(), width * canvas.height() * 3);
            }
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_below_the_picture_wrapped() {
        let long = "a word ".repeat(20);
        assert_eq!(rows(&written(320, 240, &long, &[])), rows(&written(320, 240, "a word", &[])));
        let below = |text: &str| {
            let mut canvas = grey(320, 240);
            write_below(&mut canvas, &[(text.into(), WHITE)]);
            canvas.height()
        };
        assert!(below(&long) > below("a word"));
    }
}
