//! `ModelFamily`: what the method needs of a model that puts images and texts into one feature space.
//!
//! Preprocessing, encoding, pooling, logit scale and bias are the family's own. What not every family can do is a
//! capability: methods ask for it and are offered where it is there. A new family is one implementation and one arm in
//! its loader.
//!
//! Letters in shapes: `b` batch, `n` proposals, `t` tokens, `w` width, `d` feature, `s` image side, `g` cells a side.

use candle_core::{DType, Tensor};
use referseg_files::fingerprint::{FileDigest, Fingerprint};
use referseg_files::Result;
use referseg_image::resample::{Filter, Normalization};
use std::path::Path;

/// Which of HybridGL's two streams is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HybridReadout {
    /// The local one, to which the global one was added.
    G2l,
    /// The global one, to which the local one was added.
    L2g,
    /// The sum of both features.
    Sum,
}

/// How a checkpoint wants its pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocessing {
    /// Side of the square input, pixels.
    pub image_size: usize,
    /// How its pixels are normalized.
    pub normalization: Normalization,
    /// The filter that brings images to `image_size`.
    pub filter: Filter,
}

/// A text with more tokens than a model reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextCut {
    /// What it has, start and end included.
    pub tokens: usize,
    /// What is read of it.
    pub read: usize,
}

/// A loaded model of images and texts.
pub trait ModelFamily: Send + Sync {
    /// What it is, for messages: "CLIP vision transformer".
    fn name(&self) -> &'static str;

    /// How it wants its pixels.
    fn preprocessing(&self) -> &Preprocessing;

    /// The factor on cosine similarities that makes them logits, `exp(logit_scale)`.
    fn logit_scale(&self) -> f32;

    /// The type that it computes in; pixels, masks and features are f32 all the same.
    fn dtype(&self) -> DType;

    /// What is added to the scaled similarity to make it the logit of a probability, for models with a sigmoid loss
    /// (SigLIP); `None` for those with a softmax loss, whose similarities can only be compared.
    fn logit_bias(&self) -> Option<f32> {
        None
    }

    /// How a text is cut to what the model reads, if it is.
    fn text_cut(&self, text: &str) -> Option<TextCut>;

    /// Whether features are brought to unit length before they are mixed (the authors' code: ResNets only).
    fn normalizes_before_mixing(&self) -> bool;

    /// Cells along each side of the grid that masks are brought to.
    fn grid(&self) -> usize;

    /// Features `[b, d]` of normalized pixels `[b, 3, s, s]`, unnormalized.
    ///
    /// # Errors
    /// When the device fails or the shape is another.
    fn encode_images(&self, pixels: &Tensor) -> Result<Tensor>;

    /// Features `[b, d]` of texts, unnormalized, on the CPU.
    ///
    /// # Errors
    /// When the vocabulary can't express a text or the device fails.
    fn encode_texts(&self, texts: &[&str]) -> Result<Tensor>;

    /// Encoding of a whole image through masks, if the family can.
    fn masked_encoder(&self) -> Option<&dyn MaskedEncoder> {
        None
    }

    /// A token for each region, if the family can.
    fn region_encoder(&self) -> Option<&dyn RegionEncoder> {
        None
    }

    /// A feature for each place, if the family can.
    fn dense_encoder(&self) -> Option<&dyn DenseEncoder> {
        None
    }

    /// HybridGL's features of proposals, if the family can.
    fn hybrid_encoder(&self) -> Option<&dyn HybridEncoder> {
        None
    }

    /// A feature for each place by self-self attention, if the family can.
    fn place_encoder(&self) -> Option<&dyn PlaceEncoder> {
        None
    }

    /// The file that the weights came from.
    fn weights_file(&self) -> &Path;

    /// The SHA-256 of that file.
    fn weights_digest(&self) -> &FileDigest;

    /// What its features depend on: the contents of all its files.
    fn fingerprint(&self) -> Fingerprint;
}

/// Encodes one image once and then through many masks (section 3.2 of the paper).
pub trait MaskedEncoder {
    /// What all proposals of one image (normalized pixels `[1, 3, s, s]`) share: all but the last `masked_blocks`
    /// blocks of a transformer, or the last map of a ResNet, which has no use for the number.
    ///
    /// # Errors
    /// When the device fails or the shape is another.
    fn encode_shared(&self, masked_blocks: usize, pixels: &Tensor) -> Result<Tensor>;

    /// Features `[n, d]`, unnormalized, of what [`MaskedEncoder::encode_shared`] gave with the same number of blocks,
    /// seen through `n` masks `[n, g * g]` with values in 0..1.
    ///
    /// # Errors
    /// When the device fails or the shapes disagree.
    fn encode_masked(&self, masked_blocks: usize, shared: &Tensor, masks: &Tensor) -> Result<Tensor>;
}

/// Reads each region of an image by a class token of its own (AdaptingCLIP, Li et al. 2022).
pub trait RegionEncoder {
    /// Features `[n, d]`, unnormalized, of normalized pixels `[1, 3, s, s]` inside `n` masks `[n, g * g]`, 0 or 1.
    ///
    /// # Errors
    /// When the device fails or the shapes disagree.
    fn encode_regions(&self, pixels: &Tensor, masks: &Tensor) -> Result<Tensor>;
}

/// Sees each proposal in two pictures at once (HybridGL, Liu and Li 2025).
pub trait HybridEncoder {
    /// Features `[n, d]`, unnormalized, of `n` proposals: their local and their global pictures (normalized pixels
    /// `[n, 3, s, s]` each) and their masks `[n, g * g]` with values in 0..1. The two streams meet in the last
    /// `joined_blocks` blocks.
    ///
    /// # Errors
    /// When the device fails or the shapes disagree.
    fn encode_hybrid(
        &self,
        readout: HybridReadout,
        joined_blocks: usize,
        pictures: [&Tensor; 2],
        masks: &Tensor,
    ) -> Result<Tensor>;
}

/// Gives each place of an image a feature that is comparable with texts (GEM, Bousselham et al. 2024).
pub trait PlaceEncoder {
    /// Side of the square input, pixels: twice what the model was trained for (HybridGL: 448 for 224).
    fn image_size(&self) -> usize;

    /// Features `[g * g, d]`, unnormalized, row by row, of normalized pixels `[1, 3, s, s]`.
    ///
    /// # Errors
    /// When the device fails or the shape is another.
    fn encode_places(&self, pixels: &Tensor) -> Result<Tensor>;
}

/// Keeps the places of an image apart, for heat maps.
pub trait DenseEncoder {
    /// The last map `[1, w, g, g]` of normalized pixels `[1, 3, s, s]`.
    ///
    /// # Errors
    /// When the device fails or the shape is another.
    fn encode_map(&self, pixels: &Tensor) -> Result<Tensor>;

    /// The feature `[1, d]` that the model makes of a map, unnormalized and differentiable.
    ///
    /// # Errors
    /// When the device fails.
    fn pool_map(&self, map: &Tensor) -> Result<Tensor>;

    /// Features of every place of a map, `[g * g, d]`, unnormalized (MaskCLIP, Zhou et al. 2022).
    ///
    /// # Errors
    /// When the device fails.
    fn encode_places(&self, map: &Tensor) -> Result<Tensor>;

    /// A map with its channels at unit length at every place.
    ///
    /// # Errors
    /// When the device fails.
    fn normalize_map(&self, map: &Tensor) -> Result<Tensor>;
}
