//! What the command line writes: never over an input, whole or not at all, and to a standard output that may be closed.

mod common;

use common::data;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn referseg(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_referseg")).args(arguments).current_dir(common::root()).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn copied(folder: &Path, file: &str, name: &str) -> PathBuf {
    let copy = folder.join(name);
    std::fs::copy(data(file), &copy).unwrap();
    copy
}

/// The program must refuse with exit status 2 and leave the file as it was.
fn refused(input: &Path, arguments: &[&str]) {
    let before = std::fs::read(input).unwrap();
    let output = referseg(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
    let said = said(&output);
    assert!(
        said.contains("is the input itself") || said.contains("lies inside the input's folder"),
        "{arguments:?}: {said}"
    );
    assert!(std::fs::read(input).unwrap() == before, "{arguments:?} changed it");
}

#[test]
fn no_output_replaces_an_input() {
    let home = tempfile::tempdir().unwrap();
    let bag = copied(home.path(), "bags/mcap/mcap.mcap", "bag.mcap");
    let image = copied(home.path(), "scene/000000.png", "image.png");
    let link = home.path().join("link.png");
    std::os::unix::fs::symlink(&image, &link).unwrap();
    for option in ["--out", "--report"] {
        let out = home.path().join("elsewhere.mcap");
        let more: &[&str] = if option == "--out" { &[] } else { &["--out", text(&out)] };
        let arguments =
            [&["replay", text(&bag), option, text(&bag), "--image-topic", "/camera/image_raw"], more].concat();
        refused(&bag, &arguments);
    }
    for option in ["--overlay", "--mask"] {
        for output in [&image, &link] {
            refused(&image, &["segment", "--image", text(&image), "--text", "the red ball", option, text(output)]);
        }
    }
    let folder = home.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let part = copied(&folder, "bags/mcap/mcap.mcap", "part_0.mcap");
    refused(
        &part,
        &["replay", text(&folder), "--text", "x", "--image-topic", "/camera/image_raw", "--out", text(&part)],
    );
}

#[test]
fn an_output_appears_whole_or_not_at_all() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("answers.mcap");
    std::fs::write(&out, b"of yesterday").unwrap();
    let bag = data("bags/mcap");
    let failing = ["replay", text(&bag), "--all", "--text", "x", "--out", text(&out), "--report", "/nowhere/r.html"];
    assert_eq!(referseg(&failing).status.code(), Some(2));
    assert_eq!(std::fs::read(&out).unwrap(), b"of yesterday");
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["answers.mcap"], "nothing half-written stays");
}

#[test]
fn a_closed_standard_output_ends_quietly_and_a_full_one_is_an_error() {
    for arguments in [&["models", "list"][..], &["parse", "the red mug"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_referseg"));
        let closed = command.args(arguments).current_dir(common::root()).stdout(writer).stderr(Stdio::piped());
        let closed = closed.output().unwrap();
        assert_eq!((closed.status.code(), said(&closed)), (Some(141), String::new()), "{arguments:?}");
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_referseg"));
        let full = command.args(arguments).current_dir(common::root()).stdout(full).stderr(Stdio::piped());
        let full = full.output().unwrap();
        assert_eq!(full.status.code(), Some(2), "{arguments:?}");
        assert!(said(&full).contains("standard output"), "{}", said(&full));
    }
}
