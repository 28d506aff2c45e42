//! The pages that `replay --report` and `compare --report` write, in a real browser: they load, their filters work, nothing is reported
//! on the console, and they ask for nothing from outside.

mod common;

use common::data;
use common::replays::{referseg, replay, text};
use referseg::answer::Status;
use referseg::replay::{html, AnswerRecord, Summary};
use std::path::Path;
use std::process::Command;

const ONE: [&str; 2] = ["--image-topic", "/camera/image_raw"];

/// The page's elements after its programs have run, and what stands on the console; `None` without a browser.
fn shown(page: &Path, view: &str) -> Option<(String, String)> {
    let home = tempfile::tempdir().unwrap();
    let profile = format!("--user-data-dir={}", home.path().display());
    let quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"];
    let run = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-sync", "--enable-logging=stderr", &profile])
        .args(quiet)
        .args(["--virtual-time-budget=20000", "--dump-dom", &format!("file://{}{view}", page.display())])
        .output();
    let Ok(run) = run else {
        common::not_run("chromium is absent (apt-get install chromium): pages are not shown in a browser");
        return None;
    };
    let console = String::from_utf8_lossy(&run.stderr);
    let lines: Vec<&str> = console.lines().filter(|line| line.contains("CONSOLE")).collect();
    Some((String::from_utf8_lossy(&run.stdout).into_owned(), lines.join("\n")))
}

/// The text of the element with an id.
fn text_of(page: &str, id: &str) -> String {
    let rest = page.split_once(&format!("id=\"{id}\"")).unwrap().1;
    rest.split_once('>').unwrap().1.split('<').next().unwrap().into()
}

/// Rows of the table of all answers.
fn rows(page: &str) -> usize {
    let body = page.split_once("id=\"rows\"").unwrap().1;
    body.split_once("</tbody>").unwrap().0.matches("<tr>").count()
}

fn record(number: usize) -> AnswerRecord {
    let statuses = [Status::Found, Status::Found, Status::NotFound, Status::Ambiguous];
    let status = statuses[number % 4];
    AnswerRecord {
        camera: ["left", "right"][number % 2].into(),
        log_time: 1_700_000_000_000_000_000 + number as u64 * 33_000_000,
        command: format!("the {} mug", ["red", "blue", "green"][number / 1000 % 3]),
        target: "mug".into(),
        status,
        reason: if status == Status::Found { String::new() } else { format!("score below {}", number % 7) },
        score: (number % 100) as f32 / 100.0,
        age: 0.02,
        picture: number.is_multiple_of(100).then(|| "data:image/gif;base64,R0lGODlhAQABAAAAACw=".into()),
    }
}

#[test]
fn ten_thousand_answers_are_shown_and_filtered_without_a_server() {
    let summary = Summary { frames: 10_000, answers: (0..10_000).map(record).collect(), ..Summary::default() };
    let home = tempfile::tempdir().unwrap();
    let page = home.path().join("report.html");
    let html = html("ten thousand", &[], &summary).unwrap();
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
    std::fs::write(&page, &html).unwrap();
    let Some((all, console)) = shown(&page, "") else { return };
    assert_eq!(console, "");
    assert_eq!((text_of(&all, "count").as_str(), rows(&all)), ("10000 of 10000", 200));
    assert_eq!(text_of(&all, "more-rows"), "9800 more");
    assert!(all.matches("<canvas").count() == 2, "a plot of the score and one of the age");

    // a view that somebody sent on
    let (one, console) = shown(&page, "#status=NOT_FOUND&camera=left").unwrap();
    assert_eq!((text_of(&one, "count").as_str(), console.as_str()), ("2500 of 10000", ""));

    // as by hand: choose a command, write a text, ask for more rows
    let by_hand = "<script>const s = document.getElementById('filter-command'); s.value = '1'; s.onchange();\n\
         const t = document.getElementById('filter-text'); t.value = 'below 3'; t.oninput();\n\
         document.getElementById('more-rows').onclick();</script></html>";
    std::fs::write(&page, html.replace("</html>", by_hand)).unwrap();
    let (chosen, console) = shown(&page, "").unwrap();
    let expected = summary
        .answers
        .iter()
        .filter(|answer| answer.command == "the blue mug" && answer.reason.contains("below 3"))
        .count();
    assert!(expected > 200);
    let count = format!("{expected} of 10000");
    assert_eq!((text_of(&chosen, "count"), console.as_str()), (count, ""));
    assert_eq!(rows(&chosen), expected.min(400));
}

#[test]
fn the_report_of_a_replay_shows_its_changes_and_its_texts_as_they_are() {
    let home = tempfile::tempdir().unwrap();
    let page = home.path().join("report.html");
    replay(&data("bags/mcap"), &[&ONE[..], &["--report", text(&page), "--text", "<the> mug & ball"]].concat());
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("data:image/jpeg;base64,") && !html.contains("<the>"));
    assert!(!html.contains("src=\"http") && !html.contains("href="));
    let Some((dom, console)) = shown(&page, "") else { return };
    assert_eq!((console.as_str(), rows(&dom)), ("", 3));
    assert!(dom.contains("&lt;the&gt; mug &amp; ball") && dom.contains("<figure>"));
}

#[test]
fn the_report_of_a_comparison_shows_both_sides_of_what_changed() {
    let (_a, before, _) = replay(&data("bags/mcap"), &ONE);
    let (_b, after, _) = replay(&data("bags/mcap"), &[&ONE[..], &["--set", "answer.min_score=0.999"]].concat());
    let home = tempfile::tempdir().unwrap();
    let page = home.path().join("compare.html");
    referseg(&["compare", text(&before), text(&after), "--report", text(&page)]);
    let Some((dom, console)) = shown(&page, "#change=status") else { return };
    assert_eq!((console.as_str(), text_of(&dom, "count").as_str()), ("", "3 of 3"));
    assert!(dom.contains("FOUND became NOT_FOUND"));
    let figures: Vec<&str> = dom.split("<figure class=\"pair\">").skip(1).collect();
    assert_eq!(figures.len(), 3);
    assert!(figures.iter().all(|figure| figure.split("</figure>").next().unwrap().matches("<img").count() == 2));
}
