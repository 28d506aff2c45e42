//! `referseg parse`: commands in, their meaning out, as JSON or as a reading in one line.

use crate::stdout::print_line;
use referseg::answer_json::reading;
use referseg::config::{Config, Layer};
use referseg::language::CommandParser;
use referseg::{Error, Result};
use std::io::BufRead;

#[derive(clap::Args)]
pub struct Arguments {
    /// rules or dependency
    #[arg(long, default_value = "rules")]
    parser: String,
    /// Read expressions from standard input, one a line, and print one JSON object for each
    #[arg(long)]
    lines: bool,
    /// Print the reading in words instead of JSON
    #[arg(long)]
    reading: bool,
    /// The expression; read from standard input when absent
    text: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<u8> {
    let parser = Layer::value("--parser", "text.parser", arguments.parser.as_str());
    let text = Config::from_layers(&[parser])?.text;
    let parser = CommandParser::open(text.parser, &text.parser_model)?;
    let show = |text: &str| {
        let parsed = parser.parse(text);
        if arguments.reading {
            return print_line(parsed.reading());
        }
        print_line(reading(text, &parsed))
    };
    let unreadable = || Error::file("standard input");
    if !arguments.text.is_empty() {
        show(&arguments.text.join(" "))?;
    } else if arguments.lines {
        for line in std::io::stdin().lock().split(b'\n') {
            let line = line.map_err(unreadable())?;
            show(String::from_utf8_lossy(&line).trim_end_matches('\r'))?;
        }
    } else {
        show(std::io::read_to_string(std::io::stdin()).map_err(unreadable())?.trim())?;
    }
    Ok(0)
}
