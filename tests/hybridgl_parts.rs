//! HybridGL's parts without the reference's folders: its encoder and GEM's places on a small model that ships (goldens of
//! `tools/fixtures/hybridgl.py`), relations of boxes, and the heat of a phrase.

mod common;

use candle_core::{DType, Device, Tensor};
use common::{data, from_names, hashed, json, relative_error, safetensors, write_open_clip};
use referseg::grounding::hybridgl::{holds, PlaceHeat};
use referseg::image::{Mask, Rect};
use referseg::language::{BoxRelation, Direction};
use referseg::models::clip::Clip;
use referseg::models::Compute;
use referseg::models::HybridReadout;

#[test]
fn the_small_model_that_ships_gives_the_references_features_and_places() {
    let fixture = json(&data("baselines/vit.json"));
    let folder = tempfile::tempdir().unwrap();
    write_open_clip(folder.path(), &fixture["model_cfg"], &from_names(&fixture["tensors"]));
    let clip = Clip::load_towers(folder.path(), &Compute::on_cpu()).unwrap();
    let expected = safetensors(&data("parity/hybridgl.safetensors"));
    let inside = hashed("inside", &[4, 16], 1.0, 0.0).gt(0.0).unwrap().to_dtype(DType::F32).unwrap();
    let last_is_empty = Tensor::new(&[[1f32], [1.0], [1.0], [0.0]], &Device::Cpu).unwrap();
    let masks = (hashed("masks", &[4, 16], 0.5, 0.5) * inside).unwrap().broadcast_mul(&last_is_empty).unwrap();
    let pictures = ["local", "global"].map(|name| hashed(name, &[4, 3, 64, 64], 1.0, 0.0));
    let encoder = clip.family().hybrid_encoder().unwrap();
    let encode = |readout| encoder.encode_hybrid(readout, 3, [&pictures[0], &pictures[1]], &masks).unwrap();
    let sum = (&expected["g2l"] + &expected["l2g"]).unwrap();
    let readouts = [HybridReadout::G2l, HybridReadout::L2g, HybridReadout::Sum];
    for (readout, expected) in readouts.into_iter().zip([&expected["g2l"], &expected["l2g"], &sum]) {
        let error = relative_error(&encode(readout), expected);
        assert!(error < 1e-4, "{readout:?}: {error:.2e}");
    }
    let places = clip.family().place_encoder().unwrap();
    assert_eq!(places.image_size(), 128);
    let found = places.encode_places(&hashed("pixels", &[1, 3, 128, 128], 1.0, 0.0)).unwrap();
    let error = relative_error(&found, &expected["places"]);
    assert!(error < 1e-4, "places: {error:.2e}");
}

#[test]
fn a_relation_compares_centres_or_areas_of_boxes() {
    let rect = |x, y, width, height| Rect { x, y, width, height };
    let (small, large) = (rect(10, 10, 11, 11), rect(0, 12, 41, 41));
    let all = [
        BoxRelation::None,
        BoxRelation::Left,
        BoxRelation::Right,
        BoxRelation::Up,
        BoxRelation::Down,
        BoxRelation::Big,
        BoxRelation::Small,
    ];
    let holding: Vec<BoxRelation> = all.into_iter().filter(|r| holds(*r, small, large) == 1.0).collect();
    assert_eq!(holding, [BoxRelation::None, BoxRelation::Left, BoxRelation::Up, BoxRelation::Small]);
    assert_eq!(holds(BoxRelation::Within, small, large), 0.8);
    assert_eq!(holds(BoxRelation::Within, rect(5, 5, 1, 9), large), 0.0, "a box without an area is in nothing");
    assert_eq!(holds(BoxRelation::Left, small, small), 0.0);
}

#[test]
fn coherence_prefers_the_mask_that_covers_the_heat_and_a_ramp_the_side_that_was_named() {
    // two hot places of a 4x4 grid, left and right
    let mut places = [0.0f32; 16];
    (places[4], places[7]) = (1.0, 1.0);
    let heat = PlaceHeat::enlarged(&places, 64, (80, 40)).unwrap();
    let square = |left: usize| Mask::from_fn(80, 40, |x, y| (left..left + 20).contains(&x) && (10..20).contains(&y));
    let of = |direction, left| heat.directed(direction).coherence(&square(left), BoxRelation::None);
    assert!(of(Direction::None, 0) > of(Direction::None, 30) + 0.5);
    assert!((of(Direction::None, 0) - of(Direction::None, 60)).abs() < 0.05);
    assert!(of(Direction::Left, 0) > of(Direction::Left, 60) + 0.5);
    assert!(of(Direction::Right, 60) > of(Direction::Right, 0) + 0.5);
    let everything = Mask::from_fn(80, 40, |_, _| true);
    assert!(heat.directed(Direction::None).coherence(&everything, BoxRelation::None).is_finite());
}
