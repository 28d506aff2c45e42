//! Checkpoints as they are found: in parts, of a training, from a hub's cache, damaged, of other models. What can be read is
//! read, what can't is refused with the file, the fact and the remedy.

mod common;

use candle_core::{DType, Tensor};
use common::{data, from_names, json, relative_error, safetensors, tokenizer, write_open_clip, Tensors};
use referseg::models::clip::Clip;
use referseg::models::sam::SamModel;
use referseg::models::{self, Compute};
use std::path::Path;

/// The small CLIP of `tests/data/hugging_face` by its names.
fn tensors() -> Tensors {
    candle_core::pickle::read_all(data("hugging_face/pytorch_model.bin")).unwrap().into_iter().collect()
}

/// A folder with its configuration and a tokenizer of its size.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(data("hugging_face/config.json"), folder.path().join("config.json")).unwrap();
    std::fs::write(folder.path().join("tokenizer.json"), tokenizer(300)).unwrap();
    folder
}

fn save(tensors: &Tensors, path: &Path) {
    candle_core::safetensors::save(tensors, path).unwrap();
}

/// Loads a folder and compares a feature with transformers'.
fn check(folder: &Path) {
    let family = models::load(folder, &Compute::on_cpu()).unwrap_or_else(|error| panic!("{error}"));
    let expected = safetensors(&data("hugging_face/expected.safetensors"));
    let error = relative_error(&family.encode_images(&expected["pixels"]).unwrap(), &expected["image"]);
    assert!(error < 1e-4, "{error}");
}

fn refusal(folder: &Path) -> String {
    match models::load(folder, &Compute::on_cpu()) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("loaded"),
    }
}

#[test]
fn weights_in_several_files_are_one_model() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let (mut first, mut second, mut map) = (Tensors::new(), Tensors::new(), serde_json::Map::new());
    for (index, (name, tensor)) in tensors().into_iter().enumerate() {
        let (part, file) = if index % 2 == 0 {
            (&mut first, "model-1-of-2.safetensors")
        } else {
            (&mut second, "model-2-of-2.safetensors")
        };
        map.insert(name.clone(), file.into());
        part.insert(name, tensor);
    }
    save(&first, &at("model-1-of-2.safetensors"));
    let index = serde_json::json!({"metadata": {}, "weight_map": map}).to_string();
    std::fs::write(at("model.safetensors.index.json"), index).unwrap();
    let said = refusal(folder.path());
    assert!(said.contains("1 of its 2 files are absent") && said.contains("model-2-of-2.safetensors"), "{said}");
    save(&second, &at("model-2-of-2.safetensors"));
    check(folder.path());
    let digest = |folder: &Path| models::load(folder, &Compute::on_cpu()).unwrap().weights_digest().get().to_string();
    let before = digest(folder.path());
    save(
        &second
            .into_iter()
            .map(|(name, tensor)| (name, (tensor.to_dtype(DType::F32).unwrap() * 1.5).unwrap()))
            .collect(),
        &at("model-2-of-2.safetensors"),
    );
    assert_ne!(before, digest(folder.path()), "the digest is of all parts");
}

#[test]
fn pickles_in_parts_are_read_by_their_index() {
    let folder = folder();
    std::fs::copy(data("hugging_face/pytorch_model.bin"), folder.path().join("pytorch_model-1-of-1.bin")).unwrap();
    let map: serde_json::Map<_, _> =
        tensors().into_keys().map(|name| (name, "pytorch_model-1-of-1.bin".into())).collect();
    let index = serde_json::json!({ "weight_map": map }).to_string();
    std::fs::write(folder.path().join("pytorch_model.bin.index.json"), index).unwrap();
    check(folder.path());
}

#[test]
fn checkpoints_of_a_training_are_read() {
    let folder = folder();
    std::fs::copy(data("pickles/training.pth"), folder.path().join("pytorch_model.bin")).unwrap();
    check(folder.path());
    std::fs::remove_file(folder.path().join("pytorch_model.bin")).unwrap();
    let wrapped = tensors().into_iter().map(|(name, tensor)| (format!("_orig_mod.{name}"), tensor)).collect();
    save(&wrapped, &folder.path().join("model.safetensors"));
    check(folder.path());
}

#[test]
fn a_hubs_cache_is_as_good_as_the_folder_in_it() {
    let (folder, cache) = (folder(), tempfile::tempdir().unwrap());
    save(&tensors(), &folder.path().join("model.safetensors"));
    let snapshot = cache.path().join("models--openai--clip/snapshots/0123abcd");
    std::fs::create_dir_all(snapshot.parent().unwrap()).unwrap();
    std::fs::rename(folder.path(), &snapshot).unwrap();
    check(&cache.path().join("models--openai--clip"));
}

