//! `referseg parse`: expressions in, their target noun phrases out.

use referseg::config::{Config, Layer};
use referseg::noun_phrase::Extractor;
use referseg::Result;
use serde_json::json;
use std::io::{BufRead, Write};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Arguments {
    /// rules or dependency
    #[arg(long, default_value = "rules")]
    parser: String,
    /// Read expressions from standard input, one a line, and print one JSON object for each
    #[arg(long)]
    lines: bool,
    /// The expression; read from standard input when absent
    text: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let parser = Layer::value("--parser", "text.parser", arguments.parser.as_str());
    let extractor = Extractor::open(&Config::from_layers(&[parser])?.text)?;
    let show = |text: &str| {
        let answer = json!({"text": text, "target": extractor.target(text)});
        writeln!(std::io::stdout(), "{answer}")
    };
    let from_outside = referseg::Error::file("standard input or output");
    let shown = if !arguments.text.is_empty() {
        show(&arguments.text.join(" "))
    } else if arguments.lines {
        std::io::stdin().lock().split(b'\n').try_for_each(|line| {
            let line = line?;
            show(String::from_utf8_lossy(&line).trim_end_matches('\r'))
        })
    } else {
        std::io::read_to_string(std::io::stdin()).and_then(|text| show(text.trim()))
    };
    shown.map_err(from_outside)?;
    Ok(ExitCode::SUCCESS)
}
