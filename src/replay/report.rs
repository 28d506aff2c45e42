//! The report of a replay: one page that needs no other file.

use super::summary::Summary;
use crate::answer::Status;
use crate::report::{date, Heading, Numbers, Page, Total, Words};
use crate::Result;

/// The statuses with their colours.
pub(super) const STATUSES: [(Status, &str); 4] = [
    (Status::Found, "#2f9e44"),
    (Status::Ambiguous, "#b08500"),
    (Status::NotFound, "#c85a14"),
    (Status::Error, "#d1263f"),
];

/// The page: counts, a timeline of status, score and age, pictures where something changed, every answer, and filters.
/// `title` names the recording, `settings` are names and values of what it was answered with.
///
/// # Errors
/// When a number can't be written.
pub fn html(title: &str, settings: &[(String, String)], summary: &Summary) -> Result<String> {
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
    let total = |name: &str, count, colour| Total { name: name.into(), count, colour };
    let whole = [total("frames", summary.frames as usize, ""), total("answers", answers.len(), "")];
    let counts = STATUSES.map(|(status, colour)| total(status.name(), summary.count(status), colour));
    let mut facts = vec![("recorded".to_string(), if first == 0 { String::new() } else { date(first) })];
    facts.extend(settings.iter().cloned());
    let mut warnings: Vec<String> =
        summary.truncation.iter().map(|why| format!("Not all could be read: {why}")).collect();
    if let Some(why) = &summary.unreadable_reason {
        warnings.push(format!("{} messages could not be read; the first, {why}", summary.unreadable));
    }
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    let page = Page {
        heading: Heading { kind: "replay".into(), title: title.into(), facts },
        totals: whole.into_iter().chain(counts).collect(),
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
