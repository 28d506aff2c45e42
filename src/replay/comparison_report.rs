//! The report of a comparison: one page that shows what changed between two recordings of answers, frame by frame, side by side.

use super::compare::{AnswerPair, Change, Comparison};
use crate::image::Frame;
use crate::recordings::bag::{Bag, Message};
use crate::recordings::{from_cdr, Image, Input, MessageType, Segmentation, Transport};
use crate::report::{date, thumbnail, Heading, Numbers, Page, Total, Words};
use crate::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Most pairs of pictures.
const PICTURES: usize = 100;

const CHANGES: [(Change, &str); 6] = [
    (Change::Same, "#2f9e44"),
    (Change::Status, "#d1263f"),
    (Change::Size, "#7a3fb0"),
    (Change::Box, "#c85a14"),
    (Change::Mask, "#b08500"),
    (Change::Missing, "#606060"),
];

/// A topic and a stamp.
type Shown = (String, i64);

/// Pictures of some answers of a recording: their overlays, or else their masks. `topics` names this recording's topics as the
/// first one's are named.
fn pictures(bag: &Bag, topics: &BTreeMap<String, String>, wanted: &BTreeSet<Shown>) -> Result<BTreeMap<Shown, String>> {
    let mut found: BTreeMap<Shown, String> = BTreeMap::new();
    // the topic of the answers beside which a topic stands, and whether it shows overlays
    let answers_of = |topic: &str| {
        let lasts = [("segmentation", false), ("overlay/compressed", true), ("overlay", true)];
        let (front, is_overlay) =
            lasts.iter().find_map(|(last, is_overlay)| Some((topic.strip_suffix(last)?, *is_overlay)))?;
        let name = format!("{front}segmentation");
        Some((topics.get(&name).cloned().unwrap_or(name), is_overlay))
    };
    let reads = |kind: &str| kind == Segmentation::TYPE || Transport::of_type(kind).is_some();
    bag.read_as_stored(
        |topic, kind| reads(kind) && answers_of(topic).is_some(),
        |Message { topic, kind, cdr, .. }| {
            let Some((name, is_overlay)) = answers_of(&topic) else { return Ok(ControlFlow::Continue(())) };
            let shown = (name, crate::recordings::header(&cdr)?.stamp.nanoseconds());
            if !wanted.contains(&shown) {
                return Ok(ControlFlow::Continue(()));
            }
            let frame = match Transport::of_type(&kind).filter(|_| is_overlay) {
                Some(transport) => Input::new(transport, cdr).and_then(|input| input.frame()).ok(),
                None if kind == Segmentation::TYPE => of_mask(&from_cdr::<Segmentation>(&cdr)?.mask),
                None => None,
            };
            if let Some(picture) = frame.and_then(|frame| thumbnail(&frame)) {
                if is_overlay || !found.contains_key(&shown) {
                    found.insert(shown, picture);
                }
            }
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(found)
}

/// A mask, white on black.
fn of_mask(mask: &Image) -> Option<Frame> {
    let rgb = mask.data.iter().flat_map(|value| [if *value > 0 { 255 } else { 0 }; 3]).collect();
    Frame::new(mask.width as usize, mask.height as usize, rgb).ok()
}

fn file_name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// The page. Pictures are shown of up to 100 answers that are different, spread over all of them.
///
/// # Errors
/// When a recording can't be read again.
pub fn comparison_html(names: [&str; 2], bags: [&Bag; 2], found: &Comparison) -> Result<String> {
    let mut rows: Vec<&AnswerPair> = found.pairs.iter().collect();
    rows.sort_by_key(|pair| pair.key.1);
    let first = rows.first().map_or(0, |pair| pair.key.1);
    let different: Vec<&AnswerPair> = rows.iter().copied().filter(|pair| pair.change != Change::Same).collect();
    let shown = |pair: &AnswerPair| (pair.key.0.clone(), pair.key.1);
    let spread = different.iter().step_by(different.len().div_ceil(PICTURES).max(1));
    let wanted: BTreeSet<Shown> = spread.map(|pair| shown(pair)).collect();
    let unchanged = BTreeMap::new();
    let [before, after] = match wanted.is_empty() {
        true => [BTreeMap::new(), BTreeMap::new()],
        false => [pictures(bags[0], &unchanged, &wanted)?, pictures(bags[1], &found.topics, &wanted)?],
    };
    let changes = CHANGES.map(|(change, colour)| (change.name(), colour));
    let mut change = Words::coloured("change", &changes);
    let [mut camera, mut command, mut what] = ["camera", "command", "difference"].map(Words::new);
    let mut pairs = BTreeMap::new();
    for (row, pair) in rows.iter().enumerate() {
        change.push(pair.change.name());
        camera.push(pair.key.0.trim_end_matches("/segmentation"));
        command.push(&pair.key.2);
        what.push(&pair.words);
        if pair.change != Change::Same {
            let sides = [&before, &after].map(|pictures| pictures.get(&shown(pair)).cloned());
            let sides: Vec<String> = sides.into_iter().flatten().collect();
            if !sides.is_empty() {
                pairs.insert(row, sides);
            }
        }
    }
    let finite = |value: f32| Some(f64::from(value)).filter(|value| value.is_finite());
    let title = format!("{} → {}", file_name(names[0]), file_name(names[1]));
    let recorded = if first > 0 { date(first as u64) } else { String::new() };
    let facts = [("before", names[0].into()), ("after", names[1].into()), ("stamps from", recorded)];
    let facts = facts.map(|(name, value)| (name.to_string(), value)).to_vec();
    let counts =
        CHANGES.map(|(change, colour)| Total { name: change.name().into(), count: found.count(change), colour });
    let page = Page {
        heading: Heading { kind: "comparison".into(), title, facts },
        totals: counts.into_iter().collect(),
        warnings: found.truncations.iter().map(|why| format!("Not all could be read: {why}")).collect(),
        counts: Vec::new(),
        x_name: "seconds",
        x: rows.iter().map(|pair| (pair.key.1 - first) as f64 / 1e9).collect(),
        categories: vec![change, camera, command],
        metrics: vec![
            Numbers { name: "IoU of the masks", values: rows.iter().map(|pair| pair.iou.and_then(finite)).collect() },
            Numbers {
                name: "change of the score",
                values: rows.iter().map(|pair| finite(pair.scores[1] - pair.scores[0])).collect(),
            },
        ],
        texts: vec![what],
        pictures: pairs,
    };
    page.html()
}
