//! `referseg bench`: how long each stage takes on one picture.

use crate::{ModelArguments, Spread};
use referseg::command::Command;
use referseg::frame::Frame;
use referseg::segmenter::Segmenter;
use referseg::Result;
use serde_json::{json, Map, Value};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The picture: PNG or JPEG
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// The expression
    #[arg(long, default_value = "pick up the red mug")]
    text: String,
    /// Measured runs, after one that is not measured
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const STAGES: [&str; 5] = ["proposals", "visual_features", "text_features", "scoring", "all"];

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let frame = Frame::open(&arguments.image)?;
    let command = Command::parse(&arguments.text)?;
    let began = Instant::now();
    let mut segmenter = Segmenter::open(arguments.model.config()?)?;
    let load = began.elapsed();
    let mut times: [Vec<f64>; 5] = Default::default();
    let mut proposals = 0;
    for run in 0..=arguments.runs {
        let scene = segmenter.scene(&frame)?;
        let query = segmenter.query(&command)?;
        let answer = segmenter.answer(&scene, &query)?;
        proposals = scene.proposals.len();
        let stages = [scene.proposals_time, scene.features_time, query.time, answer.time];
        let all: Duration = stages.iter().sum();
        if run > 0 {
            for (times, time) in times.iter_mut().zip(stages.into_iter().chain([all])) {
                times.push(time.as_secs_f64() * 1e3);
            }
        }
    }
    let spreads = STAGES.into_iter().zip(times.map(Spread::of));
    if arguments.json {
        let stages: Map<String, Value> = spreads
            .map(|(stage, s)| (stage.into(), json!({"median": s.median, "p10": s.low, "p90": s.high})))
            .collect();
        let size = json!({"width": frame.width(), "height": frame.height()});
        println!(
            "{}",
            json!({"device": segmenter.device_name(), "image": size, "proposals": proposals, "runs": arguments.runs,
                   "load_ms": load.as_secs_f64() * 1e3, "times_ms": stages})
        );
    } else {
        println!(
            "{}x{}, {proposals} proposals, {} runs on {}, model loaded in {:.0} ms",
            frame.width(),
            frame.height(),
            arguments.runs,
            segmenter.device_name(),
            load.as_secs_f64() * 1e3
        );
        println!("{:<16} {:>10} {:>10} {:>10}", "stage, ms", "median", "p10", "p90");
        for (stage, s) in spreads {
            println!("{stage:<16} {:>10.2} {:>10.2} {:>10.2}", s.median, s.low, s.high);
        }
    }
    Ok(ExitCode::SUCCESS)
}
