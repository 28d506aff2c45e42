//! Parity of SAM 2 with transformers on random weights: `../shared/parity_sam2` (its README has the tensors), and the folders named in
//! REFERSEG_SAM2_DIRS.

use super::model::SamModel;
use super::prompt::{Decoded, Embedding, Prompt};
use crate::compute::Compute;
use candle_core::{DType, Device, Tensor};
use referseg_image::Frame;
use std::collections::HashMap;
use std::path::PathBuf;

/// Largest relative difference of features, and absolute of logits and qualities.
const FEATURES: f32 = 1e-4;
const LOGITS: f32 = 1e-3;

fn folders() -> Vec<PathBuf> {
    let named = std::env::var("REFERSEG_SAM2_DIRS").unwrap_or_default();
    let named = named.split(':').filter(|name| !name.is_empty()).map(PathBuf::from);
    let shared = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/parity_sam2"));
    let all: Vec<PathBuf> =
        named.chain([shared]).filter(|folder| folder.join("reference.safetensors").is_file()).collect();
    if all.is_empty() {
        eprintln!("NOT RUN: ../shared/parity_sam2 is absent: parity of SAM 2 with transformers is not tested");
    }
    all
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Largest difference, absolute and as a part of the largest value.
fn difference(found: &[f32], expected: &Tensor) -> (f32, f32) {
    let expected = numbers(expected);
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0f32, |most, value| most.max(value.abs()));
    let apart = found.iter().zip(&expected).fold(0f32, |most, (a, b)| most.max((a - b).abs()));
    (apart, apart / largest)
}

fn check_prompts(model: &SamModel, embedding: &Embedding, reference: &HashMap<String, Tensor>, which: &str) {
    let rows = |name: &str, width: usize| -> Vec<Vec<f32>> {
        numbers(&reference[name]).chunks_exact(width).map(<[f32]>::to_vec).collect()
    };
    // pixels of the model's input are those of the image here
    let points: Vec<[f32; 2]> = rows("points", 2).iter().map(|row| [row[0], row[1]]).collect();
    let boxes: Vec<[f32; 4]> = rows("boxes", 4).iter().map(|row| [row[0], row[1], row[2], row[3]]).collect();
    for (kind, multimask) in [("three", true), ("one", false)] {
        let ask = |prompt: Prompt| model.ask(embedding, &prompt, multimask).unwrap();
        let point = |at: &[f32; 2]| vec![(*at, true)];
        let mut asked: Vec<(String, Vec<Decoded>)> = vec![
            (format!("points_{kind}"), points.iter().map(|at| ask(Prompt::Points(point(at)))).collect()),
            (format!("boxes_{kind}"), boxes.iter().map(|corners| ask(Prompt::Box(*corners))).collect()),
        ];
        let both = boxes.iter().zip(&points).map(|(corners, at)| ask(Prompt::BoxWithPoints(*corners, point(at))));
        asked.push((format!("both_{kind}"), both.collect()));
        for (name, decoded) in asked {
            let all = |of: &dyn Fn(&Decoded) -> Vec<f32>| decoded.iter().flat_map(of).collect::<Vec<f32>>();
            let object = |decoded: &Decoded| numbers(decoded.object.as_ref().unwrap());
            for (what, found) in [
                ("logits", all(&|decoded| decoded.logits().unwrap())),
                ("quality", all(&|decoded| numbers(&decoded.predicted_iou))),
                ("object", all(&object)),
            ] {
                let expected = &reference[&format!("{name}_{what}")];
                let (apart, _) = difference(&found, expected);
                assert!(apart <= LOGITS, "{which}, {name}_{what}: {apart}");
                if what == "logits" {
                    let same = found.iter().zip(numbers(expected)).filter(|(a, b)| (**a > 0.0) == (*b > 0.0)).count();
                    assert!(same as f64 >= 0.9999 * found.len() as f64, "{which}, {name}: the masks are not the same");
                }
            }
        }
    }
}

