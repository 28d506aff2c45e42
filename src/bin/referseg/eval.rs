//! `referseg eval`: the table of the README, on rendered scenes whose truth is known.

use crate::ModelArguments;
use referseg::command::Command;
use referseg::evaluation::{oracle, Overlap, Scenes};
use referseg::segmenter::Segmenter;
use referseg::Result;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Folder of scenes (made by tools/scenes, format png)
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Scenes to read at most
    #[arg(long, default_value_t = usize::MAX, hide_default_value = true)]
    scenes: usize,
    /// Also try these weights of the global feature, comma-separated
    #[arg(long, value_delimiter = ',')]
    global_weights: Vec<f32>,
}

const KINDS: [&str; 6] = ["all", "attribute", "position", "relation", "superlative", "command"];

/// One row of the table: a name and the two weights.
struct Variant {
    name: String,
    global_weight: f32,
    sentence_weight: f32,
}

fn variants(both: f32, more: &[f32]) -> Vec<Variant> {
    let row =
        |name: &str, global_weight, sentence_weight| Variant { name: name.into(), global_weight, sentence_weight };
    let mut rows = vec![
        row("local only", 0.0, 0.5),
        row("global only", 1.0, 0.5),
        row("both features, sentence only", both, 1.0),
        row("both features, noun phrase only", both, 0.0),
        row("both features, both texts", both, 0.5),
    ];
    rows.extend(more.iter().map(|v| row(&format!("global weight {v}"), *v, 0.5)));
    rows
}

#[derive(Default)]
struct Tally {
    right: BTreeMap<&'static str, usize>,
    overlap: Overlap,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let scenes = Scenes::open(&arguments.data)?;
    let config = arguments.model.config()?;
    let rows = variants(config.visual.global_weight, &arguments.global_weights);
    let truth_given = arguments.model.proposals.is_none();
    let mut segmenter = Segmenter::open(config)?;
    let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
    let mut tallies: Vec<Tally> = rows.iter().map(|_| Tally::default()).collect();
    let mut ceiling = Overlap::default();
    let (mut chance, mut proposed, mut seconds, mut count) = (0.0, 0, 0.0, 0);
    for record in scenes.records.iter().take(arguments.scenes) {
        let (frame, labels) = scenes.load(record.scene)?;
        let truth = labels.proposals();
        if truth_given {
            segmenter.set_proposer(Box::new(labels));
        }
        segmenter.config_mut().visual.global_weight = 0.5; // both features are encoded
        let scene = segmenter.scene(&frame)?;
        proposed += scene.proposals.len();
        seconds += scene.proposals_time.as_secs_f64();
        count += 1;
        for expression in &record.expressions {
            let Some(target) = truth.iter().find(|p| p.label == Some(expression.target)) else { continue };
            let query = segmenter.query(&Command::parse(&expression.text)?)?;
            let kinds = KINDS.into_iter().filter(|kind| *kind == "all" || *kind == expression.kind);
            kinds.clone().for_each(|kind| *asked.entry(kind).or_default() += 1);
            chance += 1.0 / truth.len() as f64;
            ceiling.add(oracle(&scene.proposals, &target.mask), &target.mask);
            for (row, tally) in rows.iter().zip(&mut tallies) {
                segmenter.config_mut().visual.global_weight = row.global_weight;
                segmenter.config_mut().text.sentence_weight = row.sentence_weight;
                let answer = segmenter.answer(&scene, &query)?;
                let best = answer.best.map(|best| &scene.proposals[best].mask);
                tally.overlap.add(best, &target.mask);
                if best.is_some_and(|mask| mask.iou(&target.mask) >= 0.5) {
                    kinds.clone().for_each(|kind| *tally.right.entry(kind).or_default() += 1);
                }
            }
        }
    }
    let all = asked.get("all").copied().unwrap_or(0);
    println!(
        "{count} scenes, {all} expressions, {} proposals, {:.1} a scene, {:.0} ms a scene; \
         oracle recall {:.3}, oracle mIoU {:.3}; a pick is right at IoU >= 0.5\n",
        if truth_given { "ground-truth" } else { "generated" },
        proposed as f64 / f64::from(count),
        1e3 * seconds / f64::from(count),
        ceiling.precision_at(0.5),
        ceiling.mean_iou(),
    );
    println!("| picks, % | {} | mIoU | oIoU |", KINDS.join(" | "));
    println!("|---|{}---|---|", "---|".repeat(KINDS.len()));
    for (row, tally) in rows.iter().zip(&tallies) {
        let part = |kind: &&str| {
            let right = tally.right.get(*kind).copied().unwrap_or(0);
            format!("{:.1}", 100.0 * right as f64 / asked.get(*kind).copied().unwrap_or(0).max(1) as f64)
        };
        let parts: Vec<_> = KINDS.iter().map(part).collect();
        println!(
            "| {} | {} | {:.3} | {:.3} |",
            row.name,
            parts.join(" | "),
            tally.overlap.mean_iou(),
            tally.overlap.overall_iou()
        );
    }
    println!(
        "| chance (one of the true objects) | {:.1} |{}",
        100.0 * chance / all.max(1) as f64,
        " |".repeat(KINDS.len() + 1)
    );
    println!("| expressions | {} | | |", KINDS.map(|k| asked.get(k).copied().unwrap_or(0).to_string()).join(" | "));
    Ok(ExitCode::SUCCESS)
}
