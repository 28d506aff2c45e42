//! Times the parts that `tools/bench/against_pytorch.py` compares, and prints them as one line of JSON, milliseconds.
//!
//!     cargo run --release --example stages -- clip MODEL PICTURE LABELS.png RUNS
//!     cargo run --release --example stages -- sam WEIGHTS PICTURE RUNS

use candle_core::Device;
use referseg::config::{Config, Layer};
use referseg::grounding::Segmenter;
use referseg::language::Command;
use referseg::models::sam::SamModel;
use referseg::proposals::FrameInput;
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
            let mut segmenter = Segmenter::open(Config::from_layers(&layers)?)?;
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
        ["sam", weights, picture, runs] => {
            let sam = SamModel::open(Path::new(weights), &Device::Cpu)?;
            let frame = referseg::image::open(Path::new(picture))?;
            for _ in 0..runs.parse().unwrap_or(1) {
                let began = Instant::now();
                let embedding = sam.embed(&frame)?;
                note("encoder", began);
                let began = Instant::now();
                sam.decode_points(&embedding, &points(frame.width(), frame.height()))?;
                note("points", began);
            }
        }
        _ => {
            eprintln!("stages: expected `clip MODEL PICTURE LABELS.png RUNS` or `sam WEIGHTS PICTURE RUNS`");
            std::process::exit(2);
        }
    }
    let medians: BTreeMap<&str, f64> = times.into_iter().map(|(part, values)| (part, median(values))).collect();
    println!("{}", serde_json::json!(medians));
    Ok(())
}
