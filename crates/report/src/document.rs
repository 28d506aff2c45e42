//! The document: what all report pages share, around a content of their own.

use htmlize::{escape_attribute, escape_text};
use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

const STYLE: &str = include_str!("page/page.css");

/// What stands on top of a page.
#[derive(Clone, Debug, Default)]
pub struct Heading {
    /// What kind of report it is.
    pub kind: String,
    /// What it is about: the recording or the dataset.
    pub title: String,
    /// Names and values: model, date, settings.
    pub facts: Vec<(String, String)>,
}

/// A count that is shown large, and as a part of a bar where there are several with colours.
#[derive(Clone, Debug)]
pub struct Total {
    /// What was counted.
    pub name: String,
    /// How many.
    pub count: usize,
    /// As CSS; empty for a count that is no part of the bar.
    pub colour: &'static str,
}

/// A date and time, UTC, of nanoseconds since the epoch.
pub fn date(nanoseconds: u64) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(nanoseconds / 1_000_000_000);
    humantime::format_rfc3339_seconds(time).to_string().replace('T', " ").replace('Z', " UTC")
}

/// A whole page around `content`, which is HTML; everything else is text.
pub fn document(heading: &Heading, totals: &[Total], warnings: &[String], content: &str) -> String {
    let Heading { kind, title, facts } = heading;
    let (kind, title) = (escape_text(kind), escape_text(title));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, \
         initial-scale=1\"><title>{title} · Referseg {kind}</title>\n<style>\n{STYLE}</style>\n<header><p \
         class=\"kind\">Referseg · {kind}</p><h1>{title}</h1>\n<dl class=\"facts\">"
    );
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(page, "<div><dt>{}</dt><dd>{}</dd></div>", escape_text(name), escape_text(value));
    }
    page += "</dl></header>\n<main>\n";
    for warning in warnings {
        let _ = writeln!(page, "<p class=\"warning\" role=\"alert\">{}</p>", escape_text(warning));
    }
    if !totals.is_empty() {
        page += "<section class=\"totals\">";
        for Total { name, count, colour } in totals {
            let _ = write!(
                page,
                "<div class=\"total\" style=\"--colour:{}\"><strong>{count}</strong><span>{}</span></div>",
                if colour.is_empty() { "var(--line)".into() } else { escape_attribute(*colour) },
                escape_text(name)
            );
        }
        page += "</section>\n";
        let parts = || totals.iter().filter(|total| !total.colour.is_empty() && total.count > 0);
        if parts().count() > 1 {
            page += "<div class=\"bar\" aria-hidden=\"true\">";
            for Total { count, colour, .. } in parts() {
                let _ = write!(page, "<i style=\"flex:{count};background:{}\"></i>", escape_attribute(*colour));
            }
            page += "</div>\n";
        }
    }
    page += content;
    page += "\n</main>\n</html>\n";
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_utc() {
        assert_eq!(date(1_700_000_000_123_456_789), "2023-11-14 22:13:20 UTC");
    }

    #[test]
    fn texts_can_not_become_part_of_the_page() {
        let heading = Heading { kind: "<k>".into(), title: "<t>".into(), facts: vec![("<f>".into(), "<v>".into())] };
        let totals = [Total { name: "<n>".into(), count: 1, colour: "" }];
        let page = document(&heading, &totals, &["<w>".into()], "");
        for wrong in ["<k>", "<t>", "<f>", "<v>", "<n>", "<w>"] {
            assert!(!page.contains(wrong), "{wrong}");
        }
    }
}
