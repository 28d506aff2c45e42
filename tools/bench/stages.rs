//! Times the parts that `tools/bench/against_pytorch.py` compares, and prints them as one line of JSON, milliseconds.
//!
//!     cargo run --release --example stages -- clip MODEL PICTURE LABELS.png RUNS
//!     cargo run --release --example stages -- sam WEIGHTS PICTURE RUNS [DEVICE] [DTYPE]
//!     cargo run --release --example stages -- generator WEIGHTS PICTURE RUNS
//!     cargo run --release --example stages -- masks WIDTH HEIGHT RUNS
//!     cargo run --release --example stages -- sam-parity WEIGHTS PICTURE DEVICE DTYPE
//!
//! `masks`: the clean-up of 40 masks of Segment Anything, and the masks of 40 boxes from a topic, in a picture of this size. The last
//! compares a device with the CPU: relative differences of the embedding and of the decoder's logits.

use candle_core::{Device, Tensor};
use rayon::prelude::*;
use referseg::config::{Config, Layer};
use referseg::grounding::Segmenter;
use referseg::image::{DetectedBox, ExternalProposals, Frame, Mask, Rect};
use referseg::language::Command;
use referseg::models::sam::SamModel;
use referseg::models::Compute;
use referseg::models::Dtype;
use referseg::proposals::{remove_small_regions, FrameInput, SamGenerator};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// 64 points in a grid, as HybridGL asks Segment Anything.
fn points(width: usize, height: usize) -> Vec<[f32; 2]> {
    let at = |i: usize, side: usize| (i as f32 + 0.5) * side as f32 / 8.0;
    (0..64).map(|i| [at(i % 8, width), at(i / 8, height)]).collect()
}

/// 40 boxes of half the picture's width and height, spread over it.
fn boxes(width: usize, height: usize) -> Vec<Rect> {
    let at = |i: usize| Rect { x: i % 8 * width / 16, y: i / 8 * height / 10, width: width / 2, height: height / 2 };
    (0..40).map(at).collect()
}

/// A box with holes of one pixel and, beside it, islands of one pixel.
fn perforated(rect: Rect, width: usize, height: usize) -> Mask {
    let inside = |x, y| (rect.x..rect.right()).contains(&x) && (rect.y..rect.bottom()).contains(&y);
    Mask::from_fn(width, height, |x, y| inside(x, y) != (x % 40 == 0 && y % 40 == 0))
}

/// A picture of coloured tiles under noise.
fn noisy(width: usize, height: usize) -> referseg::Result<Frame> {
    let mut state = 1u32;
    let pixel = |at: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let tile = (at % width / 97 * 31 + at / width / 97 * 57) as u32;
        [tile * 40, tile * 90, tile * 170].map(|shade| (shade % 230 + state % 25) as u8)
    };
    Frame::new(width, height, (0..width * height).flat_map(pixel).collect())
}

/// The device and the type that the arguments name; f32 on the CPU without.
fn compute(on: &[&str]) -> referseg::Result<Compute> {
    let device = referseg::device::open(on.first().unwrap_or(&"cpu"))?;
    let dtype = match on.get(1) {
        Some(&"f16") => Dtype::F16,
        Some(&"bf16") => Dtype::Bf16,
        _ => Dtype::F32,
    };
    Ok(Compute { device, dtype })
}

