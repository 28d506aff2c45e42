//! `Siglip`: a vision and a text tower that share one feature space, loaded from a folder in Hugging Face's layout.

use super::config::{self, SiglipConfig};
use super::text::TextTower;
use super::tokenizer::Tokenizer;
use super::vision::VisionTower;
use crate::compute::Compute;
use crate::device::Device;
use crate::family::{MaskedEncoder, ModelFamily, Preprocessing, TextCut};
use crate::preprocessing::{self, Defaults};
use crate::weight_files::weights_in;
use crate::weights::{Weights, WeightsFile};
use crate::HUGGING_FACE_CONFIG;
use candle_core::{DType, Tensor};
use referseg_files::fingerprint::{of_optional_file, FileDigest, Fingerprint};
use referseg_files::{Error, Result};
use std::path::Path;

/// Raised when the towers compute something else from the same files.
const VERSION: u32 = 1;

/// A loaded SigLIP.
pub struct Siglip {
    /// Images to features.
    pub vision: VisionTower,
    /// Token ids to features.
    pub text: TextTower,
    /// Absent when only the towers were loaded.
    tokenizer: Option<Tokenizer>,
    preprocessing: Preprocessing,
    logit_scale: f32,
    logit_bias: f32,
    weights: WeightsFile,
    /// Of the configuration and the tokenizer.
    digests: [String; 2],
    device: Device,
    dtype: DType,
}

impl Siglip {
    /// Loads a folder with `config.json`, `model.safetensors` and `tokenizer.json`.
    ///
    /// # Errors
    /// When a file is absent, damaged, describes a model of another kind, or holds what `compute` can't.
    pub fn load(folder: &Path, compute: &Compute) -> Result<Siglip> {
        let (mut siglip, config) = Siglip::with_config(folder, compute)?;
        siglip.tokenizer = Some(Tokenizer::load(folder, config.text.vocabulary, config.text.context)?);
        Ok(siglip)
    }

    /// As [`Siglip::load`], without the tokenizer: for token ids from elsewhere.
    ///
    /// # Errors
    /// As [`Siglip::load`].
    pub fn load_towers(folder: &Path, compute: &Compute) -> Result<Siglip> {
        Ok(Siglip::with_config(folder, compute)?.0)
    }

    fn with_config(folder: &Path, compute: &Compute) -> Result<(Siglip, SiglipConfig)> {
        let config_file = folder.join(HUGGING_FACE_CONFIG);
        let config = config::read(&config_file)?;
        let weights = Weights::open(&weights_in(folder, "model.safetensors", "pytorch_model.bin"))?;
        for (tower, blocks) in [("vision_model", &config.vision.sizes), ("text_model", &config.text.sizes)] {
            weights.check_depth(&format!("{tower}.encoder.layers"), blocks.blocks)?;
        }
        let half = Defaults { mean: [0.5; 3], std: [0.5; 3] };
        let preprocessing = preprocessing::read(folder, &config_file, config.vision.image_size, half)?;
        let (device, dtype) = (&compute.device, compute.dtype(&weights)?);
        let vision = weights.build(DType::F32, device, |vb| VisionTower::new(&config.vision, dtype, vb))?;
        let text = weights.build(DType::F32, device, |vb| TextTower::new(&config.text, dtype, vb))?;
        let siglip = Siglip {
            vision,
            text,
            tokenizer: None,
            preprocessing,
            logit_scale: weights.number("logit_scale")?.exp(),
            logit_bias: weights.number("logit_bias")?,
            weights: weights.file().clone(),
            digests: [config_file, folder.join("tokenizer.json")].map(|file| of_optional_file(&file)),
            device: device.clone(),
            dtype,
        };
        weights.check_all_used()?;
        Ok((siglip, config))
    }
}

impl ModelFamily for Siglip {
    fn name(&self) -> &'static str {
        "SigLIP"
    }

    fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    fn logit_scale(&self) -> f32 {
        self.logit_scale
    }

    fn dtype(&self) -> DType {
        self.dtype
    }

    fn logit_bias(&self) -> Option<f32> {
        Some(self.logit_bias)
    }

    fn normalizes_before_mixing(&self) -> bool {
        false
    }

    fn grid(&self) -> usize {
        self.vision.grid()
    }

    fn encode_images(&self, pixels: &Tensor) -> Result<Tensor> {
        Ok(self.vision.features(pixels)?)
    }

    fn encode_texts(&self, texts: &[&str]) -> Result<Tensor> {
        let Some(tokenizer) = &self.tokenizer else {
            return Err(Error::Command("texts can't be encoded: the model was loaded without its tokenizer".into()));
        };
        Ok(self.text.features(&tokenizer.batch(texts, &self.device)?)?.to_device(&Device::Cpu)?)
    }

    fn text_cut(&self, text: &str) -> Option<TextCut> {
        self.tokenizer.as_ref()?.cut(text)
    }

    fn masked_encoder(&self) -> Option<&dyn MaskedEncoder> {
        Some(self)
    }

    fn weights_file(&self) -> &Path {
        &self.weights.path
    }

    fn weights_digest(&self) -> &FileDigest {
        &self.weights.digest
    }

    fn fingerprint(&self) -> Fingerprint {
        let [config, tokens] = &self.digests;
        let preprocessing = format!("{:?}", self.preprocessing);
        let parts = [self.weights.digest.get(), config, tokens, &preprocessing, self.dtype.as_str()];
        Fingerprint::of("siglip", VERSION, &parts)
    }
}

impl MaskedEncoder for Siglip {
    fn encode_shared(&self, masked_blocks: usize, pixels: &Tensor) -> Result<Tensor> {
        Ok(self.vision.tokens_before(masked_blocks, pixels)?)
    }

    fn encode_masked(&self, masked_blocks: usize, shared: &Tensor, masks: &Tensor) -> Result<Tensor> {
        Ok(self.vision.masked_features(masked_blocks, shared, masks)?)
    }
}
