//! Segment Anything against PyTorch's `segment-anything`, MobileSAM and transformers, on random weights
//! (`tools/fixtures/sam.py`).

mod common;

use candle_core::{Device, IndexOp, Tensor};
use common::{data, from_names, hashed, json, relative_error, safetensors};
use referseg::config::{Config, Layer, ProposalSettings};
use referseg::image::{self, Frame, Mask, Rect};
use referseg::models::sam::{Prompt, SamModel};
use referseg::models::Compute;
use referseg::proposals::{FrameInput, PromptedSam, Proposal, ProposalGenerator, Regions, SamGenerator};
use serde_json::Value;

/// The tolerance; candle computes GELU by its tanh form in places where PyTorch has the exact one.
const TOLERANCE: f32 = 1e-3;

fn settings(more: &[(&str, f64)]) -> ProposalSettings {
    let model = data("sam/random_sam.pth").display().to_string();
    let mut layers = vec![Layer::value("test", "proposals.sam.model", model)];
    for (key, value) in more {
        let key = format!("proposals.{key}");
        layers.push(if value.fract() == 0.0 && !key.contains("min_predicted") {
            Layer::value("test", &key, *value as u64)
        } else {
            Layer::value("test", &key, *value)
        });
    }
    Config::from_layers(&layers).unwrap().proposals
}

fn frame() -> Frame {
    image::open(&data("sam/picture.png")).unwrap()
}

fn check(name: &str, found: &Tensor, expected: &Tensor) {
    let error = relative_error(found, expected);
    println!("{name}: relative error {error:.2e}");
    assert!(error <= TOLERANCE, "{name}: relative error {error:.2e}");
}

fn point(value: &Value) -> [f32; 2] {
    [value[0].as_f64().unwrap() as f32, value[1].as_f64().unwrap() as f32]
}

#[test]
fn embedding_logits_and_qualities_equal_the_reference() {
    let expected = safetensors(&data("sam/expected.safetensors"));
    let asked = json(&data("sam/generated.json"));
    let sam = SamModel::open(&data("sam/random_sam.pth"), &Compute::on_cpu()).unwrap();
    let embedding = sam.embed(&frame()).unwrap();
    check("embedding", &embedding.features.coarse, &expected["embedding"]);
    for (index, place) in asked["points"].as_array().unwrap().iter().enumerate() {
        let prompt = Prompt::Points(vec![(point(place), asked["labels"][index] == 1)]);
        let decoded = sam.ask(&embedding, &prompt, true).unwrap();
        check("point logits", &decoded.low, &expected["points_low"].i(index..index + 1).unwrap());
        check("point qualities", &decoded.predicted_iou, &expected["points_iou"].i(index..index + 1).unwrap());
    }
    for (index, corners) in asked["boxes"].as_array().unwrap().iter().enumerate() {
        let prompt = Prompt::Box(std::array::from_fn(|side| corners[side].as_f64().unwrap() as f32));
        let decoded = sam.ask(&embedding, &prompt, false).unwrap();
        check("box logits", &decoded.low, &expected["boxes_low"].i(index..index + 1).unwrap());
        check("box qualities", &decoded.predicted_iou, &expected["boxes_iou"].i(index..index + 1).unwrap());
    }
}

fn drawn(width: usize, height: usize, runs: &Value) -> Mask {
    let runs = runs.as_array().unwrap().iter().map(|run| run.as_u64().unwrap() as usize).enumerate();
    let mut inside: Vec<bool> = runs.flat_map(|(index, run)| std::iter::repeat_n(index % 2 == 1, run)).collect();
    inside.resize(width * height, false);
    Mask::new(width, height, &inside)
}

