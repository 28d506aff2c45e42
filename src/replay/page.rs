//! `Page`: rows with times, categories, numbers, texts and pictures as one page of HTML that needs no other file and no server.
//!
//! Columns are written once, as numbers into lists of names, so that 10,000 rows are about a megabyte. Plots are uPlot's (MIT,
//! vendored in `page/` with its licence).

use crate::{Error, Result};
use htmlize::escape_text;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

const STYLE: [&str; 2] = [include_str!("page/uPlot.min.css"), include_str!("page/page.css")];
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
    #[serde(skip)]
    pub title: String,
    /// Facts on top: a name and a value.
    #[serde(skip)]
    pub facts: Vec<(String, String)>,
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
        let title = escape_text(&self.title);
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Referseg: {title}</title>\n<style>\n{}\n{}</style>\n\
             <h1>{title}</h1>\n",
            STYLE[0], STYLE[1]
        );
        for warning in &self.warnings {
            let _ = writeln!(page, "<p class=\"warning\">{}</p>", escape_text(warning));
        }
        page += "<table>\n";
        for (name, value) in &self.facts {
            let _ = writeln!(page, "<tr><th>{}</th><td>{}</td></tr>", escape_text(name), escape_text(value));
        }
        page += "</table>\n";
        for (heading, rows) in self.counts.iter().filter(|(_, rows)| !rows.is_empty()) {
            let _ = writeln!(page, "<h2>{heading}</h2>\n<table>");
            for (count, text) in rows {
                let _ = writeln!(page, "<tr><td>{count}</td><td>{}</td></tr>", escape_text(text));
            }
            page += "</table>\n";
        }
        let _ = write!(
            page,
            "<h2>Timeline</h2>\n<div class=\"filters\" id=\"filters\"></div>\n<div id=\"plots\"></div>\n\
             <h2>Pictures</h2>\n<div id=\"pictures\"></div>\n<button id=\"more-pictures\" hidden></button>\n\
             <h2>Rows</h2>\n<table class=\"rows\"><thead><tr id=\"names\"></tr></thead><tbody id=\"rows\"></tbody></table>\n\
             <button id=\"more-rows\" hidden></button>\n\
             <script type=\"application/json\" id=\"data\">{data}</script>\n<script>{}\n{}</script>\n</html>\n",
            SCRIPT[0], SCRIPT[1]
        );
        Ok(page)
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
            title: "<b>".into(),
            facts: vec![("a".into(), "<i>".into())],
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