#[test]
fn sam2_computes_what_transformers_computes() {
    for folder in folders() {
        let reference = candle_core::safetensors::load(folder.join("reference.safetensors"), &Device::Cpu).unwrap();
        let model = SamModel::open(&folder, &Compute::on_cpu()).unwrap();
        let picture = image::open(folder.join("picture.png")).unwrap().to_rgb8();
        let frame = Frame::new(picture.width() as usize, picture.height() as usize, picture.into_raw()).unwrap();
        let side = model.image_size();
        for is_plain in [false, true] {
            let which = if is_plain { "candle's operations" } else { "fused" };
            let features = model.second_features_by(&reference["pixel_values"], is_plain).unwrap();
            let (_, apart) = difference(&numbers(&features.coarse), &reference["features_2"]);
            assert!(apart <= FEATURES, "{which}, features_2: {apart}");
            let embedding = Embedding { features, image: (side, side), inner: (side, side), side, is_squashed: true };
            check_prompts(&model, &embedding, &reference, which);
        }
        // from the picture itself: resizing rounds now and then to the other of two levels
        let embedding = model.embed(&frame).unwrap();
        let (_, apart) = difference(&numbers(&embedding.features.coarse), &reference["features_2"]);
        assert!(apart <= 0.02, "from the picture: {apart}");
    }
}

/// Hugging Face's name of a tensor in the authors' layout (`sam2.1_hiera_*.pt`).
fn authors_name(name: &str) -> String {
    let replaced = |name: &str, pairs: &[(&str, &str)]| {
        pairs.iter().fold(name.to_string(), |name, (theirs, authors)| name.replace(theirs, authors))
    };
    if name.starts_with("vision_encoder.neck") {
        let pairs = [("vision_encoder", "image_encoder"), (".weight", ".conv.weight"), (".bias", ".conv.bias")];
        return replaced(name, &pairs);
    }
    let name = match ["iou_prediction_head", "pred_obj_score_head", "output_hypernetworks_mlps"]
        .iter()
        .any(|head| name.contains(head))
    {
        true => replaced(name, &[(".layers.0", ".layers.1"), ("proj_in", "layers.0"), ("proj_out", "layers.2")]),
        false => name.to_string(),
    };
    replaced(
        &name,
        &[
            ("vision_encoder.backbone", "image_encoder.trunk"),
            ("patch_embed.projection", "patch_embed.proj"),
            ("upscale_conv1", "output_upscaling.0"),
            ("upscale_layer_norm", "output_upscaling.1"),
            ("upscale_conv2", "output_upscaling.3"),
            ("mask_embed.conv1", "mask_downscaling.0"),
            ("mask_embed.layer_norm1", "mask_downscaling.1"),
            ("mask_embed.conv2", "mask_downscaling.3"),
            ("mask_embed.layer_norm2", "mask_downscaling.4"),
            ("mask_embed.conv3", "mask_downscaling.6"),
            ("layer_norm", "norm"),
            ("mlp.proj_in", "mlp.layers.0"),
            ("mlp.proj_out", "mlp.layers.1"),
            ("o_proj", "out_proj"),
            ("no_memory_embedding", "no_mem_embed"),
            ("mask_decoder.", "sam_mask_decoder."),
            (
                "shared_image_embedding.positional_embedding",
                "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
            ),
            ("prompt_encoder.", "sam_prompt_encoder."),
        ],
    )
}

#[test]
fn sam2_in_the_authors_layout_computes_the_same() {
    for folder in folders() {
        let mut tensors = candle_core::safetensors::load(folder.join("model.safetensors"), &Device::Cpu).unwrap();
        // theirs has one matrix for prompts and places
        tensors.remove("prompt_encoder.shared_embedding.positional_embedding");
        let points = tensors.remove("prompt_encoder.point_embed.weight").unwrap();
        let mut authors: HashMap<String, Tensor> =
            tensors.iter().map(|(name, tensor)| (authors_name(name), tensor.clone())).collect();
        for index in 0..4 {
            let name = format!("sam_prompt_encoder.point_embeddings.{index}.weight");
            authors.insert(name, points.narrow(0, index, 1).unwrap().contiguous().unwrap());
        }
        authors.insert("maskmem_tpos_enc".into(), points.clone()); // of videos
        tensors.insert("prompt_encoder.point_embed.weight".into(), points);
        let answers = [tensors, authors].map(|tensors| {
            let own = tempfile::tempdir().unwrap();
            candle_core::safetensors::save(&tensors, own.path().join("model.safetensors")).unwrap();
            std::fs::copy(folder.join("config.json"), own.path().join("config.json")).unwrap();
            let model = SamModel::open(own.path(), &Compute::on_cpu()).unwrap();
            let side = model.image_size();
            let rgb = (0..side * side * 3).map(|at| (at * 7 % 251) as u8).collect();
            let embedding = model.embed(&Frame::new(side, side, rgb).unwrap()).unwrap();
            let decoded = model.decode_points(&embedding, &[[30.0, 40.0], [100.0, 90.0]]).unwrap();
            (decoded.logits().unwrap(), decoded.quality().unwrap())
        });
        assert_eq!(answers[0], answers[1]);
    }
}
