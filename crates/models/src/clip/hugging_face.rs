//! Hugging Face's layout of a CLIP: `config.json` and `model.safetensors`.
//!
//! Absent keys have the values of `CLIPConfig` in transformers.

use super::config::{Activation, ClipConfig, StemStage, TextConfig, TransformerConfig, TransformerSizes, VisionConfig};
use crate::weight_files::weights_in;
use referseg_files::{Error, Result};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The weights of a folder in this layout.
pub fn weights(folder: &Path) -> PathBuf {
    weights_in(folder, "model.safetensors", "pytorch_model.bin")
}

#[derive(Deserialize)]
struct Whole {
    #[serde(default)]
    model_type: String,
    #[serde(default = "default_projection")]
    projection_dim: usize,
    #[serde(default)]
    text_config: Text,
    #[serde(default)]
    vision_config: Vision,
    /// Old names of the two; where both stand there, transformers lets these win (`CLIPConfig.__init__`).
    text_config_dict: Option<Text>,
    vision_config_dict: Option<Vision>,
}

fn default_projection() -> usize {
    512
}

#[derive(Deserialize)]
#[serde(default)]
struct Text {
    hidden_size: usize,
    intermediate_size: usize,
    num_attention_heads: usize,
    num_hidden_layers: usize,
    max_position_embeddings: usize,
    vocab_size: usize,
    hidden_act: Activation,
    layer_norm_eps: f64,
}

impl Default for Text {
    fn default() -> Self {
        Text {
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

#[derive(Deserialize)]
#[serde(default)]
struct Vision {
    hidden_size: usize,
    intermediate_size: usize,
    num_attention_heads: usize,
    num_hidden_layers: usize,
    image_size: usize,
    patch_size: usize,
    hidden_act: Activation,
    layer_norm_eps: f64,
    /// Of the model that Referseg ships; not a key of transformers.
    stem: Vec<StemStage>,
}

impl Default for Vision {
    fn default() -> Self {
        Vision {
            hidden_size: 768,
            intermediate_size: 3072,
            num_attention_heads: 12,
            num_hidden_layers: 12,
            image_size: 224,
            patch_size: 32,
            hidden_act: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
            stem: Vec::new(),
        }
    }
}

pub fn read(path: &Path) -> Result<ClipConfig> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| Error::model(path, format!("{cause}; expected a CLIP in Hugging Face or OpenCLIP layout")))?;
    let whole: Whole = serde_json::from_str(&text)
        .map_err(|cause| Error::model(path, format!("not a CLIP configuration: {cause}")))?;
    if whole.model_type != "clip" {
        let remedy = match whole.model_type.as_str() {
            "siglip2" => "; of SigLIP 2 the checkpoints with a fixed image size are, not naflex (google/siglip2-base-patch16-224)",
            _ => "",
        };
        let fact =
            format!("model_type {:?} is not supported; expected \"clip\" or \"siglip\"{remedy}", whole.model_type);
        return Err(Error::model(path, fact));
    }
    let text = whole.text_config_dict.unwrap_or(whole.text_config);
    let vision = whole.vision_config_dict.unwrap_or(whole.vision_config);
    Ok(ClipConfig {
        projection: whole.projection_dim,
        text: TextConfig {
            sizes: TransformerSizes {
                width: text.hidden_size,
                hidden: text.intermediate_size,
                heads: text.num_attention_heads,
                blocks: text.num_hidden_layers,
                activation: text.hidden_act,
                epsilon: text.layer_norm_eps,
            },
            context: text.max_position_embeddings,
            vocabulary: text.vocab_size,
        },
        vision: VisionConfig::Transformer(TransformerConfig {
            sizes: TransformerSizes {
                width: vision.hidden_size,
                hidden: vision.intermediate_size,
                heads: vision.num_attention_heads,
                blocks: vision.num_hidden_layers,
                activation: vision.hidden_act,
                epsilon: vision.layer_norm_eps,
            },
            image_size: vision.image_size,
            patch_size: vision.patch_size,
            stem: vision.stem,
        }),
    })
}
