//! Arithmetic on feature tensors.

use candle_core::{DType, Result, Tensor, D};
use candle_nn::{Linear, Module};
use referseg_image::resample::Normalization;

/// Vectors along the last dimension, brought to unit length; zero stays zero.
///
/// # Errors
/// When the device fails.
pub fn l2_normalize(x: &Tensor) -> Result<Tensor> {
    x.broadcast_div(&x.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?.maximum(1e-12)?)
}

/// Bytes `[b, h, w, 3]` as normalized planes `[b, 3, h, w]` f32: what [`Normalization::planes`] does, on the device.
///
/// # Errors
/// When the device fails.
pub fn normalized(bytes: &Tensor, by: Normalization) -> Result<Tensor> {
    let planes = bytes.permute((0, 3, 1, 2))?.contiguous()?.to_dtype(DType::F32)?;
    let of_channels = |values: [f32; 3]| Tensor::from_slice(&values, (1, 3, 1, 1), bytes.device());
    // a quotient, for candle turns a number's into a product with its inverse
    planes
        .broadcast_div(&of_channels([255.0; 3])?)?
        .broadcast_sub(&of_channels(by.mean)?)?
        .broadcast_div(&of_channels(by.std)?)
}

/// The product `a b` of matrices. candle's CPU has none in bf16: there it is computed in f32 and rounded.
///
/// # Errors
/// When the device fails or the shapes disagree.
pub fn product(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    match lacks_product(a) {
        true => a.to_dtype(DType::F32)?.matmul(&b.to_dtype(DType::F32)?)?.to_dtype(a.dtype()),
        false => a.matmul(b),
    }
}

/// A linear layer of `x` `[.., inputs]`, in the layer's type: `[.., outputs]`, as [`product`].
///
/// # Errors
/// When the device fails or the shapes disagree.
pub fn apply(layer: &Linear, x: &Tensor) -> Result<Tensor> {
    let x = &x.to_dtype(layer.weight().dtype())?;
    if !lacks_product(x) {
        return layer.forward(x);
    }
    let bias = layer.bias().map(|bias| bias.to_dtype(DType::F32)).transpose()?;
    let wide = Linear::new(layer.weight().to_dtype(DType::F32)?, bias);
    wide.forward(&x.to_dtype(DType::F32)?)?.to_dtype(x.dtype())
}

fn lacks_product(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::BF16
}

/// Cosine similarity of features `[n, d]` with a text feature `[d]`: `[n]` f32 values in -1..1.
/// A feature of length zero has similarity 0.
///
/// # Errors
/// When the device fails or the shapes disagree.
pub fn cosine_similarities(visual: &Tensor, text: &Tensor) -> Result<Vec<f32>> {
    dot_products(&l2_normalize(visual)?, &l2_normalize(text)?)
}

/// Dot products of features `[n, d]` with a text feature `[d]`, both unnormalized: `[n]` f32. What the
/// authors do for ResNets, where a longer feature scores higher.
///
/// # Errors
/// When the device fails or the shapes disagree.
pub fn dot_products(visual: &Tensor, text: &Tensor) -> Result<Vec<f32>> {
    visual.matmul(&text.unsqueeze(1)?)?.squeeze(1)?.to_dtype(DType::F32)?.to_vec1()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn bytes_are_normalized_as_on_the_cpu() {
        let rgb: Vec<u8> = (0..2 * 4 * 3).map(|i| (i * 11) as u8).collect();
        let by = Normalization { mean: [0.48, 0.45, 0.4], std: [0.26, 0.27, 0.28] };
        let tensor = Tensor::from_slice(&rgb, (1, 2, 4, 3), &Device::Cpu).unwrap();
        let found = normalized(&tensor, by).unwrap();
        assert_eq!(found.dims(), [1, 3, 2, 4]);
        assert_eq!(found.flatten_all().unwrap().to_vec1::<f32>().unwrap(), by.planes(&rgb));
    }

    #[test]
    fn similarity_is_the_cosine_and_safe_at_zero() {
        let visual = Tensor::new(&[[3.0f32, 4.0], [0.0, 0.0], [-2.0, 0.0]], &Device::Cpu).unwrap();
        let text = Tensor::new(&[5.0f32, 0.0], &Device::Cpu).unwrap();
        let found = cosine_similarities(&visual, &text).unwrap();
        assert!((found[0] - 0.6).abs() < 1e-6);
        assert_eq!(found[1..], [0.0, -1.0]);
    }
}
