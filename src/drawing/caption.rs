//! A caption: lines of text on a dark strip over the top of an image.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont};
use std::sync::LazyLock;

/// Latin, Greek and Cyrillic; other letters appear as the font's box for what it lacks.
static FONT: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(include_bytes!("DejaVuSans.ttf")).ok());

/// The strip's darkness: this part of the image's brightness stays.
const KEPT_BRIGHTNESS: f32 = 0.35;

/// Writes `lines`, each in its colour, over an RGB image. Lines that are too wide go on below; what is too low
/// for the image is left out.
pub fn write(rgb: &mut [u8], width: usize, height: usize, lines: &[(String, [u8; 3])]) {
    let Some(font) = FONT.as_ref() else { return };
    // legible when an image of any size is shown as wide as a window
    let size = (width as f32 / 36.0).clamp(11.0, 64.0);
    let font = font.as_scaled(PxScale::from(size));
    let margin = size / 2.0;
    let room = width as f32 - 2.0 * margin;
    let advance = |text: &str| text.chars().map(|c| font.h_advance(font.glyph_id(c))).sum::<f32>();
    let mut rows: Vec<(String, [u8; 3])> = Vec::new();
    for (line, colour) in lines {
        let mut row = String::new();
        for word in line.split_whitespace() {
            let longer = if row.is_empty() { word.to_string() } else { format!("{row} {word}") };
            if !row.is_empty() && advance(&longer) > room {
                rows.push((std::mem::replace(&mut row, word.into()), *colour));
            } else {
                row = longer;
            }
        }
        rows.push((row, *colour));
    }
    let pitch = font.height() * 1.1;
    let fitting = ((height as f32 / 3.0 - margin) / pitch).floor().max(0.0) as usize;
    rows.truncate(fitting);
    if rows.is_empty() {
        return;
    }
    let strip = ((rows.len() as f32 * pitch + margin).ceil() as usize).min(height);
    for value in &mut rgb[..strip * width * 3] {
        *value = (f32::from(*value) * KEPT_BRIGHTNESS) as u8;
    }
    for (row, (text, colour)) in rows.iter().enumerate() {
        let mut pen = ab_glyph::point(margin, margin / 2.0 + font.ascent() + row as f32 * pitch);
        for c in text.chars() {
            let glyph = font.glyph_id(c).with_scale_and_position(size, pen);
            pen.x += font.h_advance(glyph.id);
            let Some(outline) = font.outline_glyph(glyph) else { continue };
            let bounds = outline.px_bounds();
            outline.draw(|x, y, part| {
                let (x, y) = (bounds.min.x as i64 + i64::from(x), bounds.min.y as i64 + i64::from(y));
                if (0..width as i64).contains(&x) && (0..height as i64).contains(&y) {
                    let at = (y as usize * width + x as usize) * 3;
                    for (value, ink) in rgb[at..at + 3].iter_mut().zip(colour) {
                        *value = (f32::from(*value) + part.min(1.0) * (f32::from(*ink) - f32::from(*value))) as u8;
                    }
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: [u8; 3] = [255; 3];

    fn written(width: usize, height: usize, text: &str) -> Vec<u8> {
        let mut rgb = vec![100; width * height * 3];
        write(&mut rgb, width, height, &[(text.into(), WHITE)]);
        rgb
    }

    #[test]
    fn the_font_is_there_and_letters_differ() {
        assert!(FONT.is_some());
        assert_ne!(written(320, 240, "FOUND"), written(320, 240, "ERROR"));
        let rgb = written(320, 240, "FOUND");
        assert!(rgb.iter().any(|value| *value > 240), "white ink");
        assert!(rgb[320 * 200 * 3..].iter().all(|value| *value == 100), "the image below is untouched");
    }

    #[test]
    fn no_script_and_no_size_breaks_it() {
        for text in ["赤いマグカップ", "الكوب الأحمر", "🦀🎉", "красная кружка", "\u{202e}\u{0}", "", &"w".repeat(5000)]
        {
            for (width, height) in [(1, 1), (1, 300), (300, 1), (64, 48), (640, 480)] {
                assert_eq!(written(width, height, text).len(), width * height * 3);
            }
        }
    }

    #[test]
    fn long_lines_go_on_below() {
        let dark = |text: &str| written(320, 480, text).chunks(320 * 3).filter(|row| row.contains(&35)).count();
        assert!(dark(&"a word ".repeat(20)) > dark("a word"));
    }
}
