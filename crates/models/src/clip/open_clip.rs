//! OpenCLIP's layout of a CLIP: `open_clip_config.json` and `open_clip_model.safetensors`.
//!
//! Vision transformers and ResNets of OpenAI's design (OpenAI, LAION, MetaCLIP, DFN); towers that OpenCLIP borrows from timm
//! or transformers (EVA, SigLIP, ConvNeXt, multilingual text) are refused by name, and so is every option that these do not
//! compute.

use super::config::{
    Activation, ClipConfig, ResNetConfig, TextConfig, TransformerConfig, TransformerSizes, VisionConfig,
};
use crate::weight_files::weights_in;
use crate::weights::{Layout, TensorSource};
use referseg_files::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

pub const CONFIG: &str = "open_clip_config.json";

/// The weights of a folder in this layout.
pub fn weights(folder: &Path) -> PathBuf {
    weights_in(folder, "open_clip_model.safetensors", "open_clip_pytorch_model.bin")
}

/// torch's default, which every OpenCLIP model of these kinds has.
const EPSILON: f64 = 1e-5;

#[derive(Deserialize)]
struct Whole {
    model_cfg: Model,
}

#[derive(Deserialize)]
struct Model {
    embed_dim: usize,
    #[serde(default)]
    quick_gelu: bool,
    #[serde(default)]
    custom_text: bool,
    vision_cfg: Vision,
    text_cfg: Text,
    #[serde(flatten)]
    more: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct Vision {
    #[serde(default = "side")]
    image_size: usize,
    #[serde(default = "blocks")]
    layers: Layers,
    #[serde(default = "vision_width")]
    width: usize,
    #[serde(default = "head_width")]
    head_width: usize,
    #[serde(default = "ratio")]
    mlp_ratio: f64,
    patch_size: Option<usize>,
    #[serde(flatten)]
    more: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Layers {
    Transformer(usize),
    ResNet([usize; 4]),
}

#[derive(Deserialize)]
struct Text {
    #[serde(default = "context")]
    context_length: usize,
    #[serde(default = "vocabulary")]
    vocab_size: usize,
    #[serde(default = "text_width")]
    width: usize,
    #[serde(default = "text_heads")]
    heads: usize,
    #[serde(default = "text_blocks")]
    layers: usize,
    #[serde(default = "ratio")]
    mlp_ratio: f64,
    #[serde(flatten)]
    more: serde_json::Map<String, Value>,
}

// the defaults of OpenCLIP's CLIPVisionCfg and CLIPTextCfg
fn side() -> usize {
    224
}
fn blocks() -> Layers {
    Layers::Transformer(12)
}
fn vision_width() -> usize {
    768
}
fn head_width() -> usize {
    64
}
fn ratio() -> f64 {
    4.0
}
fn context() -> usize {
    77
}
fn vocabulary() -> usize {
    49408
}
fn text_width() -> usize {
    512
}
fn text_heads() -> usize {
    8
}
fn text_blocks() -> usize {
    12
}

/// What a part of the configuration may say beside what is read: a key, and the values with which it changes nothing here.
/// Everything else is refused by name, for it would change the arithmetic.
type Harmless = &'static [(&'static str, Values)];

/// Values that change nothing.
#[derive(Clone, Copy)]
enum Values {
    /// Any.
    Any,
    /// This text.
    Text(&'static str),
}

/// At the top.
const MODEL: Harmless = &[
    // of training, or what the weights themselves hold
    ("init_logit_scale", Values::Any),
    ("cast_dtype", Values::Any),
    ("output_dict", Values::Any),
];

/// The vision tower's.
const VISION: Harmless = &[
    ("pool_type", Values::Text("tok")),
    ("pos_embed_type", Values::Text("learnable")),
    // of training
    ("patch_dropout", Values::Any),
    // used with attentional_pool or timm_model_name alone, which are refused
    ("attn_pooler_queries", Values::Any),
    ("attn_pooler_heads", Values::Any),
    ("timm_model_pretrained", Values::Any),
    ("timm_pool", Values::Any),
    ("timm_proj", Values::Any),
    ("timm_proj_bias", Values::Any),
    ("timm_drop", Values::Any),
    ("timm_drop_path", Values::Any),
];

/// The text tower's.
const TEXT: Harmless = &[
    ("pool_type", Values::Text("argmax")),
    ("proj_type", Values::Text("linear")),
    // tokens come from tokenizer.json; what pads a text stands behind its end, which sees nothing of it
    ("hf_tokenizer_name", Values::Any),
    ("tokenizer_kwargs", Values::Any),
    ("tokenizer_mode", Values::Any),
    ("pad_id", Values::Any),
    ("eos_id", Values::Any),
    ("bos_id", Values::Any),
    // used with hf_model_name alone, which is refused
    ("hf_model_pretrained", Values::Any),
    ("hf_proj_type", Values::Any),
    ("hf_pooler_type", Values::Any),
];

/// Refuses what a part says that these towers do not compute.
fn check_rest(part: &str, rest: &serde_json::Map<String, Value>, harmless: Harmless, path: &Path) -> Result<()> {
    let off = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Object(inner) => inner.is_empty(),
        _ => false,
    };
    let allowed = |key: &str, value: &Value| {
        harmless.iter().any(|(known, values)| {
            *known == key
                && match values {
                    Values::Any => true,
                    Values::Text(text) => value == text,
                }
        })
    };
    match rest.iter().find(|(key, value)| !off(value) && !allowed(key, value)) {
        None => Ok(()),
        Some((key, value)) => {
            let fact =
                format!("{part}{key} is {value}; supported are OpenAI's vision transformers, ResNets and text tower");
            Err(Error::model(path, fact))
        }
    }
}

