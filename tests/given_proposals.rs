//! Recordings with what a detector found beside the images: `referseg replay --proposals topic`.

mod common;

use common::{data, root};
use referseg::image::{self, LabelImage};
use referseg::recordings::bag::{Bag, Message, Writer};
use referseg::recordings::{from_cdr, to_cdr, Header, Image, MessageType, Segmentation, Time};
use std::path::Path;
use std::process::{Command, Output};

const SECOND: u64 = 1_000_000_000;

/// Images at these seconds, label images at those, all of one scene; each label image is logged a third of a second late.
fn recording(path: &Path, images: &[u64], labels: &[u64]) {
    let frame = image::open(&data("scene/000000.png")).unwrap();
    let values = LabelImage::open(&data("scene/000000_ids.png")).unwrap();
    let mut all = Vec::new();
    let mut add = |topic: &str, second: u64, late: u64, encoding: &str, bytes: usize, pixels: Vec<u8>| {
        let image = Image {
            header: Header { stamp: Time { sec: second as i32, nanosec: 0 }, frame_id: "eye".into() },
            height: frame.height() as u32,
            width: frame.width() as u32,
            encoding: encoding.into(),
            is_bigendian: 0,
            step: (frame.width() * bytes) as u32,
            data: pixels.into(),
        };
        let cdr = to_cdr(&image).unwrap();
        all.push(Message { topic: topic.into(), kind: Image::TYPE.into(), log_time: second * SECOND + late, cdr });
    };
    for second in images {
        add("/camera/image_raw", *second, 0, "rgb8", 3, frame.rgb().to_vec());
    }
    for second in labels {
        let pixels = values.values().iter().map(|value| *value as u8).collect();
        add("/detector/masks", *second, SECOND / 3, "mono8", 1, pixels);
    }
    all.sort_by_key(|message| message.log_time);
    let mut writer = Writer::create(path, &[]).unwrap();
    all.iter().for_each(|message| writer.write(message).unwrap());
    writer.finish().unwrap();
}

fn referseg(bag: &Path, out: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_referseg"));
    command.arg("replay").arg(bag).arg("--out").arg(out).args(["--text", "please pick up the red ball"]).args(more);
    command.current_dir(root()).output().unwrap()
}

const GIVEN: [&str; 4] = ["--proposals", "topic", "--proposals-topic", "/detector/masks"];

#[test]
fn frames_are_answered_on_the_masks_of_their_stamp_and_others_say_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let (bag, out) = (folder.path().join("bag.mcap"), folder.path().join("answers.mcap"));
    recording(&bag, &[10, 11, 12, 13], &[10, 12]);
    let output = referseg(&bag, &out, &GIVEN);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut bytes: Vec<Vec<u8>> = Vec::new();
    let read = Bag::open(&out).unwrap().read(
        |topic, _| topic == "/referseg/segmentation",
        |message| {
            bytes.push(message.cdr);
            Ok(std::ops::ControlFlow::Continue(()))
        },
    );
    assert_eq!(read.unwrap().truncation, None);
    let answers: Vec<Segmentation> = bytes.iter().map(|cdr| from_cdr(cdr).unwrap()).collect();
    let seen: Vec<_> = answers.iter().map(|answer| (answer.header.stamp.sec, answer.reason.is_empty())).collect();
    assert_eq!(seen, [(10, true), (11, false), (12, true), (13, false)], "in the order of their time");
    assert!(answers[1].reason.contains("no proposals of this image's stamp"), "{}", answers[1].reason);
    let truth = LabelImage::open(&data("scene/000000_ids.png")).unwrap().mask(5);
    let inside = answers[0].mask.data.iter().filter(|value| **value > 0).count();
    assert_eq!(inside, truth.area(), "the mask that was given");
    // the same bytes each time
    let again = folder.path().join("again.mcap");
    assert!(referseg(&bag, &again, &GIVEN).status.success());
    assert!(std::fs::read(&out).unwrap() == std::fs::read(&again).unwrap());
}

#[test]
fn the_topic_and_the_generator_belong_together() {
    let folder = tempfile::tempdir().unwrap();
    let (bag, out) = (folder.path().join("bag.mcap"), folder.path().join("answers.mcap"));
    recording(&bag, &[10], &[10]);
    let refused = |more: &[&str], said: &str| {
        let output = referseg(&bag, &out, more);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(said), "{text}");
        assert!(!out.exists());
    };
    refused(&["--proposals", "topic", "--image-topic", "/camera/image_raw"], "--proposals topic needs it");
    refused(&["--proposals-topic", "/detector/masks"], "read with --proposals topic alone");
    refused(
        &["--proposals", "topic", "--proposals-topic", "/nowhere", "--image-topic", "/camera/image_raw"],
        "no topic /nowhere",
    );
}
