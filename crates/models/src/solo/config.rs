//! `SoloConfig`: the sizes of a SOLO network and the thresholds of its masks.
//!
//! Widths and depths are read off the checkpoint. What it does not say has FreeSOLO's values (its `config.py` and
//! `freesolo_30k.yaml`), or those of a `config.json` beside the weights.

use crate::weights::Weights;
use referseg_files::{Error, Result};
use serde::Deserialize;
use std::path::Path;

/// Stages of the backbone, res2 to res5.
pub const STAGES: usize = 4;
/// Groups of every group normalisation.
pub const GROUPS: usize = 32;

/// What a checkpoint does not say.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
pub struct SoloConfig {
    /// Cells a side of each level's grid.
    pub grids: Vec<usize>,
    /// The smallest mask of each level, in pixels of the mask features, is larger than this.
    pub strides: Vec<usize>,
    /// Pictures are resized to this shorter side, pixels.
    pub short_side: usize,
    /// And to this longer side at most; none for no limit.
    pub long_side: Option<usize>,
    /// Pictures are padded to multiples of this.
    pub divisor: usize,
    /// Mean of pixels, RGB in 0..1.
    pub mean: [f32; 3],
    /// Standard deviation of pixels.
    pub std: [f32; 3],
    /// Category score above which a cell is a candidate.
    pub score_thr: f32,
    /// Probability above which a pixel is inside.
    pub mask_thr: f32,
    /// Score from which a mask stays after suppression.
    pub update_thr: f32,
    /// Masks that suppression looks at.
    pub nms_pre: usize,
    /// Masks at most.
    pub max_per_img: usize,
    /// Matrix NMS: a decay of exp(-sigma IoU^2).
    pub nms_sigma: f32,
}

impl Default for SoloConfig {
    fn default() -> Self {
        SoloConfig {
            grids: vec![40, 36, 24, 16, 12],
            strides: vec![8, 8, 16, 32, 32],
            short_side: 800,
            long_side: None,
            divisor: 32,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
            score_thr: 0.1,
            mask_thr: 0.5,
            update_thr: 0.05,
            nms_pre: 500,
            max_per_img: 100,
            nms_sigma: 2.0,
        }
    }
}

impl SoloConfig {
    /// From `config.json` beside the weights, where there is one.
    ///
    /// # Errors
    /// When it can't be used.
    pub fn beside(weights: &Path) -> Result<SoloConfig> {
        let file = weights.with_file_name("config.json");
        if !file.is_file() {
            return Ok(SoloConfig::default());
        }
        let text = std::fs::read_to_string(&file).map_err(Error::file(&file))?;
        let config: SoloConfig = serde_json::from_str(&text).map_err(|cause| Error::model(&file, cause.to_string()))?;
        let levels = config.grids.len();
        let sane = levels == STAGES + 1
            && config.strides.len() == levels
            && config.grids.iter().all(|side| (1..=100).contains(side))
            && (32..=2048).contains(&config.short_side)
            && config.divisor.is_multiple_of(32)
            && (32..=256).contains(&config.divisor)
            && config.std.iter().all(|std| *std > 0.0);
        if sane {
            return Ok(config);
        }
        let fact = format!(
            "grids {:?}, strides {:?}, short_side {}, divisor {}; expected five grids of 1 to 100 cells and five strides, a short side of 32 to \
             2048, a divisor that is a multiple of 32",
            config.grids, config.strides, config.short_side, config.divisor
        );
        Err(Error::model(&file, fact))
    }

    /// The size that a picture is resized to, and that with its padding: columns and rows.
    pub fn sizes(&self, width: usize, height: usize) -> [(usize, usize); 2] {
        // the longer side is truncated, as torchvision's resize does
        let (short, long) = (width.min(height).max(1), width.max(height));
        let (mut short_side, mut long_side) = (self.short_side, self.short_side * long / short);
        if let Some(most) = self.long_side.filter(|most| long_side > *most) {
            (short_side, long_side) = ((most * short / long).max(1), most);
        }
        let resized = if width <= height { (short_side, long_side) } else { (long_side, short_side) };
        let padded = |side: usize| side.div_ceil(self.divisor) * self.divisor;
        [resized, (padded(resized.0), padded(resized.1))]
    }
}

/// The widths and depths of a network, read off its checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizes {
    pub stem: usize,
    pub blocks: Vec<usize>,
    /// Inner and outer channels of each stage.
    pub stages: Vec<(usize, usize)>,
    pub pyramid: usize,
    pub instance: usize,
    pub instance_depth: usize,
    pub classes: usize,
    pub kernel: usize,
    pub mask: usize,
    pub masks: usize,
}

impl Sizes {
    /// Reads them.
    ///
    /// # Errors
    /// When a tensor is absent: the file is no SOLO of detectron2's layout.
    pub fn of(weights: &Weights) -> Result<Sizes> {
        let bottom = "backbone.bottom_up";
        let count = |name: &dyn Fn(usize) -> String| (0..).take_while(|at| weights.has(&name(*at))).count();
        let blocks =
            (2..2 + STAGES).map(|stage| count(&|at| format!("{bottom}.res{stage}.{at}.conv1.weight"))).collect();
        let stage = |stage: usize| -> Result<(usize, usize)> {
            let [inner, ..] = weights.shape::<4>(&format!("{bottom}.res{stage}.0.conv1.weight"))?;
            let [outer, ..] = weights.shape::<4>(&format!("{bottom}.res{stage}.0.conv3.weight"))?;
            Ok((inner, outer))
        };
        let first = |name: &str| weights.shape::<4>(name).map(|[first, ..]| first);
        let sizes = Sizes {
            stem: first(&format!("{bottom}.stem.conv1.weight"))?,
            blocks,
            stages: (2..2 + STAGES).map(stage).collect::<Result<_>>()?,
            pyramid: first("backbone.fpn_lateral2.weight")?,
            instance: first("ins_head.cate_tower.0.weight")?,
            instance_depth: count(&|at| format!("ins_head.cate_tower.{}.weight", 3 * at)),
            classes: first("ins_head.cate_pred.weight")?,
            kernel: first("ins_head.kernel_pred.weight")?,
            mask: first("mask_head.convs_all_levels.0.conv0.0.weight")?,
            masks: first("mask_head.conv_pred.0.weight")?,
        };
        if sizes.kernel != sizes.masks {
            let fact = format!(
                "kernels have {} numbers, the mask features {} channels; expected as many",
                sizes.kernel, sizes.masks
            );
            return Err(Error::model(weights.path(), fact));
        }
        Ok(sizes)
    }
}
