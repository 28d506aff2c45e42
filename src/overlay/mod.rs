//! The overlay: the picture with the answer drawn on it, for people.

mod caption;

use crate::frame::Frame;
use crate::mask::{BoundingBox, Mask};
use crate::outcome::Outcome;
use crate::scoring::Status;

const TINT: [u8; 3] = [255, 40, 120];
const BOX: [u8; 3] = [255, 230, 0];

/// Tints the mask's pixels and draws its box: RGB bytes of the frame's size.
pub fn draw(frame: &Frame, found: Option<(&Mask, BoundingBox)>) -> Vec<u8> {
    let mut rgb = frame.rgb().to_vec();
    let Some((mask, extent)) = found else { return rgb };
    for (pixel, _) in rgb.chunks_exact_mut(3).zip(mask.pixels()).filter(|(_, inside)| **inside) {
        for (channel, tint) in pixel.iter_mut().zip(TINT) {
            *channel = ((u16::from(*channel) + u16::from(tint)) / 2) as u8;
        }
    }
    let thick = (frame.width().max(frame.height()) / 320).max(1);
    let (left, top) = (extent.x as usize, extent.y as usize);
    let (right, bottom) = (left + extent.width as usize, top + extent.height as usize);
    for row in top..bottom {
        for column in left..right {
            let edge = (row - top).min(bottom - 1 - row).min(column - left).min(right - 1 - column);
            if edge < thick {
                let at = (row * frame.width() + column) * 3;
                rgb[at..at + 3].copy_from_slice(&BOX);
            }
        }
    }
    rgb
}

/// As [`draw`], with status, score, target, command and reason written over it.
pub fn describe(frame: &Frame, outcome: &Outcome) -> Vec<u8> {
    let mut rgb = draw(frame, outcome.shown());
    let (word, colour) = match outcome.status() {
        Status::Found => ("FOUND", [120, 255, 120]),
        Status::NotFound => ("NOT FOUND", [255, 170, 90]),
        Status::Ambiguous => ("AMBIGUOUS", [255, 235, 90]),
        Status::Error => ("ERROR", [255, 110, 110]),
    };
    let mut lines = vec![(format!("{word} {:.2} \u{201c}{}\u{201d}", outcome.score(), outcome.target()), colour)];
    lines.push((outcome.asked.text.clone(), [255; 3]));
    if !outcome.reason().is_empty() {
        lines.push((outcome.reason(), [200; 3]));
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
        let inside = (0..25).map(|i| (1..4).contains(&(i % 5)) && (1..4).contains(&(i / 5))).collect();
        let mask = Mask::new(5, 5, inside);
        let drawn = draw(&frame, Some((&mask, mask.bounding_box().unwrap())));
        let pixel = |column: usize, row: usize| &drawn[(row * 5 + column) * 3..][..3];
        assert_eq!(pixel(0, 0), [100; 3]);
        assert_eq!(pixel(1, 1), BOX);
        assert_eq!(pixel(2, 2), [177, 70, 110]);
        assert_eq!(draw(&frame, None), frame.rgb());
    }
}
