//! `ResNet`: CLIP's ModifiedResNet: three convolutions before the stages, average pooling where it strides,
//! and an attention pool at the end.
//!
//! Field and tensor names are those of the OpenCLIP checkpoint (below `visual.`). The pool's softmax is the
//! composed one of candle-nn, because Grad-CAM needs its gradient.

use super::config::ResNetConfig;
use candle_core::{Result, Tensor, D};
use candle_nn::{batch_norm, conv2d_no_bias, linear, ops, BatchNorm, Conv2d, Conv2dConfig, Linear, Module, ModuleT};
use candle_nn::{BatchNormConfig, VarBuilder};

/// torch's default, with which CLIP was trained.
const EPSILON: f64 = 1e-5;
/// A bottleneck's output is this many times as wide as its middle.
const EXPANSION: usize = 4;

/// A convolution without bias and the normalisation behind it.
struct Normed {
    convolution: Conv2d,
    norm: BatchNorm,
}

impl Normed {
    fn new(
        from: usize,
        to: usize,
        kernel: usize,
        stride: usize,
        names: (&str, &str),
        vb: &VarBuilder,
    ) -> Result<Normed> {
        let config = Conv2dConfig { stride, padding: kernel / 2, ..Default::default() };
        Ok(Normed {
            convolution: conv2d_no_bias(from, to, kernel, config, vb.pp(names.0))?,
            norm: batch_norm(to, BatchNormConfig { eps: EPSILON, ..Default::default() }, vb.pp(names.1))?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.norm.forward_t(&self.convolution.forward(x)?, false)
    }
}

struct Bottleneck {
    conv1: Normed,
    conv2: Normed,
    conv3: Normed,
    downsample: Option<Normed>,
    stride: usize,
}

impl Bottleneck {
    fn new(from: usize, middle: usize, stride: usize, vb: &VarBuilder) -> Result<Bottleneck> {
        let to = middle * EXPANSION;
        let resized = stride > 1 || from != to;
        Ok(Bottleneck {
            conv1: Normed::new(from, middle, 1, 1, ("conv1", "bn1"), vb)?,
            conv2: Normed::new(middle, middle, 3, 1, ("conv2", "bn2"), vb)?,
            conv3: Normed::new(middle, to, 1, 1, ("conv3", "bn3"), vb)?,
            downsample: resized
                .then(|| Normed::new(from, to, 1, 1, ("downsample.0", "downsample.1"), vb))
                .transpose()?,
            stride,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let strided = |x: Tensor| if self.stride > 1 { x.avg_pool2d(self.stride) } else { Ok(x) };
        let inner = self.conv2.forward(&self.conv1.forward(x)?.relu()?)?.relu()?;
        let inner = self.conv3.forward(&strided(inner)?)?;
        let shortcut = match &self.downsample {
            Some(downsample) => downsample.forward(&strided(x.clone())?)?,
            None => x.clone(),
        };
        (inner + shortcut)?.relu()
    }
}

/// CLIP's ModifiedResNet.
pub struct ResNet {
    stem: [Normed; 3],
    stages: Vec<Bottleneck>,
    position_embedding: Tensor,
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    c_proj: Linear,
    heads: usize,
    image_size: usize,
}

impl ResNet {
    pub(super) fn new(config: &ResNetConfig, projection: usize, vb: VarBuilder) -> Result<ResNet> {
        let vb = vb.pp("visual");
        let w = config.width;
        let stem = |from, to, stride, number: usize| {
            Normed::new(from, to, 3, stride, (&format!("conv{number}"), &format!("bn{number}")), &vb)
        };
        let mut stages = Vec::new();
        let mut from = w;
        for (stage, &blocks) in config.layers.iter().enumerate() {
            let middle = w << stage;
            for block in 0..blocks {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                let at = vb.pp(format!("layer{}", stage + 1)).pp(block);
                stages.push(Bottleneck::new(from, middle, stride, &at)?);
                from = middle * EXPANSION;
            }
        }
        let pool = vb.pp("attnpool");
        let g = config.image_size / ResNetConfig::REDUCTION;
        Ok(ResNet {
            stem: [stem(3, w / 2, 2, 1)?, stem(w / 2, w / 2, 1, 2)?, stem(w / 2, w, 1, 3)?],
            stages,
            position_embedding: pool.get((g * g + 1, from), "positional_embedding")?,
            q_proj: linear(from, from, pool.pp("q_proj"))?,
            k_proj: linear(from, from, pool.pp("k_proj"))?,
            v_proj: linear(from, from, pool.pp("v_proj"))?,
            c_proj: linear(from, projection, pool.pp("c_proj"))?,
            heads: config.heads,
            image_size: config.image_size,
        })
    }

    /// Side of the square input, pixels.
    pub fn image_size(&self) -> usize {
        self.image_size
    }

    /// Places along each side of the last map.
    pub fn grid(&self) -> usize {
        self.image_size / ResNetConfig::REDUCTION
    }

    /// The last stage's map `[b, w, g, g]` of normalised pixels `[b, 3, s, s]`.
    pub fn map(&self, pixels: &Tensor) -> Result<Tensor> {
        let mut x = pixels.clone();
        for layer in &self.stem {
            x = layer.forward(&x)?.relu()?;
        }
        x = x.avg_pool2d(2)?;
        for block in &self.stages {
            x = block.forward(&x)?;
        }
        Ok(x)
    }

    /// A map `[b, w, g, g]` with its channels brought to unit length at every place.
    pub fn normalize_map(map: &Tensor) -> Result<Tensor> {
        map.broadcast_div(&map.sqr()?.sum_keepdim(1)?.sqrt()?.maximum(1e-12)?)
    }

    /// The attention pool: a map `[b, w, g, g]` to features `[b, d]`, not normalised. The query is the map's
    /// mean; keys and values are the mean and every place, each with its position's embedding.
    pub fn pooled(&self, map: &Tensor) -> Result<Tensor> {
        let (b, w, _, _) = map.dims4()?;
        let places = map.flatten_from(2)?.transpose(1, 2)?; // [b, g * g, w]
        let tokens = Tensor::cat(&[&places.mean_keepdim(1)?, &places], 1)?;
        let tokens = tokens.broadcast_add(&self.position_embedding)?.contiguous()?;
        let (t, depth) = (tokens.dim(1)?, w / self.heads);
        // [b, t, w] -> [b, heads, t, depth]
        let split = |x: Tensor, t: usize| x.reshape((b, t, self.heads, depth))?.transpose(1, 2)?.contiguous();
        let query = tokens.narrow(1, 0, 1)?.contiguous()?;
        let q = split((self.q_proj.forward(&query)? * (depth as f64).powf(-0.5))?, 1)?;
        let k = split(self.k_proj.forward(&tokens)?, t)?;
        let v = split(self.v_proj.forward(&tokens)?, t)?;
        let logits = q.matmul(&k.transpose(D::Minus1, D::Minus2)?.contiguous()?)?;
        let attended = ops::softmax(&logits, D::Minus1)?.matmul(&v)?; // [b, heads, 1, depth]
        self.c_proj.forward(&attended.transpose(1, 2)?.reshape((b, w))?)
    }

    /// The map of one image times each mask `[n, g * g]`, pooled: `[n, d]`. Masked places stay keys: they
    /// contribute their position's embedding, as in the authors' code.
    pub(super) fn masked_features(&self, map: &Tensor, masks: &Tensor) -> Result<Tensor> {
        let (n, g) = (masks.dim(0)?, self.grid());
        self.pooled(&map.broadcast_mul(&masks.reshape((n, 1, g, g))?)?)
    }

    /// What the pool would answer at each place, without attention: value and output projections, with their
    /// biases. Map `[1, w, g, g]` to `[g * g, d]`, not normalised (MaskCLIP, Zhou et al. 2022).
    pub fn dense(&self, map: &Tensor) -> Result<Tensor> {
        let places = map.squeeze(0)?.flatten_from(1)?.t()?.contiguous()?; // [g * g, w]
        self.c_proj.forward(&self.v_proj.forward(&places)?)
    }
}