#[test]
fn the_generators_masks_equal_the_reference() {
    let fixture = json(&data("sam/generated.json"));
    for case in fixture["cases"].as_array().unwrap() {
        let frame = image::open(&data(case["picture"].as_str().unwrap())).unwrap();
        let given = &case["settings"];
        let number = |key: &str, default: f64| given[key].as_f64().unwrap_or(default);
        let settings = settings(&[
            ("sam.points_per_side", number("points_per_side", 32.0)),
            ("sam.min_predicted_iou", number("pred_iou_thresh", 0.0)),
            ("sam.min_stability", number("stability_score_thresh", 0.0)),
            ("sam.box_nms", number("box_nms_thresh", 0.7)),
            ("sam.crop_nms", number("crop_nms_thresh", 0.7)),
            ("sam.crop_layers", number("crop_n_layers", 0.0)),
            ("sam.min_region_area", number("min_mask_region_area", 0.0)),
        ]);
        let found = SamGenerator::open(&settings, &Compute::on_cpu()).unwrap().generate(&frame).unwrap();
        let expected = case["masks"].as_array().unwrap();
        let qualities: Vec<f32> = found.iter().map(|mask| mask.predicted_iou).collect();
        assert_eq!(found.len(), expected.len(), "{given}: {qualities:?}");
        for (found, expected) in found.iter().zip(expected) {
            let mask = drawn(frame.width(), frame.height(), &expected["runs"]);
            assert!(found.mask.iou(&mask) >= 0.99, "{given}: IoU {}", found.mask.iou(&mask));
            for (value, key) in [(found.predicted_iou, "predicted_iou"), (found.stability, "stability")] {
                let expected = expected[key].as_f64().unwrap() as f32;
                assert!((value - expected).abs() < 2e-3, "{given}: {key} {value}, expected {expected}");
            }
        }
    }
}

/// Everything with predicted quality above -1, which is nearly without thresholds.
fn open_to_all(limit: f64) -> ProposalSettings {
    settings(&[
        ("limit", limit),
        ("sam.min_predicted_iou", -1.0),
        ("sam.min_stability", 0.0),
        ("sam.points_per_side", 4.0),
    ])
}

#[test]
fn images_of_any_size_give_masks_of_that_size_within_the_limit_in_one_order() {
    for (width, height) in [(1, 1), (7, 300), (300, 7), (256, 256), (33, 20)] {
        let rgb = (0..width * height * 3).map(|i| (i * 37 % 251) as u8).collect();
        let frame = Frame::new(width, height, rgb).unwrap();
        let mut sam = SamGenerator::open(&open_to_all(4.0), &Compute::on_cpu()).unwrap();
        let found = sam.propose(&FrameInput::single(&frame)).unwrap();
        assert!(found.len() <= 4, "{width}x{height}: {}", found.len());
        assert!(found.iter().all(|p| (p.mask.width(), p.mask.height()) == (width, height) && p.mask.area() > 0));
        assert_eq!(found, sam.propose(&FrameInput::single(&frame)).unwrap(), "the order depends on the image alone");
    }
}

#[test]
fn regions_are_asked_by_centre_and_box_and_the_decoder_gets_no_more_prompts_than_there_are_regions() {
    let frame = image::open(&data("scene/000000.png")).unwrap();
    let input = FrameInput::single(&frame);
    let found = |prompts: &str, limit: f64| {
        let mut settings = open_to_all(limit);
        settings.generator.name = "prompted".into();
        settings.sam.prompts = serde_yaml::from_str(prompts).unwrap();
        settings.sam.box_nms = 1.0;
        let mut prompted = PromptedSam::open(&settings, &Compute::on_cpu()).unwrap();
        let found = prompted.propose(&input).unwrap();
        assert_eq!(found, prompted.propose(&input).unwrap(), "the order depends on the image alone");
        found
    };
    let regions = Regions::new(&open_to_all(1000.0)).propose(&input).unwrap().len();
    let (centres, boxes, both) = (found("centres", 1000.0), found("boxes", 1000.0), found("both", 1000.0));
    assert!((1..=3 * regions).contains(&centres.len()), "{} of {regions}", centres.len());
    assert!((1..=regions).contains(&boxes.len()), "{} of {regions}", boxes.len());
    assert!(both.len() <= 4 * regions);
    let asked = |part: &[Proposal]| part.iter().filter(|one| both.contains(one)).count();
    assert!(asked(&centres) > 0 && asked(&boxes) > 0);
    assert!(both.iter().all(|p| (p.mask.width(), p.mask.height()) == (frame.width(), frame.height())));
    assert!(found("both", 3.0).len() <= 3);
}

