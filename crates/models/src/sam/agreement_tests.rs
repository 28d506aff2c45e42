//! Our encoders and decoder against candle-transformers' own.

use super::image_encoder::{EncoderSizes, ImageEncoder};
use super::mask_decoder::{DecoderSizes, Features, MaskDecoder};
use super::tiny_vit::TinyVit;
use candle_core::{DType, Device, Module, Tensor};
use candle_nn::{VarBuilder, VarMap};
use candle_transformers::models::segment_anything::image_encoder::ImageEncoderViT;
use candle_transformers::models::segment_anything::mask_decoder::MaskDecoder as CandlesDecoder;
use candle_transformers::models::segment_anything::tiny_vit::tiny_vit_5m;

/// candle computes GELU by its tanh form in places.
const TOLERANCE: f32 = 2e-3;

fn random(shape: &[usize], scale: f64) -> Tensor {
    (Tensor::randn(0f32, 1.0, shape, &Device::Cpu).unwrap() * scale).unwrap()
}

/// Gives every variable that was asked for a value: small, and above 0 where it is a variance.
fn fill(variables: &VarMap) {
    for (name, variable) in variables.data().lock().unwrap().iter() {
        let value = random(variable.dims(), if variable.rank() > 1 { 0.08 } else { 0.2 });
        let value = match name {
            name if name.ends_with("running_var") => (value.abs().unwrap() + 0.5).unwrap(),
            name if name.contains("norm") && name.ends_with("weight") => (value + 1.0).unwrap(),
            _ => value,
        };
        variable.set(&value).unwrap();
    }
}

fn assert_close(found: &Tensor, expected: &Tensor) {
    assert_eq!(found.dims(), expected.dims());
    let length = |x: &Tensor| x.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
    let error = length(&(found - expected).unwrap()) / length(expected);
    assert!(error < TOLERANCE, "relative error {error:.1e}");
}

#[test]
fn the_fused_vision_transformer_gives_what_candles_gives() {
    let variables = VarMap::new();
    let vb = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
    let plain = || ImageEncoderViT::new(80, 16, 3, 24, 3, 3, 16, true, true, true, 3, &[1], vb.clone()).unwrap();
    plain();
    fill(&variables);
    // 5x5 places in windows of 3: the last ones are padded
    let sizes = EncoderSizes {
        patch: 16,
        colours: 3,
        width: 24,
        hidden: 96,
        depth: 3,
        heads: 3,
        grid: 5,
        channels: 16,
        window: 3,
        global: vec![1],
    };
    let pixels = random(&[1, 3, 80, 80], 1.0);
    assert_close(&ImageEncoder::new(sizes, &vb).unwrap().forward(&pixels).unwrap(), &plain().forward(&pixels).unwrap());
}

#[test]
fn the_fused_tiny_transformer_gives_what_candles_gives() {
    let variables = VarMap::new();
    let vb = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
    tiny_vit_5m(vb.clone()).unwrap();
    fill(&variables);
    let pixels = random(&[1, 3, 1024, 1024], 1.0);
    let plain = tiny_vit_5m(vb.clone()).unwrap();
    assert_close(&TinyVit::new(&vb).unwrap().forward(&pixels).unwrap(), &plain.forward(&pixels).unwrap());
}

#[test]
fn both_decoders_give_what_candles_gives() {
    let variables = VarMap::new();
    let vb = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
    CandlesDecoder::new(32, 3, 3, 32, vb.clone()).unwrap();
    fill(&variables);
    let candles = CandlesDecoder::new(32, 3, 3, 32, vb.clone()).unwrap();
    let sizes = DecoderSizes { channels: 32, masks: 3, heads: 8, hidden: 2048, quality: (3, 32), is_second: false };
    let own = MaskDecoder::new(sizes, &vb).unwrap();
    // more places than are painted at a time
    let [embedding, places, dense] = [0; 3].map(|_| random(&[1, 32, 13, 13], 1.0));
    let sparse = random(&[5, 2, 32], 1.0);
    for multimask in [false, true] {
        let (low, quality) = candles.forward(&embedding, &places, &sparse, &dense, multimask).unwrap();
        let embedding = Features { coarse: embedding.clone(), fine: None };
        let fused = own.forward(&embedding, &places, &sparse, &dense, multimask).unwrap();
        let plain = own.plain(&embedding, &places, &sparse, &dense, multimask).unwrap();
        for own in [fused, plain] {
            assert_close(&own.low, &low);
            assert_close(&own.quality, &quality);
        }
    }
}

#[test]
fn perceptrons_may_be_of_another_width() {
    let variables = VarMap::new();
    let vb = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
    let sizes = |hidden: usize| EncoderSizes {
        patch: 16,
        colours: 3,
        width: 24,
        hidden,
        depth: 1,
        heads: 3,
        grid: 4,
        channels: 16,
        window: 4,
        global: vec![0],
    };
    ImageEncoder::new(sizes(41), &vb).unwrap();
    fill(&variables);
    let pixels = random(&[1, 3, 64, 64], 1.0);
    let embedding = ImageEncoder::new(sizes(41), &vb).unwrap().forward(&pixels).unwrap();
    assert_eq!(embedding.dims(), [1, 16, 4, 4]);
    assert!(ImageEncoder::new(sizes(96), &vb).is_err(), "the weights are of 41 channels");
}
