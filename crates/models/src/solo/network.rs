//! `Network`: backbone, feature pyramid, instance head and mask head of a SOLOv2. Tensors are `[1, channels, rows, columns]`, f32 or the
//! model's dtype; names are those of the authors' checkpoint (detectron2).

use super::config::{Sizes, GROUPS, STAGES};
use candle_core::{Result, Tensor};
use candle_nn::{batch_norm, conv2d, conv2d_no_bias, group_norm, BatchNorm, BatchNormConfig};
use candle_nn::{Conv2d, Conv2dConfig, GroupNorm, Module, ModuleT, VarBuilder};

/// Of batch and group normalisation, torch's default.
const EPSILON: f64 = 1e-5;

fn config(kernel: usize, stride: usize) -> Conv2dConfig {
    Conv2dConfig { stride, padding: kernel / 2, ..Default::default() }
}

/// A convolution without bias and a frozen batch normalisation.
struct Normed {
    convolution: Conv2d,
    norm: BatchNorm,
}

impl Normed {
    fn new(from: usize, to: usize, kernel: usize, stride: usize, vb: VarBuilder) -> Result<Normed> {
        Ok(Normed {
            convolution: conv2d_no_bias(from, to, kernel, config(kernel, stride), vb.clone())?,
            norm: batch_norm(to, BatchNormConfig { eps: EPSILON, ..Default::default() }, vb.pp("norm"))?,
        })
    }
}

impl Module for Normed {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.norm.forward_t(&self.convolution.forward(x)?, false)
    }
}

/// A convolution without bias, a group normalisation, ReLU.
struct Unit {
    convolution: Conv2d,
    norm: GroupNorm,
}

impl Unit {
    fn new(from: usize, to: usize, kernel: usize, convolution: VarBuilder, norm: VarBuilder) -> Result<Unit> {
        Ok(Unit {
            convolution: conv2d_no_bias(from, to, kernel, config(kernel, 1), convolution)?,
            norm: group_norm(GROUPS, to, EPSILON, norm)?,
        })
    }
}

impl Module for Unit {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.norm.forward(&self.convolution.forward(x)?)?.relu()
    }
}

struct Bottleneck {
    convolutions: [Normed; 3],
    shortcut: Option<Normed>,
}

impl Bottleneck {
    fn new(from: usize, (inner, outer): (usize, usize), stride: usize, vb: VarBuilder) -> Result<Bottleneck> {
        let convolutions = [
            Normed::new(from, inner, 1, 1, vb.pp("conv1"))?,
            // the stride is in the 3x3, as in torchvision's
            Normed::new(inner, inner, 3, stride, vb.pp("conv2"))?,
            Normed::new(inner, outer, 1, 1, vb.pp("conv3"))?,
        ];
        let changes = from != outer || stride > 1;
        let shortcut = changes.then(|| Normed::new(from, outer, 1, stride, vb.pp("shortcut"))).transpose()?;
        Ok(Bottleneck { convolutions, shortcut })
    }
}

impl Module for Bottleneck {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let [first, second, third] = &self.convolutions;
        let inner = third.forward(&second.forward(&first.forward(x)?.relu()?)?.relu()?)?;
        let shortcut = self.shortcut.as_ref().map_or_else(|| Ok(x.clone()), |shortcut| shortcut.forward(x))?;
        (inner + shortcut)?.relu()
    }
}

/// The rows of linear interpolation from `from` places to `to`, half-pixel centres, edges clamped, no antialiasing: `[from, to]`.
fn interpolation(from: usize, to: usize, like: &Tensor) -> Result<Tensor> {
    let mut weights = vec![0f32; from * to];
    for column in 0..to {
        let place = ((column as f32 + 0.5) * (from as f32 / to as f32) - 0.5).max(0.0);
        let low = (place as usize).min(from - 1);
        let high = (low + 1).min(from - 1);
        let part = place - low as f32;
        weights[low * to + column] += 1.0 - part;
        weights[high * to + column] += part;
    }
    Tensor::from_vec(weights, (from, to), like.device())?.to_dtype(like.dtype())
}

/// Bilinear resizing of `[1, c, h, w]`.
pub fn resized(x: &Tensor, rows: usize, columns: usize) -> Result<Tensor> {
    let (_, channels, h, w) = x.dims4()?;
    if (h, w) == (rows, columns) {
        return Ok(x.clone());
    }
    let wide = x.reshape((channels * h, w))?.matmul(&interpolation(w, columns, x)?)?;
    let turned = wide.reshape((channels, h, columns))?.transpose(1, 2)?.contiguous()?;
    let tall = turned.reshape((channels * columns, h))?.matmul(&interpolation(h, rows, x)?)?;
    tall.reshape((channels, columns, rows))?.transpose(1, 2)?.contiguous()?.unsqueeze(0)
}