#[test]
fn boxes_asked_at_once_are_answered_as_one_by_one() {
    let sam = SamModel::open(&data("sam/random_sam.pth"), &Compute::on_cpu()).unwrap();
    let embedding = sam.embed(&frame()).unwrap();
    let boxes = [[3.0, 4.0, 20.0, 30.0], [10.0, 2.0, 33.0, 17.0]];
    let together = sam.decode_boxes(&embedding, &boxes, false).unwrap();
    for (index, corners) in boxes.into_iter().enumerate() {
        let alone = sam.ask(&embedding, &Prompt::Box(corners), false).unwrap();
        check("box", &together.low.narrow(0, index, 1).unwrap(), &alone.low);
    }
}

/// What a crop gives alone stands in the frame at the crop's place.
#[test]
fn crop_layers_see_parts_and_keep_the_images_coordinates() {
    let mut settings = open_to_all(1000.0);
    settings.sam.crop_layers = 1;
    settings.sam.min_region_area = 0;
    (settings.sam.box_nms, settings.sam.crop_nms) = (1.0, 1.0);
    let sam = SamGenerator::open(&settings, &Compute::on_cpu()).unwrap();
    // so small that no crop's edge is further from the frame's than the 20 pixels within which a mask counts as cut off
    let (width, height) = (40, 30);
    let frame = frame().cropped(Rect { x: 20, y: 20, width, height }).unwrap();
    let found = sam.generate(&frame).unwrap();
    assert!(found.iter().all(|c| (c.mask.width(), c.mask.height()) == (width, height)));
    settings.sam.crop_layers = 0;
    let alone = SamGenerator::open(&settings, &Compute::on_cpu()).unwrap();
    // segment-anything's generate_crop_boxes: two crops a side overlap by 512/1500 of the shorter side
    let overlap = (512.0 / 1500.0 * height as f32) as usize;
    let (across, down) = ((width + overlap).div_ceil(2), (height + overlap).div_ceil(2));
    for (x, y) in [(0, 0), (0, down - overlap), (across - overlap, 0), (across - overlap, down - overlap)] {
        let crop = Rect { x, y, width: across.min(width - x), height: down.min(height - y) };
        let candidates = alone.generate(&frame.cropped(crop).unwrap()).unwrap();
        assert!(!candidates.is_empty());
        for candidate in candidates {
            let inside: Vec<_> = candidate.mask.inside().map(|(column, row)| (x + column, y + row)).collect();
            let moved = Mask::of_pixels(width, height, &inside);
            let best = found.iter().map(|c| c.mask.iou(&moved)).fold(0.0, f32::max);
            assert!(best > 0.99, "crop at ({x}, {y}): a mask is not in the frame's; best IoU {best}");
        }
    }
}

#[test]
fn weights_that_are_not_a_number_are_refused_by_the_tensors_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.safetensors");
    let mut tensors: common::Tensors =
        candle_core::pickle::read_all(data("sam/random_sam.pth")).unwrap().into_iter().collect();
    let bias = tensors.get_mut("mask_decoder.iou_prediction_head.layers.2.bias").unwrap();
    *bias = (Tensor::full(f32::NAN, bias.dims(), &Device::Cpu)).unwrap();
    candle_core::safetensors::save(&tensors, &file).unwrap();
    let mut settings = open_to_all(10.0);
    settings.sam.model = folder.path().into();
    let refused = SamGenerator::open(&settings, &Compute::on_cpu()).err().unwrap().to_string();
    assert!(refused.contains("iou_prediction_head.layers.2.bias") && refused.contains("no numbers"), "{refused}");
}

#[test]
fn the_same_weights_as_safetensors_give_the_same_answer() {
    let folder = tempfile::tempdir().unwrap();
    let tensors: common::Tensors =
        candle_core::pickle::read_all(data("sam/random_sam.pth")).unwrap().into_iter().collect();
    let file = folder.path().join("sam_vit_x.safetensors");
    candle_core::safetensors::save(&tensors, &file).unwrap();
    let expected = safetensors(&data("sam/expected.safetensors"));
    let sam = SamModel::open(&file, &Compute::on_cpu()).unwrap();
    check("embedding", &sam.embed(&frame()).unwrap().features.coarse, &expected["embedding"]);
}

