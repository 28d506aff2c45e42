//! Comparison of two recordings of answers: whether a change of model, settings or program changed what is answered.
//!
//! Both are read side by side and an answer is kept, its mask as run lengths, only until its partner comes, so that memory does not
//! grow with the length of recordings that agree.

use super::topic_pairs::{pairs, Images};
use crate::answer::Status;
use crate::image::{Mask, Rect, Rle};
use crate::recordings::bag::{Bag, Message, Truncation};
use crate::recordings::{encode, from_cdr, MessageType, Segmentation};
use crate::{Error, Result};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::ops::ControlFlow;
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};

/// Answers that each reader may be ahead.
const AHEAD: usize = 64;

/// Images of a topic that tell which it is.
const IMAGES: usize = 1000;

/// How far two answers may be apart and still count as the same.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Smallest IoU of the masks.
    pub iou: f32,
    /// Largest distance of each side of the box, pixels.
    pub pixels: usize,
}

/// What tells one answer from all others: topic (as the first recording names it), stamp in nanoseconds, command, and which of
/// several of these.
pub type Key = (String, i64, String, usize);

/// What is different between two answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Nothing.
    Same,
    /// The status.
    Status,
    /// The size of the image.
    Size,
    /// The box.
    Box,
    /// The mask.
    Mask,
    /// One of them has no such answer.
    Missing,
}

impl Change {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Change::Same => "same",
            Change::Status => "status",
            Change::Size => "size",
            Change::Box => "box",
            Change::Mask => "mask",
            Change::Missing => "missing",
        }
    }
}

/// An answer of one recording beside that of the other.
#[derive(Clone, Debug)]
pub struct AnswerPair {
    /// Which it is.
    pub key: Key,
    /// What is different.
    pub change: Change,
    /// The same in words; empty when nothing is.
    pub words: String,
    /// IoU of the masks, of those of the same size.
    pub iou: Option<f32>,
    /// The scores of both; NaN for one that is missing.
    pub scores: [f32; 2],
    /// Whether the first found something and the second did not.
    pub is_worse: bool,
}

/// What two recordings have in common, and what not.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Answers of the first and of the second recording.
    pub counts: [usize; 2],
    /// All answers, by topic and time.
    pub pairs: Vec<AnswerPair>,
    /// The topics of the second recording, each with that of the first that it was compared with.
    pub topics: BTreeMap<String, String>,
    /// Why a recording could not be read to its end.
    pub truncations: Vec<String>,
}

impl Comparison {
    /// Answers with this difference.
    pub fn count(&self, change: Change) -> usize {
        self.pairs.iter().filter(|pair| pair.change == change).count()
    }

    /// The answers that are not the same.
    pub fn different(&self) -> impl Iterator<Item = &AnswerPair> {
        self.pairs.iter().filter(|pair| pair.change != Change::Same)
    }

    /// For programs: the counts.
    pub fn json(&self) -> serde_json::Value {
        let kinds = [Change::Status, Change::Size, Change::Box, Change::Mask, Change::Missing];
        let kinds: BTreeMap<&str, usize> = kinds.into_iter().map(|kind| (kind.name(), self.count(kind))).collect();
        serde_json::json!({
            "same": self.count(Change::Same),
            "different": self.different().count(),
            "differences": kinds,
            "worse": self.pairs.iter().filter(|pair| pair.is_worse).count(),
            "truncations": self.truncations,
        })
    }

    /// Whether all answers are the same and both recordings are whole.
    pub fn is_same(&self) -> bool {
        self.different().next().is_none() && self.truncations.is_empty()
    }
}

/// What is compared of an answer.
struct Compared {
    status: u8,
    score: f32,
    sides: [usize; 4],
    mask: Rle,
}

impl Compared {
    fn of(message: &Segmentation) -> Compared {
        let region = message.bounding_box;
        let rect = Rect {
            x: region.x_offset as usize,
            y: region.y_offset as usize,
            width: region.width as usize,
            height: region.height as usize,
        };
        let (width, height) = (message.mask.width as usize, message.mask.height as usize);
        let whole = width.checked_mul(height) == Some(message.mask.data.len());
        let mask = match whole {
            true => Mask::from_fn(width, height, |x, y| message.mask.data[y * width + x] > 0),
            false => Mask::empty(0, 0),
        };
        let sides = [rect.x, rect.y, rect.right(), rect.bottom()];
        Compared { status: message.status, score: message.score, sides, mask: Rle::of(&mask) }
    }
}

