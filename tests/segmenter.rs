//! Stories of the whole method, on pictures small enough to describe.

use referseg::command::Command;
use referseg::config::{Config, Layer};
use referseg::frame::Frame;
use referseg::proposals::Labels;
use referseg::scoring::Status;
use referseg::segmenter::{Answer, Scene, Segmenter};
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn segmenter(more: &[Layer]) -> Segmenter {
    let model = root().join("models/demo").display().to_string();
    let layers = [&[Layer::value("test", "model", model)], more].concat();
    Segmenter::open(Config::from_layers(&layers).unwrap()).unwrap()
}

/// Coloured discs on a grey table, in a row, and their label image.
fn discs(colours: &[[u8; 3]]) -> (Frame, Labels) {
    let (width, height) = (80 * colours.len(), 100);
    let (mut rgb, mut labels) = (Vec::new(), Vec::new());
    for y in 0..height {
        for x in 0..width {
            let (dx, dy) = ((x % 80) as i32 - 40, y as i32 - 50);
            let inside = dx * dx + dy * dy < 28 * 28;
            rgb.extend(if inside { colours[x / 80] } else { [150, 150, 150] });
            labels.push(if inside { x as u32 / 80 + 1 } else { 0 });
        }
    }
    (Frame::new(width, height, rgb).unwrap(), Labels::new(width, height, labels).unwrap())
}

const RED: [u8; 3] = [205, 25, 25];
const GREEN: [u8; 3] = [30, 150, 40];
const BLUE: [u8; 3] = [25, 50, 205];

fn ask(segmenter: &Segmenter, scene: &Scene, text: &str) -> Answer {
    let query = segmenter.query(&Command::parse(text).unwrap()).unwrap();
    segmenter.answer(scene, &query).unwrap()
}

#[test]
fn the_named_colour_is_picked_wherever_it_stands() {
    for order in [[RED, GREEN, BLUE], [BLUE, RED, GREEN]] {
        let (frame, labels) = discs(&order);
        let mut segmenter = segmenter(&[]);
        segmenter.set_proposer(Box::new(labels));
        let scene = segmenter.scene(&frame).unwrap();
        for (name, colour) in [("red", RED), ("green", GREEN), ("blue", BLUE)] {
            let answer = ask(&segmenter, &scene, &format!("please hand me the {name} object"));
            let expected = order.iter().position(|c| *c == colour);
            assert_eq!(answer.best, expected, "{name}: {:?}", answer.scores);
        }
    }
}

#[test]
fn the_order_and_the_batch_of_proposals_change_no_score() {
    let (frame, _) = discs(&[RED, GREEN, BLUE]);
    let scores = |batch: u64| {
        let mut segmenter = segmenter(&[Layer::value("test", "visual.batch", batch)]);
        segmenter.set_proposer(Box::new(discs(&[RED, GREEN, BLUE]).1));
        let scene = segmenter.scene(&frame).unwrap();
        ask(&segmenter, &scene, "the red object").scores
    };
    for (alone, together) in scores(1).iter().zip(scores(64)) {
        assert!((alone - together).abs() < 1e-4, "{alone} {together}");
    }
}

#[test]
fn a_picture_with_nothing_in_it_is_not_found() {
    let frame = Frame::new(64, 48, vec![128; 64 * 48 * 3]).unwrap();
    let mut segmenter = segmenter(&[]);
    let scene = segmenter.scene(&frame).unwrap();
    let answer = ask(&segmenter, &scene, "the red ball");
    assert_eq!((answer.status, answer.reason.as_str()), (Status::NotFound, "no proposals in this frame"));
    assert!(answer.mask(&scene).is_none());
}

#[test]
fn the_paper_preset_runs_on_the_same_model() {
    let (frame, labels) = discs(&[RED, GREEN, BLUE]);
    let parser = root().join("models/en_core_web_sm").display().to_string();
    let layers = [Layer::value("test", "preset", "paper"), Layer::value("test", "text.parser_model", parser)];
    let mut segmenter = segmenter(&layers);
    segmenter.set_proposer(Box::new(labels));
    let scene = segmenter.scene(&frame).unwrap();
    let answer = ask(&segmenter, &scene, "the red object");
    assert_eq!(answer.status, Status::Found, "the paper always answers");
    assert_eq!(answer.scores.len(), 3);
}

#[test]
fn regions_find_the_things_of_a_scene_and_never_exceed_the_limit() {
    let frame = Frame::open(&root().join("tests/data/scene/000000.png")).unwrap();
    let truth = Labels::open(&root().join("tests/data/scene/000000_ids.png")).unwrap().proposals();
    for limit in [40u64, 5] {
        let mut segmenter = segmenter(&[Layer::value("test", "proposals.limit", limit)]);
        let scene = segmenter.scene(&frame).unwrap();
        assert!(scene.proposals.len() <= limit as usize);
        if limit == 40 {
            for object in &truth {
                let best = scene.proposals.iter().map(|p| p.mask.iou(&object.mask)).fold(0.0, f32::max);
                assert!(best >= 0.5, "object {:?}: best IoU {best}", object.label);
            }
        }
    }
}

#[test]
fn the_real_photo_gives_proposals_of_its_size() {
    let path = root().join("../shared/images/desk.jpg");
    if !path.is_file() {
        eprintln!("SKIPPED: {path:?} is absent");
        return;
    }
    let frame = Frame::open(&path).unwrap();
    let mut segmenter = segmenter(&[]);
    let scene = segmenter.scene(&frame).unwrap();
    assert!(scene.proposals.len() > 10);
    assert!(scene.proposals.iter().all(|p| (p.mask.width(), p.mask.height()) == (640, 480)));
    assert!(!ask(&segmenter, &scene, "the black office chair").scores.iter().any(|s| s.is_nan()));
}