#[test]
fn hugging_faces_layout_gives_its_own_answers() {
    let folder = tempfile::tempdir().unwrap();
    let tensors = from_names(&json(&data("sam/hugging_face.json")));
    candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();
    let expected = safetensors(&data("sam/hugging_face.safetensors"));
    let sam = SamModel::open(folder.path(), &Compute::on_cpu()).unwrap();
    let features = sam.features(&hashed("pixels", &[1, 3, 128, 128], 1.0, 0.0)).unwrap();
    check("embedding", &features.coarse, &expected["embedding"]);
    // an image of the model's size: image pixels are model pixels
    let mut embedding = sam.embed(&Frame::new(128, 128, vec![0; 128 * 128 * 3]).unwrap()).unwrap();
    embedding.features = features;
    let decoded = sam.ask(&embedding, &Prompt::Points(vec![([40.0, 70.0], true)]), true).unwrap();
    check("logits", &decoded.low, &expected["low"]);
    check("qualities", &decoded.predicted_iou, &expected["iou"]);
}

#[test]
fn mobile_sams_encoder_equals_the_reference() {
    let folder = tempfile::tempdir().unwrap();
    // the decoder beside it is the small one's, of which only the encoder's channels must be right
    let mut tensors = from_names(&json(&data("sam/tiny.json")));
    tensors.extend(decoder_of_256_channels());
    candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();
    let sam = SamModel::open(folder.path(), &Compute::on_cpu()).unwrap();
    assert_eq!(sam.image_size(), 1024);
    let features = sam.features(&hashed("pixels", &[1, 3, 1024, 1024], 1.0, 0.0)).unwrap().coarse;
    let eighth = Tensor::arange_step(0u32, 64, 8, &Device::Cpu).unwrap();
    let sampled = features.index_select(&eighth, 2).unwrap().index_select(&eighth, 3).unwrap();
    check("embedding", &sampled, &safetensors(&data("sam/tiny.safetensors"))["embedding"]);
}

/// A prompt encoder and decoder of 256 channels, as every published SAM has, made from the names of the small one.
fn decoder_of_256_channels() -> common::Tensors {
    let small = candle_core::pickle::read_all(data("sam/random_sam.pth")).unwrap();
    let decoder = small.into_iter().filter(|(name, _)| !name.starts_with("image_encoder."));
    let widened = |side: &usize| match side {
        32 | 48 => 256,
        4 | 8 => side * 8,
        16 => 128,
        other => *other,
    };
    decoder
        .map(|(name, tensor)| {
            let mut shape: Vec<usize> = tensor.dims().iter().map(widened).collect();
            if name.contains("mask_downscaling") {
                shape = tensor.dims().to_vec();
                if name.contains("mask_downscaling.6") {
                    shape[0] = 256;
                }
            }
            if name.ends_with("mask_tokens.weight") || name.contains("iou_prediction_head.layers.2") {
                shape[0] = 4;
            }
            let tensor = hashed(&name, &shape, 0.1, 0.0);
            (name, tensor)
        })
        .collect()
}

#[test]
fn what_is_not_a_sam_is_refused_by_name() {
    let refused = |file: &std::path::Path| SamModel::open(file, &Compute::on_cpu()).err().unwrap().to_string();
    assert!(refused(&data("nowhere.pth")).contains("models list"));
    let clip = common::root().join("models/demo/model.safetensors");
    assert!(refused(&clip).contains("later models are not supported"), "{}", refused(&clip));
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.pth");
    let whole = std::fs::read(data("sam/random_sam.pth")).unwrap();
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    assert!(refused(&cut).contains("is it truncated?"), "{}", refused(&cut));
    let narrow = folder.path().join("narrow.safetensors");
    let mut tensors: common::Tensors =
        candle_core::pickle::read_all(data("sam/random_sam.pth")).unwrap().into_iter().collect();
    let token = "mask_decoder.iou_token.weight";
    tensors.insert(token.into(), hashed(token, &[1, 31], 1.0, 0.0));
    candle_core::safetensors::save(&tensors, &narrow).unwrap();
    let said = refused(&narrow);
    assert!(said.contains(token) && said.contains("[1, 31]") && said.contains("[1, 32]"), "{said}");
}
