//! `referseg eval`: a table of methods on a dataset, resumable, in shards, with a report.

use crate::stdout::print;
use crate::ModelArguments;
use indicatif::{ProgressBar, ProgressStyle};
use referseg::config::{Config, Layer};
use referseg::evaluation::dataset::DatasetOptions;
use referseg::evaluation::report::Report;
use referseg::evaluation::results;
use referseg::evaluation::run::Run;
use referseg::evaluation::variants::Variant;
use referseg::files::atomic_file::AtomicFile;
use referseg::grounding::Segmenter;
use referseg::{Error, Result};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Dataset: demo scenes, RefCOCO(+/g) in the original files, the hub's parquet copies, or PhraseCut
    #[arg(long, value_name = "DIR", required_unless_present = "merge")]
    data: Option<PathBuf>,
    /// Folder of its images, if separate
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// val, testA, testB, test, train, ...; demo scenes have none
    #[arg(long, default_value = "val")]
    split: String,
    /// Whose splits: unc, umd or google (RefCOCO files only)
    #[arg(long)]
    by: Option<String>,
    /// Maximum number of images
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Use the true masks as proposals (the default for demo scenes, unless --proposals is given)
    #[arg(long, conflicts_with = "proposals")]
    truth: bool,
    /// Add rows: these methods, comma-separated, or `all` that the model can do
    #[arg(long, value_delimiter = ',')]
    methods: Vec<String>,
    /// Add rows: the paper's ablations, one feature and one text at a time
    #[arg(long)]
    ablations: bool,
    /// Add rows: each term of full guidance switched off in turn, and no guidance at all
    #[arg(long)]
    without_terms: bool,
    /// Add rows: these weights of the global feature (the paper's alpha), comma-separated
    #[arg(long, alias = "global-weights", value_delimiter = ',')]
    alphas: Vec<f32>,
    /// Add rows: these weights of the sentence (the paper's beta), comma-separated
    #[arg(long, value_delimiter = ',')]
    betas: Vec<f32>,
    /// Add rows: these numbers of masked blocks, comma-separated
    #[arg(long, value_delimiter = ',')]
    masked_blocks: Vec<usize>,
    /// Add rows: these presets, comma-separated
    #[arg(long, value_delimiter = ',')]
    presets: Vec<String>,
    /// Add a row with these settings, KEY=VALUE separated by spaces: "method=hybrid_gl guidance=hybridgl"; repeatable
    #[arg(long, value_name = "SETTINGS")]
    row: Vec<String>,
    /// Every combination of alphas, betas, masked blocks and presets, not one change at a time
    #[arg(long)]
    product: bool,
    /// Folder for results, report and cache; a run in it is resumed
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Folder for cached proposals and features, shared between runs [default: OUT/cache]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Evaluate part I of N of the images, for several processes or machines; join the parts with --merge
    #[arg(long, value_name = "I/N", requires = "out")]
    shard: Option<String>,
    /// Join the results of all shards into --out and report
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "out", conflicts_with_all = ["data", "shard"])]
    merge: Vec<PathBuf>,
    /// Leave out images without proposals, as the authors' code does, instead of counting them as IoU 0
    #[arg(long)]
    skip_empty: bool,
}

/// A change of settings with the words for it.
type Change = (String, Layer);

fn change(words: String, key: &str, value: impl Into<serde_yaml::Value>) -> Change {
    let layer = Layer::value(format!("row {words:?}"), key, value);
    (words, layer)
}

/// The lists of changes that were asked for.
fn sweeps(arguments: &Arguments) -> Vec<Vec<Change>> {
    let Arguments { alphas, betas, masked_blocks, presets, .. } = arguments;
    // f32 by way of its digits: 0.7 must not become 0.699999988
    let exact = |value: &f32| value.to_string().parse::<f64>().unwrap_or(f64::from(*value));
    let lists = [
        presets.iter().map(|name| change(format!("preset {name}"), "preset", name.as_str())).collect(),
        alphas.iter().map(|v| change(format!("alpha {v}"), "visual.global_weight", exact(v))).collect(),
        betas.iter().map(|r| change(format!("beta {r}"), "text.sentence_weight", exact(r))).collect(),
        masked_blocks.iter().map(|k| change(format!("{k} masked blocks"), "visual.masked_blocks", *k as u64)).collect(),
    ];
    lists.into_iter().filter(|list: &Vec<Change>| !list.is_empty()).collect()
}

