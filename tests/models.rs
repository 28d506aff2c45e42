//! `referseg models` against a small HTTP server on loopback with the hub's addresses and headers.

mod common;

use common::hub::{sha256, Hub, COMMIT};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A home of one's own: cache, pins, a manifest with one model.
struct Home {
    folder: tempfile::TempDir,
    endpoint: String,
}

impl Home {
    fn new(hub: &Hub) -> Home {
        let home = Home { folder: tempfile::tempdir().unwrap(), endpoint: format!("http://127.0.0.1:{}", hub.port) };
        home.manifest("main", "");
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `known`: what the manifest knows of large.safetensors, as YAML.
    fn manifest(&self, revision: &str, known: &str) {
        let text = format!(
            "models:\n  - {{name: small, kind: clip, purpose: a test, licence: none, repo: owner/name, \
             revision: {revision}, files: [{{path: large.safetensors{known}}}, {{path: config.json}}]}}\n"
        );
        std::fs::write(self.path("manifest.yaml"), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referseg"));
        command.arg("models").args(arguments).arg("--manifest").arg(self.path("manifest.yaml"));
        command
            .env_clear()
            .envs(common::library_path())
            .env("HOME", self.folder.path())
            .env("HF_ENDPOINT", &self.endpoint);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it said; it must have refused.
    fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        said(&output)
    }

    fn snapshot(&self) -> PathBuf {
        self.path(".cache/huggingface/hub/models--owner--name/snapshots").join(COMMIT)
    }

    fn blob(&self, name: &str) -> PathBuf {
        self.path(".cache/huggingface/hub/models--owner--name/blobs").join(name)
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8(output.stdout.clone()).unwrap().trim().into()
}

fn read(path: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

#[test]
fn a_model_is_fetched_once_into_the_hubs_cache_and_pinned() {
    let hub = Hub::open();
    let home = Home::new(&hub);
    assert_eq!(printed(&home.run(&["fetch", "small"])), home.snapshot().display().to_string());
    assert_eq!(read(home.snapshot().join("large.safetensors")), hub.large());
    assert_eq!(read(home.snapshot().join("config.json")), b"{}");
    // the cache is as the hub's own tools keep it
    assert!(home.snapshot().join("large.safetensors").symlink_metadata().unwrap().is_symlink());
    assert_eq!(read(home.blob(&sha256(&hub.large()))), hub.large());
    assert_eq!(read(home.path(".cache/huggingface/hub/models--owner--name/refs/main")), COMMIT.as_bytes());
    let pins = String::from_utf8(read(home.path(".config/referseg/pins.yaml"))).unwrap();
    assert!(pins.contains(COMMIT) && pins.contains(&sha256(&hub.large())) && pins.contains("bytes: 800000"), "{pins}");

    let requests = hub.state.requests.lock().unwrap().len();
    assert_eq!(printed(&home.run(&["fetch", "small"])), home.snapshot().display().to_string());
    assert_eq!(hub.state.requests.lock().unwrap().len(), requests, "all is here");
    let verified = home.run(&["verify"]);
    assert_eq!(printed(&verified).lines().filter(|line| line.ends_with(" ok")).count(), 2);
    let listed = printed(&home.run(&["list", "--json"]));
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((&listed["here"], &listed["revision"]), (&"yes".into(), &COMMIT.into()));
    assert_eq!(listed["files"][0]["bytes"], 800_000);

    // a file of another size is not called "here"
    std::fs::write(home.blob(&sha256(&hub.large())), b"cut").unwrap();
    let listed: serde_json::Value = serde_json::from_str(&printed(&home.run(&["list", "--json"]))).unwrap();
    assert_eq!(listed["here"], "damaged", "{listed}");
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_ended() {
    let hub = Hub::open();
    let home = Home::new(&hub);
    // once: repaired within the command
    hub.break_off(1, 300_000);
    printed(&home.run(&["fetch", "small"]));
    assert_eq!(read(home.snapshot().join("large.safetensors")), hub.large());
    let starts: Vec<String> = hub.downloads().into_iter().filter(|line| line.contains("/cdn/")).collect();
    assert_eq!(starts.len(), 2);
    assert!(starts[0].ends_with("bytes=0-") && starts[1].ends_with("bytes=300000-"), "{starts:?}");

    // again and again: the command gives up, and the next one goes on
    let home = Home::new(&hub);
    hub.break_off(3, 100_000);
    let why = home.refusal(&["fetch", "small"]);
    assert!(why.contains("the download broke off") && why.contains("the same command resumes it"), "{why}");
    assert!(!home.snapshot().join("large.safetensors").exists());
    let part = home.blob(&format!("{}.part", sha256(&hub.large())));
    assert_eq!(read(&part).len(), 300_000);
    printed(&home.run(&["fetch", "small"]));
    assert!(hub.downloads().iter().any(|line| line.ends_with("bytes=300000-")));
    assert_eq!(read(home.snapshot().join("large.safetensors")), hub.large());
    assert!(!part.exists());

    // killed between the last byte and the renaming
    let home = Home::new(&hub);
    let part = home.blob(&format!("{}.part", sha256(&hub.large())));
    std::fs::create_dir_all(part.parent().unwrap()).unwrap();
    std::fs::write(&part, hub.large()).unwrap();
    printed(&home.run(&["fetch", "small"]));
    assert_eq!(read(home.snapshot().join("large.safetensors")), hub.large());
}

#[test]
fn what_is_not_the_file_is_refused_and_removed() {
    let hub = Hub::open();
    // against the manifest
    let home = Home::new(&hub);
    let other = "0".repeat(64);
    home.manifest(COMMIT, &format!(", sha256: '{other}'"));
    let why = home.refusal(&["fetch", "small"]);
    assert!(why.contains(&format!("SHA-256 {}; expected {other}", sha256(&hub.large()))), "{why}");
    assert!(!home.snapshot().join("large.safetensors").exists() && !home.blob(&sha256(&hub.large())).exists());
    assert_eq!(home.run(&["verify", "small"]).status.code(), Some(1));
    home.manifest(COMMIT, ", bytes: 7");
    assert!(home.refusal(&["fetch", "small"]).contains("800000 bytes; expected 7"));
    // against what the hub itself says
    let home = Home::new(&hub);
    *hub.state.lie.lock().unwrap() = Some((800_000, other.clone()));
    assert!(home.refusal(&["fetch", "small"]).contains(&other));
    *hub.state.lie.lock().unwrap() = None;
    // a part of something else
    let part = home.blob(&format!("{}.part", sha256(&hub.large())));
    std::fs::create_dir_all(part.parent().unwrap()).unwrap();
    std::fs::write(&part, vec![7; 1000]).unwrap();
    assert!(home.refusal(&["fetch", "small"]).contains("it was removed; fetch again"));
    printed(&home.run(&["fetch", "small"]));
    assert_eq!(read(home.snapshot().join("large.safetensors")), hub.large());

    // a file that was spoiled later, which the pin shows, is fetched again
    let blob = home.blob(&sha256(&hub.large()));
    let mut spoiled = hub.large();
    spoiled[5] ^= 1;
    std::fs::write(&blob, &spoiled).unwrap();
    let verified = home.run(&["verify", "small"]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&verified.stdout).contains("WRONG: SHA-256"));
    printed(&home.run(&["fetch", "small"]));
    assert_eq!(read(home.snapshot().join("large.safetensors")), hub.large());

    // a repository that changed after the pin
    std::fs::remove_dir_all(home.path(".cache")).unwrap();
    hub.state.files.lock().unwrap().insert("large.safetensors".into(), b"another".to_vec());
    let why = home.refusal(&["fetch", "small"]);
    assert!(why.contains("7 bytes; expected 800000") && why.contains("the repository has changed"), "{why}");
}

#[test]
fn offline_the_cache_and_a_local_folder_are_honoured() {
    let hub = Hub::open();
    let home = Home::new(&hub);
    let dir = home.path("weights");
    let to = ["fetch", "small", "--dir", dir.to_str().unwrap()];
    let offline = |arguments: &[&str]| home.command(arguments).env("HF_HUB_OFFLINE", "1").output().unwrap();
    let why = said(&offline(&to));
    assert!(
        why.contains("HF_HUB_OFFLINE is set") && why.contains("put large.safetensors, config.json of owner/name into")
    );
    assert!(said(&offline(&to[..2])).contains("give --dir DIR"));
    assert!(hub.state.requests.lock().unwrap().is_empty());

    assert_eq!(printed(&home.run(&to)), dir.join("small").display().to_string());
    assert_eq!(read(dir.join("small/large.safetensors")), hub.large());
    std::fs::remove_dir_all(home.path(".cache")).unwrap();
    assert_eq!(printed(&offline(&to)), dir.join("small").display().to_string());
    // files that someone put there are taken as they are, and pinned with a commit
    let home = Home::new(&hub);
    home.manifest(COMMIT, "");
    let dir = home.path("stick");
    std::fs::create_dir_all(dir.join("small")).unwrap();
    for name in ["large.safetensors", "config.json"] {
        std::fs::write(dir.join("small").join(name), name).unwrap();
    }
    let to = ["fetch", "small", "--dir", dir.to_str().unwrap()];
    let output = home.command(&to).env("HF_HUB_OFFLINE", "1").output().unwrap();
    assert_eq!(printed(&output), dir.join("small").display().to_string());
    assert!(read(home.path(".config/referseg/pins.yaml")).starts_with(b"small:"));
}

#[test]
fn the_environment_of_the_hub_is_honoured() {
    let hub = Hub::open();
    for (variable, value, cache) in
        [("HF_HOME", "a", "a/hub"), ("HF_HUB_CACHE", "b", "b"), ("XDG_CACHE_HOME", "c", "c/huggingface/hub")]
    {
        let home = Home::new(&hub);
        let output = home.command(&["fetch", "small"]).env(variable, home.path(value)).output().unwrap();
        let folder = home.path(cache).join("models--owner--name/snapshots").join(COMMIT);
        assert_eq!(printed(&output), folder.display().to_string(), "{variable}");
    }
}

#[test]
fn no_network_no_repository_no_room_are_said_plainly() {
    let hub = Hub::open();
    let mut home = Home::new(&hub);
    *hub.state.lie.lock().unwrap() = Some((1 << 60, sha256(&hub.large())));
    let why = home.refusal(&["fetch", "small"]);
    assert!(why.contains("needs 1152921504.61 GB") && why.contains("are free; make room"), "{why}");
    assert!(hub.downloads().is_empty());
    let why = home.refusal(&["fetch", "tiny"]);
    assert!(why.contains("no model \"tiny\"; expected one of small"), "{why}");

    let text = String::from_utf8(read(home.path("manifest.yaml"))).unwrap();
    std::fs::write(home.path("manifest.yaml"), text.replace("owner/name", "owner/gone")).unwrap();
    let why = home.refusal(&["fetch", "small"]);
    assert!(why.contains("has no repository owner/gone with revision main"), "{why}");

    // a port that nobody listens on
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    home.endpoint = format!("http://127.0.0.1:{free}");
    let why = home.refusal(&["fetch", "small"]);
    assert!(
        why.contains("can't reach http://127.0.0.1:") && why.contains("check the network and HF_ENDPOINT"),
        "{why}"
    );
}
