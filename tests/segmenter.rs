//! Stories of the whole method, on images small enough to describe.

mod common;

use common::root;
use referseg::answer::{Answer, Status};
use referseg::config::{Config, Layer};
use referseg::grounding::{EncodedFrame, Segmenter};
use referseg::image::{self, Frame, LabelImage};
use referseg::language::Command;
use referseg::proposals::{FrameInput, Labels};

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
    (Frame::new(width, height, rgb).unwrap(), Labels::new(LabelImage::new(width, height, labels).unwrap()).unwrap())
}

const RED: [u8; 3] = [205, 25, 25];
const GREEN: [u8; 3] = [30, 150, 40];
const BLUE: [u8; 3] = [25, 50, 205];

fn encode(segmenter: &mut Segmenter, frame: &Frame) -> EncodedFrame {
    segmenter.encode_frame(&FrameInput::single(frame)).unwrap()
}

fn ask(segmenter: &Segmenter, frame: &EncodedFrame, text: &str) -> Answer {
    let command = segmenter.encode_command(&Command::parse(text).unwrap()).unwrap();
    segmenter.answer(frame, &command).unwrap()
}

#[test]
fn the_named_colour_is_picked_wherever_it_stands() {
    for order in [[RED, GREEN, BLUE], [BLUE, RED, GREEN]] {
        let (frame, labels) = discs(&order);
        let mut segmenter = segmenter(&[]);
        segmenter.set_generator(Box::new(labels));
        let encoded = encode(&mut segmenter, &frame);
        for (name, colour) in [("red", RED), ("green", GREEN), ("blue", BLUE)] {
            let answer = ask(&segmenter, &encoded, &format!("please hand me the {name} object"));
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
        segmenter.set_generator(Box::new(discs(&[RED, GREEN, BLUE]).1));
        let encoded = encode(&mut segmenter, &frame);
        ask(&segmenter, &encoded, "the red object").scores
    };
    for (alone, together) in scores(1).iter().zip(scores(64)) {
        assert!((alone - together).abs() < 1e-4, "{alone} {together}");
    }
}

#[test]
fn an_image_with_nothing_in_it_is_not_found() {
    let frame = Frame::new(64, 48, vec![128; 64 * 48 * 3]).unwrap();
    let mut segmenter = segmenter(&[]);
    let encoded = encode(&mut segmenter, &frame);
    let answer = ask(&segmenter, &encoded, "the red ball");
    assert_eq!((answer.status, answer.reason.as_str()), (Status::NotFound, "no proposals in this frame"));
    assert!(answer.shown().is_none());
}

#[test]
fn the_paper_preset_runs_on_the_same_model() {
    let (frame, labels) = discs(&[RED, GREEN, BLUE]);
    let parser = root().join("models/en_core_web_sm").display().to_string();
    let layers = [Layer::value("test", "preset", "paper"), Layer::value("test", "text.parser_model", parser)];
    let mut segmenter = segmenter(&layers);
    segmenter.set_generator(Box::new(labels));
    let encoded = encode(&mut segmenter, &frame);
    let answer = ask(&segmenter, &encoded, "the red object");
    assert_eq!(answer.status, Status::Found, "the paper always answers");
    assert_eq!(answer.scores.len(), 3);
}

#[test]
fn regions_find_the_things_of_a_scene_and_never_exceed_the_limit() {
    let frame = image::open(&root().join("tests/data/scene/000000.png")).unwrap();
    let truth = LabelImage::open(&root().join("tests/data/scene/000000_ids.png")).unwrap().masks();
    for limit in [40u64, 5] {
        let mut segmenter = segmenter(&[Layer::value("test", "proposals.limit", limit)]);
        let encoded = encode(&mut segmenter, &frame);
        assert!(encoded.proposals.len() <= limit as usize);
        if limit == 40 {
            for (label, object) in &truth {
                let best = encoded.proposals.iter().map(|p| p.mask.iou(object)).fold(0.0, f32::max);
                assert!(best >= 0.5, "object {label}: best IoU {best}");
            }
        }
    }
}

#[test]
fn the_real_photo_gives_proposals_of_its_size() {
    let path = root().join("../shared/images/desk.jpg");
    if !path.is_file() {
        common::not_run(&format!("{path:?} is absent: no real photo is tried"));
        return;
    }
    let frame = image::open(&path).unwrap();
    let mut segmenter = segmenter(&[]);
    let encoded = encode(&mut segmenter, &frame);
    assert!(encoded.proposals.len() > 10);
    assert!(encoded.proposals.iter().all(|p| (p.mask.width(), p.mask.height()) == (640, 480)));
    assert!(!ask(&segmenter, &encoded, "the black office chair").scores.iter().any(|s| s.is_nan()));
}

#[test]
fn hybridgls_guidance_raises_the_side_that_was_named() {
    for method in ["global_local", "hybrid_gl"] {
        let (frame, labels) = discs(&[RED, GREEN, RED]);
        let more = [Layer::value("test", "guidance", "hybridgl"), Layer::value("test", "method", method)];
        let mut segmenter = segmenter(&more);
        segmenter.set_generator(Box::new(labels));
        let encoded = encode(&mut segmenter, &frame);
        let of = |side: &str| ask(&segmenter, &encoded, &format!("the red object on the {side}"));
        let (left, right) = (of("left"), of("right"));
        let lead = |answer: &Answer| answer.scores[0] - answer.scores[2];
        assert!(lead(&left) > lead(&right) + 0.2, "{method}: {:?} {:?}", left.scores, right.scores);
        let names: Vec<&str> = left.leading[0].terms.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["similarity", "relation", "coherence"]);
    }
}

