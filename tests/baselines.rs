//! OpenCLIP's layout and the paper's baselines: their arithmetic against PyTorch (`tools/fixtures/baselines.py`),
//! and pictures in which they must pick the right thing.

mod common;

use candle_core::{Device, Tensor};
use common::{data, from_names, hashed, json, relative_error, safetensors, Tensors};
use referseg::config::{Config, Layer};
use referseg::grounding::{grad_cam, mean_in_masks, score_map, Segmenter};
use referseg::image::{Frame, LabelImage, Mask};
use referseg::language::Command;
use referseg::models::clip::Clip;
use referseg::proposals::{FrameInput, Labels, Proposal};
use std::path::Path;

/// Writes a model in OpenCLIP's layout.
fn write(folder: &Path, config: &serde_json::Value, tensors: &Tensors) {
    let config = serde_json::json!({ "model_cfg": config });
    std::fs::write(folder.join("open_clip_config.json"), config.to_string()).unwrap();
    candle_core::safetensors::save(tensors, folder.join("open_clip_model.safetensors")).unwrap();
}

fn small(name: &str) -> (Clip, Tensors) {
    let fixture = json(&data(&format!("baselines/{name}.json")));
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &fixture["model_cfg"], &from_names(&fixture["tensors"]));
    let clip = Clip::load_towers(folder.path(), &Device::Cpu).unwrap();
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
    write(folder, &fixture["model_cfg"], &tensors);
    Clip::load_towers(folder, &Device::Cpu).unwrap()
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
         cropping and region_token"
    );
    assert!(segmenter("magic").err().unwrap().to_string().contains("unknown variant `magic`"));
}

#[test]
fn similar_but_incompatible_checkpoints_are_refused_with_the_tensor_and_both_shapes() {
    let fixture = json(&data("baselines/vit.json"));
    let tensors = from_names(&fixture["tensors"]);
    let refused = |config: &serde_json::Value, tensors: &Tensors| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), config, tensors);
        Clip::load_towers(folder.path(), &Device::Cpu).err().unwrap().to_string()
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
