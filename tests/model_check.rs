//! `referseg models check` on small random models that a server on loopback has, against what transformers itself computes of
//! them and a picture (`tools/fixtures/checks.py`).

mod common;

use common::hub::{sha256, Hub};
use common::{data, from_names, json, root};
use serde_json::{json, Value};
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Command, Output};

const PICTURE: &str = "picture.png";

fn bytes(path: PathBuf) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// A server with a model, and a home with a list of it.
struct Checked {
    home: tempfile::TempDir,
    hub: Hub,
    manifest: Value,
}

impl Checked {
    fn new(kind: &str, files: HashMap<String, Vec<u8>>, published: Value) -> Checked {
        let picture = bytes(data("scene/000000.png"));
        let hash = sha256(&picture);
        let mut names: Vec<String> = files.keys().cloned().collect();
        names.sort_by_key(|name| !name.ends_with(".safetensors")); // the weights first
        let served = files.into_iter().chain([(PICTURE.to_string(), picture)]).collect();
        let (home, hub) = (tempfile::tempdir().unwrap(), Hub::serving(served));
        let mut published = published;
        published["source"] = "transformers, tools/fixtures/checks.py".into();
        published["picture"] = "scene".into();
        // resizing is within a level of Pillow's; SAM's fixture is small, so that a level tells
        published["tolerance"] = if kind == "sam" { 0.005 } else { 0.001 }.into();
        let paths: Vec<Value> = names.iter().map(|name| json!({"path": name})).collect();
        let picture = |name: &str| json!({"name": name, "url": format!("{{hub}}/pictures/{PICTURE}"), "file": {"path": PICTURE, "sha256": hash}});
        let manifest = json!({
            "pictures": [picture("scene"), picture("two-cats"), picture("truck")],
            "models": [{"name": "small", "kind": kind, "purpose": "a test", "licence": "none", "repo": "owner/name",
                "revision": "main", "files": paths, "published": published}]});
        Checked { home, hub, manifest }
    }

    fn clip() -> Checked {
        let fixture = json(&data("checks/clip.json"));
        let mut files = model_files(&fixture["weights"], "check.", &[]);
        files.insert("config.json".into(), fixture["config"].to_string().into_bytes());
        files.insert("tokenizer.json".into(), bytes(root().join("models/clip_bpe/tokenizer.json")));
        Checked::new("clip", files, json!({"logits": values("clip")}))
    }

    fn siglip() -> Checked {
        let scalars = [("logit_scale", 1.5f32), ("logit_bias", -2.0)];
        let mut files = model_files(&json(&data("siglip/weights.json")), "siglip.", &scalars);
        for file in ["config.json", "preprocessor_config.json", "tokenizer.json"] {
            files.insert(file.into(), bytes(data("siglip").join(file)));
        }
        Checked::new("siglip", files, json!({"logits": values("siglip")}))
    }

    fn sam() -> Checked {
        let files = model_files(&json(&data("sam/hugging_face.json")), "", &[]);
        Checked::new("sam", files, json!({"predicted_iou": values("sam")}))
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let manifest = self.home.path().join("manifest.yaml");
        std::fs::write(&manifest, self.manifest.to_string()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_referseg"));
        command.arg("models").args(arguments).arg("--manifest").arg(manifest).current_dir(root());
        command
            .env_clear()
            .envs(common::library_path())
            .env("HOME", self.home.path())
            .env("HF_ENDPOINT", format!("http://127.0.0.1:{}", self.hub.port));
        command.output().unwrap()
    }

    /// Fetches the model and checks it; the exit status and what was printed.
    fn check(&self) -> (Option<i32>, String) {
        let fetched = self.run(&["fetch", "small"]);
        assert!(fetched.status.success(), "{}", said(&fetched));
        // the picture came with it: the network is not needed any more
        let asked = self.hub.state.requests.lock().unwrap().len();
        let output = self.run(&["check", "small"]);
        assert_eq!(self.hub.state.requests.lock().unwrap().len(), asked);
        (output.status.code(), said(&output))
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn values(model: &str) -> Value {
    json(&data("checks/values.json"))[model].clone()
}

/// model.safetensors of a fixture's rows.
fn model_files(rows: &Value, prefix: &str, scalars: &[(&str, f32)]) -> HashMap<String, Vec<u8>> {
    let mut weights: HashMap<String, candle_core::Tensor> = from_names(rows)
        .into_iter()
        .map(|(name, tensor)| (name.strip_prefix(prefix).unwrap().to_string(), tensor))
        .collect();
    for (name, value) in scalars {
        weights.insert(name.to_string(), candle_core::Tensor::new(&[*value], &candle_core::Device::Cpu).unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.safetensors");
    candle_core::safetensors::save(&weights, &file).unwrap();
    HashMap::from([("model.safetensors".to_string(), bytes(file))])
}

#[test]
fn numbers_of_transformers_pass_from_the_pictures_file_on() {
    for (checked, lines) in [(Checked::clip(), 2), (Checked::siglip(), 2), (Checked::sam(), 12)] {
        let (status, said) = checked.check();
        assert_eq!(status, Some(0), "{said}");
        assert_eq!(said.matches("PASS").count(), lines, "{said}");
        assert!(said.contains("published in transformers, tools/fixtures/checks.py"), "{said}");
    }
}

#[test]
fn another_preprocessing_or_other_weights_fail() {
    // squashed as SigLIP's, not cut as CLIP's
    let mut squashed = Checked::clip();
    squashed.manifest["models"][0]["kind"] = "siglip".into();
    let (status, said) = squashed.check();
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("FAIL"), "{said}");

    let mut other = Checked::sam();
    other.manifest["models"][0]["published"]["predicted_iou"][0]["masks"][1] = 0.5.into();
    let (status, said) = other.check();
    assert_eq!((status, said.matches("FAIL").count(), said.matches("PASS").count()), (Some(1), 1, 11), "{said}");
}

#[test]
fn a_folder_is_known_by_its_weights_or_compared_with_itself() {
    let checked = Checked::siglip();
    checked.check();
    let folder = checked.home.path().join(".cache/huggingface/hub/models--owner--name");
    let output = checked.run(&["check", folder.to_str().unwrap()]);
    assert!(said(&output).contains("published in"), "pinned weights are known again: {}", said(&output));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));

    let output = checked.run(&["check", "models/demo"]);
    let said = said(&output);
    assert!(said.contains("no reference is known") && said.contains("finite similarities with 15 nouns"), "{said}");
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn a_folder_is_checked_without_a_network() {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_referseg"))
        .args(["models", "check", "models/demo"])
        .current_dir(root())
        .envs([("HOME", home.path()), ("HF_HOME", home.path())])
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("a built-in picture") && said.contains("finite similarities with 15 nouns"), "{said}");
}

#[test]
fn what_is_not_here_or_not_the_picture_is_said() {
    let checked = Checked::siglip();
    let absent = checked.run(&["check", "small"]);
    assert_eq!(absent.status.code(), Some(2));
    assert!(said(&absent).contains("`referseg models fetch small`"), "{}", said(&absent));
    let unknown = checked.run(&["check", "nowhere"]);
    assert!(said(&unknown).contains("no such file or folder") && said(&unknown).contains("expected one of small"));

    checked.check();
    let picture = checked.home.path().join(".cache/huggingface/hub/referseg-pictures").join(PICTURE);
    std::fs::write(&picture, b"another").unwrap();
    let wrong = checked.run(&["check", "small"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(said(&wrong).contains("SHA-256") && said(&wrong).contains("remove it"), "{}", said(&wrong));
}
