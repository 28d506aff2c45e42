//! OpenCLIP's layout of a CLIP: `open_clip_config.json` and `open_clip_model.safetensors`.
//!
//! Vision transformers and ResNets of OpenAI's design; towers that OpenCLIP borrows from timm or transformers
//! (EVA, SigLIP, ConvNeXt, multilingual text) are refused by name.

use super::config::{
    Activation, ClipConfig, ResNetConfig, TextConfig, TransformerConfig, TransformerSizes, VisionConfig,
};
use crate::error::{Error, Result};
use crate::models::weights::TensorSource;
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

pub const CONFIG: &str = "open_clip_config.json";
pub const WEIGHTS: [&str; 2] = ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"];

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

/// Options that change the arithmetic, which these towers do not have.
const UNSUPPORTED: [(&str, &[&str]); 2] = [
    (
        "vision_cfg",
        &[
            "timm_model_name", "ls_init_value", "attentional_pool", "input_patchnorm", "final_ln_after_pool",
            "block_type", "qk_norm", "no_ln_pre", "global_average_pool", "norm_kwargs", "act_kwargs", "output_tokens",
        ],
    ),
    (
        "text_cfg",
        &[
            "hf_model_name", "ls_init_value", "embed_cls", "block_type", "qk_norm", "no_causal_mask", "norm_kwargs",
            "act_kwargs", "proj_bias", "output_tokens",
        ],
    ),
];

/// How the towers read out their feature: other ways are refused.
const POOLS: [(&str, &str); 2] = [("vision_cfg", "tok"), ("text_cfg", "argmax")];

pub fn read(path: &Path) -> Result<ClipConfig> {
    let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
    let whole: Whole = serde_json::from_str(&text)
        .map_err(|cause| Error::model(path, format!("not an OpenCLIP configuration: {cause}")))?;
    let Model { embed_dim, quick_gelu, custom_text, vision_cfg, text_cfg } = whole.model_cfg;
    for ((part, keys), more) in UNSUPPORTED.iter().zip([&vision_cfg.more, &text_cfg.more]) {
        let empty = |value: &Value| value.as_object().is_some_and(serde_json::Map::is_empty);
        let off = |value: &Value| matches!(value, Value::Null | Value::Bool(false)) || empty(value);
        if let Some((key, value)) = more.iter().find(|(key, value)| keys.contains(&key.as_str()) && !off(value)) {
            let fact =
                format!("{part}.{key} is {value}; supported are OpenAI's vision transformers, ResNets and text tower");
            return Err(Error::model(path, fact));
        }
    }
    for ((part, expected), more) in POOLS.iter().zip([&vision_cfg.more, &text_cfg.more]) {
        if let Some(pool) = more.get("pool_type").filter(|pool| !pool.is_null() && *pool != expected) {
            return Err(Error::model(path, format!("{part}.pool_type is {pool}; supported is {expected:?}")));
        }
    }
    if custom_text {
        let fact = "custom_text is true; supported is the layout with the text tower's tensors at the top";
        return Err(Error::model(path, fact));
    }
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
        }),
        (Layers::Transformer(_), None) => {
            return Err(Error::model(path, "vision_cfg.patch_size is absent; expected one for a vision transformer"));
        }
    };
    Ok(ClipConfig {
        projection: embed_dim,
        text: TextConfig {
            sizes: sizes(text_cfg.width, text_cfg.heads, text_cfg.layers, text_cfg.mlp_ratio),
            context: text_cfg.context_length,
            vocabulary: text_cfg.vocab_size,
        },
        vision,
    })
}

/// The source of the tensor that a tower asks for by Hugging Face's name.
pub fn source(name: &str) -> TensorSource {
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
