//! `referseg bench`: how long each stage takes on one image, and how much memory all of them.
//!
//! With `--compare` two settings take turns, so that what else the machine does falls on both: a ratio is taken within
//! each turn.

use crate::stdout::print_line;
use crate::{ModelArguments, Spread};
use referseg::answer::Answer;
use referseg::config::{Config, Layer};
use referseg::grounding::Segmenter;
use referseg::image::Frame;
use referseg::language::Command;
use referseg::proposals::FrameInput;
use referseg::Result;
use serde_json::{json, Map, Value};
use std::path::PathBuf;
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
    /// Number of measured runs, after a warm-up
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    runs: u32,
    /// Alternate with another setting, and print the ratios other / this: visual.crops=adaptive; repeatable, several form one
    /// other setting
    #[arg(long, value_name = "KEY=VALUE")]
    compare: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const STAGES: [&str; 6] = ["proposals", "visual_features", "text_features", "scoring", "refinement", "all"];

/// One setting under measurement.
struct Contestant {
    segmenter: Segmenter,
    load: Duration,
    /// All stages of the first run, which warms up what is made once.
    first: Duration,
    /// Milliseconds of each stage, run by run.
    times: [Vec<f64>; STAGES.len()],
    /// Of the last run.
    answer: Option<Answer>,
    proposals: usize,
}

impl Contestant {
    fn open(config: Config) -> Result<Contestant> {
        let began = Instant::now();
        let segmenter = Segmenter::open(config)?;
        let (load, first) = (began.elapsed(), Duration::ZERO);
        Ok(Contestant { segmenter, load, first, times: Default::default(), answer: None, proposals: 0 })
    }

    fn run(&mut self, frame: &Frame, command: &Command) -> Result<()> {
        let encoded = self.segmenter.encode_frame(&FrameInput::single(frame))?;
        let asked = self.segmenter.encode_command(command)?;
        let answer = self.segmenter.answer(&encoded, &asked)?;
        self.proposals = encoded.proposals.len();
        let stages = answer.times.each();
        let all: Duration = stages.iter().sum();
        match self.answer {
            None => self.first = all,
            Some(_) => {
                for (values, time) in self.times.iter_mut().zip(stages.into_iter().chain([all])) {
                    values.push(milliseconds(time));
                }
            }
        }
        self.answer = Some(answer);
        Ok(())
    }

    fn json(&self) -> Value {
        let stages: Map<String, Value> = STAGES
            .into_iter()
            .zip(&self.times)
            .map(|(stage, times)| (stage.into(), spread(&Spread::of(times.clone()))))
            .collect();
        json!({"device": self.segmenter.device_name(), "dtype": self.segmenter.dtype_name(), "proposals": self.proposals, "load_ms": milliseconds(self.load),
               "crops": self.answer.as_ref().map_or(0, |answer| answer.crops), "first_ms": milliseconds(self.first),
               "times_ms": stages})
    }

    fn print(&self) -> Result<()> {
        print_line(format_args!(
            "{} {}: {} proposals, {} crops, loaded in {:.0} ms, first run {:.0} ms",
            self.segmenter.device_name(),
            self.segmenter.dtype_name(),
            self.proposals,
            self.answer.as_ref().map_or(0, |answer| answer.crops),
            milliseconds(self.load),
            milliseconds(self.first)
        ))?;
        print_line(format_args!("{:<16} {:>10} {:>10} {:>10}", "stage, ms", "median", "p10", "p90"))?;
        for (stage, times) in STAGES.into_iter().zip(&self.times) {
            let s = Spread::of(times.clone());
            print_line(format_args!("{stage:<16} {:>10.2} {:>10.2} {:>10.2}", s.median, s.low, s.high))?;
        }
        Ok(())
    }
}

