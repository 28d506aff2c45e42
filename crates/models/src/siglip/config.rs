//! `SiglipConfig`: what `config.json` says of a SigLIP's towers (Hugging Face's layout).
//!
//! Absent keys have the values of `SiglipConfig` in transformers.

use crate::transformer::{check_sizes, Activation, TransformerSizes, MAX_SIZE};
use referseg_files::{Error, Result};
use serde::Deserialize;
use std::path::Path;

/// `model_type` of SigLIP and of SigLIP 2 with a fixed image size.
pub const MODEL_TYPE: &str = "siglip";

/// Sizes of both towers.
#[derive(Debug)]
pub struct SiglipConfig {
    pub text: TextConfig,
    pub vision: VisionConfig,
}

/// The text tower's sizes.
#[derive(Debug)]
pub struct TextConfig {
    pub sizes: TransformerSizes,
    /// Tokens that every text is padded to.
    pub context: usize,
    pub vocabulary: usize,
    /// Width of its feature.
    pub projection: usize,
}

/// The vision tower's sizes.
#[derive(Debug)]
pub struct VisionConfig {
    pub sizes: TransformerSizes,
    pub image_size: usize,
    pub patch_size: usize,
}

#[derive(Deserialize)]
struct Whole {
    #[serde(default)]
    text_config: Text,
    #[serde(default)]
    vision_config: Vision,
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
    projection_size: Option<usize>,
}

impl Default for Text {
    fn default() -> Self {
        Text {
            hidden_size: 768,
            intermediate_size: 3072,
            num_attention_heads: 12,
            num_hidden_layers: 12,
            max_position_embeddings: 64,
            vocab_size: 32000,
            hidden_act: Activation::GeluTanh,
            layer_norm_eps: 1e-6,
            projection_size: None,
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
    vision_use_head: bool,
}

impl Default for Vision {
    fn default() -> Self {
        Vision {
            hidden_size: 768,
            intermediate_size: 3072,
            num_attention_heads: 12,
            num_hidden_layers: 12,
            image_size: 224,
            patch_size: 16,
            hidden_act: Activation::GeluTanh,
            layer_norm_eps: 1e-6,
            vision_use_head: true,
        }
    }
}

/// Reads and checks a configuration.
///
/// # Errors
/// When it is none, or no model can have its sizes.
pub fn read(path: &Path) -> Result<SiglipConfig> {
    let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
    let refused = |fact: String| Error::model(path, fact);
    let whole: Whole =
        serde_json::from_str(&text).map_err(|cause| refused(format!("not a SigLIP configuration: {cause}")))?;
    let Whole { text_config: text, vision_config: vision } = whole;
    if !vision.vision_use_head {
        return Err(refused("vision_use_head is false; expected a model that pools its patches".into()));
    }
    let config = SiglipConfig {
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
            projection: text.projection_size.unwrap_or(text.hidden_size),
        },
        vision: VisionConfig {
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
        },
    };
    check_sizes("the text tower", &config.text.sizes, path)?;
    check_sizes("the vision tower", &config.vision.sizes, path)?;
    let (image, patch) = (config.vision.image_size, config.vision.patch_size);
    if patch == 0 || image < patch || image > MAX_SIZE {
        return Err(refused(format!("image size {image} with patch size {patch}; expected at least one patch")));
    }
    let (context, vocabulary) = (config.text.context, config.text.vocabulary);
    if !(2..=MAX_SIZE).contains(&context) || vocabulary > u32::MAX as usize || config.text.projection > MAX_SIZE {
        let fact = format!("the text tower has {context} positions and {vocabulary} tokens; no model has so many");
        return Err(refused(fact));
    }
    // features of both towers are compared
    if config.text.projection != config.vision.sizes.width {
        let fact = format!(
            "text features are {} wide and image features {}; expected one width",
            config.text.projection, config.vision.sizes.width
        );
        return Err(refused(fact));
    }
    Ok(config)
}
