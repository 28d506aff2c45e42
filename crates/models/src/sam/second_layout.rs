//! SAM 2's checkpoints: the names of their tensors in the authors' files (`sam2.1_hiera_*.pt`) and in Hugging Face's (`facebook/sam2.1-hiera-*`),
//! and the sizes of the model.

use super::hiera::{HieraSizes, STAGES};
use super::layout;
use crate::weights::{TensorSource, Weights};
use candle_core::Tensor;
use referseg_files::{Error, Result};
use serde::Deserialize;
use std::path::Path;

/// Parts of names, ours (those of SAM) and the authors'; all that apply are applied, in this order.
const AUTHORS: [(&str, &str); 6] = [
    (PLACES, "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"),
    ("mask_decoder.", "sam_mask_decoder."),
    ("prompt_encoder.", "sam_prompt_encoder."),
    (".mlp.lin1", ".mlp.layers.0"),
    (".mlp.lin2", ".mlp.layers.1"),
    ("no_memory", "no_mem_embed"),
];
/// The same, Hugging Face's, before those of SAM.
const HUGGING_FACE: [(&str, &str); 14] = [
    (PLACES, "shared_image_embedding.positional_embedding"),
    ("image_encoder.trunk.patch_embed.proj", "vision_encoder.backbone.patch_embed.projection"),
    ("image_encoder.trunk.", "vision_encoder.backbone."),
    (".mlp.layers.0", ".mlp.proj_in"),
    (".mlp.layers.1", ".mlp.proj_out"),
    (".mlp.lin1", ".mlp.proj_in"),
    (".mlp.lin2", ".mlp.proj_out"),
    ("image_encoder.neck.convs.", "vision_encoder.neck.convs."),
    (".conv.weight", ".weight"),
    (".conv.bias", ".bias"),
    (".out_proj", ".o_proj"),
    ("no_memory", "no_memory_embedding"),
    ("pred_obj_score_head.layers.0", "pred_obj_score_head.proj_in"),
    ("pred_obj_score_head.layers.2", "pred_obj_score_head.proj_out"),
];
/// The directions by which the image's places are encoded, `[2, c / 2]`; the authors' files and most others have one matrix for these and for
/// prompts.
pub const PLACES: &str = "image_places";
const OF_PROMPTS: &str = "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix";
const OF_PROMPTS_THERE: &str = "prompt_encoder.shared_embedding.positional_embedding";
/// Points that have an embedding: outside, inside, and a box's two corners.
const POINTS: usize = 4;

/// The layout of a SAM 2 checkpoint; `None` where the weights are of another model.
pub fn layout_of(weights: &Weights) -> Option<fn(&str) -> TensorSource> {
    if weights.has("vision_encoder.backbone.patch_embed.projection.weight") {
        return match weights.has(OF_PROMPTS_THERE) {
            true => Some(hugging_face),
            false => Some(hugging_face_of_one_matrix),
        };
    }
    weights.has("image_encoder.trunk.patch_embed.proj.weight").then_some(authors as fn(&str) -> TensorSource)
}

fn replaced(name: &str, parts: &[(&str, &str)]) -> String {
    parts.iter().fold(name.to_string(), |name, (ours, theirs)| name.replace(ours, theirs))
}

fn authors(name: &str) -> TensorSource {
    TensorSource::Whole(replaced(name, &AUTHORS))
}

fn hugging_face(name: &str) -> TensorSource {
    match name {
        OF_PROMPTS => TensorSource::Whole(OF_PROMPTS_THERE.into()),
        name => hugging_face_of_one_matrix(name),
    }
}

fn hugging_face_of_one_matrix(name: &str) -> TensorSource {
    if let Some(index) = name.strip_prefix("prompt_encoder.point_embeddings.") {
        let index = index.trim_end_matches(".weight").parse().unwrap_or(POINTS);
        return TensorSource::Part { name: "prompt_encoder.point_embed.weight".into(), index, of: POINTS };
    }
    let name = replaced(name, &HUGGING_FACE);
    let name = name.replace("pred_obj_score_head.layers.1", "pred_obj_score_head.layers.0");
    layout::hugging_face(&name)
}

