//! OpenCLIP's layout and the paper's baselines: their arithmetic against PyTorch (`tools/fixtures/baselines.py`),
//! and pictures in which they must pick the right thing.

mod common;

use candle_core::{DType, Device, Tensor};
use common::{data, from_names, hashed, json, relative_error, safetensors, write_open_clip, Tensors};
use referseg::answer::Status;
use referseg::config::{Config, Layer};
use referseg::grounding::{grad_cam, mean_in_masks, score_map, Segmenter};
use referseg::image::{Frame, LabelImage, Mask};
use referseg::language::Command;
use referseg::models::clip::Clip;
use referseg::models::tensor_math::{cosine_similarities, dot_products, l2_normalize};
use referseg::models::Compute;
use referseg::proposals::{FrameInput, Labels, Proposal};
use std::path::Path;

fn small(name: &str) -> (Clip, Tensors) {
    let fixture = json(&data(&format!("baselines/{name}.json")));
    let folder = tempfile::tempdir().unwrap();
    write_open_clip(folder.path(), &fixture["model_cfg"], &from_names(&fixture["tensors"]));
    let clip = Clip::load_towers(folder.path(), &Compute::on_cpu()).unwrap();
    (clip, safetensors(&data(&format!("baselines/{name}.safetensors"))))
}

fn check(name: &str, found: &Tensor, expected: &Tensor) {
    let error = relative_error(found, expected);
    println!("{name}: relative error {error:.2e}");
    assert!(error < 1e-4, "{name}: relative error {error:.2e}");
}

#[test]
fn both_families_in_open_clips_layout_give_its_features() {
    for name in ["vit", "resnet"] {
        let (clip, expected) = small(name);
        let side = clip.family().preprocessing().image_size;
        let pixels = hashed("pixels", &[1, 3, side, side], 1.0, 0.0);
        check(&format!("{name} image"), &clip.family().encode_images(&pixels).unwrap(), &expected["image"]);
        let ids = Tensor::new(&[[510u32, 7, 40, 99, 511], [510, 3, 511, 0, 0]], &Device::Cpu).unwrap();
        check(&format!("{name} words"), &clip.text().features(&ids).unwrap(), &expected["words"]);
    }
}

#[test]
fn region_tokens_equal_the_reference() {
    let (clip, expected) = small("vit");
    let inside = hashed("inside", &[4, 16], 1.0, 0.0).gt(0.0).unwrap().to_dtype(candle_core::DType::F32).unwrap();
    let last_is_empty = Tensor::new(&[[1f32], [1.0], [1.0], [0.0]], &Device::Cpu).unwrap();
    let inside = inside.broadcast_mul(&last_is_empty).unwrap();
    let encoder = clip.family().region_encoder().unwrap();
    let found = encoder.encode_regions(&hashed("pixels", &[1, 3, 64, 64], 1.0, 0.0), &inside).unwrap();
    check("region tokens", &found, &expected["region_tokens"]);
}

#[test]
fn score_map_and_grad_cam_equal_the_reference() {
    let (clip, expected) = small("resnet");
    let encoder = clip.family().dense_encoder().unwrap();
    let map = encoder.encode_map(&hashed("pixels", &[1, 3, 128, 128], 1.0, 0.0)).unwrap();
    check("last map", &map, &expected["map"]);
    let text = hashed("text", &[3, 24], 1.0, 0.0);
    let heats = |heat: &dyn Fn(&Tensor) -> Vec<f32>| {
        let rows: Vec<f32> = (0..3).flat_map(|row| heat(&text.get(row).unwrap())).collect();
        Tensor::from_vec(rows, (3, 16), &Device::Cpu).unwrap()
    };
    let found = heats(&|words| score_map(encoder, &map, words).unwrap());
    check("score map", &found, &expected["score_map"]);
    let found = heats(&|words| grad_cam(encoder, &map, words, clip.family().logit_scale()).unwrap());
    check("Grad-CAM", &found, &expected["grad_cam"]);
}