/// With two more channels: x and y, from -1 to 1 over the columns and rows.
fn with_coordinates(x: &Tensor) -> Result<Tensor> {
    let (_, _, h, w) = x.dims4()?;
    let line = |count: usize| -> Vec<f32> {
        (0..count).map(|at| if count > 1 { 2.0 * at as f32 / (count - 1) as f32 - 1.0 } else { -1.0 }).collect()
    };
    let axis = |values: Vec<f32>, shape: (usize, usize, usize, usize)| {
        Tensor::from_vec(values, shape, x.device())?.to_dtype(x.dtype())?.broadcast_as((1, 1, h, w))
    };
    Tensor::cat(&[x, &axis(line(w), (1, 1, 1, w))?, &axis(line(h), (1, 1, h, 1))?], 1)
}

/// The outputs of a network for a picture.
pub struct Outputs {
    /// Of each level: category logits `[cells, classes]`, cells row-major.
    pub categories: Vec<Tensor>,
    /// Of each level: kernels `[cells, masks]`.
    pub kernels: Vec<Tensor>,
    /// `[1, masks, h / 4, w / 4]`.
    pub mask_features: Tensor,
}

/// A SOLOv2.
pub struct Network {
    stem: Normed,
    stages: Vec<Vec<Bottleneck>>,
    laterals: Vec<Conv2d>,
    outputs: Vec<Conv2d>,
    category_tower: Vec<Unit>,
    kernel_tower: Vec<Unit>,
    category: Conv2d,
    kernel: Conv2d,
    /// Of each level of the pyramid.
    mask_units: Vec<Vec<Unit>>,
    mask_output: Unit,
}

impl Network {
    /// Builds it.
    ///
    /// # Errors
    /// When a tensor is absent or of another shape.
    pub fn new(sizes: &Sizes, vb: VarBuilder) -> Result<Network> {
        let bottom = vb.pp("backbone.bottom_up");
        let stage = |at: usize| -> Result<Vec<Bottleneck>> {
            let before = if at == 0 { sizes.stem } else { sizes.stages[at - 1].1 };
            let block = |index: usize| {
                let from = if index == 0 { before } else { sizes.stages[at].1 };
                let stride = if index == 0 && at > 0 { 2 } else { 1 };
                Bottleneck::new(from, sizes.stages[at], stride, bottom.pp(format!("res{}.{index}", at + 2)))
            };
            (0..sizes.blocks[at]).map(block).collect()
        };
        let backbone = vb.pp("backbone");
        let lateral = |at: usize| {
            conv2d(sizes.stages[at].1, sizes.pyramid, 1, config(1, 1), backbone.pp(format!("fpn_lateral{}", at + 2)))
        };
        let output = |at: usize| {
            conv2d(sizes.pyramid, sizes.pyramid, 3, config(3, 1), backbone.pp(format!("fpn_output{}", at + 2)))
        };
        let head = vb.pp("ins_head");
        let tower = |name: &str, from: usize| -> Result<Vec<Unit>> {
            let vb = head.pp(name);
            let unit = |at: usize| {
                let from = if at == 0 { from } else { sizes.instance };
                Unit::new(from, sizes.instance, 3, vb.pp(3 * at), vb.pp(3 * at + 1))
            };
            (0..sizes.instance_depth).map(unit).collect()
        };
        let levels = vb.pp("mask_head.convs_all_levels");
        let units = |level: usize| -> Result<Vec<Unit>> {
            let unit = |at: usize| {
                let from = match (at, level) {
                    (0, level) if level + 1 == STAGES => sizes.pyramid + 2,
                    (0, _) => sizes.pyramid,
                    _ => sizes.mask,
                };
                let vb = levels.pp(format!("{level}.conv{at}"));
                Unit::new(from, sizes.mask, 3, vb.pp(0), vb.pp(1))
            };
            (0..level.max(1)).map(unit).collect()
        };
        let last = vb.pp("mask_head.conv_pred");
        Ok(Network {
            stem: Normed::new(3, sizes.stem, 7, 2, bottom.pp("stem.conv1"))?,
            stages: (0..STAGES).map(stage).collect::<Result<_>>()?,
            laterals: (0..STAGES).map(lateral).collect::<Result<_>>()?,
            outputs: (0..STAGES).map(output).collect::<Result<_>>()?,
            category_tower: tower("cate_tower", sizes.pyramid)?,
            kernel_tower: tower("kernel_tower", sizes.pyramid + 2)?,
            category: conv2d(sizes.instance, sizes.classes, 3, config(3, 1), head.pp("cate_pred"))?,
            kernel: conv2d(sizes.instance, sizes.kernel, 3, config(3, 1), head.pp("kernel_pred"))?,
            mask_units: (0..STAGES).map(units).collect::<Result<_>>()?,
            mask_output: Unit::new(sizes.mask, sizes.masks, 1, last.pp(0), last.pp(1))?,
        })
    }

