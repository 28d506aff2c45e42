//! Answers out: an outcome to the node's messages, each with the input image's header unchanged.

use crate::frame::Frame;
use crate::mask::{BoundingBox, Mask};
use crate::overlay;
use crate::scoring::Status;
use crate::worker::Outcome;
use r2r::referseg::msg::Segmentation;
use r2r::sensor_msgs::msg::{Image, RegionOfInterest};
use r2r::std_msgs::msg::Header;

/// The thing that an outcome shows, if any.
fn shown<'a>(outcome: &Outcome<'a, Image>) -> Option<(&'a Mask, BoundingBox)> {
    let (scene, _, answer) = outcome.result.as_ref().ok()?;
    answer.mask(scene)
}

fn image(header: &Header, width: usize, height: usize, encoding: &str, channels: usize, data: Vec<u8>) -> Image {
    Image {
        header: header.clone(),
        width: width as u32,
        height: height as u32,
        encoding: encoding.into(),
        is_bigendian: 0,
        step: (width * channels) as u32,
        data,
    }
}

/// mono8, 255 inside; all 0 when nothing was found; 0x0 when the frame could not be read.
pub fn mask(outcome: &Outcome<Image>) -> Image {
    let (width, height) = outcome.frame.map_or((0, 0), |frame| (frame.width(), frame.height()));
    let data = shown(outcome).map_or_else(|| vec![0; width * height], |(mask, _)| mask.to_mono8());
    image(&outcome.input.header, width, height, "mono8", 1, data)
}

/// rgb8, the frame with the answer drawn on it.
pub fn overlay(outcome: &Outcome<Image>, frame: &Frame) -> Image {
    let drawn = overlay::draw(frame, shown(outcome));
    image(&outcome.input.header, frame.width(), frame.height(), "rgb8", 3, drawn)
}

/// The result message.
pub fn segmentation(outcome: &Outcome<Image>, mask: Image) -> Segmentation {
    let extent = shown(outcome).map(|(_, extent)| extent).unwrap_or_default();
    let mut message = Segmentation {
        header: outcome.input.header.clone(),
        command: outcome.command.text.clone(),
        command_number: outcome.command.number,
        box_: RegionOfInterest {
            x_offset: extent.x,
            y_offset: extent.y,
            height: extent.height,
            width: extent.width,
            do_rectify: false,
        },
        mask,
        ..Default::default()
    };
    let status = match &outcome.result {
        Ok((_, query, answer)) => {
            message.target = query.target.clone();
            message.reason = answer.reason.clone();
            message.score = answer.score;
            message.margin = answer.margin;
            answer.status
        }
        Err(error) => {
            message.reason = error.to_string();
            Status::Error
        }
    };
    message.status = match status {
        // each constant is of a type of its own
        Status::Found => Segmentation::FOUND as u8,
        Status::NotFound => Segmentation::NOT_FOUND as u8,
        Status::Ambiguous => Segmentation::AMBIGUOUS as u8,
        Status::Error => Segmentation::ERROR as u8,
    };
    message
}
