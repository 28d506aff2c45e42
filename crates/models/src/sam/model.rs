//! `SamModel`: Segment Anything (Kirillov et al. 2023), MobileSAM and SAM 2 (Ravi et al. 2024) on candle: an image is embedded once, then
//! points and boxes are decoded to masks.
//!
//! The parts are candle-transformers', but for the decoder, and the encoder on the CPU; this file reads their sizes off the checkpoint and keeps the
//! coordinates. Spaces: *image* pixels; *model* pixels, where the longer side has the model's size and the rest
//! is padding (SAM 2: both sides have it); *low* pixels, a quarter of those, in which the decoder answers.

use super::hiera::{Hiera, Pyramid, STRIDE};
use super::image_encoder::{EncoderSizes, ImageEncoder};
use super::layout;
use super::mask_decoder::{DecoderSizes, Features, MaskDecoder};
use super::prompt::{Decoded, Embedding, Prompt, PromptedMask};
use super::second_layout;
use super::tiny_vit::TinyVit;
use crate::compute::Compute;
use crate::device::Device;
use crate::tensor_math::normalized;
use crate::weight_files::weights_in;
use crate::weights::Weights;
use candle_core::{DType, Module, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::segment_anything::image_encoder::ImageEncoderViT;
use candle_transformers::models::segment_anything::prompt_encoder::PromptEncoder;
use candle_transformers::models::segment_anything::tiny_vit::{tiny_vit_5m, TinyViT};
use referseg_files::fingerprint::FileDigest;
use referseg_files::{Error, Result};
use referseg_image::resample::{resize_like_pillow, Filter, Normalization};
use referseg_image::{Frame, Rect};
use std::path::{Path, PathBuf};

/// ImageNet's mean and deviation, of pixels in 0..1, with which SAM was trained.
const NORMALIZATION: Normalization = Normalization {
    mean: [123.675 / 255.0, 116.28 / 255.0, 103.53 / 255.0],
    std: [58.395 / 255.0, 57.12 / 255.0, 57.375 / 255.0],
};
/// Channels of the mask prompt's first layers.
const MASK_CHANNELS: usize = 16;
/// Masks that the decoder gives to one ambiguous prompt.
const MULTIMASK: usize = 3;
/// Heads of SAM's decoder.
const DECODER_HEADS: usize = 8;
/// Layers of the perceptron that predicts a mask's quality.
const QUALITY_LAYERS: usize = 3;
/// A label that candle's prompt encoder gives no embedding, only the place.
const CORNER: f32 = 2.0;
/// MobileSAM's encoder comes in one size only.
const TINY: Sizes = Sizes { image_size: 1024, grid: 64, channels: 256 };

enum Encoder {
    /// On the CPU.
    Fused(Box<ImageEncoder>),
    /// On the CPU.
    FusedTiny(Box<TinyVit>),
    /// On other devices.
    Vit(Box<ImageEncoderViT>),
    /// On other devices.
    Tiny(Box<TinyViT>),
    /// SAM 2's.
    Hiera(Box<Hiera>),
}

/// What the decoder must know of the encoder.
#[derive(Clone, Copy)]
struct Sizes {
    /// Model pixels a side.
    image_size: usize,
    /// Places of the embedding a side.
    grid: usize,
    /// Channels of the embedding.
    channels: usize,
}

/// A loaded SAM or MobileSAM.
pub struct SamModel {
    encoder: Encoder,
    prompts: PromptEncoder,
    /// The encoding of the image's places, `[1, c, grid, grid]`.
    places: Tensor,
    /// The embeddings of a box's two corners, `[2, c]`.
    corners: Tensor,
    /// SAM 2's: what stands behind the points and corners of every prompt, `[1, c]`.
    padding: Option<Tensor>,
    /// SAM 2's, `[1, 1, c]`: an image that is no frame of a video.
    no_memory: Option<Tensor>,
    decoder: Box<MaskDecoder>,
    sizes: Sizes,
    digest: FileDigest,
    device: Device,
    /// What the encoder computes in; prompts and decoder are f32.
    dtype: DType,
}

/// The file of weights that a path names: itself, or `model.safetensors` or `pytorch_model.bin` of a folder, or the index of its parts.
pub fn weights_file(path: &Path) -> PathBuf {
    if path.is_dir() {
        weights_in(path, "model.safetensors", "pytorch_model.bin")
    } else {
        path.to_path_buf()
    }
}

impl SamModel {
    /// Loads a file, or `model.safetensors` of a folder: SAM ViT, MobileSAM or SAM 2, of the original layout or (but for MobileSAM) of
    /// Hugging Face's.
    ///
    /// # Errors
    /// When the file is absent, damaged, of another model, or holds what `compute` can't.
    pub fn open(path: &Path, compute: &Compute) -> Result<SamModel> {
        let file = weights_file(path);
        if !file.is_file() {
            let fact =
                "no such file; expected SAM, MobileSAM or SAM 2 weights. `referseg models list` shows where they come from";
            return Err(Error::model(file, fact));
        }
        let weights = Weights::open(&file)?;
        if let Some(other) = layout::other_model(&weights) {
            let fact = format!("weights of {other}; expected SAM (ViT-B, L or H), MobileSAM or SAM 2");
            return Err(Error::model(file, fact));
        }
        let device = &compute.device;
        // the fused encoders of the CPU are f32
        let dtype = if device.is_cpu() { DType::F32 } else { compute.dtype(&weights)? };
        let second = second_layout::layout_of(&weights);
        let weights = match second {
            Some(layout) => weights.with_layout(layout),
            None if weights.has("vision_encoder.pos_embed") => weights.with_layout(layout::hugging_face),
            None => weights,
        };
        let mut heads = DECODER_HEADS;
        let (encoder, sizes) = if second.is_some() {
            let (sizes, of_decoder) = second_layout::sizes(&weights)?;
            heads = of_decoder;
            let (image_size, channels) = (sizes.image_size, sizes.channels);
            let encoder = weights.build(dtype, device, |vb| Hiera::new(sizes, &vb.pp("image_encoder")))?;
            let grid = image_size / (4 * STRIDE);
            (Encoder::Hiera(Box::new(encoder)), Sizes { image_size, grid, channels })
        } else if weights.has("image_encoder.patch_embed.seq.0.c.weight") {
            let encoder = weights.build(dtype, device, |vb| {
                let vb = vb.pp("image_encoder");
                Ok(match device.is_cpu() {
                    true => Encoder::FusedTiny(Box::new(TinyVit::new(&vb)?)),
                    false => Encoder::Tiny(Box::new(tiny_vit_5m(vb)?)),
                })
            })?;
            (encoder, TINY)
        } else if weights.has("image_encoder.pos_embed") || weights.has("vision_encoder.pos_embed") {
            vision_transformer(&weights, dtype, device)?
        } else {
            let fact =
                "neither SAM (tensor \"image_encoder.pos_embed\" or \"vision_encoder.pos_embed\"), MobileSAM \
                        (\"image_encoder.patch_embed.seq.0.c.weight\") nor SAM 2 (\"image_encoder.trunk.patch_embed.proj.weight\"); \
                        later models are not supported";
            return Err(Error::model(file, fact));
        };
        let Sizes { image_size, grid, channels } = sizes;
        let [_, of_quality] = weights.shape("mask_decoder.iou_prediction_head.layers.1.weight")?;
        let [hidden, _] = weights.shape("mask_decoder.transformer.layers.0.mlp.lin1.weight")?;
        let of_decoder = DecoderSizes {
            channels,
            masks: MULTIMASK,
            heads,
            hidden,
            quality: (QUALITY_LAYERS, of_quality),
            is_second: second.is_some(),
        };
        let (prompts, corners, decoder, rest) = weights.build(DType::F32, device, |vb: VarBuilder| {
            let (at, side) = ((grid, grid), (image_size, image_size));
            let prompts = PromptEncoder::new(channels, at, side, MASK_CHANNELS, vb.pp("prompt_encoder"))?;
            let decoder = Box::new(MaskDecoder::new(of_decoder, &vb.pp("mask_decoder"))?);
            let corner =
                |index: usize| vb.get((1, channels), &format!("prompt_encoder.point_embeddings.{index}.weight"));
            let corners = Tensor::cat(&[corner(2)?, corner(3)?], 0)?;
            let of_second = |name: &str| second.map(|_| vb.get_unchecked(name)).transpose();
            let places = match of_second(second_layout::PLACES)? {
                Some(directions) => second_layout::encoded_places(&directions, grid)?,
                None => prompts.get_dense_pe()?,
            };
            let padding = of_second("prompt_encoder.not_a_point_embed.weight")?;
            Ok((prompts, corners, decoder, (places, padding, of_second("no_memory")?)))
        })?;
        let (places, padding, no_memory) = rest;
        weights.check_all_used()?;
        Ok(SamModel {
            encoder,
            prompts,
            places,
            corners,
            padding,
            no_memory,
            decoder,
            sizes,
            digest: weights.file().digest.clone(),
            dtype,
            device: device.clone(),
        })
    }

    /// The SHA-256 of its file.
    pub fn digest(&self) -> &FileDigest {
        &self.digest
    }

    /// What the image encoder computes in.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Model pixels a side.
    pub fn image_size(&self) -> usize {
        self.sizes.image_size
    }

    /// Embeds `[1, 3, s, s]` normalised and padded model pixels.
    ///
    /// # Errors
    /// When the device fails or the shape is another.
    pub fn features(&self, pixels: &Tensor) -> Result<Features> {
        let pixels = &pixels.to_dtype(self.dtype)?;
        let features = match &self.encoder {
            Encoder::Hiera(_) => return self.second_features_by(pixels, !self.device.is_cpu()),
            Encoder::Fused(encoder) => encoder.forward(pixels)?,
            Encoder::FusedTiny(encoder) => encoder.forward(pixels)?,
            Encoder::Vit(encoder) => encoder.forward(pixels)?,
            Encoder::Tiny(encoder) => encoder.forward(pixels)?,
        };
        Ok(Features { coarse: features.to_dtype(DType::F32)?, fine: None })
    }

    /// SAM 2's features, by candle's operations or fused.
    pub(super) fn second_features_by(&self, pixels: &Tensor, is_plain: bool) -> Result<Features> {
        let (Encoder::Hiera(encoder), Some(no_memory)) = (&self.encoder, &self.no_memory) else {
            return Err(Error::Computation("another model than SAM 2; this is a bug".into()));
        };
        let maps: Pyramid = if is_plain { encoder.plain(pixels)? } else { encoder.forward(pixels)? };
        let [finest, finer, coarse] = maps.map(|map| map.to_dtype(DType::F32));
        Ok(self.decoder.features(&[finest?, finer?, coarse?], no_memory)?)
    }

    /// Embeds a frame: its longer side to the model's size, zeros behind the shorter one; SAM 2's both sides.
    ///
    /// # Errors
    /// When the device fails.
    pub fn embed(&self, frame: &Frame) -> Result<Embedding> {
        self.embed_crop(frame, Rect::whole(frame.width(), frame.height()))
    }

    /// Embeds a rectangle of an image, which becomes the image that prompts and masks speak of.
    ///
    /// # Errors
    /// When it reaches outside the frame or the device fails.
    pub fn embed_crop(&self, frame: &Frame, crop: Rect) -> Result<Embedding> {
        let side = self.sizes.image_size;
        let scale = side as f64 / crop.width.max(crop.height) as f64;
        let scaled = |length: usize| ((length as f64 * scale + 0.5) as usize).clamp(1, side);
        let is_squashed = matches!(self.encoder, Encoder::Hiera(_));
        let inner = if is_squashed { (side, side) } else { (scaled(crop.width), scaled(crop.height)) };
        let part = frame.cropped(crop)?;
        let part = match inner == (crop.width, crop.height) {
            true => part,
            false => resize_like_pillow(&part, inner.0, inner.1, Filter::Bilinear)?,
        };
        let planes = match self.device.is_cpu() {
            true => Tensor::from_vec(NORMALIZATION.planes(part.rgb()), (1, 3, inner.1, inner.0), &self.device)?,
            // bytes are a quarter of what normalized pixels are to carry
            false => {
                let bytes = Tensor::from_slice(part.rgb(), (1, inner.1, inner.0, 3), &self.device)?;
                normalized(&bytes, NORMALIZATION)?
            }
        };
        let padded = planes.pad_with_zeros(2, 0, side - inner.1)?.pad_with_zeros(3, 0, side - inner.0)?;
        let features = self.features(&padded)?;
        Ok(Embedding { features, image: (crop.width, crop.height), inner, side, is_squashed })
    }

    /// Asks `n` lone points (`[x, y]` in image pixels), each for several masks of growing size.
    ///
    /// # Errors
    /// When the device fails.
    pub fn decode_points(&self, embedding: &Embedding, points: &[[f32; 2]]) -> Result<Decoded> {
        let flat: Vec<f32> = points.iter().flat_map(|point| embedding.in_model(*point)).collect();
        let coordinates = Tensor::from_vec(flat, (points.len(), 1, 2), &self.device)?;
        let labels = Tensor::ones((points.len(), 1), DType::F32, &self.device)?;
        let (sparse, dense) = self.prompts.forward(Some((&coordinates, &labels)), None, None)?;
        self.decode(embedding, &sparse, &dense, true)
    }

    /// Asks `n` boxes (left, top, right and bottom in image pixels), each for three masks with `multimask`, else one.
    ///
    /// # Errors
    /// When the device fails.
    pub fn decode_boxes(&self, embedding: &Embedding, boxes: &[[f32; 4]], multimask: bool) -> Result<Decoded> {
        let (sparse, dense) = self.embedded_boxes(embedding, boxes)?;
        self.decode(embedding, &sparse, &dense, multimask)
    }

    /// With what SAM 2 has behind the corners of a box.
    fn padded(&self, sparse: Tensor) -> Result<Tensor> {
        let Some(padding) = &self.padding else { return Ok(sparse) };
        let (n, _, c) = sparse.dims3()?;
        Ok(Tensor::cat(&[sparse, padding.reshape((1, 1, c))?.broadcast_as((n, 1, c))?.contiguous()?], 1)?)
    }

    /// Boxes as the decoder reads them: `[n, 2 or 3, c]`, and `[1, c, grid, grid]`.
    fn embedded_boxes(&self, embedding: &Embedding, boxes: &[[f32; 4]]) -> Result<(Tensor, Tensor)> {
        let in_model = |[left, top, right, bottom]: &[f32; 4]| {
            [[*left, *top], [*right, *bottom]].map(|corner| embedding.in_model(corner)).concat()
        };
        let flat: Vec<f32> = boxes.iter().flat_map(in_model).collect();
        let places = Tensor::from_vec(flat, (boxes.len(), 2, 2), &self.device)?;
        let labels = Tensor::full(CORNER, (boxes.len(), 2), &self.device)?;
        let (sparse, dense) = self.prompts.forward(Some((&places, &labels)), None, None)?;
        // candle's own boxes lose a dimension (0.11); corners are places with embeddings of their own, and no padding
        // point behind them
        Ok((self.padded(sparse.narrow(1, 0, 2)?.broadcast_add(&self.corners)?)?, dense))
    }

    /// `sparse`: `[n, tokens, c]`; `dense`: `[1, c, grid, grid]`.
    fn decode(&self, embedding: &Embedding, sparse: &Tensor, dense: &Tensor, multimask: bool) -> Result<Decoded> {
        let places = &self.places;
        let features = &embedding.features;
        let found = match self.device.is_cpu() {
            true => self.decoder.forward(features, places, sparse, dense, multimask)?,
            false => self.decoder.plain(features, places, sparse, dense, multimask)?,
        };
        Ok(Decoded { low: found.low, predicted_iou: found.quality, object: found.object })
    }

    /// The decoder's answer to one prompt: three masks of growing size with `multimask`, else one.
    ///
    /// # Errors
    /// When the prompt is empty or the device fails.
    pub fn ask(&self, embedding: &Embedding, prompt: &Prompt, multimask: bool) -> Result<Decoded> {
        let (corners, points) = match prompt {
            Prompt::Box(corners) => return self.decode_boxes(embedding, &[*corners], multimask),
            Prompt::Points(points) => (None, points),
            Prompt::BoxWithPoints(corners, points) => (Some(*corners), points),
        };
        if points.is_empty() {
            return Err(Error::Proposals("a prompt without points; expected at least one".into()));
        }
        let flat: Vec<f32> = points.iter().flat_map(|(place, _)| embedding.in_model(*place)).collect();
        let labels: Vec<f32> = points.iter().map(|(_, inside)| f32::from(u8::from(*inside))).collect();
        let places = Tensor::from_vec(flat, (1, points.len(), 2), &self.device)?;
        let labels = Tensor::from_vec(labels, (1, points.len()), &self.device)?;
        let (sparse, dense) = self.prompts.forward(Some((&places, &labels)), None, None)?;
        let sparse = match corners {
            // the padding point stands where no box does
            Some(corners) => {
                let points = sparse.narrow(1, 0, points.len())?;
                Tensor::cat(&[points, self.embedded_boxes(embedding, &[corners])?.0], 1)?
            }
            None => sparse,
        };
        self.decode(embedding, &sparse, &dense, multimask)
    }

    /// The masks for one prompt, best first: three of growing size with `multimask`, else one.
    ///
    /// # Errors
    /// As [`SamModel::ask`].
    pub fn segment(&self, embedding: &Embedding, prompt: &Prompt, multimask: bool) -> Result<Vec<PromptedMask>> {
        let decoded = self.ask(embedding, prompt, multimask)?;
        let quality = decoded.quality()?;
        let low = decoded.logits()?;
        let mut masks = Vec::new();
        for (low, predicted_iou) in low.chunks_exact(low.len() / quality.len().max(1)).zip(quality) {
            masks.push(PromptedMask { mask: embedding.mask(low), predicted_iou });
        }
        masks.sort_by(|a, b| b.predicted_iou.total_cmp(&a.predicted_iou));
        Ok(masks)
    }
}

/// Channels within a perceptron for each of its block, which candle's encoder can't be told otherwise (0.11).
const CANDLES_EXPANSION: usize = 4;

/// SAM's vision transformer, its sizes read off the tensors.
fn vision_transformer(weights: &Weights, dtype: DType, device: &Device) -> Result<(Encoder, Sizes)> {
    let [_, grid, _, width] = weights.shape("image_encoder.pos_embed")?;
    let [_, colours, patch, _] = weights.shape("image_encoder.patch_embed.proj.weight")?;
    let [channels, _, _, _] = weights.shape("image_encoder.neck.0.weight")?;
    let mut global = Vec::new();
    let mut window = 0;
    let (mut depth, mut heads) = (0, 1);
    while let Ok([reach, head]) = weights.shape(&format!("image_encoder.blocks.{depth}.attn.rel_pos_h")) {
        heads = width.checked_div(head).unwrap_or(1).max(1);
        match reach == 2 * grid - 1 {
            true => global.push(depth),
            false => window = reach.div_ceil(2),
        }
        depth += 1;
    }
    if depth == 0 {
        let fact = "tensor \"image_encoder.blocks.0.attn.rel_pos_h\" is absent; expected SAM's relative positions";
        return Err(Error::model(weights.path(), fact));
    }
    let [hidden, _] = weights.shape("image_encoder.blocks.0.mlp.lin1.weight")?;
    if !device.is_cpu() && hidden != CANDLES_EXPANSION * width {
        let fact = format!(
            "perceptrons of {hidden} channels; expected {} on this device, the width of its blocks times \
             {CANDLES_EXPANSION}. `device: cpu` runs it",
            CANDLES_EXPANSION * width
        );
        return Err(Error::model(weights.path(), fact));
    }
    let image_size = grid * patch;
    let encoder = weights.build(dtype, device, |vb| {
        let vb = vb.pp("image_encoder");
        if device.is_cpu() {
            let sizes = EncoderSizes { patch, colours, width, hidden, depth, heads, grid, channels, window, global };
            return Ok(Encoder::Fused(Box::new(ImageEncoder::new(sizes, &vb)?)));
        }
        let (bias, relative, absolute) = (true, true, true);
        let encoder = ImageEncoderViT::new(
            image_size, patch, colours, width, depth, heads, channels, bias, relative, absolute, window, &global, vb,
        )?;
        Ok(Encoder::Vit(Box::new(encoder)))
    })?;
    Ok((encoder, Sizes { image_size, grid, channels }))
}
