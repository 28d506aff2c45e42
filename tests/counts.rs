//! What the way of a frame through the node costs, in counts: pictures copied, allocations, crops encoded. Times are
//! measured by `referseg bench` and `tools/bench/`, never here.

mod common;

use allocation_counter::{measure, AllocationInfo};
use common::{data, root};
use referseg::answer::{CommandInfo, FrameResult, Origin};
use referseg::config::{Config, Layer};
use referseg::grounding::{EncodedCommand, EncodedFrame, Segmenter};
use referseg::image::{self, BlockMeans, Frame};
use referseg::language::Command;
use referseg::proposals::FrameInput;
use referseg::recordings::{encode, to_cdr, Header, Image, Input, Transport};
use std::borrow::Cow;

/// Allocations beside the picture's: headers, names, vectors of a few numbers. Bytes.
const SMALL: u64 = 16 * 1024;

fn counted<T>(run: impl FnOnce() -> T) -> (T, AllocationInfo) {
    let mut made = None;
    let info = measure(|| made = Some(run()));
    (made.unwrap(), info)
}

fn segmenter(crops: &str) -> Segmenter {
    let labels = format!("labels:{}", data("scene/000000_ids.png").display());
    let layers = [
        Layer::value("test", "model", root().join("models/demo").display().to_string()),
        Layer::value("test", "proposals.generator", labels),
        Layer::value("test", "visual.crops", crops),
    ];
    Segmenter::open(Config::from_layers(&layers).unwrap()).unwrap()
}

fn scene() -> Frame {
    image::open(&data("scene/000000.png")).unwrap()
}

fn encode_both(segmenter: &Segmenter, text: &str) -> (EncodedFrame, EncodedCommand) {
    let frame = segmenter.encode_frame(&FrameInput::single(&scene())).unwrap();
    (frame, segmenter.encode_command(&Command::parse(text).unwrap()).unwrap())
}

#[test]
fn an_image_message_becomes_a_frame_by_one_copy() {
    let (width, height) = (640, 480);
    for (encoding, channels) in [("rgb8", 3), ("bgr8", 3), ("rgba8", 4), ("mono8", 1)] {
        let pixels: Vec<u8> = (0..width * height * channels).map(|at| (at * 31 % 251) as u8).collect();
        let message = Image {
            header: Header::default(),
            width: width as u32,
            height: height as u32,
            encoding: encoding.into(),
            is_bigendian: 0,
            step: (width * channels) as u32,
            data: Cow::Owned(pixels),
        };
        let cdr = to_cdr(&message).unwrap();
        let (input, received) = counted(|| Input::new(Transport::Raw, cdr).unwrap());
        assert!(received.bytes_total < SMALL, "{encoding}: receiving copies {} bytes", received.bytes_total);
        let (frame, decoded) = counted(|| input.frame().unwrap());
        let picture = (width * height * 3) as u64;
        assert_eq!(frame.rgb().len() as u64, picture);
        assert!((picture..picture + SMALL).contains(&decoded.bytes_total), "{encoding}: {} bytes", decoded.bytes_total);
    }
}

#[test]
fn a_static_frame_is_recognised_without_a_copy_of_it() {
    let frame = Frame::new(1280, 720, vec![90; 1280 * 720 * 3]).unwrap();
    let (means, cost) = counted(|| BlockMeans::of(&frame));
    assert_eq!(means.largest_change(&BlockMeans::of(&frame)), 0.0);
    // 8x8 blocks of three channels, f32: a sixteenth of the picture
    assert!(cost.bytes_max <= 1280 * 720 * 3 / 12, "{} bytes", cost.bytes_max);
}

#[test]
fn a_result_is_published_without_a_copy_of_the_picture() {
    let segmenter = segmenter("all");
    let (frame, command) = encode_both(&segmenter, "the red ball");
    let answer = segmenter.answer(&frame, &command).unwrap();
    let info = CommandInfo {
        text: "the red ball".into(),
        number: 1,
        origin: Origin::Topic,
        id: String::new(),
        conversation: String::new(),
    };
    let pixels = scene();
    let result = FrameResult {
        camera: 0,
        command: &info,
        frame: Some(&pixels),
        is_static: false,
        tracks: &[],
        following: None,
        answer: Ok(&answer),
    };
    let (mask, cost) = counted(|| encode::mask(&Header::default(), &result));
    let plane = (pixels.width() * pixels.height()) as u64;
    assert_eq!(mask.data.len() as u64, plane);
    // the mask as bytes and, as bits, what is shown
    assert!(cost.bytes_total <= plane + plane / 4 + SMALL, "{} bytes", cost.bytes_total);
}

#[test]
fn answers_on_a_known_frame_encode_nothing_and_leave_no_memory_behind() {
    let segmenter = segmenter("all");
    let (frame, command) = encode_both(&segmenter, "the red ball");
    let first = segmenter.answer(&frame, &command).unwrap();
    assert_eq!(first.crops, frame.proposals.len());
    let costs: Vec<_> = (0..3).map(|_| measure(|| drop(segmenter.answer(&frame, &command).unwrap()))).collect();
    for cost in &costs {
        assert_eq!(cost.bytes_current, 0, "memory stays behind");
        assert_eq!(cost.count_total, costs[0].count_total, "answers cost more and more");
    }
    // one crop alone would be 3 x 64 x 64 f32 and more for its tokens
    assert!(costs[0].bytes_max < 3 * 64 * 64 * 4 * frame.proposals.len() as u64, "{} bytes", costs[0].bytes_max);
}

#[test]
fn adaptive_crops_encode_no_more_than_all() {
    let all = segmenter("all");
    let adaptive = segmenter("adaptive");
    for text in ["the red ball", "the leftmost thing", "the green thing"] {
        let (of_all, of_adaptive) = (encode_both(&all, text), encode_both(&adaptive, text));
        let every = all.answer(&of_all.0, &of_all.1).unwrap();
        let chosen = adaptive.answer(&of_adaptive.0, &of_adaptive.1).unwrap();
        assert_eq!(every.best, chosen.best, "{text}");
        assert_eq!(every.crops, of_all.0.proposals.len(), "{text}");
        assert!(chosen.crops <= every.crops, "{text}");
        assert_eq!(adaptive.answer(&of_adaptive.0, &of_adaptive.1).unwrap().crops, chosen.crops, "{text}");
    }
}
