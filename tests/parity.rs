//! Parity with the reference implementation of Global-Local CLIP (PyTorch) on small random models.
//!
//! Reads every folder below `../shared/parity` and every folder named in `REFERSEG_PARITY_DIRS`
//! (colon-separated). The numbers to reproduce are the reference's own; `README.md` beside them tells
//! the format.

use candle_core::{DType, Device, Tensor};
use referseg::image::{bilinear_on_grid, Mask};
use referseg::models::clip::Clip;
use referseg::models::tensor_math::{cosine_similarities, dot_products, l2_normalize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

type Tensors = HashMap<String, Tensor>;

fn folders() -> Vec<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/parity");
    let mut found: Vec<PathBuf> = match std::fs::read_dir(&shared) {
        Ok(entries) => entries.map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect(),
        Err(_) => {
            eprintln!("SKIPPED: {shared:?} is absent, parity is checked on REFERSEG_PARITY_DIRS only");
            Vec::new()
        }
    };
    found.sort();
    let named = std::env::var("REFERSEG_PARITY_DIRS").unwrap_or_default();
    found.extend(named.split(':').filter(|name| !name.is_empty()).map(PathBuf::from));
    found
}

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

fn check(folder: &Path) {
    let read = |name: &str| candle_core::safetensors::load(folder.join(name), &Device::Cpu).unwrap();
    let (input, expected): (Tensors, Tensors) = (read("input.safetensors"), read("expected.safetensors"));
    let clip = Clip::load_towers(&folder.join("model"), &Device::Cpu).unwrap();
    let family = clip.family();
    let masked = family.masked_encoder().unwrap();
    let (resnet, blocks) = match &clip {
        Clip::Transformer(towers) => (false, masked_blocks(folder, towers.vision.depth())),
        Clip::ResNet(_) => (true, 0),
    };
    let shared = masked.encode_shared(blocks, &input["image"]).unwrap();
    let masks = patch_masks(&input["masks"], family.grid());
    // beside a ResNet the reference gives unit lengths, but for the global feature
    let as_mixed = |x: Tensor| if resnet { l2_normalize(&x).unwrap() } else { x };
    let words = |name: &str| as_mixed(clip.text().features(&u32_ids(&input, name)).unwrap());
    let found = [
        ("mask_features", masked.encode_masked(blocks, &shared, &masks).unwrap()),
        ("crop_features", as_mixed(family.encode_images(&input["crops"]).unwrap())),
        ("sentence_features", words("sentence_ids")),
        ("noun_features", words("noun_ids")),
    ];
    let mut failures = Vec::new();
    for (name, feature) in &found {
        let error = largest_error(feature, &expected[*name]);
        println!("{}: {name} largest relative error {error:.2e}", folder.display());
        if error.is_nan() || error > 1e-3 {
            failures.push(format!("{name}: relative error {error:.2e} above 1e-3"));
        }
    }
    let [(_, global), (_, local), (_, sentence), (_, noun)] = &found;
    let words = ((sentence * 0.5).unwrap() + (noun * 0.5).unwrap()).unwrap();
    for (name, v) in [("scores_v85", 0.85), ("scores_v95", 0.95)] {
        let visual = ((global * v).unwrap() + (local * (1.0 - v)).unwrap()).unwrap();
        let expected = expected[name].to_vec2::<f32>().unwrap();
        for (row, expected) in expected.iter().enumerate() {
            let text = words.get(row).unwrap();
            let scores =
                if resnet { dot_products(&visual, &text) } else { cosine_similarities(&visual, &text) }.unwrap();
            let scores: Vec<f32> = scores.iter().map(|s| s * family.logit_scale()).collect();
            let gap = scores.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            println!("{}: {name}[{row}] largest error {gap:.2e}", folder.display());
            if gap > 1e-2 || scores.iter().any(|s| s.is_nan()) {
                failures.push(format!("{name}[{row}]: error {gap:.2e} above 1e-2"));
            }
            if first_largest(&scores) != first_largest(expected) {
                failures.push(format!("{name}[{row}]: another proposal is best"));
            }
        }
    }
    assert!(failures.is_empty(), "{}:\n{}", folder.display(), failures.join("\n"));
}

#[test]
fn features_scores_and_picks_equal_the_reference() {
    for folder in folders() {
        assert!(folder.join("expected.safetensors").is_file(), "{folder:?} holds no parity fixture");
        check(&folder);
    }
}
