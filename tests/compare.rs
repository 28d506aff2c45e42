//! `referseg compare` as a person and as CI use it.

mod common;

use common::data;
use common::replays::{messages, referseg, replay, said, said_all, text};
use referseg::recordings::bag::Writer;
use std::path::Path;

const ONE: [&str; 2] = ["--image-topic", "/camera/image_raw"];

#[test]
fn compare_tells_the_same_from_the_different() {
    let (_a, same, _) = replay(&data("bags/mcap"), &ONE);
    let (_b, strict, _) = replay(&data("bags/mcap"), &[&ONE[..], &["--set", "answer.min_score=0.999"]].concat());
    let (_c, fewer, _) = replay(&data("bags/mcap"), &[&ONE[..], &["--mode", "once"]].concat());
    let compare = |a: &Path, b: &Path| referseg(&["compare", text(a), text(b)]);
    let output = compare(&same, &same);
    assert_eq!(output.status.code(), Some(0));
    assert!(said_all(&output, &["3 answers are the same, 0 are different"]));
    let output = compare(&same, &strict);
    assert_eq!(output.status.code(), Some(1));
    assert!(said_all(
        &output,
        &["became NOT_FOUND", "/referseg/segmentation at 1700000000.000000000 \"the red ball\""]
    ));
    let output = compare(&same, &fewer);
    assert_eq!(output.status.code(), Some(1));
    assert!(said_all(&output, &["missing in the second"]));
    let output = compare(&data("bags/mcap"), &data("bags/mcap"));
    assert_eq!(output.status.code(), Some(2));
    assert!(said_all(&output, &["neither recording holds answers"]));
    for (a, b) in [(&same, &data("bags/mcap")), (&data("bags/mcap"), &same)] {
        let output = compare(a, b);
        assert_eq!(output.status.code(), Some(2), "one of them was never answered: {}", said(&output));
    }
}

#[test]
fn topics_are_matched_whatever_their_prefix() {
    // one camera replayed alone, and the same beside another
    let words = ["--text", "the red ball"];
    let (_a, alone, _) = replay(&data("bags/mcap"), &[&ONE[..], &words].concat());
    let both = ["--image-topic", "/camera/image_raw", "--image-topic", "/side/image"];
    let (_b, beside, _) = replay(&data("bags/mcap"), &[&both[..], &words].concat());
    let output = referseg(&["compare", text(&alone), text(&beside)]);
    let pair = "/referseg/camera/image_raw/segmentation is compared with /referseg/segmentation";
    assert!(said_all(&output, &[pair, "3 answers are the same, 1 are different", "missing in the first"]));

    // a node's name
    let home = tempfile::tempdir().unwrap();
    let live = home.path().join("live.mcap");
    let mut writer = Writer::create(&live, &[]).unwrap();
    for mut message in messages(&alone) {
        message.topic = message.topic.replace("/referseg", "/robot1/segmenter");
        writer.write(&message).unwrap();
    }
    writer.finish().unwrap();
    let output = referseg(&["compare", text(&alone), text(&live)]);
    assert_eq!(output.status.code(), Some(0));
    assert!(said_all(&output, &["3 answers are the same, 0 are different"]));
}

#[test]
fn thresholds_decide_what_ci_lets_pass() {
    let (_a, whole, _) = replay(&data("bags/mcap"), &ONE);
    let (_b, strict, _) = replay(&data("bags/mcap"), &[&ONE[..], &["--set", "answer.min_score=0.999"]].concat());
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("thresholds.yaml");
    let compare = |thresholds: &str| {
        std::fs::write(&file, thresholds).unwrap();
        referseg(&["compare", text(&whole), text(&strict), "--thresholds", text(&file)])
    };
    let output = compare("max_different: 1\n");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let output = compare("max_different: 1\nmax_status_changes: 0.1\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(said_all(&output, &["beyond the thresholds: max_status_changes: 3 of 3 answers are 1.0000; at most 0.1"]));
    let output = compare("max_diferent: 1\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(said_all(&output, &["unknown field `max_diferent`", "expected some of min_iou"]));
}
