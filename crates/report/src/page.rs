//! `Page`: rows with times, categories, numbers, texts and pictures, with filters and plots.
//!
//! Columns are written once, as numbers into lists of names, so that 10,000 rows are about a megabyte. Plots are uPlot's (MIT,
//! vendored in `page/` with its licence).

use crate::document::{document, Heading, Total};
use htmlize::escape_text;
use referseg_files::{Error, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

const PLOT_STYLE: &str = include_str!("page/uPlot.min.css");
const SCRIPT: [&str; 2] = [include_str!("page/uPlot.iife.min.js"), include_str!("page/page.js")];

/// A column of words, of which there are few.
#[derive(Serialize)]
pub struct Words {
    name: &'static str,
    names: Vec<String>,
    /// Colours of the names, for the first category.
    colours: Vec<&'static str>,
    values: Vec<usize>,
}

impl Words {
    /// An empty column of this name.
    pub fn new(name: &'static str) -> Words {
        Words { name, names: Vec::new(), colours: Vec::new(), values: Vec::new() }
    }

    /// An empty column whose words and their colours are known.
    pub fn coloured(name: &'static str, names: &[(&str, &'static str)]) -> Words {
        let (names, colours) = names.iter().map(|(name, colour)| (name.to_string(), *colour)).unzip();
        Words { name, names, colours, values: Vec::new() }
    }

    /// Appends a word.
    pub fn push(&mut self, word: &str) {
        // words come in runs: the last ones are the likely ones
        let known = self.names.iter().rposition(|name| name == word);
        let place = known.unwrap_or_else(|| {
            self.names.push(word.into());
            self.names.len() - 1
        });
        self.values.push(place);
    }
}

/// A column of numbers.
#[derive(Serialize)]
pub struct Numbers {
    /// Its name, with the unit.
    pub name: &'static str,
    /// `None` where there is none.
    pub values: Vec<Option<f64>>,
}

/// What a page shows.
#[derive(Serialize)]
pub struct Page {
    /// Title, model, date, settings.
    #[serde(skip)]
    pub heading: Heading,
    /// Counts on top.
    #[serde(skip)]
    pub totals: Vec<Total>,
    /// What is not as it should be.
    #[serde(skip)]
    pub warnings: Vec<String>,
    /// Tables below the facts: a heading, and rows of a count and a text.
    #[serde(skip)]
    pub counts: Vec<(&'static str, Vec<(usize, String)>)>,
    /// The name of `x`.
    pub x_name: &'static str,
    /// The time of each row, ascending.
    pub x: Vec<f64>,
    /// Columns that can be filtered by; the first gives the colours.
    pub categories: Vec<Words>,
    /// Columns that are plotted.
    pub metrics: Vec<Numbers>,
    /// Other columns.
    pub texts: Vec<Words>,
    /// Pictures of some rows, side by side: `data:` addresses.
    pub pictures: BTreeMap<usize, Vec<String>>,
}

impl Page {
    /// The page as HTML.
    ///
    /// # Errors
    /// When a number can't be written.
    pub fn html(&self) -> Result<String> {
        let data = serde_json::to_string(self).map_err(|cause| Error::Message(format!("page: {cause}")))?;
        // a text must not end the script
        let data = data.replace('<', "\\u003c");
        let mut content = format!("<style>\n{PLOT_STYLE}</style>\n");
        for (heading, rows) in self.counts.iter().filter(|(_, rows)| !rows.is_empty()) {
            let _ = writeln!(content, "<h2>{heading}</h2>\n<div class=\"scroll\"><table>");
            for (count, text) in rows {
                let _ = writeln!(content, "<tr><td>{count}</td><td>{}</td></tr>", escape_text(text));
            }
            content += "</table></div>\n";
        }
        let _ = write!(
            content,
            "<h2>Timeline</h2>\n<div class=\"filters\" id=\"filters\"></div>\n<div id=\"plots\"></div>\n\
             <section id=\"with-pictures\"><h2>Pictures</h2>\n<div id=\"pictures\"></div>\n\
             <button id=\"more-pictures\" hidden></button></section>\n\
             <h2>Answers</h2>\n<div class=\"scroll\"><table class=\"rows\"><thead><tr id=\"names\"></tr></thead>\
             <tbody id=\"rows\"></tbody></table></div>\n<button id=\"more-rows\" hidden></button>\n\
             <script type=\"application/json\" id=\"data\">{data}</script>\n<script>{}\n{}</script>",
            SCRIPT[0], SCRIPT[1]
        );
        Ok(document(&self.heading, &self.totals, &self.warnings, &content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_a_recording_can_not_become_part_of_the_page() {
        let mut texts = Words::new("reason");
        texts.push("</script><script>alert(1)</script>");
        let page = Page {
            heading: Heading { title: "<b>".into(), ..Heading::default() },
            totals: vec![Total { name: "<i>".into(), count: 1, colour: "" }],
            warnings: vec!["<u>".into()],
            counts: Vec::new(),
            x_name: "seconds",
            x: vec![0.0],
            categories: vec![Words::coloured("status", &[("FOUND", "#1e963c")])],
            metrics: Vec::new(),
            texts: vec![texts],
            pictures: BTreeMap::new(),
        };
        let html = page.html().unwrap();
        for wrong in ["<b>", "<i>", "<u>", "<script>alert"] {
            assert!(!html.contains(wrong), "{wrong}");
        }
        assert_eq!(html.matches("</script>").count(), 2, "that of the data and that of the program");
    }
}