fn main() -> referseg::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut note = |part: &'static str, began: Instant| {
        times.entry(part).or_default().push(began.elapsed().as_secs_f64() * 1e3);
    };
    match arguments[..] {
        ["clip", model, picture, labels, runs] => {
            let layers = [
                Layer::value("bench", "model", model),
                Layer::value("bench", "proposals.generator", format!("labels:{labels}")),
                Layer::value("bench", "proposals.limit", 100),
                Layer::value("bench", "guidance", "none"),
            ];
            let segmenter = Segmenter::open(Config::from_layers(&layers)?)?;
            let frame = referseg::image::open(Path::new(picture))?;
            let command = Command::parse("the red mug behind the laptop")?;
            for _ in 0..runs.parse().unwrap_or(1) {
                let began = Instant::now();
                segmenter.encode_frame(&FrameInput::single(&frame))?;
                note("clip_features", began);
                let began = Instant::now();
                segmenter.encode_command(&command)?;
                note("clip_texts", began);
            }
        }
        ["sam", weights, picture, runs, ref on @ ..] => {
            let compute = compute(on)?;
            let sam = SamModel::open(Path::new(weights), &compute)?;
            let frame = referseg::image::open(Path::new(picture))?;
            for _ in 0..runs.parse().unwrap_or(1) {
                let began = Instant::now();
                let embedding = sam.embed(&frame)?;
                compute.device.synchronize()?;
                note("encoder", began);
                let began = Instant::now();
                sam.decode_points(&embedding, &points(frame.width(), frame.height()))?;
                compute.device.synchronize()?;
                note("points", began);
            }
        }
        ["generator", weights, picture, runs] => {
            let layers = [
                Layer::value("bench", "proposals.sam.model", weights),
                // random weights promise nothing: all masks are made, and none is cleaned, as in the reference
                Layer::value("bench", "proposals.sam.min_predicted_iou", -1),
                Layer::value("bench", "proposals.sam.min_stability", 0),
                Layer::value("bench", "proposals.sam.min_region_area", 0),
            ];
            let generator = SamGenerator::open(&Config::from_layers(&layers)?.proposals, &Compute::on_cpu())?;
            let frame = referseg::image::open(Path::new(picture))?;
            for _ in 0..runs.parse().unwrap_or(1) {
                let began = Instant::now();
                generator.generate(&frame)?;
                note("generator", began);
            }
        }
        ["masks", width, height, runs] => {
            let side = |text: &str| text.parse().unwrap_or(512usize);
            let (width, height) = (side(width), side(height));
            let rects = boxes(width, height);
            let masks: Vec<Mask> = rects.iter().map(|rect| perforated(*rect, width, height)).collect();
            let frame = noisy(width, height)?;
            let detected = rects.iter().map(|rect| DetectedBox { corners: rect.corners(), class: None });
            let given = ExternalProposals::Boxes(detected.collect());
            let input = FrameInput { given: Some(Ok(&given)), ..FrameInput::single(&frame) };
            let config = Config::from_layers(&[Layer::value("bench", "proposals.generator", "topic")])?;
            let mut topic = referseg::proposals::open(&config.proposals, &Compute::on_cpu())?;
            for _ in 0..runs.parse().unwrap_or(1) {
                let began = Instant::now();
                let cleaned = masks.par_iter().filter(|mask| remove_small_regions(mask, 100).1).count();
                note("clean_up", began);
                assert_eq!(cleaned, masks.len());
                let began = Instant::now();
                topic.propose(&input)?;
                note("boxes", began);
            }
        }
        ["sam-parity", weights, picture, ref on @ ..] => {
            let frame = referseg::image::open(Path::new(picture))?;
            let decoded = |compute: &Compute| -> referseg::Result<[Tensor; 2]> {
                let sam = SamModel::open(Path::new(weights), compute)?;
                let embedding = sam.embed(&frame)?;
                let low = sam.decode_points(&embedding, &points(frame.width(), frame.height()))?.low;
                Ok([embedding.features.coarse.to_device(&Device::Cpu)?, low.to_device(&Device::Cpu)?])
            };
            let (expected, found) = (decoded(&Compute::on_cpu())?, decoded(&compute(on)?)?);
            let mut apart = Vec::new();
            for (expected, found) in expected.iter().zip(&found) {
                let length = |x: &Tensor| x.sqr()?.sum_all()?.sqrt()?.to_scalar::<f32>();
                apart.push(length(&(expected - found)?)? / length(expected)?);
            }
            println!("{}", serde_json::json!({"embedding": apart[0], "logits": apart[1]}));
            return Ok(());
        }
        _ => {
            eprintln!("stages: expected clip, sam, generator, masks or sam-parity with their arguments, as the head of this file says");
            std::process::exit(2);
        }
    }
    let medians: BTreeMap<&str, f64> = times.into_iter().map(|(part, values)| (part, median(values))).collect();
    println!("{}", serde_json::json!(medians));
    Ok(())
}