#[test]
fn the_heat_of_a_phrase_is_a_term_beside_full_guidance_too() {
    let (frame, labels) = discs(&[RED, GREEN, BLUE]);
    let mut segmenter = segmenter(&[Layer::value("test", "terms.heat", 0.5)]);
    segmenter.set_generator(Box::new(labels));
    let encoded = encode(&mut segmenter, &frame);
    let answer = ask(&segmenter, &encoded, "the blue ball");
    assert_eq!(answer.best, Some(2), "{:?}", answer.scores);
    let heat = answer.leading[0].terms.iter().find(|(name, _)| *name == "heat").unwrap().1;
    assert!(heat.is_finite() && heat > 0.0, "{heat}");
}

#[test]
fn what_a_proposal_has_with_every_noun_is_taken_off_where_the_settings_ask_for_it() {
    let none = Layer::value("test", "guidance", "none");
    let answer = |weight: f64| {
        let mut segmenter = segmenter(&[none.clone(), Layer::value("test", "terms.generic", weight)]);
        let (frame, labels) = discs(&[RED, GREEN, BLUE]);
        segmenter.set_generator(Box::new(labels));
        let encoded = encode(&mut segmenter, &frame);
        ask(&segmenter, &encoded, "the red object")
    };
    let term = |answer: &Answer, name: &str| {
        let scored = answer.leading.iter().find(|scored| scored.proposal == 0).unwrap();
        scored.terms.iter().find(|(term, _)| *term == name).map(|(_, value)| *value)
    };
    let (without, with) = (answer(0.0), answer(0.5));
    assert_eq!(term(&without, "generic"), None, "a term of weight 0 is not computed");
    let generic = term(&with, "generic").unwrap();
    assert!((-1.0..1.0).contains(&generic) && generic != 0.0, "{generic}");
    let expected = without.scores[0] + 0.5 * generic;
    assert!((with.scores[0] - expected).abs() < 1e-6, "{} and {expected}", with.scores[0]);
}

#[test]
fn the_picture_blurred_outside_a_proposal_counts_by_its_weight() {
    let answer = |weight: f64, blur: f64| {
        let weight = Layer::value("test", "visual.blurred_weight", weight);
        let layers = [Layer::value("test", "guidance", "none"), weight, Layer::value("test", "visual.blur", blur)];
        let mut segmenter = segmenter(&layers);
        let (frame, labels) = discs(&[RED, GREEN, BLUE]);
        segmenter.set_generator(Box::new(labels));
        let encoded = encode(&mut segmenter, &frame);
        ask(&segmenter, &encoded, "the red object").scores
    };
    assert_eq!(answer(0.0, 0.26), answer(0.0, 0.1), "without weight there is no such picture");
    assert_ne!(answer(0.5, 0.26), answer(0.0, 0.26));
    // next to no blur and all of the weight: every proposal looks like the whole picture
    let alike = answer(1.0, 0.001);
    assert!((alike[0] - alike[1]).abs() < 0.02 && (alike[1] - alike[2]).abs() < 0.02, "{alike:?}");
    let apart = answer(1.0, 0.26);
    assert!((apart[0] - apart[1]).abs() > 0.02, "{apart:?}");
}