/// The assignments of a row. What holds no KEY= of its own belongs to the value before it: values may have spaces.
fn assignments(row: &str) -> Vec<String> {
    let key = |word: &str| {
        word.split_once('=').is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || "._".contains(c)))
    };
    let mut all: Vec<String> = Vec::new();
    for word in row.split_whitespace() {
        match all.last_mut() {
            Some(last) if !key(word) => *last += &format!(" {word}"),
            _ => all.push(word.into()),
        }
    }
    all
}

/// The rows of the table: what was configured, then the changes.
fn rows(arguments: &Arguments, segmenter: &Segmenter) -> Result<Vec<Variant>> {
    let base = arguments.model.layers()?;
    let mut rows = Vec::new();
    let mut add = |changes: &[Change]| -> Result<()> {
        let layers: Vec<Layer> = base.iter().cloned().chain(changes.iter().map(|(_, layer)| layer.clone())).collect();
        let words: Vec<&str> = changes.iter().map(|(words, _)| words.as_str()).collect();
        let config = Config::from_layers(&layers)?;
        let name = if words.is_empty() { config.method.to_string() } else { words.join(", ") };
        rows.push(Variant { name, config });
        Ok(())
    };
    add(&[])?;
    if arguments.ablations {
        let both = |name: &str, key: &str, value: f64| change(name.into(), key, value);
        add(&[both("local only", "visual.global_weight", 0.0)])?;
        add(&[both("global only", "visual.global_weight", 1.0)])?;
        add(&[both("sentence only", "text.sentence_weight", 1.0)])?;
        add(&[both("noun phrase only", "text.sentence_weight", 0.0)])?;
    }
    if arguments.without_terms {
        for term in ["description", "place", "order", "relation", "exclusion", "likeness"] {
            add(&[change(format!("without {term}"), &format!("terms.{term}"), 0.0)])?;
        }
        add(&[change("guidance none".into(), "guidance", "none")])?;
    }
    for given in &arguments.row {
        let one = |setting: &str| Ok((setting.to_string(), Layer::assignment(setting)?));
        add(&assignments(given).iter().map(|given| one(given)).collect::<Result<Vec<Change>>>()?)?;
    }
    let configured = segmenter.config().method;
    for method in &arguments.methods {
        if method == "all" {
            for method in segmenter.methods().into_iter().filter(|method| *method != configured) {
                add(&[change(method.to_string(), "method", method.to_string())])?;
            }
        } else if *method != configured.to_string() {
            add(&[change(method.clone(), "method", method.as_str())])?;
        }
    }
    let lists = sweeps(arguments);
    if arguments.product {
        let mut products: Vec<Vec<Change>> = vec![Vec::new()];
        for list in lists {
            let longer = |known: &Vec<Change>| {
                list.iter().map(|one| known.iter().chain([one]).cloned().collect()).collect::<Vec<Vec<Change>>>()
            };
            products = products.iter().flat_map(longer).collect();
        }
        products.iter().filter(|changes| !changes.is_empty()).try_for_each(|changes| add(changes))?;
    } else {
        lists.iter().flatten().try_for_each(|one| add(std::slice::from_ref(one)))?;
    }
    Ok(rows)
}

fn shard(text: &str) -> Result<(usize, usize)> {
    let numbers = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match numbers {
        Some((i, n)) if (1..=n).contains(&i) => Ok((i, n)),
        _ => Err(Error::config("--shard", format!("{text:?}; expected I/N with I from 1 to N, such as 1/4"))),
    }
}

