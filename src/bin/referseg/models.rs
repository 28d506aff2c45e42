//! `referseg models`: list, fetch, verify and check public checkpoints.

use crate::check::Checker;
use crate::stdout::print_line;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use referseg::hub::{FileState, Hub, Kind, Manifest, Model, ModelFile, Pins};
use referseg::Result;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Use DIR/NAME instead of the hub's cache
    #[arg(long, value_name = "DIR", global = true)]
    dir: Option<PathBuf>,
    /// Hashes of earlier downloads, for files that the manifest does not list
    /// [default: ~/.config/referseg/pins.yaml]
    #[arg(long, value_name = "FILE", global = true)]
    pins: Option<PathBuf>,
    /// Another list of models, in the format of models/manifest.yaml
    #[arg(long, value_name = "FILE", global = true)]
    manifest: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Action {
    /// List all models, and which are downloaded
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Download models and print the path for --model or --sam-model
    Fetch {
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Compare downloaded models with their hashes (all of them by default). Exit status: 0 all verified,
    /// 1 some wrong or absent, 2 error
    Verify { names: Vec<String> },
    /// Check that a downloaded model reproduces its published numbers, or, without any,
    /// that it is consistent with itself. Exit status: 0 passed, 1 failed, 2 error
    Check {
        /// A name from the list, a model folder, or a Segment Anything file
        #[arg(required = true)]
        models: Vec<String>,
        /// Device: auto (first GPU, else CPU), cpu or cuda:N
        #[arg(long, default_value = "auto")]
        device: String,
        /// Data type: auto, f32, f16 or bf16
        #[arg(long, default_value = "auto")]
        dtype: String,
    },
}

/// Gigabytes in words.
fn size(model: &Model) -> String {
    match (model.weights().bytes, model.gigabytes) {
        (Some(bytes), _) => format!("{:.2} GB", bytes as f64 / 1e9),
        (None, Some(about)) => format!("~{about:.2} GB"),
        (None, None) => "?".into(),
    }
}

fn here(states: &[FileState]) -> &'static str {
    if states.iter().any(|state| matches!(state, FileState::Wrong(..))) {
        return "damaged";
    }
    let present = states.iter().filter(|state| **state != FileState::Absent).count();
    match present {
        0 => "no",
        some if some < states.len() => "in part",
        _ => "yes",
    }
}

fn list(manifest: &Manifest, hub: &Hub, pins: &Pins, json: bool) -> Result<()> {
    for model in &manifest.models {
        let model = pins.applied(model);
        // only whether they are there: hashing gigabytes is for `verify`
        let unhashed = |file: &ModelFile| ModelFile { sha256: None, ..file.clone() };
        let states: Vec<FileState> =
            model.files.iter().map(|file| hub.state(&model, &unhashed(file))).collect::<Result<_>>()?;
        let option = match model.kind {
            Kind::Clip | Kind::Siglip => "--model",
            Kind::Sam => "--sam-model",
        };
        if json {
            let files: Vec<_> = model
                .files
                .iter()
                .map(|file| serde_json::json!({"path": file.path, "bytes": file.bytes, "sha256": file.sha256}))
                .collect();
            print_line(
                serde_json::json!({"name": model.name, "for": option, "purpose": model.purpose, "licence": model.licence,
                    "repo": model.repo, "revision": model.revision, "here": here(&states), "files": files}),
            )?;
        } else {
            print_line(format_args!("{:<27} {:>8}  {:<7} {}", model.name, size(&model), here(&states), model.purpose))?;
            print_line(format_args!("{:<27} {:>8}  {:<7} {option}; {}; {}", "", "", "", model.repo, model.licence))?;
        }
    }
    Ok(())
}

fn fetch(model: &Model, hub: &Hub, pins: &mut Pins) -> Result<PathBuf> {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes}, {eta} left") {
        bar.set_style(style);
    }
    let mut current = String::new();
    let path = hub.fetch(model, pins, &mut |file, done, all| {
        if current != file {
            current = file.into();
            bar.set_message(current.clone());
            bar.reset();
        }
        if bar.position() == 0 {
            bar.reset_eta(); // what an earlier try fetched took no time
        }
        bar.set_length(all);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    Ok(path)
}

/// Whether every file is here and right.
fn verify(model: &Model, hub: &Hub, pins: &Pins) -> Result<bool> {
    let model = pins.applied(model);
    let mut verified = true;
    for file in &model.files {
        let (word, path) = match hub.state(&model, file)? {
            FileState::Verified(path) => ("ok".into(), path),
            FileState::Unpinned(path) => ("unknown: neither the manifest nor the pins know its SHA-256".into(), path),
            FileState::Wrong(path, fact) => (format!("WRONG: {fact}"), path),
            FileState::Absent => ("absent".to_string(), PathBuf::from(&file.path)),
        };
        verified &= word == "ok";
        print_line(format_args!("{}: {} {word}", model.name, path.display()))?;
    }
    Ok(verified)
}

pub fn run(arguments: &Arguments) -> Result<u8> {
    let manifest = match &arguments.manifest {
        Some(path) => Manifest::open(path)?,
        None => Manifest::built_in()?,
    };
    let hub = Hub::from_environment(arguments.dir.clone())?;
    let mut pins = Pins::open(&arguments.pins.clone().map_or_else(Pins::default_path, Ok)?)?;
    match &arguments.action {
        Action::List { json } => list(&manifest, &hub, &pins, *json)?,
        Action::Fetch { names } => {
            let models: Vec<&Model> = names.iter().map(|name| manifest.model(name)).collect::<Result<_>>()?;
            for model in models {
                eprintln!("{}: {}, licence {}", model.name, model.repo, model.licence);
                print_line(fetch(model, &hub, &mut pins)?.display())?;
                // so that it can be checked later without a network too
                if let Ok(picture) = manifest.picture(model.picture()) {
                    if let Err(error) = hub.picture(picture, &mut pins) {
                        eprintln!("referseg: the picture for `referseg models check`: {error}");
                    }
                }
            }
        }
        Action::Check { models, device, dtype } => {
            let checker = Checker::new(&manifest, &hub, device, dtype)?;
            let mut passed = true;
            for model in models {
                passed &= checker.check(model, &mut pins)?;
            }
            return Ok(if passed { 0 } else { 1 });
        }
        Action::Verify { names } => {
            let named = !names.is_empty();
            let models: Vec<&Model> = match named {
                true => names.iter().map(|name| manifest.model(name)).collect::<Result<_>>()?,
                false => manifest.models.iter().collect(),
            };
            let mut verified = true;
            for model in models {
                let absent =
                    |file| Ok::<bool, referseg::Error>(hub.state(&pins.applied(model), file)? == FileState::Absent);
                let nothing = model.files.iter().map(absent).collect::<Result<Vec<_>>>()?.into_iter().all(|gone| gone);
                if named || !nothing {
                    verified &= verify(model, &hub, &pins)?;
                }
            }
            return Ok(if verified { 0 } else { 1 });
        }
    }
    Ok(0)
}
