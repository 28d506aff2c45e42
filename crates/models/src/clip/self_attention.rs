//! Self-self attention: features of the places of an image from a vision transformer that was trained for whole images
//! (GEM, Bousselham et al., CVPR 2024; `gem_torch` 1.0.1).
//!
//! Beside the ordinary stream a second one runs through the last blocks, in which tokens attend to tokens that are like
//! them, and no MLP. It stays readable by CLIP's projection, place by place.

use super::vision_transformer::VisionTransformer;
use candle_core::{Error, Result, Tensor};
use referseg_image::resample::{resize_plane, Filter};

/// Blocks, counted from the last, through which the second stream runs (`gem_torch`, `depth=7`, which are six).
const BLOCKS: usize = 6;

impl VisionTransformer {
    /// Features `[g * g, d]`, not normalised, row by row, of the places of an image (normalised pixels `[1, 3, s, s]`,
    /// `s` a multiple of the patch size).
    pub fn places(&self, pixels: &Tensor) -> Result<Tensor> {
        let mut x = self.embed_at(pixels)?;
        let (_, t, _) = x.dims3()?;
        let blocks = BLOCKS.min(self.depth());
        x = self.run(x, 0..self.depth() - blocks)?;
        let mut places = x.clone();
        for block in self.last_blocks(blocks) {
            places = (places + block.attend_to_alike(&x)?)?;
            x = block.forward(&x, None)?;
        }
        self.project(&places.narrow(1, 1, t - 1)?.squeeze(0)?.contiguous()?)
    }

    /// Tokens of an image of any size that is a multiple of the patch size; positions are interpolated.
    fn embed_at(&self, pixels: &Tensor) -> Result<Tensor> {
        let grid = pixels.dim(3)? / self.patch_size();
        if grid == self.grid() {
            return self.embed(pixels);
        }
        self.embed_with(pixels, grid, &self.positions_on(grid)?)
    }

    /// The position embedding on another grid, `[1 + grid * grid, w]`: bicubic with antialiasing, a = -0.5 (GEM by
    /// `timm`); the class token's stays.
    pub fn positions_on(&self, grid: usize) -> Result<Tensor> {
        let own = self.position_embedding();
        let (device, known) = (own.device(), self.grid());
        let class = own.narrow(0, 0, 1)?;
        let planes = own.narrow(0, 1, known * known)?.t()?.contiguous()?.to_vec2::<f32>()?;
        let enlarged = |plane: &Vec<f32>| resize_plane(plane, (known, known), (grid, grid), Filter::Bicubic);
        let planes = planes.iter().map(enlarged).collect::<referseg_files::Result<Vec<_>>>().map_err(Error::wrap)?;
        Tensor::cat(&[class, Tensor::new(planes, device)?.t()?.contiguous()?], 0)
    }
}