/// Prints the table, and writes it as Markdown and HTML if there is a folder.
fn report(file: &Path, folder: Option<&Path>, skip_empty: bool) -> Result<()> {
    let (header, lines) = results::read(file)?;
    let problems = results::problems(&lines);
    if lines.iter().all(|line| !line.problem.is_empty()) {
        let listed: Vec<String> = problems.iter().map(|(problem, count)| format!("{count} times: {problem}")).collect();
        return Err(Error::config(
            "dataset",
            format!("none of its {} expressions could be measured; {}", lines.len(), listed.join("; ")),
        ));
    }
    let report = Report::new(header, lines, skip_empty);
    let table = report.markdown();
    print(&table)?;
    if let Some(folder) = folder {
        for (name, text) in [("report.md", table), ("report.html", report.html(&today())?)] {
            let path = folder.join(name);
            AtomicFile::write(&path, &[file], text.as_bytes())?;
        }
        eprintln!("referseg: wrote report.md and report.html to {}", folder.display());
    }
    Ok(())
}

pub fn run(arguments: &Arguments) -> Result<u8> {
    if let Some(out) = &arguments.out {
        std::fs::create_dir_all(out).map_err(Error::file(out))?;
    }
    if let (false, Some(out)) = (arguments.merge.is_empty(), &arguments.out) {
        let results = out.join("results.jsonl");
        results::merge(&arguments.merge, &results)?;
        report(&results, Some(out), arguments.skip_empty)?;
        return Ok(0);
    }
    let Some(data) = &arguments.data else {
        return Err(Error::config("--data", "is absent; expected a dataset's folder"));
    };
    let options = DatasetOptions {
        data,
        images: arguments.images.as_deref(),
        split: &arguments.split,
        split_by: arguments.by.as_deref(),
    };
    let mut dataset = referseg::evaluation::open(&options)?;
    dataset.images.truncate(arguments.limit.unwrap_or(usize::MAX));
    let truth = arguments.truth || (dataset.name == "scenes" && arguments.model.proposals.is_none());
    if truth && !dataset.complete {
        let fact =
            "this dataset does not know all things of an image; expected demo scenes or a RefCOCO's instances.json";
        return Err(Error::config("--truth", fact));
    }
    let mut config = arguments.model.config()?;
    if truth {
        config.proposals.generator = "regions".to_string().into(); // is never asked
    }
    let mut segmenter = Segmenter::open(config)?;
    let shard = arguments.shard.as_deref().map_or(Ok((1, 1)), shard)?;
    let cache = arguments.cache.clone().or_else(|| Some(arguments.out.as_ref()?.join("cache")));
    let rows = rows(arguments, &segmenter)?;
    rows.iter().try_for_each(|row| segmenter.open_refiner(&row.config))?;
    let run = Run { rows, dataset: &dataset, truth, shard, cache };
    // without a folder nothing is kept
    let scratch = tempfile::tempdir().map_err(Error::file(std::env::temp_dir()))?;
    let folder = arguments.out.as_deref().unwrap_or(scratch.path());
    let results = folder.join(match arguments.shard {
        Some(_) => format!("results-{}-of-{}.jsonl", shard.0, shard.1),
        None => "results.jsonl".into(),
    });
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} images, {eta} left") {
        bar.set_style(style);
    }
    run.run(&segmenter, &results, &mut |done, all| {
        bar.set_length(all as u64);
        if done > 0 && bar.position() == 0 {
            bar.reset_eta(); // what an earlier run did took no time
        }
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    match arguments.shard {
        Some(_) => eprintln!("referseg: wrote {}; join all shards with --merge", results.display()),
        None => report(&results, arguments.out.as_deref(), arguments.skip_empty)?,
    }
    Ok(0)
}

/// The date, UTC.
fn today() -> String {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let date = referseg::report::date(since_epoch.as_nanos() as u64);
    date.split(' ').next().unwrap_or_default().to_string()
}
