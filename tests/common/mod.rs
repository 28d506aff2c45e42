//! What several tests build: weights and images made from their names, as in tools/fixtures/hashed.py.
#![allow(dead_code)]

pub mod hub;
pub mod replays;

use candle_core::{Device, Tensor};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub type Tensors = HashMap<String, Tensor>;

/// Says that a test, or a part of it, was not run: past the test harness, which keeps what a passing test prints.
pub fn not_run(why: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("\nNOT RUN: {why}\n").as_bytes());
}

/// What the environment must hold for a program to run at all: where a build with ROS finds its libraries.
pub fn library_path() -> Option<(&'static str, std::ffi::OsString)> {
    std::env::var_os("LD_LIBRARY_PATH").map(|folders| ("LD_LIBRARY_PATH", folders))
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn data(name: &str) -> PathBuf {
    root().join("tests/data").join(name)
}

pub fn safetensors(path: &Path) -> Tensors {
    candle_core::safetensors::load(path, &Device::Cpu).unwrap()
}

pub fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Folders of reference outputs: all below `../shared/parity` and those named in `REFERSEG_PARITY_DIRS`.
pub fn parity_folders() -> Vec<PathBuf> {
    let shared = root().join("../shared/parity");
    let mut found: Vec<PathBuf> = match std::fs::read_dir(&shared) {
        Ok(entries) => entries.map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect(),
        Err(_) => {
            not_run(&format!("{shared:?} is absent: the larger models of the reference are not checked"));
            Vec::new()
        }
    };
    found.sort();
    let named = std::env::var("REFERSEG_PARITY_DIRS").unwrap_or_default();
    found.extend(named.split(':').filter(|name| !name.is_empty()).map(PathBuf::from));
    found
}

/// Value `i` is `offset + scale * (2 u - 1)`, `u` the upper 24 bits of `splitmix64(fnv1a64(name) + i)`.
pub fn hashed(name: &str, shape: &[usize], scale: f32, offset: f32) -> Tensor {
    let seed =
        name.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let value = |i: u64| {
        let mut z = seed.wrapping_add(i).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        offset + scale * (2.0 * ((z >> 40) as f32 / 16_777_216.0) - 1.0)
    };
    let count: usize = shape.iter().product();
    Tensor::from_vec((0..count as u64).map(value).collect::<Vec<f32>>(), shape, &Device::Cpu).unwrap()
}

/// The tensors of a fixture's `[name, shape, scale, offset]` rows.
pub fn from_names(rows: &serde_json::Value) -> Tensors {
    let tensor = |row: &serde_json::Value| {
        let name = row[0].as_str().unwrap().to_string();
        let shape: Vec<usize> = row[1].as_array().unwrap().iter().map(|side| side.as_u64().unwrap() as usize).collect();
        let tensor = hashed(&name, &shape, row[2].as_f64().unwrap() as f32, row[3].as_f64().unwrap() as f32);
        (name, tensor)
    };
    rows.as_array().unwrap().iter().map(tensor).collect()
}

/// Writes a model in OpenCLIP's layout.
pub fn write_open_clip(folder: &Path, config: &serde_json::Value, tensors: &Tensors) {
    let config = serde_json::json!({ "model_cfg": config });
    std::fs::write(folder.join("open_clip_config.json"), config.to_string()).unwrap();
    candle_core::safetensors::save(tensors, folder.join("open_clip_model.safetensors")).unwrap();
}

/// Length of the difference over the length of what was expected; NaN counts as infinite.
pub fn relative_error(found: &Tensor, expected: &Tensor) -> f32 {
    assert_eq!(found.dims(), expected.dims());
    let length = |x: &Tensor| x.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
    let error = length(&(found - expected).unwrap()) / length(expected);
    if error.is_nan() {
        f32::INFINITY
    } else {
        error
    }
}

/// A `tokenizer.json` of so many words, the last of which ends a text.
pub fn tokenizer(words: usize) -> String {
    let mut vocabulary = serde_json::Map::new();
    vocabulary.insert("<|unk|>".into(), 0.into());
    for word in 1..words - 2 {
        vocabulary.insert(format!("word{word}"), word.into());
    }
    vocabulary.insert("<|startoftext|>".into(), (words - 2).into());
    vocabulary.insert("<|endoftext|>".into(), (words - 1).into());
    let special = |content: &str, id: usize| {
        serde_json::json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true})
    };
    let piece = |name: &str| serde_json::json!({"SpecialToken": {"id": name, "type_id": 0}});
    let token = |name: &str, id: usize| serde_json::json!({"id": name, "ids": [id], "tokens": [name]});
    serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": {"type": "Lowercase"},
        "added_tokens": [special("<|startoftext|>", words - 2), special("<|endoftext|>", words - 1)],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {"type": "TemplateProcessing",
            "single": [piece("<|startoftext|>"), {"Sequence": {"id": "A", "type_id": 0}}, piece("<|endoftext|>")],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<|startoftext|>": token("<|startoftext|>", words - 2),
                               "<|endoftext|>": token("<|endoftext|>", words - 1)}},
        "decoder": null, "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<|unk|>"},
    })
    .to_string()
}
