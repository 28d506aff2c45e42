//! `referseg eval` as a person uses it, on small datasets in the original formats whose true answers are known
//! (`tools/fixtures/datasets.py`).

mod common;

use common::data;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_referseg"));
    command.arg("eval").args(arguments).current_dir(common::root());
    command
}

fn eval(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What it printed; it must have ended well.
fn table(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What it said; it must have refused.
fn refusal(arguments: &[&str]) -> String {
    let output = eval(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    said(&output)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn folder(name: &str) -> String {
    text(&data("datasets").join(name)).to_string()
}

fn jsonl(path: &Path) -> Vec<Value> {
    let read = std::fs::read_to_string(path).unwrap();
    read.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The expressions of a format and split with their truths.
fn truths(format: &str, split: &str) -> Vec<Value> {
    let all = jsonl(&data("datasets/truth.jsonl"));
    all.into_iter().filter(|one| one["format"] == format && one["split"] == split).collect()
}

/// The numbers under the titles of a table's row.
fn row<'a>(table: &'a str, name: &str) -> Vec<(&'a str, &'a str)> {
    let cells = |line: &'a str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
    let titles = table.lines().find(|line| line.contains("oIoU")).map(cells).unwrap();
    let found = table.lines().map(cells).find(|cells| cells[0] == name);
    titles.into_iter().zip(found.unwrap_or_else(|| panic!("no row {name} in {table}"))).collect()
}

fn number(table: &str, name: &str, title: &str) -> f64 {
    let (_, text) = row(table, name).into_iter().find(|(known, _)| *known == title).unwrap();
    text.parse().unwrap()
}

/// Runs a dataset into a folder and checks the truth, or the reason for none, of every expression.
fn check(format: &str, split: &str, arguments: &[&str]) -> (String, Vec<Value>) {
    let out = tempfile::tempdir().unwrap();
    let printed = table(&eval(&[arguments, &["--split", split, "--out", text(out.path())]].concat()));
    let lines = jsonl(&out.path().join("results.jsonl")).split_off(1);
    let known = truths(format, split);
    assert!(!known.is_empty() && lines.len() == known.len(), "{} of {}", lines.len(), known.len());
    for truth in &known {
        let line = lines.iter().find(|line| line["expression"] == truth["expression"]);
        let line = line.unwrap_or_else(|| panic!("no line for {truth}"));
        assert_eq!(line["text"], truth["text"]);
        match truth["problem"].as_str() {
            Some(why) => assert!(line["problem"].as_str().unwrap().contains(why), "{line} {truth}"),
            None => assert_eq!((&line["problem"], &line["truth"]), (&Value::from(""), &truth["truth"])),
        }
    }
    (printed, lines)
}

#[test]
fn refcoco_in_its_original_files_and_python_2s_pickles() {
    let (refcoco, pictures) = (folder("refcoco"), folder("pictures"));
    let of = |by| ["--data", refcoco.as_str(), "--images", pictures.as_str(), "--by", by, "--truth"];
    let (printed, lines) = check("refcoco", "val", &of("unc"));
    assert!(printed.contains("9 of 16 expressions") && printed.contains("7 expressions do not count"), "{printed}");
    // the best proposal of all is the truth itself, and the crowd is no proposal
    assert_eq!(number(&printed, "global_local", "oracle mIoU"), 100.0);
    assert_eq!(lines[0]["rows"][0]["proposals"], 3, "neither the crowd nor the four broken ones");
    assert!(number(&printed, "global_local", "picks") > 60.0, "{printed}");
    assert!(!printed.contains("published"), "with the true masks nothing compares with a published row: {printed}");
    let (printed, _) = check("refcoco", "testA", &of("unc"));
    assert!(printed.contains("5 of 5 expressions"), "{printed}");
    let proposed = table(&eval(&[&of("unc")[..6], &["--split", "testA", "--proposals", "regions"]].concat()));
    assert!(proposed.contains("published: Global-Local CLIP") && proposed.contains("24.94"), "{proposed}");

    let out = tempfile::tempdir().unwrap();
    let printed = table(&eval(&[&of("google")[..], &["--out", text(out.path())]].concat()));
    assert!(printed.contains("1 images, 5 of 5"), "{printed}");
    assert_eq!(jsonl(&out.path().join("results.jsonl"))[1]["text"], "the café's thing");

    let both = refusal(&["--data", &refcoco, "--images", &pictures]);
    assert!(both.contains("splits by unc and google; choose one with --by"), "{both}");
    let splits = refusal(&[&of("unc")[..], &["--split", "testB"]].concat());
    assert!(splits.contains("no split \"testB\"; it has testA, train, val"), "{splits}");
}

#[test]
fn a_pickle_is_data_and_never_runs() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("instances.json"), r#"{"images": [], "annotations": []}"#).unwrap();
    let refs = home.path().join("refs(unc).p");
    let traps: [&[u8]; 3] = [b"cos\nsystem\n(S'touch RAN'\ntR.", b"cbuiltins\neval\n(S'1'\ntR.", b"(lp0\n(dp1\nS'ref_"];
    for trap in traps {
        std::fs::write(&refs, trap).unwrap();
        let why = refusal(&["--data", text(home.path()), "--truth"]);
        assert!(why.contains("refs(unc).p") && why.contains("not a"), "{why}");
    }
    assert!(!common::root().join("RAN").exists());
}

#[test]
fn the_hubs_copies() {
    let pictures = folder("pictures");
    let refcoco = folder("hub/refcoco");
    let (printed, _) = check("jxu124", "val", &["--data", &refcoco, "--images", &pictures]);
    assert!(printed.starts_with("refcoco val, 1 images, 4 of 4") && printed.contains("26.20"), "{printed}");
    let plus = folder("hub/RefCOCOplus");
    let (printed, lines) = check("lmms-lab", "val", &["--data", &plus]);
    assert!(printed.starts_with("refcoco+ val, 2 images, 2 of 2") && printed.contains("27.80"), "{printed}");
    assert_eq!(lines[1]["image"], format!("{plus}/data/val-00000-of-00001.parquet#1"));
    let why = refusal(&["--data", &plus, "--truth"]);
    assert!(why.contains("does not know all things"), "{why}");

    let damaged = tempfile::tempdir().unwrap();
    std::fs::write(damaged.path().join("val-00000-of-00001.parquet"), b"PAR1").unwrap();
    let why = refusal(&["--data", text(damaged.path())]);
    assert!(why.contains("not parquet"), "{why}");
}

#[test]
fn phrasecut() {
    let (phrasecut, pictures) = (folder("phrasecut"), folder("pictures"));
    let (printed, lines) = check("phrasecut", "val", &["--data", &phrasecut, "--images", &pictures]);
    assert!(printed.starts_with("phrasecut val, 2 images, 10 of 10"), "{printed}");
    let oracle = number(&printed, "global_local", "oracle P@0.5");
    assert!(oracle >= 50.0, "the region proposals find most things: {printed}");
    let right = lines.iter().filter(|line| line["rows"][0]["right"] == true).count();
    assert!((number(&printed, "global_local", "P@0.5") - 100.0 * right as f64 / 10.0).abs() < 0.06);
}

#[test]
fn the_numbers_of_the_table_are_those_of_the_lines() {
    let out = tempfile::tempdir().unwrap();
    let refcoco = ["--data", &folder("refcoco"), "--images", &folder("pictures"), "--by", "unc", "--split", "testA"];
    let printed = table(&eval(&[&refcoco[..], &["--proposals", "regions", "--out", text(out.path())]].concat()));
    let lines = jsonl(&out.path().join("results.jsonl")).split_off(1);
    let parts: Vec<(f64, f64)> = lines
        .iter()
        .map(|line| &line["rows"][0]["shared"])
        .map(|shared| (shared["intersection"].as_f64().unwrap(), shared["union"].as_f64().unwrap()))
        .collect();
    let close = |title, expected: f64| {
        let printed = number(&printed, "global_local", title);
        assert!((printed - 100.0 * expected).abs() <= 0.051, "{title}: {printed} for {expected}");
    };
    let count = parts.len() as f64;
    close("oIoU", parts.iter().map(|p| p.0).sum::<f64>() / parts.iter().map(|p| p.1).sum::<f64>());
    close("mIoU", parts.iter().map(|p| p.0 / p.1).sum::<f64>() / count);
    for (title, threshold) in [("P@0.5", 0.5), ("P@0.7", 0.7), ("P@0.9", 0.9)] {
        close(title, parts.iter().filter(|p| p.0 / p.1 >= threshold).count() as f64 / count);
    }
    for kind in ["report.md", "report.html"] {
        assert!(std::fs::read_to_string(out.path().join(kind)).unwrap().contains("global_local"));
    }
    let page = std::fs::read_to_string(out.path().join("report.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("data:image/") && page.contains("24.94"));
    for outside in ["<script src", "<link", "src=\"http", "url(http"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn images_without_proposals_count_zero_or_are_left_out() {
    let home = tempfile::tempdir().unwrap();
    let labels = home.path().join("labels.png");
    image::GrayImage::new(320, 240).save(&labels).unwrap();
    let generator = format!("labels:{}", text(&labels));
    let refcoco = ["--data", &folder("refcoco"), "--images", &folder("pictures"), "--by", "unc", "--split", "testA"];
    let with = |more: &[&str]| table(&eval(&[&refcoco[..], &["--proposals", &generator], more].concat()));
    let printed = with(&[]);
    assert!(printed.contains("5 of 5") && printed.contains("counts as IoU 0"), "{printed}");
    assert_eq!(number(&printed, "global_local", "mIoU"), 0.0);
    assert!(with(&["--skip-empty"]).contains("left out"));
}

/// A run with several rows over few images: the dataset's `val`.
fn several_rows() -> Vec<String> {
    let [refcoco, pictures] = ["refcoco", "pictures"].map(folder);
    let arguments = ["--data", &refcoco, "--images", &pictures, "--by", "unc", "--proposals", "regions", "--methods"];
    arguments.into_iter().chain(["all", "--alphas", "0,1", "--masked-blocks", "1"]).map(String::from).collect()
}

fn into(out: &Path, more: &[&str]) -> Command {
    let arguments = several_rows();
    let mut all: Vec<&str> = arguments.iter().map(String::as_str).collect();
    all.extend(["--out", text(out)]);
    all.extend(more);
    command(&all)
}

#[test]
fn a_killed_run_goes_on_and_ends_with_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    let (whole, killed) = (home.path().join("whole"), home.path().join("killed"));
    let printed = table(&into(&whole, &[]).output().unwrap());
    let expected = std::fs::read(whole.join("results.jsonl")).unwrap();

    let mut child = into(&killed, &[]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let results = killed.join("results.jsonl");
    let written = |path: &Path| std::fs::read(path).map_or(0, |bytes| bytes.iter().filter(|b| **b == b'\n').count());
    while written(&results) < 2 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left = std::fs::read(&results).unwrap();
    assert!(left.len() < expected.len() && expected.starts_with(&left), "killed midway");
    let resumed = table(&into(&killed, &[]).output().unwrap());
    assert_eq!((std::fs::read(&results).unwrap(), resumed), (expected.clone(), printed.clone()));

    // wherever the kill falls: in the header, in a line, between the lines of an image
    let header = expected.iter().position(|byte| *byte == b'\n').unwrap();
    for kept in [0, header / 2, header + 1, header + 90, expected.len() / 2, expected.len() - 1] {
        std::fs::write(&results, &expected[..kept]).unwrap();
        let resumed = table(&into(&killed, &[]).output().unwrap());
        assert_eq!((std::fs::read(&results).unwrap(), resumed), (expected.clone(), printed.clone()), "{kept}");
    }
    // what the disk lost or spoiled of the cache is computed again
    for file in files(&killed.join("cache")) {
        std::fs::write(file, b"spoiled").unwrap();
    }
    std::fs::remove_file(&results).unwrap();
    assert_eq!(table(&into(&killed, &[]).output().unwrap()), printed);
    assert_eq!(std::fs::read(&results).unwrap(), expected);
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn shards_joined_are_the_whole_run() {
    let home = tempfile::tempdir().unwrap();
    let (whole, parts, cache) = (home.path().join("whole"), home.path().join("parts"), home.path().join("cache"));
    let cache = ["--cache", text(&cache)];
    table(&into(&whole, &cache).output().unwrap());
    for shard in ["1/3", "2/3", "3/3"] {
        let output = into(&parts, &[&cache[..], &["--shard", shard]].concat()).output().unwrap();
        assert!(said(&output).contains("join all shards with --merge"), "{}", said(&output));
    }
    let part = |shard: usize| parts.join(format!("results-{shard}-of-3.jsonl"));
    let merge = |files: &[&Path], out: &Path| {
        let files: Vec<&str> = files.iter().map(|file| text(file)).collect();
        eval(&[&["--out", text(out), "--merge"], &files[..]].concat())
    };
    let joined = home.path().join("joined");
    let output = merge(&[&part(3), &part(1), &part(2)], &joined);
    assert!(output.status.success(), "{}", said(&output));
    for name in ["results.jsonl", "report.md", "report.html"] {
        // all but the day on which the page was written
        let read = |folder: &Path| {
            let text = std::fs::read_to_string(folder.join(name)).unwrap();
            let date = text.split_once("<dt>date</dt><dd>").map(|(_, rest)| rest[..10].to_string());
            date.map_or(text.clone(), |date| text.replace(&date, ""))
        };
        assert_eq!(read(&whole), read(&joined), "{name}");
    }
    let other = home.path().join("other");
    let missing = said(&merge(&[&part(1), &part(3)], &other));
    assert!(missing.contains("is missing; expected every shard once"), "{missing}");
    let twice = said(&merge(&[&part(1), &part(2), &part(3), &part(2)], &other));
    assert!(twice.contains("is there twice"), "{twice}");
    let google = ["--data", &folder("refcoco"), "--images", &folder("pictures"), "--by", "google", "--truth"];
    table(&eval(&[&google[..], &["--out", text(&other)]].concat()));
    let foreign = said(&merge(&[&part(1), &other.join("results.jsonl")], &joined));
    assert!(foreign.contains("is not of the same run"), "{foreign}");
    // nor does a run go on in another's file
    let output = into(&other, &[]).output().unwrap();
    assert!(said(&output).contains("holds another run"), "{}", said(&output));
    for wrong in ["0/3", "4/3", "x"] {
        assert!(said(&into(&parts, &["--shard", wrong]).output().unwrap()).contains("expected I/N"));
    }
}

#[test]
fn another_method_or_weight_uses_what_the_cache_holds() {
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("cache");
    let arguments = ["--data", &folder("phrasecut"), "--images", &folder("pictures"), "--cache", text(&cache)];
    let first = table(&eval(&arguments));
    let kept = files(&cache);
    assert_eq!(kept.len(), 2 * 2, "proposals and features of two images");
    // other weights need nothing new; cropping scores the local features that are there
    let sweep = ["--alphas", "0.1,0.9", "--betas", "0,1", "--methods", "cropping"];
    let second = table(&eval(&[&arguments[..], &sweep].concat()));
    assert_eq!(files(&cache).len(), kept.len());
    assert_eq!(row(&first, "global_local"), row(&second, "global_local"));
    // a baseline shares the proposals, and other proposals share nothing
    table(&eval(&[&arguments[..], &["--method", "region_token"]].concat()));
    assert_eq!(files(&cache).len(), kept.len() + 2);
    table(&eval(&[&arguments[..], &["--set", "proposals.limit=3"]].concat()));
    assert_eq!(files(&cache).len(), kept.len() + 2 + 4);
}

#[test]
fn sweeps_are_rows_of_one_table() {
    let refcoco = ["--data", &folder("refcoco"), "--images", &folder("pictures"), "--by", "unc", "--split", "testA"];
    let sweep = ["--truth", "--alphas", "0.3,1", "--betas", "0.25,0.75", "--presets", "paper", "--ablations"];
    let printed = table(&eval(&[&refcoco[..], &sweep].concat()));
    let rows =
        "global_local, local only, global only, sentence only, noun phrase only, preset paper, alpha 0.3, alpha 1, \
                beta 0.25, beta 0.75";
    for name in rows.split(", ") {
        row(&printed, name);
    }
    // the same settings by another name
    assert_eq!(row(&printed, "alpha 1")[1..], row(&printed, "global only")[1..]);
    let printed = table(&eval(&[&refcoco[..], &sweep[..5], &["--product"]].concat()));
    for name in ["alpha 0.3, beta 0.25", "alpha 0.3, beta 0.75", "alpha 1, beta 0.25", "alpha 1, beta 0.75"] {
        row(&printed, name);
    }
    let unfit = refusal(&[&refcoco[..], &["--methods", "grad_cam"]].concat());
    assert!(unfit.contains("grad_cam can't run on this model"), "{unfit}");
}

#[test]
fn what_is_no_dataset_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let why = refusal(&["--data", text(empty.path())]);
    assert!(why.contains("no dataset with split \"val\"") && why.contains("instances.json"), "{why}");
    let why = refusal(&["--data", &folder("phrasecut"), "--truth"]);
    assert!(why.contains("does not know all things"), "{why}");
}

/// A copy of a dataset's folder that a test may change.
fn copy_of(name: &str, home: &Path) -> std::path::PathBuf {
    let (from, to) = (data("datasets").join(name), home.join(name));
    for file in files(&from) {
        let copy = to.join(file.strip_prefix(&from).unwrap());
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(file, copy).unwrap();
    }
    to
}

#[test]
fn a_run_with_a_wrong_folder_of_images_goes_on_with_the_right_one() {
    let home = tempfile::tempdir().unwrap();
    let (out, empty) = (home.path().join("out"), home.path().join("empty"));
    std::fs::create_dir(&empty).unwrap();
    let refcoco = folder("refcoco");
    let with = |images: &str| {
        let arguments =
            ["--data", &refcoco, "--images", images, "--by", "unc", "--split", "testA", "--truth", "--out", text(&out)];
        eval(&arguments)
    };
    let nothing = with(text(&empty));
    assert_eq!(nothing.status.code(), Some(2));
    assert!(
        said(&nothing).contains("none of its 5 expressions could be measured; 5 times: file"),
        "{}",
        said(&nothing)
    );
    let resumed = table(&with(&folder("pictures")));
    assert!(resumed.contains("5 of 5 expressions"), "{resumed}");
}

#[test]
fn results_are_of_one_run_whose_settings_files_and_annotations_are_the_same() {
    let home = tempfile::tempdir().unwrap();
    let (refcoco, out) = (copy_of("refcoco", home.path()), home.path().join("out"));
    let labels = home.path().join("labels.png");
    let model = home.path().join("model");
    std::fs::create_dir(&model).unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        std::fs::copy(common::root().join("models/demo").join(file), model.join(file)).unwrap();
    }
    let square = |grey: u8| {
        let mut image = image::GrayImage::new(320, 240);
        (0..50).for_each(|i| image.put_pixel(i, i, image::Luma([grey])));
        image.save(&labels).unwrap();
    };
    square(1);
    let generator = format!("labels:{}", text(&labels));
    let run = |more: &[&str]| {
        let arguments = [
            "--data",
            text(&refcoco),
            "--images",
            &folder("pictures"),
            "--by",
            "unc",
            "--split",
            "testA",
            "--model",
            text(&model),
            "--proposals",
            &generator,
            "--out",
            text(&out),
        ];
        eval(&[&arguments[..], more].concat())
    };
    table(&run(&[]));
    table(&run(&[]));
    let other = |what: &str, output: Output| {
        assert_eq!(output.status.code(), Some(2), "{what}");
        assert!(said(&output).contains("holds another run"), "{what}: {}", said(&output));
    };
    for setting in [
        "answer.min_score=0.9",
        "answer.min_margin=0.3",
        "answer.min_probability=0.2",
        "visual.batch=3",
        "visual.crops=adaptive",
        "terms.quality=0.5",
        "words.nothing=[a wall]",
        "guidance=none",
    ] {
        other(setting, run(&["--set", setting]));
    }
    square(2);
    other("the label image", run(&[]));
    square(1);
    table(&run(&[]));
    let tokenizer = model.join("tokenizer.json");
    let tokens = std::fs::read_to_string(&tokenizer).unwrap();
    std::fs::write(&tokenizer, tokens.replacen("\"version\"", " \"version\"", 1)).unwrap();
    other("the tokenizer", run(&[]));
    std::fs::write(&tokenizer, &tokens).unwrap();
    let instances = refcoco.join("instances.json");
    let annotations = std::fs::read_to_string(&instances).unwrap();
    let mut edited: Value = serde_json::from_str(&annotations).unwrap();
    for annotation in edited["annotations"].as_array_mut().unwrap() {
        // polygons; a crowd is runs
        if let Some(x) = annotation["segmentation"].pointer_mut("/0/0").filter(|x| x.is_number()) {
            *x = (x.as_f64().unwrap() + 1.0).into();
        }
    }
    std::fs::write(&instances, edited.to_string()).unwrap();
    other("an annotation", run(&[]));
    std::fs::write(&instances, annotations).unwrap();
    table(&run(&[]));
}

#[test]
fn a_crowd_that_an_expression_means_is_a_truth() {
    let home = tempfile::tempdir().unwrap();
    let refcoco = copy_of("refcoco", home.path());
    let path = refcoco.join("instances.json");
    let mut instances: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for annotation in instances["annotations"].as_array_mut().unwrap() {
        // number 99 is the crowd that no expression means
        if annotation["id"].as_u64().unwrap() % 1000 != 99 {
            annotation["iscrowd"] = 1.into();
        }
    }
    std::fs::write(&path, instances.to_string()).unwrap();
    let arguments = ["--images", &folder("pictures"), "--by", "unc", "--split", "testA", "--truth"];
    let printed = table(&eval(&[&["--data", text(&refcoco)], &arguments[..]].concat()));
    assert!(printed.contains("5 of 5 expressions"), "{printed}");
}

#[test]
fn results_that_cannot_be_read_are_an_error_and_stay() {
    let home = tempfile::tempdir().unwrap();
    let results = home.path().join("results.jsonl");
    std::fs::create_dir(&results).unwrap();
    let refcoco =
        ["--data", &folder("refcoco"), "--images", &folder("pictures"), "--by", "unc", "--split", "testA", "--truth"];
    let output = eval(&[&refcoco[..], &["--out", text(home.path())]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    std::fs::remove_dir(&results).unwrap();
    std::fs::write(&results, "notes of mine\n").unwrap();
    let output = eval(&[&refcoco[..], &["--out", text(home.path())]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&results).unwrap(), "notes of mine\n");
}
