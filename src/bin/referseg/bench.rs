//! `referseg bench`: how long each stage takes on one image.

use crate::stdout::print_line;
use crate::{ModelArguments, Spread};
use referseg::grounding::Segmenter;
use referseg::language::Command;
use referseg::proposals::FrameInput;
use referseg::Result;
use serde_json::{json, Map, Value};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The image: PNG or JPEG
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
    let frame = referseg::image::open(&arguments.image)?;
    let command = Command::parse(&arguments.text)?;
    let began = Instant::now();
    let mut segmenter = Segmenter::open(arguments.model.config()?)?;
    let load = began.elapsed();
    let mut measured: [Vec<f64>; 5] = Default::default();
    let mut proposals = 0;
    for run in 0..=arguments.runs {
        let encoded = segmenter.encode_frame(&FrameInput::single(&frame))?;
        let asked = segmenter.encode_command(&command)?;
        let times = segmenter.answer(&encoded, &asked)?.times;
        proposals = encoded.proposals.len();
        let stages = [times.proposals, times.visual_features, times.text_features, times.scoring];
        let all: Duration = stages.iter().sum();
        if run > 0 {
            for (values, time) in measured.iter_mut().zip(stages.into_iter().chain([all])) {
                values.push(time.as_secs_f64() * 1e3);
            }
        }
    }
    let spreads = STAGES.into_iter().zip(measured.map(Spread::of));
    if arguments.json {
        let stages: Map<String, Value> = spreads
            .map(|(stage, s)| (stage.into(), json!({"median": s.median, "p10": s.low, "p90": s.high})))
            .collect();
        let size = json!({"width": frame.width(), "height": frame.height()});
        print_line(
            json!({"device": segmenter.device_name(), "image": size, "proposals": proposals, "runs": arguments.runs,
                   "load_ms": load.as_secs_f64() * 1e3, "times_ms": stages}),
        )?;
    } else {
        print_line(format_args!(
            "{}x{}, {proposals} proposals, {} runs on {}, model loaded in {:.0} ms",
            frame.width(),
            frame.height(),
            arguments.runs,
            segmenter.device_name(),
            load.as_secs_f64() * 1e3
        ))?;
        print_line(format_args!("{:<16} {:>10} {:>10} {:>10}", "stage, ms", "median", "p10", "p90"))?;
        for (stage, s) in spreads {
            print_line(format_args!("{stage:<16} {:>10.2} {:>10.2} {:>10.2}", s.median, s.low, s.high))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
