//! SigLIP in Hugging Face's layout against `transformers` (`tools/fixtures/siglip.py`), and the method on it.

mod common;

use candle_core::{DType, Tensor};
use common::{data, from_names, json, relative_error, safetensors, Tensors};
use referseg::answer::Status;
use referseg::config::{Config, Layer, Method};
use referseg::grounding::Segmenter;
use referseg::image;
use referseg::image::resample::Normalization;
use referseg::language::Command;
use referseg::models::siglip::Siglip;
use referseg::models::tensor_math::l2_normalize;
use referseg::models::{Compute, MaskedEncoder, ModelFamily};
use referseg::proposals::FrameInput;
use std::path::Path;

/// The fixture's folder with its weights, in a folder of the test's own.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "preprocessor_config.json", "tokenizer.json"] {
        std::fs::copy(data("siglip").join(file), folder.path().join(file)).unwrap();
    }
    candle_core::safetensors::save(&weights(), folder.path().join("model.safetensors")).unwrap();
    folder
}

fn weights() -> Tensors {
    let named = from_names(&json(&data("siglip/weights.json")));
    let mut weights: Tensors =
        named.into_iter().map(|(name, tensor)| (name.strip_prefix("siglip.").unwrap().to_string(), tensor)).collect();
    for (name, value) in [("logit_scale", 1.5f32), ("logit_bias", -2.0)] {
        weights.insert(name.into(), Tensor::new(&[value], &candle_core::Device::Cpu).unwrap());
    }
    weights
}

fn check(name: &str, found: &Tensor, expected: &Tensor) {
    let error = relative_error(found, expected);
    println!("{name}: relative error {error:.1e}");
    assert!(error < 1e-4, "{name}: {error}");
}

#[test]
fn features_and_probabilities_are_those_of_transformers() {
    let folder = folder();
    let model = Siglip::load(folder.path(), &Compute::on_cpu()).unwrap();
    let expected = safetensors(&data("siglip/expected.safetensors"));
    let image = model.encode_images(&expected["pixels"]).unwrap();
    check("image", &image, &expected["image"]);
    let text = model.text.features(&expected["ids"].to_dtype(DType::U32).unwrap()).unwrap();
    check("text", &text, &expected["text"]);
    let texts = ["The red mug, please!", "pick up the second box from the left"];
    check("text by its words", &model.encode_texts(&texts).unwrap(), &expected["text"]);
    let cosines = l2_normalize(&image).unwrap().matmul(&l2_normalize(&text).unwrap().t().unwrap()).unwrap();
    let logits = cosines.affine(model.logit_scale().into(), model.logit_bias().unwrap().into()).unwrap();
    check("logits", &logits, &expected["logits"]);
    check("probabilities", &candle_nn::ops::sigmoid(&logits).unwrap(), &expected["probabilities"]);
    assert_eq!(model.preprocessing().normalization, Normalization { mean: [0.5; 3], std: [0.5; 3] });
}

#[test]
fn a_mask_of_everything_masks_nothing_and_a_mask_of_one_patch_sees_it_alone() {
    let folder = folder();
    let model = Siglip::load(folder.path(), &Compute::on_cpu()).unwrap();
    let pixels = safetensors(&data("siglip/expected.safetensors"))["pixels"].narrow(0, 0, 1).unwrap();
    let patches = model.grid() * model.grid();
    let masks: Vec<f32> =
        (0..3 * patches).map(|i| [1.0, f32::from(u8::from(i % patches == 5)), 0.0][i / patches]).collect();
    let masks = Tensor::from_vec(masks, (3, patches), &candle_core::Device::Cpu).unwrap();
    // no block masked: the pooling alone is
    let shared = model.encode_shared(0, &pixels).unwrap();
    let seen = model.encode_masked(0, &shared, &masks).unwrap();
    let whole = model.encode_images(&pixels).unwrap();
    check("everything", &seen.narrow(0, 0, 1).unwrap(), &whole);
    check("nothing counts as everything", &seen.narrow(0, 2, 1).unwrap(), &whole);
    assert!(relative_error(&seen.narrow(0, 1, 1).unwrap(), &whole) > 0.01);
    // what is outside does not matter to the one patch that is seen
    let other = Tensor::cat(
        &[shared.narrow(1, 0, 6).unwrap(), shared.narrow(1, 6, patches - 6).unwrap().zeros_like().unwrap()],
        1,
    );
    let one = masks.narrow(0, 1, 1).unwrap();
    let again = model.encode_masked(0, &other.unwrap(), &one).unwrap();
    check("one patch", &again, &seen.narrow(0, 1, 1).unwrap());
}

fn ask(model: &Path, least: f64) -> (Status, String, f32) {
    let labels = format!("labels:{}", data("scene/000000_ids.png").display());
    let layers = [
        Layer::value("test", "model", model.display().to_string()),
        Layer::value("test", "proposals.generator", labels),
        Layer::value("test", "answer.min_probability", least),
        Layer::value("test", "guidance", "none"),
    ];
    let segmenter = Segmenter::open(Config::from_layers(&layers).unwrap()).unwrap();
    assert_eq!(segmenter.methods(), [Method::GlobalLocal, Method::Cropping]);
    let frame = image::open(&data("scene/000000.png")).unwrap();
    let encoded = segmenter.encode_frame(&FrameInput::single(&frame)).unwrap();
    let text = "the red mug behind the big blue box that stands next to the green ball";
    let command = segmenter.encode_command(&Command::parse(text).unwrap()).unwrap();
    let answer = segmenter.answer(&encoded, &command).unwrap();
    let best = &answer.leading[0].terms;
    let probability = best.iter().find(|(name, _)| *name == "probability").unwrap().1;
    let similarity = best.iter().find(|(name, _)| *name == "similarity").unwrap().1;
    assert!((probability - 1.0 / (1.0 + (2.0 - 1.5f32.exp() * similarity).exp())).abs() < 1e-5);
    (answer.status, answer.reason, probability)
}

#[test]
fn the_method_answers_by_it_and_its_probability_decides_what_is_not_there() {
    let folder = folder();
    let (status, reason, probability) = ask(folder.path(), 0.0);
    assert_eq!(status, Status::Found);
    assert!(reason.contains("the model reads 16 of the text's"), "{reason}");
    let (status, reason, _) = ask(folder.path(), f64::from(probability) + 0.01);
    assert_eq!(status, Status::NotFound);
    assert!(reason.contains("below answer.min_probability"), "{reason}");
}
