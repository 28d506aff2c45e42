//! `referseg calibrate`: the thresholds at which "not found" and "ambiguous" are right most often.
//!
//! On scenes asked for one clear, one absent and one ambiguous thing each. Clear commands are what people mostly
//! give, so they weigh as much as the other two kinds together.

use crate::stdout::print_line;
use crate::ModelArguments;
use referseg::answer::Status;
use referseg::atomic_file::AtomicFile;
use referseg::config::AnswerSettings;
use referseg::evaluation::RenderedScenes;
use referseg::grounding::{best_proposal, decide_status, BestProposal, Segmenter};
use referseg::language::Command;
use referseg::proposals::FrameInput;
use referseg::Result;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Scenes to choose on (tools/scenes --wording open)
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Other scenes to measure the choice on
    #[arg(long, value_name = "DIR")]
    test: PathBuf,
    /// Scenes to read at most of each
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    scenes: usize,
    /// Write the thresholds here, as the model folder's referseg.yaml
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

/// What was asked and what scored best.
struct Case {
    right: Status,
    best: Option<BestProposal>,
    proposals: usize,
}

fn cases(segmenter: &mut Segmenter, data: &Path, limit: usize) -> Result<Vec<Case>> {
    let scenes = RenderedScenes::open(data)?;
    let mut cases = Vec::new();
    for record in scenes.records.iter().take(limit) {
        let frame = scenes.load(record.scene)?.0;
        let encoded = segmenter.encode_frame(&FrameInput::single(&frame))?;
        for expression in &record.expressions {
            let command = segmenter.encode_command(&Command::parse(&expression.text)?)?;
            let answer = segmenter.answer(&encoded, &command)?;
            let right = match expression.kind.as_str() {
                "absent" => Status::NotFound,
                "ambiguous" => Status::Ambiguous,
                _ => Status::Found,
            };
            let best = best_proposal(&answer.scores, &encoded.proposals);
            cases.push(Case { right, best, proposals: encoded.proposals.len() });
        }
    }
    Ok(cases)
}

const KINDS: [Status; 3] = [Status::Found, Status::NotFound, Status::Ambiguous];

/// Part of each kind that gets its right status.
fn accuracy(cases: &[Case], settings: &AnswerSettings) -> [f64; 3] {
    KINDS.map(|kind| {
        let of_kind = || cases.iter().filter(|case| case.right == kind);
        let right = of_kind().filter(|case| decide_status(case.best, case.proposals, settings).0 == kind).count();
        right as f64 / of_kind().count().max(1) as f64
    })
}

fn mean([clear, absent, ambiguous]: [f64; 3]) -> f64 {
    (2.0 * clear + absent + ambiguous) / 4.0
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut segmenter = Segmenter::open(arguments.model.config()?)?;
    let chosen_on = cases(&mut segmenter, &arguments.data, arguments.scenes)?;
    let tested_on = cases(&mut segmenter, &arguments.test, arguments.scenes)?;
    let mut best = (f64::MIN, AnswerSettings { min_score: -1.0, min_margin: 0.0 });
    for score in 0..100 {
        for margin in 0..60 {
            let settings = AnswerSettings { min_score: score as f32 * 0.01, min_margin: margin as f32 * 0.005 };
            let reached = mean(accuracy(&chosen_on, &settings));
            if reached > best.0 {
                best = (reached, settings);
            }
        }
    }
    let settings = best.1;
    let [found, absent, ambiguous] = accuracy(&tested_on, &settings);
    let report = format!(
        "min_score {:.2}, min_margin {:.3}: {:.3} right on the {} commands chosen on; on {} others {:.3} \
         (clear {found:.3}, absent {absent:.3}, ambiguous {ambiguous:.3})",
        settings.min_score,
        settings.min_margin,
        best.0,
        chosen_on.len(),
        tested_on.len(),
        mean([found, absent, ambiguous]),
    );
    print_line(&report)?;
    if let Some(path) = &arguments.write {
        let weight = segmenter.config().visual.global_weight;
        let text = format!(
            "# Settings of this model, below the user's own. Thresholds by `referseg calibrate` (see README):\n# {report}\n\
             visual:\n  global_weight: {weight}\nanswer:\n  min_score: {:.2}\n  min_margin: {:.3}\n",
            settings.min_score, settings.min_margin
        );
        AtomicFile::write(path, &[&arguments.data, &arguments.test], text.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}
