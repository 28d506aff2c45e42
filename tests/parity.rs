//! Parity with the reference implementation of Global-Local CLIP (PyTorch) on small random models.
//!
//! Two small models stand in `tests/data/parity` (`tools/fixtures/parity.py`). Beside them this reads every folder below
//! `../shared/parity` and every folder named in `REFERSEG_PARITY_DIRS` (colon-separated); the numbers to reproduce are the
//! reference's own, and `README.md` beside them tells the format.

mod common;

use candle_core::{DType, Device, Tensor};
use common::{data, from_names, hashed, json, parity_folders, safetensors, write_open_clip, Tensors};
use referseg::image::{bilinear_on_grid, Mask};
use referseg::models::clip::Clip;
use referseg::models::tensor_math::{cosine_similarities, dot_products, l2_normalize};
use referseg::models::Compute;
use std::path::Path;

fn u32_ids(tensors: &Tensors, name: &str) -> Tensor {
    tensors[name].to_dtype(DType::U32).unwrap()
}

/// The masks at the patch grid, `[n, g * g]`.
fn patch_masks(masks: &Tensor, grid: usize) -> Tensor {
    let (n, height, width) = masks.dims3().unwrap();
    let bytes = masks.flatten_all().unwrap().to_vec1::<u8>().unwrap();
    let mask = |pixels: &[u8]| Mask::from_fn(width, height, |x, y| pixels[y * width + x] != 0);
    let flat: Vec<f32> = bytes.chunks(width * height).flat_map(|p| bilinear_on_grid(&mask(p), grid)).collect();
    Tensor::from_vec(flat, (n, grid * grid), &Device::Cpu).unwrap()
}

/// Largest distance between rows, relative to the expected row's length.
fn largest_error(found: &Tensor, expected: &Tensor) -> f32 {
    assert_eq!(found.dims(), expected.dims());
    let rows = |x: &Tensor| x.to_vec2::<f32>().unwrap();
    let norm = |row: &[f32]| row.iter().map(|v| v * v).sum::<f32>().sqrt();
    let error = |(a, b): (Vec<f32>, Vec<f32>)| {
        let gap: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        norm(&gap) / norm(&b)
    };
    // f32::max drops NaN, which must fail
    rows(found).into_iter().zip(rows(expected)).map(error).fold(0.0, |a, b| if b.is_nan() || b > a { b } else { a })
}

fn first_largest(row: &[f32]) -> usize {
    (0..row.len()).rev().max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap()
}

/// How many of the last blocks the reference masked: all from `masking_block` on, else the paper's three.
fn masked_blocks(folder: &Path, depth: usize) -> usize {
    let meta = std::fs::read_to_string(folder.join("meta.json")).unwrap_or_default();
    let meta: serde_json::Value = serde_json::from_str(&meta).unwrap_or_default();
    meta["masking_block"].as_u64().map_or(3, |first| depth - first as usize)
}

