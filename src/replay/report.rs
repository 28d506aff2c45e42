//! The report of a replay: one page that needs no other file.

use super::page::{Numbers, Page, Words};
use super::summary::Summary;
use crate::answer::Status;
use crate::Result;

/// The statuses with their colours.
pub(super) const STATUSES: [(Status, &str); 4] = [
    (Status::Found, "#1e963c"),
    (Status::Ambiguous, "#d2a000"),
    (Status::NotFound, "#c85a14"),
    (Status::Error, "#c80028"),
];

/// The page: counts, a timeline of status, score and age, pictures where something changed, every answer, and filters.
///
/// # Errors
/// When a number can't be written.
pub fn html(title: &str, summary: &Summary) -> Result<String> {
    let mut answers: Vec<_> = summary.answers.iter().collect();
    answers.sort_by_key(|answer| answer.log_time);
    let first = answers.first().map_or(0, |answer| answer.log_time);
    let statuses = STATUSES.map(|(status, colour)| (status.name(), colour));
    let mut status = Words::coloured("status", &statuses);
    let [mut camera, mut command, mut target, mut reason] = ["camera", "command", "target", "reason"].map(Words::new);
    for answer in &answers {
        status.push(answer.status.name());
        camera.push(&answer.camera);
        command.push(&answer.command);
        target.push(&answer.target);
        reason.push(&answer.reason);
    }
    let counts = STATUSES.map(|(status, _)| (status.name().into(), summary.count(status).to_string()));
    let whole = [("frames".into(), summary.frames.to_string()), ("answers".into(), answers.len().to_string())];
    let mut warnings: Vec<String> =
        summary.truncation.iter().map(|why| format!("Not all could be read: {why}")).collect();
    if let Some(why) = &summary.unreadable_reason {
        warnings.push(format!("{} messages could not be read; the first, {why}", summary.unreadable));
    }
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    let page = Page {
        title: title.into(),
        facts: whole.into_iter().chain(counts).collect(),
        warnings,
        counts: vec![(
            "Errors",
            summary.errors().into_iter().map(|(reason, count)| (count, reason.to_string())).collect(),
        )],
        x_name: "seconds",
        x: answers.iter().map(|answer| (answer.log_time - first) as f64 / 1e9).collect(),
        categories: vec![status, camera, command],
        metrics: vec![
            Numbers { name: "score", values: answers.iter().map(|answer| finite(answer.score.into())).collect() },
            Numbers { name: "age of the image, s", values: answers.iter().map(|answer| finite(answer.age)).collect() },
        ],
        texts: vec![target, reason],
        pictures: answers
            .iter()
            .enumerate()
            .filter_map(|(row, answer)| Some((row, vec![answer.picture.clone()?])))
            .collect(),
    };
    page.html()
}