/// What a Hugging Face configuration says of the sizes that tensors do not tell.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Config {
    vision_config: Vision,
    mask_decoder_config: Decoder,
}

#[derive(Deserialize)]
#[serde(default)]
struct Vision {
    backbone_config: Backbone,
    fpn_top_down_levels: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(default)]
struct Backbone {
    image_size: ImageSize,
    blocks_per_stage: Vec<usize>,
    num_attention_heads_per_stage: Vec<usize>,
    window_size_per_stage: Vec<usize>,
    global_attention_blocks: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ImageSize {
    Side(usize),
    Sides(Vec<usize>),
}

#[derive(Deserialize)]
#[serde(default)]
struct Decoder {
    num_attention_heads: usize,
}

// the defaults of transformers' Sam2Config, which are those of the tiny size
impl Default for Vision {
    fn default() -> Self {
        Vision { backbone_config: Backbone::default(), fpn_top_down_levels: TOP_DOWN.to_vec() }
    }
}

impl Default for Backbone {
    fn default() -> Self {
        let tiny = &PUBLISHED[0];
        Backbone {
            image_size: ImageSize::Side(IMAGE_SIZE),
            blocks_per_stage: tiny.blocks.to_vec(),
            num_attention_heads_per_stage: heads(tiny.heads).to_vec(),
            window_size_per_stage: tiny.windows.to_vec(),
            global_attention_blocks: tiny.global.to_vec(),
        }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Decoder { num_attention_heads: DECODER_HEADS }
    }
}

/// A published size: what its tensors do not tell (the authors' `configs/sam2.1/*.yaml`).
struct Published {
    width: usize,
    blocks: [usize; STAGES],
    /// Of the first stage; each stage has twice as many as the one before.
    heads: usize,
    windows: [usize; STAGES],
    global: &'static [usize],
}

/// Tiny, small, base+ and large.
const PUBLISHED: [Published; 4] = [
    Published { width: 96, blocks: [1, 2, 7, 2], heads: 1, windows: [8, 4, 14, 7], global: &[5, 7, 9] },
    Published { width: 96, blocks: [1, 2, 11, 2], heads: 1, windows: [8, 4, 14, 7], global: &[7, 10, 13] },
    Published { width: 112, blocks: [2, 3, 16, 3], heads: 2, windows: [8, 4, 14, 7], global: &[12, 16, 20] },
    Published { width: 144, blocks: [2, 6, 36, 4], heads: 2, windows: [8, 4, 16, 8], global: &[23, 33, 43] },
];
const IMAGE_SIZE: usize = 1024;
const TOP_DOWN: [usize; 2] = [2, 3];
const DECODER_HEADS: usize = 8;

fn heads(first: usize) -> [usize; STAGES] {
    std::array::from_fn(|stage| first << stage)
}

/// The sizes of the encoder, and the heads of the decoder's attention: of `config.json` beside the weights, else those published for an encoder of
/// as many channels and blocks.
pub fn sizes(weights: &Weights) -> Result<(HieraSizes, usize)> {
    let path = weights.path();
    let [width, ..] = weights.shape::<4>("image_encoder.trunk.patch_embed.proj.weight")?;
    let [channels, ..] = weights.shape::<4>("image_encoder.neck.convs.0.conv.weight")?;
    let mut outputs = Vec::new();
    while let Ok([outer, _]) =
        weights.shape::<2>(&format!("image_encoder.trunk.blocks.{}.attn.proj.weight", outputs.len()))
    {
        outputs.push(outer);
    }
    let mut widths = vec![width];
    widths.extend(outputs.windows(2).filter(|two| two[1] != two[0]).map(|two| two[1]));
    let blocks: Vec<usize> =
        widths.iter().map(|width| outputs.iter().filter(|outer| *outer == width).count()).collect();
    let described = || {
        let fact = format!("an encoder of {} blocks in stages of {widths:?} channels", outputs.len());
        Error::model(path, format!("{fact}; expected one of the sizes of SAM 2 (tiny, small, base+, large), or config.json beside the weights"))
    };
    let [widths, blocks]: [[usize; STAGES]; 2] =
        [widths.clone().try_into().map_err(|_| described())?, blocks.try_into().map_err(|_| described())?];
    let beside = path.parent().unwrap_or(Path::new(".")).join("config.json");
    if !beside.is_file() {
        let known = PUBLISHED.iter().find(|size| (size.width, size.blocks) == (width, blocks)).ok_or_else(described)?;
        let Published { windows, global, .. } = known;
        let (heads, global, top_down) = (heads(known.heads), global.to_vec(), fine_first(&TOP_DOWN));
        let windows = *windows;
        let sizes = HieraSizes { image_size: IMAGE_SIZE, widths, blocks, heads, windows, global, channels, top_down };
        return Ok((sizes, DECODER_HEADS));
    }
    let unreadable = |cause: String| Error::model(&beside, format!("not a SAM 2 configuration: {cause}"));
    let text = std::fs::read_to_string(&beside).map_err(|cause| unreadable(cause.to_string()))?;
    let config: Config = serde_json::from_str(&text).map_err(|cause| unreadable(cause.to_string()))?;
    let of = config.vision_config.backbone_config;
    let stages = |name: &str, list: Vec<usize>| -> Result<[usize; STAGES]> {
        let count = list.len();
        let is_sound = list.iter().all(|value| (1..=crate::transformer::MAX_SIZE).contains(value));
        let list: Option<[usize; STAGES]> = list.try_into().ok().filter(|_| is_sound);
        list.ok_or_else(|| unreadable(format!("{name} has {count} entries; expected {STAGES}, each of 1 or more")))
    };
    let (heads, windows) = (
        stages("num_attention_heads_per_stage", of.num_attention_heads_per_stage)?,
        stages("window_size_per_stage", of.window_size_per_stage)?,
    );
    if stages("blocks_per_stage", of.blocks_per_stage)? != blocks {
        return Err(unreadable(format!("blocks_per_stage is not that of the weights, {blocks:?}")));
    }
    let image_size = match of.image_size {
        ImageSize::Side(side) => side,
        ImageSize::Sides(sides) => sides.first().copied().unwrap_or(0),
    };
    let smallest = super::hiera::STRIDE << (STAGES - 1);
    if image_size == 0 || !image_size.is_multiple_of(smallest) || image_size > crate::transformer::MAX_SIZE {
        return Err(unreadable(format!("image_size {image_size}; expected a multiple of {smallest}")));
    }
    for (stage, (width, heads)) in widths.iter().zip(heads).enumerate() {
        if !width.is_multiple_of(heads) {
            return Err(unreadable(format!(
                "stage {stage} has {width} channels in {heads} heads; expected a multiple"
            )));
        }
    }
    let decoder_heads = config.mask_decoder_config.num_attention_heads;
    if decoder_heads == 0 || !(channels / 2).is_multiple_of(decoder_heads) {
        return Err(unreadable(format!(
            "the decoder has {channels} channels in {decoder_heads} heads; expected a multiple"
        )));
    }
    let (global, top_down) = (of.global_attention_blocks, fine_first(&config.vision_config.fpn_top_down_levels));
    let sizes = HieraSizes { image_size, widths, blocks, heads, windows, global, channels, top_down };
    Ok((sizes, decoder_heads))
}

/// The encoding `[1, c, g, g]` of an image's places by directions `[2, c / 2]`: sines and cosines of the places' middles, -1 to 1.
pub fn encoded_places(directions: &Tensor, grid: usize) -> candle_core::Result<Tensor> {
    let middles = (0..grid * grid).flat_map(|at| [at % grid, at / grid]);
    let middles: Vec<f32> = middles.map(|at| 2.0 * (at as f32 + 0.5) / grid as f32 - 1.0).collect();
    let middles = Tensor::from_vec(middles, (grid * grid, 2), directions.device())?;
    let angles = (middles.matmul(directions)? * std::f64::consts::TAU)?;
    let rows = Tensor::cat(&[angles.sin()?, angles.cos()?], 1)?; // [g * g, c]
    rows.t()?.contiguous()?.reshape((1, (), grid, grid))
}

/// Levels that the pyramid goes down through.
fn fine_first(levels: &[usize]) -> Vec<usize> {
    // the coarsest has nothing above it
    levels.iter().copied().filter(|level| *level + 1 < STAGES).collect()
}
