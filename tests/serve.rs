//! `referseg serve --stdio`: many jobs in one process give what as many processes give.

mod common;

use common::data;
use common::replays::{replay, text};
use serde_json::{json, Value};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

#[test]
fn jobs_in_one_process_give_the_bytes_of_their_own_and_a_bad_one_ends_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_referseg"))
        .args(["serve", "--stdio"])
        .current_dir(common::root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut jobs = server.stdin.take().unwrap();
    let mut ends = BufReader::new(server.stdout.take().unwrap()).lines();
    let mut job = |line: String| -> Value {
        writeln!(jobs, "{line}").unwrap();
        serde_json::from_str(&ends.next().unwrap().unwrap()).unwrap()
    };
    let bag = data("bags/mcap");
    let options = ["--image-topic", "/camera/image_raw", "--text"];
    let arguments = |name: &str, words: &str| {
        let out = home.path().join(name);
        json!([&["replay", text(&bag), "--out", text(&out)][..], &options, &[words]].concat()).to_string()
    };
    let (_alone, expected, _) = replay(&bag, &[&options[..], &["the red ball"]].concat());
    let first = job(arguments("first.mcap", "the red ball"));
    assert_eq!((&first["status"], &first["error"]), (&json!(0), &json!("")));
    assert!(first["output"].as_str().unwrap().contains("3 frames, 3 answers"));
    let missing = job(json!(["replay", "/nowhere", "--out", "/dev/null", "--text", "x"]).to_string());
    assert!(missing["status"] == 2 && missing["error"].as_str().unwrap().contains("does not exist"));
    for (wrong, words) in [
        ("no json", "JSON array of arguments"),
        (r#"["serve", "--stdio"]"#, "serve is no job"),
        (r#"["replay"]"#, "required arguments"),
    ] {
        let ended = job(wrong.into());
        assert!(ended["status"] == 2 && ended["error"].as_str().unwrap().contains(words), "{ended}");
    }
    // another command between, then the first again on the weights that are kept
    job(arguments("other.mcap", "the black can"));
    job(arguments("again.mcap", "the red ball"));
    let expected = std::fs::read(expected).unwrap();
    for name in ["first.mcap", "again.mcap"] {
        assert!(std::fs::read(home.path().join(name)).unwrap() == expected, "{name}");
    }
    drop(jobs);
    assert!(server.wait().unwrap().success());
}