#[test]
fn configuration_and_weights_must_be_of_one_model() {
    let folder = folder();
    save(&tensors(), &folder.path().join("model.safetensors"));
    let whole = std::fs::read_to_string(folder.path().join("config.json")).unwrap();
    for (tower, other) in [("text_config", "text_model"), ("vision_config", "vision_model")] {
        let mut config: serde_json::Value = serde_json::from_str(&whole).unwrap();
        config[tower]["num_hidden_layers"] = 1.into();
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let said = refusal(folder.path());
        assert!(said.contains(&format!("more than the 1 blocks at {other}.encoder.layers")), "{said}");
        config[tower]["num_hidden_layers"] = 3.into();
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let said = refusal(folder.path());
        assert!(said.contains(&format!("\"{other}.encoder.layers.2.")) && said.contains("is absent"), "{said}");
    }
    std::fs::write(folder.path().join("config.json"), whole).unwrap();
    std::fs::write(folder.path().join("tokenizer.json"), tokenizer(148)).unwrap();
    let said = refusal(folder.path());
    assert!(said.contains("it has 148 tokens and the model's text tower 300"), "{said}");
    // parts that contradict each other make the tokenizers crate panic
    let broken = tokenizer(300).replace("\"special_tokens\":{\"<|endoftext|>\"", "\"special_tokens\":{\"another\"");
    assert_ne!(broken, tokenizer(300));
    std::fs::write(folder.path().join("tokenizer.json"), broken).unwrap();
    let said = refusal(folder.path());
    assert!(said.contains("not a tokenizer"), "{said}");
}

#[test]
fn weights_that_are_no_numbers_are_refused_by_their_tensor() {
    let folder = folder();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut damaged = tensors();
        let name = "vision_model.encoder.layers.1.mlp.fc2.weight";
        let mut values = damaged[name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        values[77] = value;
        let tensor = Tensor::from_vec(values, damaged[name].shape(), &candle_core::Device::Cpu).unwrap();
        damaged.insert(name.into(), tensor);
        save(&damaged, &folder.path().join("model.safetensors"));
        let said = refusal(folder.path());
        assert!(said.contains(&format!("tensor {name:?} holds infinities")), "{said}");
    }
}

#[test]
fn what_stands_in_the_place_of_weights_is_named() {
    let folder = folder();
    let weights = folder.path().join("model.safetensors");
    for (contents, words) in [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 605157884\n", "git lfs pull"),
        ("<!doctype html>\n<html><title>Sign in</title>", "a web page"),
        ("", "an empty file"),
    ] {
        std::fs::write(&weights, contents).unwrap();
        let said = refusal(folder.path());
        assert!(said.contains(words) && said.contains("model.safetensors"), "{said}");
    }
}

#[test]
fn other_segmenters_of_the_family_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sam.safetensors");
    let one = || Tensor::zeros((1, 1), DType::F32, &candle_core::Device::Cpu).unwrap();
    let said = |tensors: &Tensors| {
        save(tensors, &file);
        SamModel::open(&file, &Compute::on_cpu()).err().unwrap().to_string()
    };
    // SAM-HQ has all that SAM has beside it
    for tensor in ["mask_decoder.hf_token.weight", "mask_decoder.hq_token.weight"] {
        let tensors: Tensors = [(tensor.to_string(), one()), ("image_encoder.pos_embed".into(), one())].into();
        assert!(said(&tensors).contains("weights of SAM-HQ;"), "{}", said(&tensors));
    }
    // a part of SAM 2 is none of its sizes
    for name in ["image_encoder.trunk.patch_embed.proj.weight", "vision_encoder.backbone.patch_embed.projection.weight"]
    {
        let of = |dims: &[usize]| Tensor::zeros(dims, DType::F32, &candle_core::Device::Cpu).unwrap();
        let neck = match name.starts_with("image_encoder") {
            true => "image_encoder.neck.convs.0.conv.weight",
            false => "vision_encoder.neck.convs.0.weight",
        };
        let tensors: Tensors = [(name.to_string(), of(&[8, 3, 7, 7])), (neck.to_string(), of(&[8, 8, 1, 1]))].into();
        assert!(said(&tensors).contains("expected one of the sizes of SAM 2"), "{}", said(&tensors));
    }
}

#[test]
fn open_clips_text_tower_may_stand_below_a_name_of_its_own() {
    let fixture = json(&data("baselines/vit.json"));
    let tensors = from_names(&fixture["tensors"]);
    let mut config = fixture["model_cfg"].clone();
    config["custom_text"] = true.into();
    config["init_logit_scale"] = 2.65.into();
    config["text_cfg"]["hf_tokenizer_name"] = "bert".into();
    let below = |name: &String| {
        if name.starts_with("visual.") || name == "logit_scale" {
            name.clone()
        } else {
            format!("text.{name}")
        }
    };
    let renamed = tensors.iter().map(|(name, tensor)| (below(name), tensor.clone())).collect();
    let features = |config: &serde_json::Value, tensors: &Tensors| {
        let folder = tempfile::tempdir().unwrap();
        write_open_clip(folder.path(), config, tensors);
        let clip = Clip::load_towers(folder.path(), &Compute::on_cpu()).unwrap();
        let ids = Tensor::new(&[[510u32, 5, 7, 511]], &candle_core::Device::Cpu).unwrap();
        clip.text().features(&ids).unwrap()
    };
    let (plain, custom) = (features(&fixture["model_cfg"], &tensors), features(&config, &renamed));
    assert_eq!(relative_error(&custom, &plain), 0.0);
    // what no one has heard of may change everything
    for (part, key) in [("vision_cfg", "scale_fc"), ("text_cfg", "something_new")] {
        let mut unknown = fixture["model_cfg"].clone();
        unknown[part][key] = 1.into();
        let folder = tempfile::tempdir().unwrap();
        write_open_clip(folder.path(), &unknown, &tensors);
        let said = Clip::load_towers(folder.path(), &Compute::on_cpu()).err().unwrap().to_string();
        assert!(said.contains(&format!("{part}.{key} is 1")), "{said}");
    }
}
