//! `referseg replay` run as a person does, and what it writes read back.

use referseg::recordings::bag::{Bag, Message};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub fn referseg(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_referseg")).args(arguments).current_dir(super::root()).output().unwrap()
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Replays into a file of a new folder; it must have ended well.
pub fn replay(bag: &Path, arguments: &[&str]) -> (tempfile::TempDir, PathBuf, String) {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("answers.mcap");
    let output = referseg(&[&["replay", text(bag), "--out", text(&out)], arguments].concat());
    assert!(output.status.success(), "{}", said(&output));
    (home, out, said(&output))
}

pub fn messages(bag: &Path) -> Vec<Message> {
    let mut all = Vec::new();
    let ended = Bag::open(bag).unwrap().read(
        |_, _| true,
        |message| {
            all.push(message);
            Ok(ControlFlow::Continue(()))
        },
    );
    assert_eq!(ended.unwrap().truncation, None);
    all
}

pub fn of<'a>(messages: &'a [Message], topic: &'a str) -> impl Iterator<Item = &'a Message> {
    messages.iter().filter(move |message| message.topic == topic)
}

pub fn said_all(output: &Output, words: &[&str]) -> bool {
    let said = said(output);
    let all = words.iter().all(|word| said.contains(word));
    assert!(all, "{said}");
    all
}
