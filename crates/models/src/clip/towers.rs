//! `Towers`: CLIP's vision and text towers as a model family, and what each kind of vision tower can do.

use super::checkpoint::Checkpoint;
use super::resnet::ResNet;
use super::text::TextEncoder;
use super::tokenizer::Tokenizer;
use super::vision_transformer::VisionTransformer;
use crate::device::Device;
use crate::family::HybridReadout;
use crate::family::{
    DenseEncoder, HybridEncoder, MaskedEncoder, ModelFamily, PlaceEncoder, Preprocessing, RegionEncoder, TextCut,
};
use candle_core::{DType, Tensor};
use referseg_files::fingerprint::{FileDigest, Fingerprint};
use referseg_files::{Error, Result};
use std::path::Path;

/// A vision tower of kind `V` with its text tower.
pub struct Towers<V> {
    /// Images to features.
    pub vision: V,
    /// Token ids to features.
    pub text: TextEncoder,
    /// Absent when only the towers were loaded.
    tokenizer: Option<Tokenizer>,
    checkpoint: Checkpoint,
    device: Device,
    /// What the products of the blocks are computed in; all else is f32.
    dtype: DType,
}

impl<V> Towers<V> {
    pub(super) fn new(
        vision: V,
        text: TextEncoder,
        checkpoint: Checkpoint,
        device: &Device,
        dtype: DType,
    ) -> Towers<V> {
        Towers { vision, text, tokenizer: None, checkpoint, device: device.clone(), dtype }
    }

    pub(super) fn set_tokenizer(&mut self, tokenizer: Tokenizer) {
        self.tokenizer = Some(tokenizer);
    }
}

/// The methods in which both kinds agree.
macro_rules! common_to_both_kinds {
    () => {
        fn preprocessing(&self) -> &Preprocessing {
            &self.checkpoint.preprocessing
        }

        fn logit_scale(&self) -> f32 {
            self.checkpoint.logit_scale
        }

        fn dtype(&self) -> DType {
            self.dtype
        }

        fn text_cut(&self, text: &str) -> Option<TextCut> {
            self.tokenizer.as_ref()?.cut(text)
        }

        fn grid(&self) -> usize {
            self.vision.grid()
        }

        fn encode_texts(&self, texts: &[&str]) -> Result<Tensor> {
            let Some(tokenizer) = &self.tokenizer else {
                return Err(Error::Command(
                    "texts can't be encoded: the model was loaded without its tokenizer".into(),
                ));
            };
            Ok(self.text.features(&tokenizer.batch(texts, &self.device)?)?.to_device(&Device::Cpu)?)
        }

        fn masked_encoder(&self) -> Option<&dyn MaskedEncoder> {
            Some(self)
        }

        fn weights_file(&self) -> &Path {
            &self.checkpoint.weights.path
        }

        fn weights_digest(&self) -> &FileDigest {
            &self.checkpoint.weights.digest
        }

        fn fingerprint(&self) -> Fingerprint {
            self.checkpoint.fingerprint(self.dtype)
        }
    };
}

impl ModelFamily for Towers<VisionTransformer> {
    fn name(&self) -> &'static str {
        "CLIP vision transformer"
    }

    fn normalizes_before_mixing(&self) -> bool {
        false
    }

    fn encode_images(&self, pixels: &Tensor) -> Result<Tensor> {
        Ok(self.vision.features(pixels)?)
    }

    fn region_encoder(&self) -> Option<&dyn RegionEncoder> {
        Some(self)
    }

    fn hybrid_encoder(&self) -> Option<&dyn HybridEncoder> {
        Some(self)
    }

    fn place_encoder(&self) -> Option<&dyn PlaceEncoder> {
        Some(self)
    }

    common_to_both_kinds!();
}

impl MaskedEncoder for Towers<VisionTransformer> {
    fn encode_shared(&self, masked_blocks: usize, pixels: &Tensor) -> Result<Tensor> {
        Ok(self.vision.tokens_before(masked_blocks, pixels)?)
    }

    fn encode_masked(&self, masked_blocks: usize, shared: &Tensor, masks: &Tensor) -> Result<Tensor> {
        Ok(self.vision.masked_features(masked_blocks, shared, masks)?)
    }
}

impl RegionEncoder for Towers<VisionTransformer> {
    fn encode_regions(&self, pixels: &Tensor, masks: &Tensor) -> Result<Tensor> {
        Ok(self.vision.region_tokens(pixels, masks)?)
    }
}

impl HybridEncoder for Towers<VisionTransformer> {
    fn encode_hybrid(
        &self,
        readout: HybridReadout,
        joined_blocks: usize,
        pictures: [&Tensor; 2],
        masks: &Tensor,
    ) -> Result<Tensor> {
        Ok(self.vision.hybrid_features(readout, joined_blocks, pictures, masks)?)
    }
}

impl PlaceEncoder for Towers<VisionTransformer> {
    fn image_size(&self) -> usize {
        2 * self.vision.image_size()
    }

    fn encode_places(&self, pixels: &Tensor) -> Result<Tensor> {
        Ok(self.vision.places(pixels)?)
    }
}

impl ModelFamily for Towers<Box<ResNet>> {
    fn name(&self) -> &'static str {
        "CLIP ResNet"
    }

    fn normalizes_before_mixing(&self) -> bool {
        true
    }

    fn encode_images(&self, pixels: &Tensor) -> Result<Tensor> {
        Ok(self.vision.pooled(&self.vision.map(pixels)?)?)
    }

    fn dense_encoder(&self) -> Option<&dyn DenseEncoder> {
        Some(self)
    }

    common_to_both_kinds!();
}

impl MaskedEncoder for Towers<Box<ResNet>> {
    fn encode_shared(&self, _: usize, pixels: &Tensor) -> Result<Tensor> {
        Ok(ResNet::normalize_map(&self.vision.map(pixels)?)?)
    }

    fn encode_masked(&self, _: usize, shared: &Tensor, masks: &Tensor) -> Result<Tensor> {
        Ok(self.vision.masked_features(shared, masks)?)
    }
}

impl DenseEncoder for Towers<Box<ResNet>> {
    fn encode_map(&self, pixels: &Tensor) -> Result<Tensor> {
        Ok(self.vision.map(pixels)?)
    }

    fn pool_map(&self, map: &Tensor) -> Result<Tensor> {
        Ok(self.vision.pooled(map)?)
    }

    fn encode_places(&self, map: &Tensor) -> Result<Tensor> {
        Ok(self.vision.dense(map)?)
    }

    fn normalize_map(&self, map: &Tensor) -> Result<Tensor> {
        Ok(ResNet::normalize_map(map)?)
    }
}