    /// The four stages' outputs, res2 to res5, strides 4 to 32.
    pub fn backbone(&self, pixels: &Tensor) -> Result<Vec<Tensor>> {
        let stem = self.stem.forward(pixels)?.relu()?;
        // behind a ReLU zeros pad a maximum as nothing would
        let padded = stem.pad_with_zeros(2, 1, 1)?.pad_with_zeros(3, 1, 1)?;
        let mut x = padded.max_pool2d_with_stride(3, 2)?;
        let mut outputs = Vec::new();
        for stage in &self.stages {
            for block in stage {
                x = block.forward(&x)?;
            }
            outputs.push(x.clone());
        }
        Ok(outputs)
    }

    /// The pyramid, P2 to P6.
    pub fn pyramid(&self, stages: &[Tensor]) -> Result<Vec<Tensor>> {
        let mut levels = Vec::new();
        let mut above: Option<Tensor> = None;
        for at in (0..STAGES).rev() {
            let lateral = self.laterals[at].forward(&stages[at])?;
            let sum = match above {
                Some(above) => {
                    let (_, _, h, w) = lateral.dims4()?;
                    (lateral + above.upsample_nearest2d(h, w)?)?
                }
                None => lateral,
            };
            levels.push(self.outputs[at].forward(&sum)?);
            above = Some(sum);
        }
        levels.reverse();
        let last = &levels[STAGES - 1];
        let every_other = |count: usize| Tensor::arange_step(0u32, count as u32, 2, last.device());
        let (_, _, h, w) = last.dims4()?;
        let top = last.index_select(&every_other(h)?, 2)?.index_select(&every_other(w)?, 3)?;
        levels.push(top);
        Ok(levels)
    }

    /// The instance head's inputs: P2 halved, P3, P4, P5, and P6 brought to P5's size.
    pub fn levels(pyramid: &[Tensor]) -> Result<Vec<Tensor>> {
        let (_, _, h, w) = pyramid[0].dims4()?;
        let (_, _, h5, w5) = pyramid[3].dims4()?;
        Ok(vec![
            resized(&pyramid[0], h / 2, w / 2)?,
            pyramid[1].clone(),
            pyramid[2].clone(),
            pyramid[3].clone(),
            resized(&pyramid[4], h5, w5)?,
        ])
    }

    /// Category logits and kernels of a level whose grid has `side` cells a side.
    pub fn instances(&self, level: &Tensor, side: usize) -> Result<(Tensor, Tensor)> {
        let grid = resized(&with_coordinates(level)?, side, side)?;
        let channels = grid.dim(1)?;
        let through = |tower: &[Unit], x: Tensor| tower.iter().try_fold(x, |x, unit| unit.forward(&x));
        let cells = |x: Tensor| {
            let channels = x.dim(1)?;
            x.reshape((channels, side * side))?.t()?.contiguous()
        };
        let kernels = self.kernel.forward(&through(&self.kernel_tower, grid.clone())?)?;
        let without = grid.narrow(1, 0, channels - 2)?.contiguous()?;
        let categories = self.category.forward(&through(&self.category_tower, without)?)?;
        Ok((cells(categories)?, cells(kernels)?))
    }

    /// The mask features of a pyramid.
    pub fn mask_features(&self, pyramid: &[Tensor]) -> Result<Tensor> {
        let mut sum: Option<Tensor> = None;
        for (level, units) in self.mask_units.iter().enumerate() {
            let mut x = pyramid[level].clone();
            if level + 1 == STAGES {
                x = with_coordinates(&x)?;
            }
            for unit in units {
                x = unit.forward(&x)?;
                if level > 0 {
                    let (_, _, h, w) = x.dims4()?;
                    x = resized(&x, 2 * h, 2 * w)?;
                }
            }
            sum = Some(match sum {
                Some(sum) => (sum + x)?,
                None => x,
            });
        }
        let sum = sum.ok_or_else(|| candle_core::Error::Msg("a pyramid without levels".into()))?;
        self.mask_output.forward(&sum)
    }

    /// Everything for a picture of normalised pixels `[1, 3, h, w]`, sides multiples of 32.
    pub fn forward(&self, pixels: &Tensor, grids: &[usize]) -> Result<Outputs> {
        let pyramid = self.pyramid(&self.backbone(pixels)?)?;
        let mask_features = self.mask_features(&pyramid)?;
        let levels = Network::levels(&pyramid)?;
        let heads = levels.iter().zip(grids).map(|(level, side)| self.instances(level, *side));
        let (categories, kernels) = heads.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        Ok(Outputs { categories, kernels, mask_features })
    }
}
