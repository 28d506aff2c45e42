//! `Block`: the pre-norm residual block that the towers of CLIP and SigLIP are made of.
//!
//! candle-transformers has the same blocks, but keeps them private, and the method has to step between
//! them (masking tokens before the last blocks); it also knows one activation only. Field and tensor
//! names are those of the Hugging Face checkpoint.
//!
//! Linear layers and attention compute in the tower's type; the tokens between them, their sums and norms are f32, for what
//! bf16 rounds away there is lost to all later blocks.

pub use crate::fused::Activation;
use crate::fused::{affine, norm, BlockWeights};
use crate::tensor_math::{apply, l2_normalize, product};
use candle_core::{DType, Result, Tensor, D};
use candle_nn::{layer_norm, linear, ops, LayerNorm, Linear, Module, VarBuilder};
use referseg_files::Error;
use std::path::Path;

/// Largest width, depth or side that a configuration may name.
pub const MAX_SIZE: usize = 1 << 17;

/// A tower of transformer blocks.
#[derive(Clone, Debug)]
pub struct TransformerSizes {
    /// Of a token.
    pub width: usize,
    /// Between the perceptron's layers.
    pub hidden: usize,
    /// Attention heads.
    pub heads: usize,
    /// How many blocks.
    pub blocks: usize,
    /// Between the perceptron's layers.
    pub activation: Activation,
    /// What norms add to the variance.
    pub epsilon: f64,
}

/// Refuses sizes that no tower can have, before anything divides by them.
///
/// # Errors
/// When there are such; the file at `path` names them.
pub fn check_sizes(tower: &str, sizes: &TransformerSizes, path: &Path) -> referseg_files::Result<()> {
    // far above any model; products of sizes below it do not overflow
    if sizes.width.max(sizes.hidden).max(sizes.blocks) > MAX_SIZE {
        let fact =
            format!("{tower} has width {} and {} blocks; expected at most {MAX_SIZE}", sizes.width, sizes.blocks);
        return Err(Error::model(path, fact));
    }
    if sizes.heads == 0 || sizes.width == 0 || !sizes.width.is_multiple_of(sizes.heads) {
        let fact = format!("{tower}'s width {} is not a multiple of its {} heads", sizes.width, sizes.heads);
        return Err(Error::model(path, fact));
    }
    Ok(())
}

fn activate(activation: Activation, x: &Tensor) -> Result<Tensor> {
    let (x, dtype) = (&precise(x)?, x.dtype());
    let activated = match activation {
        Activation::QuickGelu => x * ops::sigmoid(&(x * 1.702)?)?,
        Activation::Gelu => x.gelu_erf(),
        Activation::GeluTanh => x.gelu(),
    };
    activated?.to_dtype(dtype)
}

/// For what is not linear: bf16's eight bits are too few to round to at each step; other types stay as they are.
fn precise(x: &Tensor) -> Result<Tensor> {
    match x.dtype() {
        DType::BF16 => x.to_dtype(DType::F32),
        _ => Ok(x.clone()),
    }
}

/// Attention and perceptron, each behind a norm and added to the tokens.
pub struct Block {
    layer_norm1: LayerNorm,
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    out_proj: Linear,
    heads: usize,
    layer_norm2: LayerNorm,
    perceptron: Perceptron,
    epsilon: f64,
}

/// Two linear layers with an activation between.
pub struct Perceptron {
    fc1: Linear,
    fc2: Linear,
    activation: Activation,
}

impl Perceptron {
    /// Of the tensors at `fc1` and `fc2`.
    pub fn new(sizes: &TransformerSizes, vb: VarBuilder) -> Result<Perceptron> {
        Ok(Perceptron {
            fc1: linear(sizes.width, sizes.hidden, vb.pp("fc1"))?,
            fc2: linear(sizes.hidden, sizes.width, vb.pp("fc2"))?,
            activation: sizes.activation,
        })
    }

    /// `x`: `[.., w]`, in the layers' type or f32; returns `[.., w]` f32.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        apply(&self.fc2, &activate(self.activation, &apply(&self.fc1, x)?)?)?.to_dtype(DType::F32)
    }
}

/// The blocks at `encoder.layers` of a tower, whose products are computed in `dtype`.
pub fn blocks(sizes: &TransformerSizes, dtype: DType, tower: &VarBuilder) -> Result<Vec<Block>> {
    let layers = tower.pp("encoder.layers");
    (0..sizes.blocks).map(|index| Block::new(sizes, dtype, layers.pp(index))).collect()
}

impl Block {
    fn new(sizes: &TransformerSizes, dtype: DType, vb: VarBuilder) -> Result<Block> {
        let (w, wide, vb) = (sizes.width, vb.to_dtype(DType::F32), vb.to_dtype(dtype));
        let attention = vb.pp("self_attn");
        Ok(Block {
            layer_norm1: layer_norm(w, sizes.epsilon, wide.pp("layer_norm1"))?,
            q_proj: linear(w, w, attention.pp("q_proj"))?,
            k_proj: linear(w, w, attention.pp("k_proj"))?,
            v_proj: linear(w, w, attention.pp("v_proj"))?,
            out_proj: linear(w, w, attention.pp("out_proj"))?,
            heads: sizes.heads,
            layer_norm2: layer_norm(w, sizes.epsilon, wide.pp("layer_norm2"))?,
            perceptron: Perceptron::new(sizes, vb.pp("mlp"))?,
            epsilon: sizes.epsilon,
        })
    }

