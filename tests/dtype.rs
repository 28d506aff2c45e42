//! Models in half precision against f32, on the CPU, which rounds as a GPU does.

mod common;

use candle_core::{DType, Device, Tensor};
use common::root;
use referseg::config::{Config, Layer};
use referseg::device;
use referseg::grounding::Segmenter;
use referseg::language::Command;
use referseg::models::Dtype;
use referseg::models::{Compute, Weights};
use referseg::proposals::FrameInput;

/// Largest difference of two cosine similarities.
const TOLERANCE: f32 = 5e-3;

fn open(dtype: &str) -> Segmenter {
    let values = [
        ("model", root().join("models/demo").display().to_string()),
        ("proposals.generator", "regions".into()),
        ("guidance", "none".into()), // scores are similarities
        ("dtype", dtype.into()),
    ];
    let layers = values.map(|(key, value)| Layer::value("test", key, value));
    Segmenter::open(Config::from_layers(&layers).unwrap()).unwrap()
}

#[test]
fn half_precision_scores_and_picks_as_f32_does() {
    let picture = referseg::image::open(&root().join("tests/data/scene/000000.png")).unwrap();
    let commands = ["the red ball", "the blue mug", "pick up the green box", "the yellow cup"];
    let answers = |dtype: &str| -> Vec<_> {
        let segmenter = open(dtype);
        assert_eq!(segmenter.dtype_name(), dtype);
        let frame = segmenter.encode_frame(&FrameInput::single(&picture)).unwrap();
        let answer = |text: &&str| {
            let command = segmenter.encode_command(&Command::parse(text).unwrap()).unwrap();
            segmenter.answer(&frame, &command).unwrap()
        };
        commands.iter().map(answer).collect()
    };
    let expected = answers("f32");
    for dtype in ["f16", "bf16"] {
        let mut apart = 0.0f32;
        for (found, expected) in answers(dtype).iter().zip(&expected) {
            let gaps = found.scores.iter().zip(&expected.scores).map(|(a, b)| (a - b).abs());
            let gap = gaps.fold(0.0, f32::max);
            assert!(gap < TOLERANCE, "{dtype}: similarities {gap:.1e} apart");
            // another pick is a tie within the rounding
            assert!(found.best == expected.best || expected.margin < 2.0 * TOLERANCE, "{dtype}: another pick");
            apart = apart.max(gap);
        }
        assert!(apart > 1e-7, "{dtype} rounded nothing");
    }
}

#[test]
fn features_of_another_type_are_other_features() {
    assert_ne!(open("f32").fingerprints().visual, open("f16").fingerprints().visual);
    assert_ne!(open("f32").fingerprints().text, open("bf16").fingerprints().text);
}

#[test]
fn weights_beyond_f16_are_refused_by_name_where_f16_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.safetensors");
    let large = Tensor::new(&[1.0f32, -7e4], &Device::Cpu).unwrap();
    let small = Tensor::new(&[1.0f32, 6e4], &Device::Cpu).unwrap();
    let tensors = [("a.weight".to_string(), small.clone()), ("b.weight".to_string(), large)];
    candle_core::safetensors::save(&tensors.into_iter().collect(), &file).unwrap();
    let weights = Weights::open(&file).unwrap();
    let compute = |dtype| Compute { device: device::open("cpu").unwrap(), dtype };
    let refused = compute(Dtype::F16).dtype(&weights).unwrap_err().to_string();
    assert!(refused.contains("\"b.weight\"") && refused.contains("65504") && refused.contains("bf16"), "{refused}");
    assert_eq!(compute(Dtype::Bf16).dtype(&weights).unwrap(), DType::BF16);
    assert_eq!(compute(Dtype::Auto).dtype(&weights).unwrap(), DType::F32, "a CPU computes in f32");
    candle_core::safetensors::save(&[("a.weight".to_string(), small)].into_iter().collect(), &file).unwrap();
    assert_eq!(compute(Dtype::F16).dtype(&Weights::open(&file).unwrap()).unwrap(), DType::F16);
}