/// What a reader sends: answers, then how it ended.
enum Read {
    Answer(Key, Compared),
    End(Result<Truncation>),
}

/// The topics with answers and the images that they answer, and how many answers there are.
///
/// # Errors
/// When a message is not what its type says.
pub fn answer_topics(bag: &Bag, mut on_answer: impl FnMut()) -> Result<(BTreeMap<String, Images>, u64)> {
    let mut topics: BTreeMap<String, Images> = BTreeMap::new();
    let mut count = 0;
    bag.read_as_stored(
        |_, kind| kind == Segmentation::TYPE,
        |Message { topic, cdr, .. }| {
            count += 1;
            on_answer();
            let images = topics.entry(topic).or_default();
            if images.len() < IMAGES {
                let header = crate::recordings::header(&cdr)?;
                images.insert((header.stamp.nanoseconds(), header.frame_id));
            }
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok((topics, count))
}

/// Reads the answers of a recording into a channel, under the names of `topics`.
fn send_answers(bag: &Bag, topics: &BTreeMap<String, String>, answers: &SyncSender<Read>) {
    // how often each key came; its hash will do
    let mut seen: HashMap<u64, usize> = HashMap::new();
    let ended = bag.read_as_stored(
        |_, kind| kind == Segmentation::TYPE,
        |Message { topic, cdr, .. }| {
            let message: Segmentation = from_cdr(&cdr).map_err(|error| {
                Error::Message(format!(
                    "{topic}: {error}. Answers of another version of Referseg? Then run `referseg replay` again"
                ))
            })?;
            let topic = topics.get(&topic).cloned().unwrap_or(topic);
            let mut key = (topic, message.header.stamp.nanoseconds(), message.command.clone(), 0);
            let mut hash = DefaultHasher::new();
            key.hash(&mut hash);
            let count = seen.entry(hash.finish()).or_default();
            key.3 = *count;
            *count += 1;
            let _ = answers.send(Read::Answer(key, Compared::of(&message))); // a failed comparison has closed the channel
            Ok(ControlFlow::Continue(()))
        },
    );
    let _ = answers.send(Read::End(ended.map(|reading| reading.truncation)));
}

fn status(value: u8) -> &'static str {
    Status::ALL.into_iter().find(|known| encode::status(*known) == value).map_or("unknown", Status::name)
}

fn is_found(answer: &Compared) -> bool {
    answer.status == encode::status(Status::Found)
}

/// What is different between two answers, in words, and the IoU of their masks.
fn difference(a: &Compared, b: &Compared, tolerance: Tolerance) -> (Change, String, Option<f32>) {
    let (first, second) = (a.mask.mask(), b.mask.mask());
    let is_one_size = (first.width(), first.height()) == (second.width(), second.height());
    let both_empty = first.area() == 0 && second.area() == 0;
    let iou = is_one_size.then(|| if both_empty { 1.0 } else { first.iou(&second) });
    if a.status != b.status {
        return (Change::Status, format!("status {} became {}", status(a.status), status(b.status)), iou);
    }
    let Some(overlap) = iou else {
        let size = |mask: &Mask| format!("{}x{}", mask.width(), mask.height());
        return (Change::Size, format!("mask of {} became {}", size(&first), size(&second)), iou);
    };
    let apart = a.sides.iter().zip(&b.sides).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or_default();
    if apart > tolerance.pixels {
        return (Change::Box, format!("box moved by {apart} pixels"), iou);
    }
    if overlap < tolerance.iou {
        return (Change::Mask, format!("masks overlap with IoU {overlap:.3}"), iou);
    }
    (Change::Same, String::new(), iou)
}

/// One recording of two, as far as it is read.
struct Side {
    answers: Receiver<Read>,
    /// Answers whose partner has not come.
    waiting: BTreeMap<Key, Compared>,
    /// Stamp of the last answer.
    stamp: i64,
    ended: bool,
}

impl Side {
    fn new(answers: Receiver<Read>) -> Side {
        Side { answers, waiting: BTreeMap::new(), stamp: i64::MIN, ended: false }
    }
}

/// Compares the answers of two recordings. `on_answer` is called for each that is read: twice for all of both.
///
/// # Errors
/// When a message is not what its type says.
pub fn compare(a: &Bag, b: &Bag, tolerance: Tolerance, mut on_answer: impl FnMut()) -> Result<Comparison> {
    let (first_topics, _) = answer_topics(a, &mut on_answer)?;
    let (second_topics, _) = answer_topics(b, &mut on_answer)?;
    let mut comparison = Comparison { topics: pairs(&first_topics, &second_topics), ..Default::default() };
    let (unchanged, renamed) = (BTreeMap::new(), comparison.topics.clone());
    std::thread::scope(|scope| -> Result<()> {
        let [mut first, mut second] = [(a, &unchanged), (b, &renamed)].map(|(bag, topics)| {
            let (sender, answers) = sync_channel(AHEAD);
            scope.spawn(move || send_answers(bag, topics, &sender));
            Side::new(answers)
        });
        while !(first.ended && second.ended) {
            // whichever is behind
            let of_first = !first.ended && (second.ended || first.stamp <= second.stamp);
            let (side, other) = if of_first { (&mut first, &mut second) } else { (&mut second, &mut first) };
            match side.answers.recv() {
                Ok(Read::Answer(key, answer)) => {
                    side.stamp = key.1;
                    on_answer();
                    comparison.counts[usize::from(!of_first)] += 1;
                    let Some(partner) = other.waiting.remove(&key) else {
                        side.waiting.insert(key, answer);
                        continue;
                    };
                    let (a, b) = if of_first { (&answer, &partner) } else { (&partner, &answer) };
                    let (change, words, iou) = difference(a, b, tolerance);
                    let scores = [a.score, b.score];
                    let is_worse = is_found(a) && !is_found(b);
                    comparison.pairs.push(AnswerPair { key, change, words, iou, scores, is_worse });
                }
                Ok(Read::End(ended)) => {
                    side.ended = true;
                    comparison.truncations.extend(ended?);
                }
                Err(_) => side.ended = true,
            }
        }
        let missing = |side: Side, of: usize| {
            side.waiting.into_iter().map(move |(key, answer)| {
                let mut scores = [f32::NAN; 2];
                scores[of] = answer.score;
                let words = format!("missing in the {}", ["second", "first"][of]);
                let is_worse = of == 0 && is_found(&answer);
                AnswerPair { key, change: Change::Missing, words, iou: None, scores, is_worse }
            })
        };
        comparison.pairs.extend(missing(first, 0));
        comparison.pairs.extend(missing(second, 1));
        Ok(())
    })?;
    comparison.pairs.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(comparison)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u8, row: &str) -> Compared {
        let mask = Mask::drawn(&[row]);
        let rect = mask.bounding_box().unwrap_or_default();
        let sides = [rect.x, rect.y, rect.right(), rect.bottom()];
        Compared { status, score: 0.5, sides, mask: Rle::of(&mask) }
    }

    #[test]
    fn status_box_and_mask_are_compared_within_the_tolerance() {
        let strict = Tolerance { iou: 0.99, pixels: 0 };
        let loose = Tolerance { iou: 0.5, pixels: 1 };
        let words = |a: &Compared, b: &Compared, tolerance| difference(a, b, tolerance).1;
        let (a, b) = (answer(1, ".###...."), answer(1, "..###..."));
        assert_eq!(difference(&a, &a, strict), (Change::Same, String::new(), Some(1.0)));
        assert_eq!(words(&a, &b, strict), "box moved by 1 pixels");
        assert_eq!(difference(&a, &b, loose), (Change::Same, String::new(), Some(0.5)));
        let holed = answer(1, ".#.#....");
        assert_eq!(words(&a, &holed, strict), "masks overlap with IoU 0.667");
        assert_eq!(words(&a, &answer(3, ".###...."), loose), "status FOUND became AMBIGUOUS");
        assert_eq!(words(&answer(2, "...."), &answer(2, "...."), strict), "");
        assert_eq!(words(&answer(2, "...."), &answer(2, "..."), strict), "mask of 4x1 became 3x1");
    }
}
