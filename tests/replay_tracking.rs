//! `referseg replay --track`: what was found is followed into the frames between, the same on every run.

mod common;

use common::data;
use common::replays::{messages, of, replay};
use referseg::image::Mask;
use referseg::recordings::bag::{Bag, Message, Writer};
use referseg::recordings::{from_cdr, to_cdr, Image, Segmentation};
use std::ops::ControlFlow;
use std::path::Path;

/// Pixels that the picture moves from frame to frame.
const STEP: usize = 3;

/// A recording of ten frames, 10 Hz, of a picture that moves to the right; the last two are dark.
fn film(path: &Path) {
    let mut first: Option<Message> = None;
    let bag = Bag::open(&data("bags/mcap")).unwrap();
    bag.read(
        |topic, _| topic == "/camera/image_raw",
        |message| {
            first = Some(message);
            Ok(ControlFlow::Break(()))
        },
    )
    .unwrap();
    let first = first.unwrap();
    let image: Image = from_cdr(&first.cdr).unwrap();
    let mut writer = Writer::create(path, &[]).unwrap();
    for number in 0..10usize {
        let mut moved = image.clone();
        let channels = image.step as usize / image.width as usize;
        let rows = image.data.chunks_exact(image.step as usize);
        let shifted = rows.flat_map(|row| {
            let mut row = row.to_vec();
            row.rotate_right(number * STEP * channels);
            row
        });
        moved.data = if number < 8 { shifted.collect() } else { vec![20; image.data.len()].into() };
        let at = number as u64 * 100_000_000;
        moved.header.stamp.nanosec = at as u32;
        moved.header.stamp.sec = 1_700_000_000;
        let log_time = 1_700_000_000_000_000_000 + at;
        writer.write(&Message { cdr: to_cdr(&moved).unwrap(), log_time, ..first.clone() }).unwrap();
    }
    writer.finish().unwrap();
}

/// Constants of msg/Segmentation.msg.
const FOUND: u8 = 1;
const LOST: u8 = 5;

fn mask(message: &Segmentation) -> Mask {
    let inside: Vec<bool> = message.mask.data.iter().map(|level| *level > 0).collect();
    Mask::new(message.mask.width as usize, message.mask.height as usize, &inside)
}

#[test]
fn a_thing_is_followed_between_answers_and_the_same_bytes_come_out_again() {
    let home = tempfile::tempdir().unwrap();
    let bag = home.path().join("film.mcap");
    film(&bag);
    let arguments = ["--text", "the red ball", "--every", "5", "--limit", "1", "--track", "--no-overlays"];
    let (_one, out, said) = replay(&bag, &arguments[..4]);
    assert!(said.contains("2 frames, 2 answers: 2 found"), "{said}");
    assert!(of(&messages(&out), "/referseg/track").next().is_none(), "not without --track");

    let all_frames = [&arguments[..4], &arguments[6..]].concat();
    let (_one, out, said) = replay(&bag, &all_frames);
    let (_two, again, _) = replay(&bag, &all_frames);
    assert_eq!(std::fs::read(&out).unwrap(), std::fs::read(&again).unwrap());
    assert!(said.contains("tracked: "), "{said}");
    let all = messages(&out);
    let answers: Vec<&Message> = of(&all, "/referseg/segmentation").collect();
    let found: Segmentation = from_cdr(&answers[0].cdr).unwrap();
    assert_eq!((answers.len(), found.status, found.track_id), (2, FOUND, 1));
    let start = mask(&found).bounding_box().unwrap();
    let tracks: Vec<Segmentation> =
        of(&all, "/referseg/track").map(|message| from_cdr(&message.cdr).unwrap()).collect();
    let statuses: Vec<u8> = tracks.iter().map(|track| track.status).collect();
    assert_eq!(statuses[..7], [FOUND; 7], "followed while it is seen: {statuses:?}");
    assert!(statuses[7..].iter().all(|status| *status == LOST), "lost in the dark: {statuses:?}");
    for (number, track) in tracks.iter().take(7).enumerate() {
        assert_eq!((track.origin, track.track_id), (3, 1));
        let rect = mask(track).bounding_box().unwrap();
        let expected = start.x + (number + 1) * STEP;
        assert!(rect.x.abs_diff(expected) <= 3, "frame {}: {} for {expected}", number + 1, rect.x);
    }
    // the second answer, on the sixth frame, is the newest grounding from then on
    assert!((tracks[3].grounding_age - 0.4).abs() < 1e-9 && (tracks[5].grounding_age - 0.1).abs() < 1e-9);
}
