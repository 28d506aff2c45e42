//! Hugging Face's names of SAM's tensors (`facebook/sam-vit-*`), for the original's.

use crate::weights::{TensorSource, Weights};

/// Parts of names, original and Hugging Face's; all that apply are applied, in this order.
const PARTS: [(&str, &str); 22] = [
    ("prompt_encoder.pe_layer.positional_encoding_gaussian_matrix", "shared_image_embedding.positional_embedding"),
    ("image_encoder.patch_embed.proj", "vision_encoder.patch_embed.projection"),
    ("image_encoder.blocks.", "vision_encoder.layers."),
    ("image_encoder.neck.0", "vision_encoder.neck.conv1"),
    ("image_encoder.neck.1", "vision_encoder.neck.layer_norm1"),
    ("image_encoder.neck.2", "vision_encoder.neck.conv2"),
    ("image_encoder.neck.3", "vision_encoder.neck.layer_norm2"),
    ("image_encoder.", "vision_encoder."),
    (".point_embeddings.", ".point_embed."),
    (".mask_downscaling.0", ".mask_embed.conv1"),
    (".mask_downscaling.1", ".mask_embed.layer_norm1"),
    (".mask_downscaling.3", ".mask_embed.conv2"),
    (".mask_downscaling.4", ".mask_embed.layer_norm2"),
    (".mask_downscaling.6", ".mask_embed.conv3"),
    (".norm_final_attn", ".layer_norm_final_attn"),
    (".norm1", ".layer_norm1"),
    (".norm2", ".layer_norm2"),
    (".norm3", ".layer_norm3"),
    (".norm4", ".layer_norm4"),
    (".output_upscaling.0", ".upscale_conv1"),
    (".output_upscaling.1", ".upscale_layer_norm"),
    (".output_upscaling.3", ".upscale_conv2"),
];

/// Tensors by which models that are none of these are known, and what they are.
const OTHERS: [(&str, &str); 2] =
    [("mask_decoder.hf_token.weight", "SAM-HQ"), ("mask_decoder.hq_token.weight", "SAM-HQ")];

/// The name of another model of this kind, which is like SAM but computes otherwise, if the weights are of one.
pub fn other_model(weights: &Weights) -> Option<&'static str> {
    let under = |name: &str| weights.has(name) || weights.has(&format!("model.{name}"));
    OTHERS.iter().find(|(tensor, _)| under(tensor)).map(|(_, name)| *name)
}

/// Where Hugging Face keeps the tensor of this original name.
pub fn hugging_face(name: &str) -> TensorSource {
    let mut renamed = name.to_string();
    for (original, theirs) in PARTS {
        renamed = renamed.replace(original, theirs);
    }
    // the small perceptrons have named ends: three layers each
    if let Some((mlp, layer)) = perceptron(&renamed) {
        let (index, kind) = layer.split_once('.').unwrap_or((layer, ""));
        let renamed_layer = match index {
            "0" => "proj_in",
            "1" => "layers.0",
            _ => "proj_out",
        };
        renamed = format!("{mlp}.{renamed_layer}.{kind}");
    }
    TensorSource::Whole(renamed)
}

/// A perceptron's name up to its layers, and the rest.
fn perceptron(name: &str) -> Option<(&str, &str)> {
    let (mlp, layer) = name.split_once(".layers.")?;
    let one = mlp == "mask_decoder.iou_prediction_head" || mlp.starts_with("mask_decoder.output_hypernetworks_mlps.");
    one.then_some((mlp, layer))
}
