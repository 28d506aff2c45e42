//! `Checkpoint`: a folder with a CLIP in Hugging Face layout, its numbers checked before they are used.

use super::transformer::Activation;
use crate::error::{Error, Result};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// `config.json`. Absent keys have the values of Hugging Face's `CLIPConfig`.
#[derive(Debug, Deserialize)]
pub struct ClipConfig {
    #[serde(default)]
    model_type: String,
    #[serde(default = "joint_default")]
    pub projection_dim: usize,
    #[serde(default)]
    pub text_config: TextConfig,
    #[serde(default)]
    pub vision_config: VisionConfig,
}

fn joint_default() -> usize {
    512
}

/// The text tower's sizes.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct TextConfig {
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_attention_heads: usize,
    pub num_hidden_layers: usize,
    pub max_position_embeddings: usize,
    pub vocab_size: usize,
    pub hidden_act: Activation,
    pub layer_norm_eps: f64,
}

impl Default for TextConfig {
    fn default() -> Self {
        TextConfig {
            hidden_size: 512,
            intermediate_size: 2048,
            num_attention_heads: 8,
            num_hidden_layers: 12,
            max_position_embeddings: 77,
            vocab_size: 49408,
            hidden_act: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
        }
    }
}

/// The vision tower's sizes.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct VisionConfig {
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_attention_heads: usize,
    pub num_hidden_layers: usize,
    pub image_size: usize,
    pub patch_size: usize,
    pub hidden_act: Activation,
    pub layer_norm_eps: f64,
}

impl Default for VisionConfig {
    fn default() -> Self {
        VisionConfig {
            hidden_size: 768,
            intermediate_size: 3072,
            num_attention_heads: 12,
            num_hidden_layers: 12,
            image_size: 224,
            patch_size: 32,
            hidden_act: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
        }
    }
}

pub struct Checkpoint {
    pub config: ClipConfig,
    weights_file: PathBuf,
    tensors: HashMap<String, Tensor>,
    device: Device,
}

impl Checkpoint {
    pub fn open(folder: &Path, device: &Device) -> Result<Checkpoint> {
        if !folder.is_dir() {
            return Err(Error::model(
                folder,
                "no such folder; expected one with config.json, model.safetensors and tokenizer.json",
            ));
        }
        let config = read_config(&folder.join("config.json"))?;
        let weights_file = folder.join("model.safetensors");
        if !weights_file.is_file() {
            return Err(Error::model(weights_file, "no such file; the README says where weights come from"));
        }
        let damaged = |cause: candle_core::Error| {
            let fact = format!("not a readable safetensors file, is it truncated? {}", first_line(&cause));
            Error::model(&weights_file, fact)
        };
        let tensors = candle_core::safetensors::load(&weights_file, device).map_err(damaged)?;
        Ok(Checkpoint { config, tensors, device: device.clone(), weights_file })
    }

    /// Builds a tower, its errors naming the file.
    pub fn build<T>(&self, tower: impl FnOnce(VarBuilder) -> candle_core::Result<T>) -> Result<T> {
        // tensors are reference counted: the clone copies no weights
        let weights = VarBuilder::from_tensors(self.tensors.clone(), DType::F32, &self.device);
        tower(weights).map_err(|cause| {
            let fact = format!("{}; expected what config.json describes", first_line(&cause));
            Error::model(&self.weights_file, fact)
        })
    }

    pub fn logit_scale(&self) -> Result<f32> {
        let tensor = self.tensors.get("logit_scale");
        let tensor = tensor.ok_or_else(|| Error::model(&self.weights_file, "tensor \"logit_scale\" is absent"))?;
        let value = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        match value[..] {
            [value] if value.is_finite() => Ok(value),
            _ => {
                let fact = format!("tensor \"logit_scale\" is {:?}; expected one finite number", tensor.shape());
                Err(Error::model(&self.weights_file, fact))
            }
        }
    }
}

fn first_line(cause: &candle_core::Error) -> String {
    // candle appends a backtrace when RUST_BACKTRACE is set
    cause.to_string().lines().next().unwrap_or_default().to_string()
}

fn read_config(path: &Path) -> Result<ClipConfig> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| Error::model(path, format!("{cause}; expected a CLIP in Hugging Face layout")))?;
    let config: ClipConfig = serde_json::from_str(&text)
        .map_err(|cause| Error::model(path, format!("not a CLIP configuration: {cause}")))?;
    if config.model_type != "clip" {
        let fact = format!("model_type {:?} is not supported; expected \"clip\"", config.model_type);
        return Err(Error::model(path, fact));
    }
    let (text, vision) = (&config.text_config, &config.vision_config);
    let heads = [
        ("text_config", text.hidden_size, text.num_attention_heads),
        ("vision_config", vision.hidden_size, vision.num_attention_heads),
    ];
    for (tower, width, heads) in heads {
        if heads == 0 || width == 0 || width % heads != 0 {
            let fact = format!("{tower}: hidden_size {width} is not a multiple of num_attention_heads {heads}");
            return Err(Error::model(path, fact));
        }
    }
    if vision.patch_size == 0 || vision.image_size < vision.patch_size || text.max_position_embeddings < 3 {
        let fact = format!(
            "vision_config: image_size {} with patch_size {}, text_config: max_position_embeddings {}; \
             expected at least one patch and three positions",
            vision.image_size, vision.patch_size, text.max_position_embeddings
        );
        return Err(Error::model(path, fact));
    }
    Ok(config)
}