/// A ResNet whose features are colours: the first three channels run through all stages unchanged, the pool
/// attends everywhere alike and hands them on.
fn colour_resnet(folder: &Path) -> Clip {
    let fixture = json(&data("baselines/resnet.json"));
    let mut tensors = from_names(&fixture["tensors"]);
    for (name, tensor) in &mut tensors {
        let dims = tensor.dims().to_vec();
        let is_norm = name.contains(".bn") || name.contains("downsample.1");
        let value = match name.rsplit('.').next().unwrap() {
            "weight" if is_norm => 1.0,
            "running_var" => 1.0,
            _ => 0.0,
        };
        let mut values = vec![value; dims.iter().product()];
        let through = [".conv1", ".conv2", ".conv3"].iter().any(|stem| *name == format!("visual{stem}.weight"))
            || name.ends_with("downsample.0.weight")
            || name.ends_with("attnpool.v_proj.weight")
            || name.ends_with("attnpool.c_proj.weight");
        if through {
            let taps: usize = dims[2..].iter().product();
            let middle = taps / 2;
            for colour in 0..3 {
                values[(colour * dims[1] + colour) * taps + middle] = 1.0;
            }
        }
        *tensor = Tensor::from_vec(values, dims, &Device::Cpu).unwrap();
    }
    write_open_clip(folder, &fixture["model_cfg"], &tensors);
    Clip::load_towers(folder, &Compute::on_cpu()).unwrap()
}

/// A black square picture with a red, a green and a blue quarter, as pixels 0..1 and as proposals.
fn quarters(side: usize) -> (Tensor, Vec<Proposal>) {
    let half = side / 2;
    let quarter = |x: usize, y: usize| (x / half) + 2 * (y / half);
    let cells: Vec<usize> = (0..side * side).map(|i| quarter(i % side, i / side)).collect();
    let planes: Vec<f32> = (0..3).flat_map(|c| cells.iter().map(move |q| f32::from(u8::from(*q == c)))).collect();
    let pixels = Tensor::from_vec(planes, (1, 3, side, side), &Device::Cpu).unwrap();
    let mask = |q: usize| Mask::from_fn(side, side, |x, y| quarter(x, y) == q);
    let proposals = (0..4).map(|q| Proposal::of_mask(mask(q))).collect();
    (pixels, proposals)
}

