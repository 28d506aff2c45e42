//! The command line: segment images, parse expressions, measure. Needs no ROS.

mod bag;
mod bench;
#[cfg(feature = "evaluation")]
mod calibrate;
#[cfg(feature = "hub")]
mod check;
mod compare;
mod doctor;
#[cfg(feature = "evaluation")]
mod eval;
#[cfg(feature = "hub")]
mod models;
#[cfg(not(all(feature = "evaluation", feature = "hub")))]
mod not_built;
mod parse;
mod progress;
mod replay;
mod segment;
mod segmenters;
mod serve;
mod stdout;
mod track;

use clap::{Args, Parser, Subcommand};
use referseg::config::{Config, Layer};
use referseg::Result;
use segmenters::Segmenters;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, about = "Find the thing that a person named in an image (Global-Local CLIP)")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find things in an image. Exit status: 0 found, 1 not found or ambiguous, 2 error
    Segment(segment::Arguments),
    /// Show the target noun phrase of an expression, as JSON
    Parse(parse::Arguments),
    /// Time the stages on an image
    Bench(bench::Arguments),
    /// Measure methods on a dataset and print the table
    #[cfg(feature = "evaluation")]
    Eval(Box<eval::Arguments>),
    /// Not in this build: measure methods on a dataset
    #[cfg(not(feature = "evaluation"))]
    Eval(not_built::Arguments),
    /// Choose the answer thresholds on rendered scenes and write them beside the model
    #[cfg(feature = "evaluation")]
    Calibrate(calibrate::Arguments),
    /// Not in this build: choose the answer thresholds
    #[cfg(not(feature = "evaluation"))]
    Calibrate(not_built::Arguments),
    /// Answer a recording (rosbag2: sqlite3 or MCAP) into another, without ROS
    Replay(Box<replay::Arguments>),
    /// Compare two recordings of answers. Exit status: 0 the same, 1 different, 2 error
    Compare(compare::Arguments),
    /// Recordings: list their contents
    Bag(bag::Arguments),
    /// Measure tracking on films with known masks
    Track(track::Arguments),
    /// Check this machine, ROS, weights and cameras, and suggest remedies. Exit status: 0 all is well, 1 something needs attention
    Doctor(doctor::Arguments),
    /// Run many jobs in one process, with the weights loaded once
    Serve(serve::Arguments),
    /// Public checkpoints: list, fetch, verify and check them
    #[cfg(feature = "hub")]
    Models(models::Arguments),
    /// Not in this build: list, fetch, verify and check public checkpoints
    #[cfg(not(feature = "hub"))]
    Models(not_built::Arguments),
}

/// What every command that loads a model takes.
#[derive(Args)]
struct ModelArguments {
    /// Model folder: config.json, model.safetensors, tokenizer.json [default: models/demo]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// YAML file of settings; config/referseg.yaml documents all of them
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// global_local, hybrid_gl, or a baseline: cropping, region_token, score_map, grad_cam
    #[arg(long)]
    method: Option<String>,
    /// regions, sam, prompted (SAM prompted at the regions), topic (of a recording), or labels:FILE.png (pixel value = proposal, 0 = none)
    #[arg(long)]
    proposals: Option<String>,
    /// Weights of Segment Anything, for --proposals sam
    #[arg(long, value_name = "FILE")]
    sam_model: Option<PathBuf>,
    /// auto, cpu or cuda:N
    #[arg(long)]
    device: Option<String>,
    /// Any other setting, as named in config/referseg.yaml: proposals.limit=20; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl ModelArguments {
    /// What was given, the strongest last.
    fn layers(&self) -> Result<Vec<Layer>> {
        let mut layers = Vec::new();
        if let Some(path) = &self.config {
            layers.push(Layer::read(path)?);
        }
        if let Some(model) = &self.model {
            layers.push(Layer::value("--model", "model", model.display().to_string()));
        }
        if let Some(model) = &self.sam_model {
            layers.push(Layer::value("--sam-model", "proposals.sam.model", model.display().to_string()));
        }
        let named = [
            ("--method", "method", &self.method),
            ("--proposals", "proposals.generator", &self.proposals),
            ("--device", "device", &self.device),
        ];
        for (subject, key, value) in named {
            if let Some(value) = value {
                layers.push(Layer::value(subject, key, value.as_str()));
            }
        }
        for given in &self.set {
            layers.push(Layer::assignment(given)?);
        }
        Ok(layers)
    }

    fn config(&self) -> Result<Config> {
        Config::from_layers(&self.layers()?)
    }
}

/// Median and spread of some times.
struct Spread {
    median: f64,
    low: f64,
    high: f64,
}

impl Spread {
    /// `values` is not empty; `low` and `high` hold the middle four fifths between them.
    fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        let at = |part: f64| values[((values.len() - 1) as f64 * part).round() as usize];
        Spread { median: at(0.5), low: at(0.1), high: at(0.9) }
    }
}

impl Command {
    /// Does it; gives the exit status.
    fn run(&self, segmenters: &mut Segmenters) -> Result<u8> {
        match self {
            Command::Segment(arguments) => segment::run(arguments),
            Command::Parse(arguments) => parse::run(arguments),
            Command::Bench(arguments) => bench::run(arguments),
            #[cfg(feature = "evaluation")]
            Command::Eval(arguments) => eval::run(arguments),
            #[cfg(feature = "evaluation")]
            Command::Calibrate(arguments) => calibrate::run(arguments),
            #[cfg(not(feature = "evaluation"))]
            Command::Eval(arguments) | Command::Calibrate(arguments) => not_built::run(arguments, "evaluation"),
            Command::Replay(arguments) => replay::run(arguments, segmenters),
            Command::Compare(arguments) => compare::run(arguments),
            Command::Bag(arguments) => bag::run(arguments),
            Command::Doctor(arguments) => doctor::run(arguments),
            Command::Serve(arguments) => serve::run(arguments),
            Command::Track(arguments) => track::run(arguments),
            #[cfg(feature = "hub")]
            Command::Models(arguments) => models::run(arguments),
            #[cfg(not(feature = "hub"))]
            Command::Models(arguments) => not_built::run(arguments, "hub"),
        }
    }
}

fn main() -> ExitCode {
    referseg::warnings::forward(|text| eprintln!("referseg: {text}"));
    match Cli::parse().command.run(&mut Segmenters::default()) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("referseg: {error}");
            ExitCode::from(2)
        }
    }
}