pub fn run(arguments: &Arguments) -> Result<u8> {
    let frame = referseg::image::open(&arguments.image)?;
    let command = Command::parse(&arguments.text)?;
    let layers = arguments.model.layers()?;
    let mut contestants = vec![Contestant::open(Config::from_layers(&layers)?)?];
    if !arguments.compare.is_empty() {
        let other = arguments.compare.iter().map(|given| Layer::assignment(given)).collect::<Result<Vec<_>>>()?;
        contestants.push(Contestant::open(Config::from_layers(&[layers, other].concat())?)?);
    }
    let mut resident = 0.0;
    for run in 0..=arguments.runs {
        let count = contestants.len();
        for turn in 0..count {
            // who is first changes from run to run
            contestants[(turn + run as usize) % count].run(&frame, &command)?;
        }
        if run == 0 {
            resident = memory_mb("VmRSS:");
        }
    }
    let (resident_last, peak) = (memory_mb("VmRSS:"), memory_mb("VmHWM:"));
    let agreement = match &contestants[..] {
        [this, other] => Some(Agreement::of(this, other)),
        _ => None,
    };
    if arguments.json {
        let size = json!({"width": frame.width(), "height": frame.height()});
        let mut said = contestants[0].json();
        said["image"] = size;
        said["runs"] = json!(arguments.runs);
        said["threads"] = json!(rayon::current_num_threads());
        said["memory_mb"] = json!({"resident_after_first_run": resident, "resident": resident_last, "peak": peak});
        if let (Some(other), Some(agreement)) = (contestants.get(1), agreement) {
            said["other"] = other.json();
            said["ratio"] = agreement.ratios.iter().map(|(stage, s)| (stage.to_string(), spread(s))).collect();
            said["same_pick"] = json!(agreement.same_pick);
            said["largest_score_difference"] = json!(agreement.score_difference);
        }
        print_line(said)?;
        return Ok(0);
    }
    let (width, height, threads) = (frame.width(), frame.height(), rayon::current_num_threads());
    print_line(format_args!("{width}x{height}, {} runs, {threads} threads", arguments.runs))?;
    for contestant in &contestants {
        contestant.print()?;
    }
    print_line(format_args!(
        "resident memory: {resident:.0} MB after the first run, {resident_last:.0} at the end, {peak:.0} at most"
    ))?;
    if let Some(agreement) = agreement {
        print_line(format_args!("{:<16} {:>10} {:>10} {:>10}", "other / this", "median", "p10", "p90"))?;
        for (stage, s) in &agreement.ratios {
            print_line(format_args!("{stage:<16} {:>10.3} {:>10.3} {:>10.3}", s.median, s.low, s.high))?;
        }
        print_line(format_args!(
            "{} pick, scores at most {:.2e} apart",
            if agreement.same_pick { "the same" } else { "another" },
            agreement.score_difference
        ))?;
    }
    Ok(0)
}

/// How two settings compare on the same input.
struct Agreement {
    /// Time of the other / time of the first, for each stage.
    ratios: Vec<(&'static str, Spread)>,
    same_pick: bool,
    /// The largest difference of two scores of one proposal; infinite where their numbers differ.
    score_difference: f32,
}

impl Agreement {
    fn of(this: &Contestant, other: &Contestant) -> Agreement {
        let ratios = STAGES.into_iter().zip(this.times.iter().zip(&other.times)).map(|(stage, (this, other))| {
            let ratios = this.iter().zip(other).map(|(this, other)| other / this.max(1e-6)).collect();
            (stage, Spread::of(ratios))
        });
        let (same_pick, score_difference) = match (&this.answer, &other.answer) {
            (Some(a), Some(b)) if a.scores.len() == b.scores.len() => {
                let apart = a.scores.iter().zip(&b.scores).map(|(a, b)| (a - b).abs());
                (a.best == b.best, apart.fold(0.0, f32::max))
            }
            _ => (false, f32::INFINITY),
        };
        Agreement { ratios: ratios.collect(), same_pick, score_difference }
    }
}

fn spread(s: &Spread) -> Value {
    json!({"median": s.median, "p10": s.low, "p90": s.high})
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A line of this process's `/proc` status in megabytes (2^20 bytes); 0 where there is none.
fn memory_mb(line: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|known| known.strip_prefix(line)?.split_whitespace().next()?.parse().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