fn best(scores: &[f32]) -> usize {
    (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap()
}

#[test]
fn heat_maps_pick_the_quarter_of_the_named_colour() {
    let folder = tempfile::tempdir().unwrap();
    let clip = colour_resnet(folder.path());
    let encoder = clip.family().dense_encoder().unwrap();
    let (pixels, proposals) = quarters(128);
    let map = encoder.encode_map(&pixels).unwrap();
    for colour in 0..3 {
        let mut words = vec![0.0f32; 24];
        words[colour] = 1.0;
        let words = Tensor::from_vec(words, 24, &Device::Cpu).unwrap();
        let scores = mean_in_masks(&score_map(encoder, &map, &words).unwrap(), true, &proposals);
        assert_eq!(best(&scores), colour, "score map: {scores:?}");
        assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
        let scores = mean_in_masks(&grad_cam(encoder, &map, &words, 100.0).unwrap(), false, &proposals);
        assert_eq!(best(&scores), colour, "Grad-CAM: {scores:?}");
    }
}

/// Coloured discs in a row, and their label image.
fn discs(colours: &[[u8; 3]]) -> (Frame, Labels) {
    let (width, height) = (80 * colours.len(), 100);
    let inside = |x: usize, y: usize| (x as i32 % 80 - 40).pow(2) + (y as i32 - 50).pow(2) < 28 * 28;
    let places = || (0..height).flat_map(move |y| (0..width).map(move |x| (x, y)));
    let rgb = places().flat_map(|(x, y)| if inside(x, y) { colours[x / 80] } else { [150; 3] }).collect();
    let labels = places().map(|(x, y)| if inside(x, y) { x as u32 / 80 + 1 } else { 0 }).collect();
    (Frame::new(width, height, rgb).unwrap(), Labels::new(LabelImage::new(width, height, labels).unwrap()).unwrap())
}

fn segmenter(method: &str) -> referseg::Result<Segmenter> {
    let model = common::root().join("models/demo").display().to_string();
    Segmenter::open(Config::from_layers(&[
        Layer::value("test", "model", model),
        Layer::value("test", "method", method),
    ])?)
}

#[test]
fn cropping_and_region_tokens_pick_the_disc_of_the_named_colour() {
    let colours = [("red", [205, 25, 25]), ("green", [30, 150, 40]), ("blue", [25, 50, 205])];
    for method in ["cropping", "region_token"] {
        let (frame, labels) = discs(&colours.map(|(_, rgb)| rgb));
        let mut segmenter = segmenter(method).unwrap();
        segmenter.set_generator(Box::new(labels));
        let encoded = segmenter.encode_frame(&FrameInput::single(&frame)).unwrap();
        for (index, (name, _)) in colours.iter().enumerate() {
            let words = format!("the {name} object");
            let command = segmenter.encode_command(&Command::parse(&words).unwrap()).unwrap();
            let answer = segmenter.answer(&encoded, &command).unwrap();
            assert_eq!(answer.best, Some(index), "{method}, {words}: {:?}", answer.scores);
        }
    }
}

#[test]
fn a_method_that_the_model_cannot_do_is_refused_at_the_start() {
    let said = segmenter("grad_cam").err().unwrap().to_string();
    assert_eq!(
        said,
        "configuration method: grad_cam can't run on this model, a CLIP vision transformer; it can do global_local, \
         hybrid_gl, cropping and region_token"
    );
    assert!(segmenter("magic").err().unwrap().to_string().contains("unknown variant `magic`"));
}

#[test]
fn similar_but_incompatible_checkpoints_are_refused_with_the_tensor_and_both_shapes() {
    let fixture = json(&data("baselines/vit.json"));
    let tensors = from_names(&fixture["tensors"]);
    let refused = |config: &serde_json::Value, tensors: &Tensors| {
        let folder = tempfile::tempdir().unwrap();
        write_open_clip(folder.path(), config, tensors);
        Clip::load_towers(folder.path(), &Compute::on_cpu()).err().unwrap().to_string()
    };
    let mut wide = fixture["model_cfg"].clone();
    wide["vision_cfg"]["width"] = 64.into();
    let said = refused(&wide, &tensors);
    assert!(said.contains("\"visual.conv1.weight\"") && said.contains("[32, 3, 16, 16]"), "{said}");
    assert!(said.contains("[64, 3, 16, 16]"), "{said}");
    let mut eva = fixture["model_cfg"].clone();
    eva["vision_cfg"]["timm_model_name"] = "eva02_base_patch16_clip_224".into();
    assert!(refused(&eva, &tensors).contains("eva02_base_patch16_clip_224"));
    // SigLIP: no class token, a pool of its own
    let mut siglip = tensors.clone();
    siglip.remove("visual.class_embedding");
    let said = refused(&fixture["model_cfg"], &siglip);
    assert!(said.contains("\"visual.class_embedding\" is absent") && said.contains("[32]"), "{said}");
}

#[test]
fn options_that_change_the_arithmetic_are_refused() {
    let fixture = json(&data("baselines/vit.json"));
    let tensors = from_names(&fixture["tensors"]);
    for (part, key, value) in [
        ("vision_cfg", "pool_type", "avg".into()),
        ("text_cfg", "pool_type", "last".into()),
        ("vision_cfg", "act_kwargs", serde_json::json!({"approximate": "tanh"})),
        ("text_cfg", "norm_kwargs", serde_json::json!({"eps": 1e-6})),
    ] {
        let mut config = fixture["model_cfg"].clone();
        config[part][key] = value;
        let folder = tempfile::tempdir().unwrap();
        write_open_clip(folder.path(), &config, &tensors);
        let said = Clip::load_towers(folder.path(), &Compute::on_cpu()).err().unwrap().to_string();
        assert!(said.contains(key), "{part} {key}: {said}");
    }
}

/// A fixture's model as a folder that a segmenter can open; `preprocess` is its `preprocess_cfg`.
fn folder_of(name: &str, preprocess: serde_json::Value) -> tempfile::TempDir {
    let fixture = json(&data(&format!("baselines/{name}.json")));
    let folder = tempfile::tempdir().unwrap();
    write_open_clip(folder.path(), &fixture["model_cfg"], &from_names(&fixture["tensors"]));
    let config = serde_json::json!({ "model_cfg": fixture["model_cfg"], "preprocess_cfg": preprocess });
    std::fs::write(folder.path().join("open_clip_config.json"), config.to_string()).unwrap();
    std::fs::write(folder.path().join("tokenizer.json"), common::tokenizer(512)).unwrap();
    folder
}

/// A frame of the ResNet's own size in four colours, their masks as proposals, and its pixels as the ResNet wants them.
fn four_colours() -> (Frame, Labels, Vec<Proposal>, Tensor) {
    let side = 128;
    let quarter = |i: usize| (i % side) / 64 + 2 * (i / side / 64);
    let colours = [[200u8, 30, 40], [20, 180, 60], [30, 60, 220], [240, 230, 20]];
    let rgb: Vec<u8> = (0..side * side).flat_map(|i| colours[quarter(i)]).collect();
    let labels = (0..side * side).map(|i| quarter(i) as u32 + 1).collect();
    let proposals =
        (0..4).map(|q| Proposal::of_mask(Mask::from_fn(side, side, |x, y| quarter(y * side + x) == q))).collect();
    // CLIP's mean and standard deviation
    let (mean, std) = ([0.481_454_66, 0.457_827_5, 0.408_210_73], [0.268_629_54, 0.261_302_6, 0.275_777_1]);
    let planes: Vec<f32> = (0..3)
        .flat_map(|c| rgb[c..].iter().step_by(3).map(move |v| (f32::from(*v) / 255.0 - mean[c]) / std[c]))
        .collect();
    let pixels = Tensor::from_vec(planes, (1, 3, side, side), &Device::Cpu).unwrap();
    let labels = Labels::new(LabelImage::new(side, side, labels).unwrap()).unwrap();
    (Frame::new(side, side, rgb).unwrap(), labels, proposals, pixels)
}

/// The scores of a command by a segmenter on a random model.
fn scores(folder: &Path, more: &[Layer]) -> Vec<f32> {
    let paper = [Layer::value("test", "model", folder.display().to_string()), Layer::value("test", "guidance", "none")];
    let layers = [&paper[..], more].concat();
    let mut segmenter = Segmenter::open(Config::from_layers(&layers).unwrap()).unwrap();
    let (frame, labels, _, _) = four_colours();
    segmenter.set_generator(Box::new(labels));
    let frame = segmenter.encode_frame(&FrameInput::single(&frame)).unwrap();
    let command = segmenter.encode_command(&Command::parse("word7 word40 word99").unwrap()).unwrap();
    segmenter.answer(&frame, &command).unwrap().scores
}

/// The same scores, but for a small part of what tells the proposals apart.
fn assert_close(name: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let gap = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let spread = expected.iter().fold(f32::MIN, |a, b| a.max(*b)) - expected.iter().fold(f32::MAX, |a, b| a.min(*b));
    assert!(gap < 0.01 * spread && found.iter().all(|s| s.is_finite()), "{name}: {found:?}, expected {expected:?}");
}

#[test]
fn a_resnet_is_refused_what_takes_a_vision_transformer() {
    let folder = folder_of("resnet", serde_json::Value::Null);
    let model = Layer::value("test", "model", folder.path().display().to_string());
    for (key, value) in [("method", "hybrid_gl"), ("guidance", "hybridgl")] {
        let config = Config::from_layers(&[model.clone(), Layer::value("test", key, value)]).unwrap();
        let refused = Segmenter::open(config).err().unwrap().to_string();
        assert!(refused.contains(key) && refused.contains("CLIP ResNet"), "{refused}");
    }
}

#[test]
fn a_segmenter_on_a_resnet_scores_as_each_method_says() {
    let folder = folder_of("resnet", serde_json::Value::Null);
    let clip = Clip::load_towers(folder.path(), &Compute::on_cpu()).unwrap();
    let (_, _, proposals, pixels) = four_colours();
    let ids = Tensor::new(&[[510u32, 7, 40, 99, 511]], &Device::Cpu).unwrap();
    let words = clip.text().features(&ids).unwrap().get(0).unwrap();
    let family = clip.family();
    let encoder = family.dense_encoder().unwrap();
    let map = encoder.encode_map(&pixels).unwrap();
    let of = |method: &str, more: &[Layer]| {
        scores(folder.path(), &[&[Layer::value("test", "method", method)], more].concat())
    };
    let heat = score_map(encoder, &map, &words).unwrap();
    assert_close("score_map", &of("score_map", &[]), &mean_in_masks(&heat, true, &proposals));
    let heat = grad_cam(encoder, &map, &words, family.logit_scale()).unwrap();
    assert_close("grad_cam", &of("grad_cam", &[]), &mean_in_masks(&heat, false, &proposals));

    // the global feature and the sentence alone: one product
    let alone = [("visual.global_weight", 1.0), ("text.sentence_weight", 1.0)];
    let alone = alone.map(|(key, weight)| Layer::value("test", key, weight));
    let norms = |norms: &str| [&alone[..], &[Layer::value("test", "visual.resnet_norms", norms)]].concat();
    let masked = family.masked_encoder().unwrap();
    let grid = family.grid();
    let inside = proposals.iter().flat_map(|proposal| referseg::image::bilinear_on_grid(&proposal.mask, grid));
    let inside = Tensor::from_vec(inside.collect::<Vec<f32>>(), (4, grid * grid), &Device::Cpu).unwrap();
    let global = masked.encode_masked(0, &masked.encode_shared(0, &pixels).unwrap(), &inside).unwrap();
    let words = l2_normalize(&words.unsqueeze(0).unwrap()).unwrap().get(0).unwrap();
    assert_close("paper", &of("global_local", &norms("paper")), &dot_products(&global, &words).unwrap());
    assert_close("unit", &of("global_local", &norms("unit")), &cosine_similarities(&global, &words).unwrap());
}

#[test]
fn a_checkpoints_own_mean_and_deviation_are_used() {
    let half = serde_json::json!({"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "interpolation": "bicubic"});
    let (own, silent) = (folder_of("vit", half), folder_of("vit", serde_json::Value::Null));
    let halves = |key: &str| Layer::parse("test", &format!("visual: {{{key}: [0.5, 0.5, 0.5]}}")).unwrap();
    let asked = scores(silent.path(), &[halves("mean"), halves("std")]);
    assert_close("as if set by hand", &scores(own.path(), &[]), &asked);
    let gap = scores(silent.path(), &[]).iter().zip(&asked).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(gap > 1e-3, "and they matter: {gap}");
}

#[test]
fn weights_of_half_precision_are_read() {
    let fixture = json(&data("baselines/vit.json"));
    let tensors = from_names(&fixture["tensors"]);
    let expected = safetensors(&data("baselines/vit.safetensors"));
    for (kind, most) in [(DType::F16, 1e-2), (DType::BF16, 5e-2)] {
        let folder = tempfile::tempdir().unwrap();
        let halved = tensors.iter().map(|(name, tensor)| (name.clone(), tensor.to_dtype(kind).unwrap())).collect();
        write_open_clip(folder.path(), &fixture["model_cfg"], &halved);
        let clip = Clip::load_towers(folder.path(), &Compute::on_cpu()).unwrap();
        let found = clip.family().encode_images(&hashed("pixels", &[1, 3, 64, 64], 1.0, 0.0)).unwrap();
        assert_eq!(found.dtype(), DType::F32);
        let error = relative_error(&found, &expected["image"]);
        assert!(error > 0.0 && error < most, "{kind:?}: {error}");
    }
}

#[test]
fn scores_that_are_not_numbers_are_an_error_and_not_an_absent_target() {
    let folder = folder_of("vit", serde_json::Value::Null);
    let fixture = json(&data("baselines/vit.json"));
    let mut tensors = from_names(&fixture["tensors"]);
    // finite, but their sums are not
    tensors.insert("visual.proj".into(), Tensor::full(f32::MAX, (32, 24), &Device::Cpu).unwrap());
    candle_core::safetensors::save(&tensors, folder.path().join("open_clip_model.safetensors")).unwrap();
    let model = Layer::value("test", "model", folder.path().display().to_string());
    let mut segmenter = Segmenter::open(Config::from_layers(&[model]).unwrap()).unwrap();
    let (frame, labels, _, _) = four_colours();
    segmenter.set_generator(Box::new(labels));
    let encoded = segmenter.encode_frame(&FrameInput::single(&frame)).unwrap();
    let command = segmenter.encode_command(&Command::parse("word7").unwrap()).unwrap();
    let answer = segmenter.answer(&encoded, &command).unwrap();
    assert_eq!(answer.status, Status::Error);
    assert!(answer.reason.contains("all 4 scores are NaN"), "{}", answer.reason);
    assert!(answer.shown().is_none());
}
