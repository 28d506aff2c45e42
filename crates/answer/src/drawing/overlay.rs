//! The overlay: the frame with the answer drawn on it.

use super::canvas::Canvas;
use super::caption;
use crate::{FoundDestination, FoundThing, FrameResult, Status};
use referseg_files::{Error, Result};
use referseg_image::{Frame, Mask, Rect};

const TINT: [u8; 3] = [255, 40, 120];
const BOX: [u8; 3] = [255, 230, 0];
const PLACE: [u8; 3] = [40, 200, 255];
const CROSS: [u8; 3] = [255; 3];

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

/// As [`draw`], with a box around each of several objects, and where the target shall go: the places that would do tinted, a cross at the
/// best.
pub fn draw_things(frame: &Frame, things: &[FoundThing], destination: Option<&FoundDestination>) -> Vec<u8> {
    with_things(frame, things, destination).into_rgb()
}

fn with_things(frame: &Frame, things: &[FoundThing], destination: Option<&FoundDestination>) -> Canvas {
    let mut canvas = Canvas::of(frame);
    if let Some(spot) = destination.and_then(|destination| destination.spot.as_ref()) {
        canvas.tint(&spot.region, PLACE);
        canvas.cross(spot.point, CROSS);
    }
    things.iter().for_each(|thing| canvas.tint(&thing.mask, TINT));
    things.iter().filter_map(|thing| thing.mask.bounding_box()).for_each(|rect| canvas.outline(rect, BOX));
    canvas
}

/// As [`draw_things`], with captions that cover nothing that was found. The picture is higher than the frame where a
/// caption has no room inside it.
pub fn describe(frame: &Frame, result: &FrameResult, captions: Captions) -> Canvas {
    let mut canvas = with_things(frame, result.found(), result.destination());
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
    use crate::DestinationSpot;

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

    #[test]
    fn the_places_of_a_destination_are_tinted_and_the_best_is_crossed() {
        let frame = Frame::new(40, 40, vec![100; 4800]).unwrap();
        let region = Mask::from_fn(40, 40, |x, _| x < 20);
        let destination = FoundDestination {
            status: Status::Found,
            reason: String::new(),
            phrase: "on the left".into(),
            relation: "place".into(),
            anchors: Vec::new(),
            spot: Some(DestinationSpot { point: [10.0, 20.0], region, fit: 1.0 }),
            reference_frame: String::new(),
        };
        let drawn = draw_things(&frame, &[], Some(&destination));
        let pixel = |column: usize, row: usize| &drawn[(row * 40 + column) * 3..][..3];
        assert_eq!((pixel(10, 20), pixel(0, 0), pixel(39, 39)), (&CROSS[..], &[70, 150, 177][..], &[100; 3][..]));
    }
}
