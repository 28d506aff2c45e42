//! The overlay: the frame with the answer drawn on it.

use super::caption;
use crate::answer::{FoundThing, FrameResult, Status};
use crate::image::{Frame, Mask, Rect};

const TINT: [u8; 3] = [255, 40, 120];
const BOX: [u8; 3] = [255, 230, 0];

/// Tints the mask's pixels and draws its box: RGB bytes of the frame's size.
pub fn draw(frame: &Frame, found: Option<(&Mask, Rect)>) -> Vec<u8> {
    let mut rgb = frame.rgb().to_vec();
    if let Some((mask, rect)) = found {
        tint(&mut rgb, frame.width(), mask);
        draw_box(&mut rgb, frame, rect);
    }
    rgb
}

/// As [`draw`], for several things.
pub fn draw_things(frame: &Frame, things: &[FoundThing]) -> Vec<u8> {
    let mut rgb = frame.rgb().to_vec();
    things.iter().for_each(|thing| tint(&mut rgb, frame.width(), &thing.mask));
    for rect in things.iter().filter_map(|thing| thing.mask.bounding_box()) {
        draw_box(&mut rgb, frame, rect);
    }
    rgb
}

fn tint(rgb: &mut [u8], width: usize, mask: &Mask) {
    for (x, y) in mask.inside() {
        let at = (y * width + x) * 3;
        for (channel, tint) in rgb[at..at + 3].iter_mut().zip(TINT) {
            *channel = ((u16::from(*channel) + u16::from(tint)) / 2) as u8;
        }
    }
}

fn draw_box(rgb: &mut [u8], frame: &Frame, rect: Rect) {
    let thick = (frame.width().max(frame.height()) / 320).max(1);
    let (left, top, right, bottom) = (rect.x, rect.y, rect.right(), rect.bottom());
    for row in top..bottom {
        for column in left..right {
            let edge = (row - top).min(bottom - 1 - row).min(column - left).min(right - 1 - column);
            if edge < thick {
                let at = (row * frame.width() + column) * 3;
                rgb[at..at + 3].copy_from_slice(&BOX);
            }
        }
    }
}

/// As [`draw`], but with a box around each thing found, and status, score, target, command, reading, reason and the terms
/// of the best two written over it.
pub fn describe(frame: &Frame, result: &FrameResult) -> Vec<u8> {
    let mut rgb = draw_things(frame, result.found());
    let status = result.status();
    let colour = match status {
        Status::Found => [120, 255, 120],
        Status::NotFound => [255, 170, 90],
        Status::Ambiguous => [255, 235, 90],
        Status::Error | Status::Lost => [255, 110, 110],
    };
    let word = status.name().replace('_', " ");
    let mut lines = vec![(format!("{word} {:.2} \u{201c}{}\u{201d}", result.score(), result.target()), colour)];
    lines.push((result.command.text.clone(), [255; 3]));
    if !result.reading().is_empty() {
        lines.push((result.reading().to_string(), [200, 220, 255]));
    }
    if !result.reason().is_empty() {
        lines.push((result.reason(), [200; 3]));
    }
    for scored in result.leading() {
        let said = scored.terms.iter().filter(|(name, value)| (*value - 1.0).abs() > 1e-4 || *name == "description");
        let terms: Vec<String> = said.map(|(name, value)| format!("{name} {value:.2}")).collect();
        lines.push((format!("{:.2}: {}", scored.score, terms.join(", ")), [170; 3]));
    }
    caption::write(&mut rgb, frame.width(), frame.height(), &lines);
    rgb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_is_tinted_inside_the_box_and_nothing_else_changes() {
        let frame = Frame::new(5, 5, vec![100; 75]).unwrap();
        let mask = Mask::from_fn(5, 5, |x, y| (1..4).contains(&x) && (1..4).contains(&y));
        let drawn = draw(&frame, Some((&mask, mask.bounding_box().unwrap())));
        let pixel = |column: usize, row: usize| &drawn[(row * 5 + column) * 3..][..3];
        assert_eq!(pixel(0, 0), [100; 3]);
        assert_eq!(pixel(1, 1), BOX);
        assert_eq!(pixel(2, 2), [177, 70, 110]);
        assert_eq!(draw(&frame, None), frame.rgb());
    }
}
