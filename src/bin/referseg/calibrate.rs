//! `referseg calibrate`: the thresholds at which statuses are right most often.
//!
//! On expressions of which the right status is known: clear ones, things that are absent, and ambiguous ones. Clear commands
//! are what people mostly give, so they weigh as much as the other two kinds together; a clear one counts only if the thing
//! found is the one meant. To find something that is absent is worse than to miss: thresholds at which that happens in more
//! than 5 % are taken only when there are no others.

use crate::stdout::print_line;
use crate::ModelArguments;
use referseg::answer::Status;
use referseg::config::{AnswerSettings, Config, Layer};
use referseg::evaluation::dataset::DatasetOptions;
use referseg::evaluation::results;
use referseg::evaluation::run::Run;
use referseg::evaluation::variants::Variant;
use referseg::files::atomic_file::AtomicFile;
use referseg::grounding::{status_by_thresholds, BestProposal, Segmenter};
use referseg::language::{Command, Quantity};
use referseg::{Error, Result};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Expressions to choose on (tools/scenes --wording spoken or open)
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Expressions to measure the choice on
    #[arg(long, value_name = "DIR")]
    test: PathBuf,
    /// Maximum number of images of each
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    scenes: usize,
    /// Use the true masks as proposals
    #[arg(long, conflicts_with = "proposals")]
    truth: bool,
    /// Write the thresholds into this file, as the model folder's referseg.yaml; its other settings are kept
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

/// What was asked and what scored best.
struct Case {
    want: Status,
    quantity: Quantity,
    /// The best thing, and whether it is the one meant.
    best: Option<(BestProposal, bool)>,
    /// What the words alone decide ("don't touch ..."), whatever the thresholds.
    decided: Option<Status>,
}

impl Case {
    fn status(&self, settings: &AnswerSettings) -> Status {
        let by_thresholds = |(best, _)| status_by_thresholds(best, self.quantity, settings);
        self.decided.unwrap_or_else(|| self.best.map_or(Status::NotFound, by_thresholds))
    }
}

fn cases(segmenter: &Segmenter, config: &Config, arguments: &Arguments, data: &Path) -> Result<Vec<Case>> {
    let options = DatasetOptions { data, images: None, split: "val", split_by: None };
    let mut dataset = referseg::evaluation::open(&options)?;
    dataset.images.truncate(arguments.scenes);
    let rows = vec![Variant { name: "calibrated".into(), config: config.clone() }];
    let run = Run { dataset: &dataset, rows, truth: arguments.truth, shard: (1, 1), cache: None };
    let scratch = tempfile::tempdir().map_err(Error::file(std::env::temp_dir()))?;
    let file = scratch.path().join("results.jsonl");
    run.run(segmenter, &file, &mut |_, _| {})?;
    let (_, lines) = results::read(&file)?;
    let case = |line: results::Line| {
        let row = line.rows.first()?;
        let best =
            row.proposal.map(|index| (BestProposal { index, score: row.score, margin: Some(row.margin) }, row.right));
        let quantity = Command::parse(&line.text).map_or(Quantity::One, |command| segmenter.parse(&command).quantity);
        Some(Case {
            want: line.want,
            quantity,
            best,
            decided: Some(row.status).filter(|status| *status != Status::Found),
        })
    };
    Ok(lines.into_iter().filter_map(case).collect())
}

/// Part of each kind that gets its right status.
fn accuracy(cases: &[Case], settings: &AnswerSettings) -> [f64; 3] {
    [Status::Found, Status::NotFound, Status::Ambiguous].map(|want| {
        let of_kind = || cases.iter().filter(|case| case.want == want);
        let right = of_kind().filter(|case| {
            case.status(settings) == want && (want != Status::Found || case.best.is_some_and(|(_, right)| right))
        });
        right.count() as f64 / of_kind().count().max(1) as f64
    })
}

/// Part of the absent things of which something is found.
fn found_absent(cases: &[Case], settings: &AnswerSettings) -> f64 {
    let absent = || cases.iter().filter(|case| case.want == Status::NotFound);
    let found = absent().filter(|case| case.status(settings) == Status::Found);
    found.count() as f64 / absent().count().max(1) as f64
}

