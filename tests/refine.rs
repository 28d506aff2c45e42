//! A found thing's mask, made again by Segment Anything with random weights: what the limits let through, and that nothing breaks.

mod common;

use common::{data, root};
use referseg::answer::{Answer, Status};
use referseg::config::{Config, Layer};
use referseg::grounding::Segmenter;
use referseg::image::{self, LabelImage};
use referseg::language::Command;
use referseg::proposals::{FrameInput, Labels};

fn layers(more: &[(&str, f64)]) -> Vec<Layer> {
    let sam = data("sam/random_sam.pth").display().to_string();
    let model = root().join("models/demo").display().to_string();
    let fixed = [Layer::value("test", "model", model), Layer::value("test", "proposals.sam.model", sam)];
    let more = more.iter().map(|(key, value)| Layer::value("test", &format!("refinement.{key}"), *value));
    fixed.into_iter().chain(more).collect()
}

fn config(refine: &str, more: &[(&str, f64)]) -> Config {
    let layers = [layers(more), vec![Layer::value("test", "refine", refine)]].concat();
    Config::from_layers(&layers).unwrap()
}

/// The answers to some commands on the true masks of a scene.
fn answers(segmenter: &mut Segmenter) -> Vec<Answer> {
    let frame = image::open(&data("scene/000000.png")).unwrap();
    let labels = LabelImage::open(&data("scene/000000_ids.png")).unwrap();
    segmenter.set_generator(Box::new(Labels::new(labels).unwrap()));
    let encoded = segmenter.encode_frame(&FrameInput::single(&frame)).unwrap();
    let answer = |text: &str| {
        let command = segmenter.encode_command(&Command::parse(text).unwrap()).unwrap();
        segmenter.answer(&encoded, &command).unwrap()
    };
    ["the red ball", "the largest thing", "the thing on the left"].map(answer).into()
}

#[test]
fn random_weights_break_nothing_with_the_default_limits() {
    let plain = answers(&mut Segmenter::open(config("none", &[])).unwrap());
    let refined = answers(&mut Segmenter::open(config("sam", &[])).unwrap());
    assert!(plain.iter().any(|answer| answer.status == Status::Found));
    for (plain, refined) in plain.iter().zip(&refined) {
        assert_eq!(plain.found, refined.found, "the proposals' own masks");
        assert_eq!((plain.status, &plain.scores), (refined.status, &refined.scores));
    }
}

#[test]
fn each_limit_keeps_the_proposals_mask() {
    let open = [("min_predicted_iou", -1.0), ("min_stability", 0.0), ("min_overlap", 0.0)];
    let things = |limits: &[(&str, f64)]| {
        let all = answers(&mut Segmenter::open(config("sam", limits)).unwrap());
        all.into_iter().flat_map(|answer| answer.found).collect::<Vec<_>>()
    };
    let plain = answers(&mut Segmenter::open(config("none", &[])).unwrap());
    let plain: Vec<_> = plain.into_iter().flat_map(|answer| answer.found).collect();
    let refined = things(&open);
    assert!(!refined.is_empty() && refined.iter().all(|thing| thing.refined));
    assert!(refined.iter().zip(&plain).all(|(refined, plain)| refined.mask != plain.mask));
    for limit in [("min_predicted_iou", 1.0), ("min_stability", 1.0), ("min_overlap", 1.0)] {
        let limits: Vec<_> = open.iter().map(|one| if one.0 == limit.0 { limit } else { *one }).collect();
        assert_eq!(things(&limits), plain, "{}", limit.0);
    }
}

#[test]
fn it_can_be_switched_while_running_and_absent_weights_are_refused_before() {
    let mut segmenter = Segmenter::open(config("none", &[])).unwrap();
    let open = [("min_predicted_iou", -1.0), ("min_stability", 0.0), ("min_overlap", 0.0)];
    let prepared = segmenter.preparer().prepare(segmenter.config(), config("sam", &open)).unwrap();
    segmenter.apply(prepared).unwrap();
    assert!(answers(&mut segmenter).iter().flat_map(|answer| &answer.found).all(|thing| thing.refined));

    let mut absent = config("sam", &open);
    absent.proposals.sam.model = "nowhere".into();
    let refused = segmenter.preparer().prepare(segmenter.config(), absent.clone()).err().unwrap().to_string();
    assert!(refused.contains("nowhere") && refused.contains("models list"), "{refused}");
    assert!(Segmenter::open(absent).err().unwrap().to_string().contains("nowhere"));
    assert!(answers(&mut segmenter).iter().flat_map(|answer| &answer.found).all(|thing| thing.refined), "as before");
}