/// Reads a configuration, and the layout of the weights that it describes.
pub fn read(path: &Path) -> Result<(ClipConfig, Layout)> {
    let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
    let whole: Whole = serde_json::from_str(&text)
        .map_err(|cause| Error::model(path, format!("not an OpenCLIP configuration: {cause}")))?;
    let Model { embed_dim, quick_gelu, custom_text, vision_cfg, text_cfg, more } = whole.model_cfg;
    check_rest("", &more, MODEL, path)?;
    check_rest("vision_cfg.", &vision_cfg.more, VISION, path)?;
    check_rest("text_cfg.", &text_cfg.more, TEXT, path)?;
    let activation = if quick_gelu { Activation::QuickGelu } else { Activation::Gelu };
    let sizes = |width: usize, heads, blocks, ratio: f64| TransformerSizes {
        width,
        hidden: (width as f64 * ratio) as usize,
        heads,
        blocks,
        activation,
        epsilon: EPSILON,
    };
    let Vision { image_size, width, head_width, mlp_ratio, patch_size, .. } = vision_cfg;
    let vision = match (vision_cfg.layers, patch_size) {
        (Layers::ResNet(layers), _) => VisionConfig::ResNet(ResNetConfig {
            layers,
            width,
            heads: width.saturating_mul(ResNetConfig::REDUCTION).checked_div(head_width).unwrap_or(0),
            image_size,
        }),
        (Layers::Transformer(blocks), Some(patch_size)) => VisionConfig::Transformer(TransformerConfig {
            sizes: sizes(width, width.checked_div(head_width).unwrap_or(0), blocks, mlp_ratio),
            image_size,
            patch_size,
            stem: Vec::new(),
        }),
        (Layers::Transformer(_), None) => {
            return Err(Error::model(path, "vision_cfg.patch_size is absent; expected one for a vision transformer"));
        }
    };
    let config = ClipConfig {
        projection: embed_dim,
        text: TextConfig {
            sizes: sizes(text_cfg.width, text_cfg.heads, text_cfg.layers, text_cfg.mlp_ratio),
            context: text_cfg.context_length,
            vocabulary: text_cfg.vocab_size,
        },
        vision,
    };
    Ok((config, if custom_text { source_of_custom_text } else { source }))
}

/// As [`source`], with the text tower's tensors below `text.`, as OpenCLIP's CustomTextCLIP has them (DFN ViT-L/14).
fn source_of_custom_text(name: &str) -> TensorSource {
    let is_text = name.starts_with("text_");
    let below = |name: String| if is_text { format!("text.{name}") } else { name };
    match source(name) {
        TensorSource::Whole(name) => TensorSource::Whole(below(name)),
        TensorSource::Part { name, index, of } => TensorSource::Part { name: below(name), index, of },
        TensorSource::Transposed(name) => TensorSource::Transposed(below(name)),
    }
}

/// The source of the tensor that a tower asks for by Hugging Face's name.
fn source(name: &str) -> TensorSource {
    let whole = |name: &str| TensorSource::Whole(name.into());
    match name {
        "visual_projection.weight" => return TensorSource::Transposed("visual.proj".into()),
        "text_projection.weight" => return TensorSource::Transposed("text_projection".into()),
        "vision_model.embeddings.class_embedding" => return whole("visual.class_embedding"),
        "vision_model.embeddings.patch_embedding.weight" => return whole("visual.conv1.weight"),
        "vision_model.embeddings.position_embedding.weight" => return whole("visual.positional_embedding"),
        "text_model.embeddings.token_embedding.weight" => return whole("token_embedding.weight"),
        "text_model.embeddings.position_embedding.weight" => return whole("positional_embedding"),
        _ => {}
    }
    let Some((tower, rest)) = [("vision_model.", "visual."), ("text_model.", "")]
        .iter()
        .find_map(|(theirs, ours)| Some((*ours, name.strip_prefix(theirs)?)))
    else {
        return whole(name); // ResNet towers and logit_scale keep their names
    };
    if let Some((index, tensor)) = rest.strip_prefix("encoder.layers.").and_then(|rest| rest.split_once('.')) {
        let block = format!("{tower}transformer.resblocks.{index}");
        let (of_what, kind) = tensor.rsplit_once('.').unwrap_or((tensor, ""));
        let part = |index| TensorSource::Part { name: format!("{block}.attn.in_proj_{kind}"), index, of: 3 };
        return match of_what {
            "self_attn.q_proj" => part(0),
            "self_attn.k_proj" => part(1),
            "self_attn.v_proj" => part(2),
            "self_attn.out_proj" => TensorSource::Whole(format!("{block}.attn.out_proj.{kind}")),
            "layer_norm1" => TensorSource::Whole(format!("{block}.ln_1.{kind}")),
            "layer_norm2" => TensorSource::Whole(format!("{block}.ln_2.{kind}")),
            "mlp.fc1" => TensorSource::Whole(format!("{block}.mlp.c_fc.{kind}")),
            "mlp.fc2" => TensorSource::Whole(format!("{block}.mlp.c_proj.{kind}")),
            other => TensorSource::Whole(format!("{block}.{other}.{kind}")),
        };
    }
    let renamed = rest
        .replace("pre_layrnorm", "ln_pre")
        .replace("post_layernorm", "ln_post")
        .replace("final_layer_norm", "ln_final");
    TensorSource::Whole(format!("{tower}{renamed}"))
}
