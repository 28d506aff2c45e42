//! The overlay: the frame with the answer drawn on it.

use super::canvas::Canvas;
use super::caption;
use crate::{FoundThing, FrameResult, Status};
use referseg_files::{Error, Result};
use referseg_image::{Frame, Mask, Rect};

const TINT: [u8; 3] = [255, 40, 120];
const BOX: [u8; 3] = [255, 230, 0];

/// What is written beside the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Captions {
    /// One line in the picture: the status, the score and the target, or the reason.
    #[default]
    Line,
    /// Also, below the picture: the command, its reading, the reason and the scoring terms of the best two.
    Terms,
}

impl Captions {
    /// From its name, as users write it.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn parse(name: &str) -> Result<Captions> {
        match name {
            "line" => Ok(Captions::Line),
            "terms" => Ok(Captions::Terms),
            _ => Err(Error::config("captions", format!("{name:?} is unknown; expected line or terms"))),
        }
    }
}

/// Tints the mask's pixels and draws its box: RGB bytes of the frame's size.
pub fn draw(frame: &Frame, found: Option<(&Mask, Rect)>) -> Vec<u8> {
    let mut canvas = Canvas::of(frame);
    if let Some((mask, rect)) = found {
        canvas.tint(mask, TINT);
        canvas.outline(rect, BOX);
    }
    canvas.into_rgb()
}

/// As [`draw`], with a box around each of several objects.
pub fn draw_things(frame: &Frame, things: &[FoundThing]) -> Vec<u8> {
    with_things(frame, things).into_rgb()
}

fn with_things(frame: &Frame, things: &[FoundThing]) -> Canvas {
    let mut canvas = Canvas::of(frame);
    things.iter().for_each(|thing| canvas.tint(&thing.mask, TINT));
    things.iter().filter_map(|thing| thing.mask.bounding_box()).for_each(|rect| canvas.outline(rect, BOX));
    canvas
}

/// As [`draw_things`], with captions that cover nothing that was found. The picture is higher than the frame where a
/// caption has no room inside it.
pub fn describe(frame: &Frame, result: &FrameResult, captions: Captions) -> Canvas {
    let mut canvas = with_things(frame, result.found());
    let status = result.status();
    let colour = match status {
        Status::Found => [120, 255, 120],
        Status::NotFound => [255, 170, 90],
        Status::Ambiguous => [255, 235, 90],
        Status::Error | Status::Lost => [255, 110, 110],
    };
    let word = status.name().replace('_', " ");
    let said = match status {
        Status::Found | Status::Ambiguous => {
            format!("{word} {:.2} \u{201c}{}\u{201d}", result.score(), result.target())
        }
        Status::NotFound | Status::Error | Status::Lost => format!("{word}: {}", result.reason()),
    };
    let visible: Vec<&Mask> = result.found().iter().map(|thing| &thing.mask).collect();
    caption::write_line(&mut canvas, &(said, colour), &visible);
    if captions == Captions::Terms {
        let mut lines = vec![(result.command.text.clone(), [255; 3]), (result.reading().to_string(), [200, 220, 255])];
        lines.push((result.reason(), [200; 3]));
        for scored in result.leading() {
            let differing =
                scored.terms.iter().filter(|(name, value)| (*value - 1.0).abs() > 1e-4 || *name == "description");
            let terms: Vec<String> = differing.map(|(name, value)| format!("{name} {value:.2}")).collect();
            lines.push((format!("{:.2}: {}", scored.score, terms.join(", ")), [170; 3]));
        }
        lines.retain(|(text, _)| !text.is_empty());
        caption::write_below(&mut canvas, &lines);
    }
    canvas
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