/// Largest part of absent things that may be found.
const MOST_FOUND_ABSENT: f64 = 0.05;

fn mean([clear, absent, ambiguous]: [f64; 3]) -> f64 {
    (2.0 * clear + absent + ambiguous) / 4.0
}

/// A settings file with other thresholds; all else in it stays as it is.
fn with_thresholds(text: &str, report: &str, settings: &AnswerSettings) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in text.lines() {
        inside = if line.starts_with("answer:") { true } else { inside && (line.starts_with(' ') || line.is_empty()) };
        if !inside && !line.starts_with(MARK) {
            kept += line;
            kept.push('\n');
        }
    }
    format!(
        "{kept}{MARK} {report}\nanswer:\n  min_score: {:.2}\n  min_margin: {:.3}\n",
        settings.min_score, settings.min_margin
    )
}

/// How the line of a report begins.
const MARK: &str = "# referseg calibrate:";

pub fn run(arguments: &Arguments) -> Result<u8> {
    let open: AnswerSettings = AnswerSettings { min_score: -1.0, min_margin: 0.0, min_probability: 0.0 };
    let mut layers = arguments.model.layers()?;
    layers.push(Layer::value("calibrate", "answer.min_score", f64::from(open.min_score)));
    layers.push(Layer::value("calibrate", "answer.min_margin", f64::from(open.min_margin)));
    layers.push(Layer::value("calibrate", "answer.min_probability", f64::from(open.min_probability)));
    let config = Config::from_layers(&layers)?;
    let segmenter = Segmenter::open(config.clone())?;
    let chosen_on = cases(&segmenter, &config, arguments, &arguments.data)?;
    let tested_on = cases(&segmenter, &config, arguments, &arguments.test)?;
    let mut best = (f64::MIN, open.clone());
    for score in 0..100 {
        for margin in 0..100 {
            let settings =
                AnswerSettings { min_score: score as f32 * 0.01, min_margin: margin as f32 * 0.01, ..open.clone() };
            let harm = f64::from(u8::from(found_absent(&chosen_on, &settings) > MOST_FOUND_ABSENT));
            let reached = mean(accuracy(&chosen_on, &settings)) - harm;
            if reached > best.0 {
                best = (reached, settings);
            }
        }
    }
    let settings = best.1;
    let [found, absent, ambiguous] = accuracy(&tested_on, &settings);
    let harm = found_absent(&tested_on, &settings);
    let report = format!(
        "min_score {:.2}, min_margin {:.3}: {:.3} right on the {} commands chosen on; on {} others {:.3} \
         (clear {found:.3}, absent {absent:.3}, ambiguous {ambiguous:.3}; absent but found {harm:.3})",
        settings.min_score,
        settings.min_margin,
        mean(accuracy(&chosen_on, &settings)),
        chosen_on.len(),
        tested_on.len(),
        mean([found, absent, ambiguous]),
    );
    print_line(&report)?;
    if let Some(path) = &arguments.write {
        let before = match std::fs::read_to_string(path) {
            Ok(before) => before,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(cause) => return Err(Error::file(path)(cause)),
        };
        let text = with_thresholds(&before, &report, &settings);
        AtomicFile::write(path, &[&arguments.data, &arguments.test], text.as_bytes())?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_thresholds_leave_all_other_settings_as_they_are() {
        let before = "# mine\nvisual:\n  global_weight: 0.3\n# referseg calibrate: old\nanswer:\n  min_score: 0.1\n\nwords:\n  closed: true\n";
        let after =
            with_thresholds(before, "new", &AnswerSettings { min_score: 0.25, min_margin: 0.1, min_probability: 0.0 });
        assert!(after.contains("global_weight: 0.3") && after.contains("closed: true") && !after.contains("old"));
        assert!(after.ends_with("# referseg calibrate: new\nanswer:\n  min_score: 0.25\n  min_margin: 0.100\n"));
        let read = Config::from_layers(&[Layer::parse("after", &after).unwrap()]).unwrap();
        assert_eq!(read.answer.min_score, 0.25);
    }
}
