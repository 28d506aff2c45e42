//! Comparison of two recordings of answers: whether a change of model, settings or program changed what is answered.
//!
//! Both are read side by side and an answer is kept only until its partner comes, so that memory does not grow with the
//! length of recordings that agree.

use crate::answer::Status;
use crate::error::Result;
use crate::image::{Mask, Rect};
use crate::wire::bag::{Bag, Message, Truncation};
use crate::wire::{encode, from_cdr, MessageType, Segmentation};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};

/// Answers that each reader may be ahead.
const AHEAD: usize = 64;

/// How far two answers may be apart and still count as the same.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Smallest IoU of the masks.
    pub iou: f32,
    /// Largest distance of each side of the box, pixels.
    pub pixels: usize,
}

/// What tells one answer from all others: topic, stamp in nanoseconds, command, and which of several of these.
pub type Key = (String, i64, String, usize);

/// What two recordings have in common, and what not.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Answers that are the same.
    pub same: usize,
    /// Answers of the first and of the second recording.
    pub counts: [usize; 2],
    /// The others with what is different, in words.
    pub different: Vec<(Key, String)>,
    /// Why a recording could not be read to its end.
    pub truncations: Vec<String>,
}

impl Comparison {
    /// Whether all answers are the same and both recordings are whole.
    pub fn is_same(&self) -> bool {
        self.different.is_empty() && self.truncations.is_empty()
    }
}

/// What is compared of an answer.
struct Compared {
    status: u8,
    sides: [usize; 4],
    mask: Mask,
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
        Compared { status: message.status, sides: [rect.x, rect.y, rect.right(), rect.bottom()], mask }
    }
}

/// What a reader sends: answers, then how it ended.
enum Read {
    Answer(Key, Compared),
    End(Result<Truncation>),
}

/// Reads the answers of a recording into a channel.
fn send_answers(bag: &Bag, answers: &SyncSender<Read>) {
    // how often each key came; its hash will do
    let mut seen: HashMap<u64, usize> = HashMap::new();
    let ended = bag.read(
        |_, kind| kind == Segmentation::TYPE,
        |Message { topic, cdr, .. }| {
            let message: Segmentation = from_cdr(&cdr)?;
            let mut key = (topic, message.header.stamp.nanoseconds(), message.command.clone(), 0);
            let mut hash = DefaultHasher::new();
            key.hash(&mut hash);
            let count = seen.entry(hash.finish()).or_default();
            key.3 = *count;
            *count += 1;
            let _ = answers.send(Read::Answer(key, Compared::of(&message))); // a failed comparison hears no more
            Ok(())
        },
    );
    let _ = answers.send(Read::End(ended));
}

fn status(value: u8) -> &'static str {
    Status::ALL.into_iter().find(|known| encode::status(*known) == value).map_or("unknown", Status::name)
}

/// What is different between two answers; `None` when nothing is.
fn difference(a: &Compared, b: &Compared, tolerance: Tolerance) -> Option<String> {
    if a.status != b.status {
        return Some(format!("status {} became {}", status(a.status), status(b.status)));
    }
    if (a.mask.width(), a.mask.height()) != (b.mask.width(), b.mask.height()) {
        let size = |mask: &Mask| format!("{}x{}", mask.width(), mask.height());
        return Some(format!("mask of {} became {}", size(&a.mask), size(&b.mask)));
    }
    let apart = a.sides.iter().zip(&b.sides).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or_default();
    if apart > tolerance.pixels {
        return Some(format!("box moved by {apart} pixels"));
    }
    let both_empty = a.mask.area() == 0 && b.mask.area() == 0;
    let iou = if both_empty { 1.0 } else { a.mask.iou(&b.mask) };
    (iou < tolerance.iou).then(|| format!("masks overlap with IoU {iou:.3}"))
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

/// Compares the answers of two recordings.
///
/// # Errors
/// When a message is not what its type says.
pub fn compare(a: &Bag, b: &Bag, tolerance: Tolerance) -> Result<Comparison> {
    let mut comparison = Comparison::default();
    std::thread::scope(|scope| -> Result<()> {
        let [mut first, mut second] = [a, b].map(|bag| {
            let (sender, answers) = sync_channel(AHEAD);
            scope.spawn(move || send_answers(bag, &sender));
            Side::new(answers)
        });
        while !(first.ended && second.ended) {
            // whichever is behind
            let of_first = !first.ended && (second.ended || first.stamp <= second.stamp);
            let (side, other) = if of_first { (&mut first, &mut second) } else { (&mut second, &mut first) };
            match side.answers.recv() {
                Ok(Read::Answer(key, answer)) => {
                    side.stamp = key.1;
                    comparison.counts[usize::from(!of_first)] += 1;
                    let Some(partner) = other.waiting.remove(&key) else {
                        side.waiting.insert(key, answer);
                        continue;
                    };
                    let (a, b) = if of_first { (&answer, &partner) } else { (&partner, &answer) };
                    match difference(a, b, tolerance) {
                        Some(words) => comparison.different.push((key, words)),
                        None => comparison.same += 1,
                    }
                }
                Ok(Read::End(ended)) => {
                    side.ended = true;
                    comparison.truncations.extend(ended?);
                }
                Err(_) => side.ended = true,
            }
        }
        let missing =
            |side: Side, words: &'static str| side.waiting.into_keys().map(move |key| (key, words.to_string()));
        comparison.different.extend(missing(first, "missing in the second"));
        comparison.different.extend(missing(second, "missing in the first"));
        Ok(())
    })?;
    comparison.different.sort();
    Ok(comparison)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::drawn;

    fn answer(status: u8, row: &str) -> Compared {
        let mask = drawn(&[row]);
        let rect = mask.bounding_box().unwrap_or_default();
        Compared { status, sides: [rect.x, rect.y, rect.right(), rect.bottom()], mask }
    }

    #[test]
    fn status_box_and_mask_are_compared_within_the_tolerance() {
        let strict = Tolerance { iou: 0.99, pixels: 0 };
        let loose = Tolerance { iou: 0.5, pixels: 1 };
        let (a, b) = (answer(0, ".###...."), answer(0, "..###..."));
        assert_eq!(difference(&a, &a, strict), None);
        assert_eq!(difference(&a, &b, strict).unwrap(), "box moved by 1 pixels");
        assert_eq!(difference(&a, &b, loose), None);
        let holed = answer(0, ".#.#....");
        assert_eq!(difference(&a, &holed, strict).unwrap(), "masks overlap with IoU 0.667");
        assert_eq!(difference(&a, &answer(2, ".###...."), loose).unwrap(), "status FOUND became AMBIGUOUS");
        assert_eq!(difference(&answer(1, "...."), &answer(1, "...."), strict), None);
        assert_eq!(difference(&answer(1, "...."), &answer(1, "..."), strict).unwrap(), "mask of 4x1 became 3x1");
    }
}