/// Asserts that a model finds what the reference found; `blocks` are the masked ones of a vision transformer.
fn check(name: &str, clip: &Clip, blocks: usize, input: &Tensors, expected: &Tensors) {
    let resnet = matches!(clip, Clip::ResNet(_));
    let family = clip.family();
    let masked = family.masked_encoder().unwrap();
    let shared = masked.encode_shared(blocks, &input["image"]).unwrap();
    let masks = patch_masks(&input["masks"], family.grid());
    // beside a ResNet the reference gives unit lengths, but for the global feature
    let as_mixed = |x: Tensor| if resnet { l2_normalize(&x).unwrap() } else { x };
    let words = |name: &str| as_mixed(clip.text().features(&u32_ids(input, name)).unwrap());
    let found = [
        ("mask_features", masked.encode_masked(blocks, &shared, &masks).unwrap()),
        ("crop_features", as_mixed(family.encode_images(&input["crops"]).unwrap())),
        ("sentence_features", words("sentence_ids")),
        ("noun_features", words("noun_ids")),
    ];
    let mut failures = Vec::new();
    for (feature, found) in &found {
        let error = largest_error(found, &expected[*feature]);
        println!("{name}: {feature} largest relative error {error:.2e}");
        if error.is_nan() || error > 1e-3 {
            failures.push(format!("{feature}: relative error {error:.2e} above 1e-3"));
        }
    }
    let [(_, global), (_, local), (_, sentence), (_, noun)] = &found;
    let words = ((sentence * 0.5).unwrap() + (noun * 0.5).unwrap()).unwrap();
    for (weights, v) in [("scores_v85", 0.85), ("scores_v95", 0.95)] {
        let visual = ((global * v).unwrap() + (local * (1.0 - v)).unwrap()).unwrap();
        let expected = expected[weights].to_vec2::<f32>().unwrap();
        for (row, expected) in expected.iter().enumerate() {
            let text = words.get(row).unwrap();
            let scores =
                if resnet { dot_products(&visual, &text) } else { cosine_similarities(&visual, &text) }.unwrap();
            let scores: Vec<f32> = scores.iter().map(|s| s * family.logit_scale()).collect();
            let gap = scores.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            println!("{name}: {weights}[{row}] largest error {gap:.2e}");
            // of a cosine: the scores are scaled by 100 in trained models
            if gap > 1e-4 * family.logit_scale() || scores.iter().any(|s| s.is_nan()) {
                failures
                    .push(format!("{weights}[{row}]: error {gap:.2e} of a score scaled by {}", family.logit_scale()));
            }
            if first_largest(&scores) != first_largest(expected) {
                failures.push(format!("{weights}[{row}]: another proposal is best"));
            }
        }
    }
    assert!(failures.is_empty(), "{name}:\n{}", failures.join("\n"));
}

fn check_folder(folder: &Path) {
    let read = |name: &str| safetensors(&folder.join(name));
    let clip = Clip::load_towers(&folder.join("model"), &Compute::on_cpu()).unwrap();
    let blocks = match &clip {
        Clip::Transformer(towers) => masked_blocks(folder, towers.vision.depth()),
        Clip::ResNet(_) => 0,
    };
    check(&folder.display().to_string(), &clip, blocks, &read("input.safetensors"), &read("expected.safetensors"));
}

#[test]
fn features_scores_and_picks_equal_the_reference() {
    for folder in parity_folders() {
        assert!(folder.join("expected.safetensors").is_file(), "{folder:?} holds no parity fixture");
        check_folder(&folder);
    }
}

#[test]
fn the_small_models_that_ship_equal_the_reference() {
    let rectangles = [(0..20, 0..30), (10..40, 20..50), (30..48, 5..60), (0..48, 0..60), (23..25, 29..31)];
    let inside = rectangles.iter().flat_map(|(rows, columns)| {
        (0..48 * 60).map(move |i| u8::from(rows.contains(&(i / 60)) && columns.contains(&(i % 60))))
    });
    let masks = Tensor::from_vec(inside.collect::<Vec<u8>>(), (5, 48, 60), &Device::Cpu).unwrap();
    let ids = |rows: [[u32; 5]; 2]| Tensor::new(&rows, &Device::Cpu).unwrap();
    for name in ["vit", "resnet"] {
        let fixture = json(&data(&format!("parity/{name}.json")));
        let folder = tempfile::tempdir().unwrap();
        write_open_clip(folder.path(), &fixture["model_cfg"], &from_names(&fixture["tensors"]));
        let clip = Clip::load_towers(folder.path(), &Compute::on_cpu()).unwrap();
        let side = clip.family().preprocessing().image_size;
        let input = Tensors::from([
            ("image".to_string(), hashed("image", &[1, 3, side, side], 1.0, 0.0)),
            ("crops".to_string(), hashed("crops", &[5, 3, side, side], 1.0, 0.0)),
            ("masks".to_string(), masks.clone()),
            ("sentence_ids".to_string(), ids([[510, 7, 40, 99, 511], [510, 3, 8, 511, 0]])),
            ("noun_ids".to_string(), ids([[510, 40, 99, 511, 0], [510, 8, 511, 0, 0]])),
        ]);
        let expected = safetensors(&data(&format!("parity/{name}.safetensors")));
        check(name, &clip, 3, &input, &expected);
    }
}