    /// The weights for the fused path; `None` on a device other than the CPU.
    pub fn weights(&self) -> Option<BlockWeights<'_>> {
        Some(BlockWeights {
            norm1: norm(&self.layer_norm1, self.epsilon)?,
            q: affine(&self.q_proj)?,
            k: affine(&self.k_proj)?,
            v: affine(&self.v_proj)?,
            out: affine(&self.out_proj)?,
            heads: self.heads,
            norm2: norm(&self.layer_norm2, self.epsilon)?,
            fc1: affine(&self.perceptron.fc1)?,
            fc2: affine(&self.perceptron.fc2)?,
            activation: self.perceptron.activation,
        })
    }

    /// `x`: `[b, t, w]`; `bias`, added to the attention logits: `[t, t]` or `[b, 1, t, t]`. Returns `[b, t, w]`.
    pub fn forward(&self, x: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        let x = (x + self.attend(&self.layer_norm1.forward(x)?, bias)?)?;
        &x + self.perceive(&x)?
    }

    /// What the perceptron adds to `x`, of its shape.
    fn perceive(&self, x: &Tensor) -> Result<Tensor> {
        self.perceptron.forward(&self.layer_norm2.forward(x)?)
    }

    fn attend(&self, x: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        let (b, t, w) = x.dims3()?;
        let x = &x.to_dtype(self.q_proj.weight().dtype())?;
        let depth = w / self.heads;
        // [b, t, w] -> [b, heads, t, depth]
        let split = |x: Tensor| x.reshape((b, t, self.heads, depth))?.transpose(1, 2)?.contiguous();
        let q = split((apply(&self.q_proj, x)? * (depth as f64).powf(-0.5))?)?;
        let k = split(apply(&self.k_proj, x)?)?;
        let v = split(apply(&self.v_proj, x)?)?;
        let mut logits = product(&q, &k.transpose(D::Minus1, D::Minus2)?)?; // [b, heads, t, t]
        if let Some(bias) = bias {
            logits = logits.broadcast_add(&bias.to_dtype(logits.dtype())?)?;
        }
        let weights = ops::softmax_last_dim(&precise(&logits)?)?.to_dtype(v.dtype())?;
        let attended = product(&weights, &v)?;
        apply(&self.out_proj, &attended.transpose(1, 2)?.reshape((b, t, w))?)?.to_dtype(DType::F32)
    }

    /// GEM's self-self attention: what each token of `x` (`[1, t, w]`) finds in the tokens that are like it as a query,
    /// as a key and as a value, averaged and projected; `[1, t, w]`, to be added to a stream of its own.
    pub fn attend_to_alike(&self, x: &Tensor) -> Result<Tensor> {
        let (b, t, w) = x.dims3()?;
        let depth = w / self.heads;
        let seen = self.layer_norm1.forward(x)?;
        // the mean length of a token, over the full width
        let length = seen.sqr()?.sum(D::Minus1)?.sqrt()?.mean_all()?.to_scalar::<f32>()?;
        let sharpness = f64::from(length) * (depth as f64).powf(-0.5);
        let split =
            |x: Tensor| x.to_dtype(DType::F32)?.reshape((b, t, self.heads, depth))?.transpose(1, 2)?.contiguous();
        let alike = |s: &Tensor| {
            let s = l2_normalize(s)?;
            ops::softmax_last_dim(&(s.matmul(&s.transpose(D::Minus1, D::Minus2)?)? * sharpness)?)
        };
        let v = split(apply(&self.v_proj, &seen)?)?;
        let mut found = v.zeros_like()?;
        for part in [split(apply(&self.q_proj, &seen)?)?, split(apply(&self.k_proj, &seen)?)?, v.clone()] {
            let unit = l2_normalize(&part)?;
            let part = alike(&unit)?.matmul(&unit)?; // GEM's one extra iteration
            found = (found + alike(&part)?.matmul(&v)?)?;
        }
        apply(&self.out_proj, &(found / 3.0)?.transpose(1, 2)?.reshape((b, t, w))?)?.to_dtype(DType::F32)
    }

    /// Lone tokens `[n, w]`, each of which sees itself and the patches `[p, w]` through its row of `bias`
    /// (`[n, p]`, added to the attention logits). Returns `[n, w]`.
    pub fn forward_regions(&self, regions: &Tensor, patches: &Tensor, bias: &Tensor) -> Result<Tensor> {
        let (n, w) = regions.dims2()?;
        let depth = w / self.heads;
        // [m, w] -> [heads, m, depth]
        let split = |x: Tensor| x.to_dtype(DType::F32)?.reshape(((), self.heads, depth))?.transpose(0, 1)?.contiguous();
        let (lone, shared) = (self.layer_norm1.forward(regions)?, self.layer_norm1.forward(patches)?);
        let q = split((apply(&self.q_proj, &lone)? * (depth as f64).powf(-0.5))?)?;
        let own = (&q * split(apply(&self.k_proj, &lone)?)?)?.sum_keepdim(D::Minus1)?; // [heads, n, 1]
        let k = split(apply(&self.k_proj, &shared)?)?;
        let seen = q.matmul(&k.transpose(1, 2)?)?.broadcast_add(bias)?; // [heads, n, p]
        let weights = ops::softmax_last_dim(&Tensor::cat(&[own, seen], 2)?)?;
        let p = patches.dim(0)?;
        let of_own = weights.narrow(2, 0, 1)?.broadcast_mul(&split(apply(&self.v_proj, &lone)?)?)?;
        let of_seen = weights.narrow(2, 1, p)?.contiguous()?.matmul(&split(apply(&self.v_proj, &shared)?)?)?;
        let attended = (of_own + of_seen)?.transpose(0, 1)?.reshape((n, w))?;
        let x = (regions + apply(&self.out_proj, &attended)?.to_dtype(DType::F32)?)?;
        &x + self.perceive(&x)?
    }
}
