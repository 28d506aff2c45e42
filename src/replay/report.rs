//! The report of a replay: one page that needs no other file.

use super::summary::{AnswerRecord, Summary};
use crate::answer::Status;
use crate::error::{Error, Result};
use htmlize::escape_text;
use plotters::prelude::*;
use std::fmt::Write;

const STATUSES: [(Status, RGBColor); 4] = [
    (Status::Found, RGBColor(30, 150, 60)),
    (Status::Ambiguous, RGBColor(210, 160, 0)),
    (Status::NotFound, RGBColor(200, 90, 20)),
    (Status::Error, RGBColor(200, 0, 40)),
];

/// Seconds after the first answer.
fn seconds(answer: &AnswerRecord, first: u64) -> f64 {
    (answer.log_time.saturating_sub(first)) as f64 / 1e9
}

/// The page: counts, a timeline of the scores, images.
///
/// # Errors
/// When the timeline can't be drawn.
pub fn html(title: &str, summary: &Summary) -> Result<String> {
    let first = summary.answers.iter().map(|answer| answer.log_time).min().unwrap_or_default();
    let title = escape_text(title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Referseg replay: {title}</title>\n<style>\
         body{{font:15px/1.4 sans-serif;margin:2em;max-width:75em}}td,th{{padding:.2em .8em;text-align:left}}\
         figure{{display:inline-block;margin:.4em;width:20em;vertical-align:top}}figcaption{{font-size:13px}}\
         img{{max-width:100%}}</style>\n<h1>{title}</h1>\n<p>{} frames, {} answers.",
        summary.frames,
        summary.answers.len(),
    );
    if let Some(truncation) = &summary.truncation {
        let _ = write!(page, " <strong>The recording ended early: {}.</strong>", escape_text(truncation));
    }
    page += "</p>\n<table><tr><th>status</th><th>answers</th></tr>\n";
    for (status, _) in STATUSES {
        let _ = writeln!(page, "<tr><td>{}</td><td>{}</td></tr>", status.name(), summary.count(status));
    }
    page += "</table>\n";
    let errors = summary.errors();
    if !errors.is_empty() {
        page += "<h2>Errors</h2>\n<table><tr><th>answers</th><th>reason</th></tr>\n";
        for (reason, count) in errors {
            let _ = writeln!(page, "<tr><td>{count}</td><td>{}</td></tr>", escape_text(reason));
        }
        page += "</table>\n";
    }
    page += "<h2>Timeline</h2>\n";
    page += &timeline(summary, first)?;
    page += "<h2>Images</h2>\n";
    for answer in summary.answers.iter() {
        let Some(picture) = &answer.thumbnail else { continue };
        let camera = if answer.camera.is_empty() { String::new() } else { format!("{}, ", answer.camera) };
        let caption = format!("{camera}{:.2} s: {}", seconds(answer, first), answer.command);
        let _ = writeln!(page, "<figure>{picture}<figcaption>{}</figcaption></figure>", escape_text(caption));
    }
    Ok(page + "</html>\n")
}

/// Scores over time, a dot for each answer in its status's colour.
fn timeline(summary: &Summary, first: u64) -> Result<String> {
    let mut svg = String::new();
    let failed = |cause: &dyn std::fmt::Display| Error::config("timeline", cause.to_string());
    let end = summary.answers.iter().map(|answer| seconds(answer, first)).fold(0.1, f64::max);
    {
        let area = SVGBackend::with_string(&mut svg, (900, 320)).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(10)
            .x_label_area_size(30)
            .y_label_area_size(45)
            .build_cartesian_2d(0.0..end, -0.2..1.0)
            .map_err(|cause| failed(&cause))?;
        chart.configure_mesh().x_desc("seconds").y_desc("score").draw().map_err(|cause| failed(&cause))?;
        for (status, colour) in STATUSES {
            let of_status = summary.answers.iter().filter(|answer| answer.status == status);
            let dots = of_status
                .map(|answer| Circle::new((seconds(answer, first), f64::from(answer.score)), 4, colour.filled()));
            chart
                .draw_series(dots)
                .map_err(|cause| failed(&cause))?
                .label(status.name())
                .legend(move |(x, y)| Circle::new((x + 9, y), 4, colour.filled()));
        }
        let labels = chart.configure_series_labels().border_style(BLACK).background_style(WHITE).draw();
        labels.map_err(|cause| failed(&cause))?;
        area.present().map_err(|cause| failed(&cause))?;
    }
    Ok(svg)
}
