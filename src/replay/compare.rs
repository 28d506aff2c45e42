//! Comparison of two recordings of answers: whether a change of model, settings or program changed what is answered.

use crate::bag::{Bag, Message};
use crate::error::Result;
use crate::mask::Mask;
use crate::messages::{from_cdr, Named, Segmentation};
use crate::scoring::Status;
use std::collections::BTreeMap;

/// How far two answers may be apart and still count as the same.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Smallest IoU of the masks.
    pub iou: f32,
    /// Largest distance of each side of the box, pixels.
    pub pixels: u32,
}

/// What tells one answer from all others: topic, stamp in nanoseconds, command, and which of several of these.
pub type Key = (String, i64, String, usize);

/// What two recordings have in common, and what not.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Answers that are the same.
    pub same: usize,
    /// The others with what is different, in words.
    pub different: Vec<(Key, String)>,
    /// Why a recording could not be read to its end.
    pub ended: Vec<String>,
}

impl Comparison {
    /// Whether all answers are the same and both recordings are whole.
    pub fn is_same(&self) -> bool {
        self.different.is_empty() && self.ended.is_empty()
    }
}

/// An answer without what may differ.
struct Kept {
    status: u8,
    sides: [u32; 4],
    mask: Mask,
}

fn answers(bag: &Bag, comparison: &mut Comparison) -> Result<BTreeMap<Key, Kept>> {
    let mut all: BTreeMap<Key, Kept> = BTreeMap::new();
    let ended = bag.read(
        |_, kind| kind == Segmentation::TYPE,
        |Message { topic, cdr, .. }| {
            let message: Segmentation = from_cdr(&cdr)?;
            let mut key = (topic, message.header.stamp.nanoseconds(), message.command.clone(), 0);
            while all.contains_key(&key) {
                key.3 += 1;
            }
            let extent = message.extent;
            let right = extent.x_offset.saturating_add(extent.width);
            let bottom = extent.y_offset.saturating_add(extent.height);
            let (width, height) = (message.mask.width as usize, message.mask.height as usize);
            let inside: Vec<bool> = message.mask.data.iter().map(|value| *value > 0).collect();
            let whole = inside.len() == width * height;
            let mask = if whole { Mask::new(width, height, inside) } else { Mask::new(0, 0, Vec::new()) };
            let sides = [extent.x_offset, extent.y_offset, right, bottom];
            all.insert(key, Kept { status: message.status, sides, mask });
            Ok(())
        },
    )?;
    comparison.ended.extend(ended);
    Ok(all)
}

fn status(value: u8) -> &'static str {
    use crate::messages::encode::status;
    let all = [Status::Found, Status::NotFound, Status::Ambiguous, Status::Error];
    let found = all.into_iter().find(|known| status(*known) == value);
    match found {
        Some(Status::Found) => "FOUND",
        Some(Status::NotFound) => "NOT_FOUND",
        Some(Status::Ambiguous) => "AMBIGUOUS",
        Some(Status::Error) => "ERROR",
        None => "unknown",
    }
}

/// What is different between two answers; `None` when nothing is.
fn difference(a: &Kept, b: &Kept, tolerance: Tolerance) -> Option<String> {
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

/// Compares the answers of two recordings.
///
/// # Errors
/// When a message is not what its type says.
pub fn compare(a: &Bag, b: &Bag, tolerance: Tolerance) -> Result<Comparison> {
    let mut comparison = Comparison::default();
    let (first, mut second) = (answers(a, &mut comparison)?, answers(b, &mut comparison)?);
    for (key, a) in first {
        let different = match second.remove(&key) {
            Some(b) => difference(&a, &b, tolerance),
            None => Some("missing in the second".into()),
        };
        match different {
            Some(words) => comparison.different.push((key, words)),
            None => comparison.same += 1,
        }
    }
    comparison.different.extend(second.into_keys().map(|key| (key, "missing in the first".into())));
    Ok(comparison)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::tests::drawn;

    fn kept(status: u8, row: &str) -> Kept {
        let mask = drawn(&[row]);
        let extent = mask.bounding_box().unwrap_or_default();
        Kept { status, sides: [extent.x, extent.y, extent.x + extent.width, extent.y + extent.height], mask }
    }

    #[test]
    fn status_box_and_mask_are_compared_within_the_tolerance() {
        let strict = Tolerance { iou: 0.99, pixels: 0 };
        let loose = Tolerance { iou: 0.5, pixels: 1 };
        let (a, b) = (kept(0, ".###...."), kept(0, "..###..."));
        assert_eq!(difference(&a, &a, strict), None);
        assert_eq!(difference(&a, &b, strict).unwrap(), "box moved by 1 pixels");
        assert_eq!(difference(&a, &b, loose), None);
        let holed = kept(0, ".#.#....");
        assert_eq!(difference(&a, &holed, strict).unwrap(), "masks overlap with IoU 0.667");
        assert_eq!(difference(&a, &kept(2, ".###...."), loose).unwrap(), "status FOUND became AMBIGUOUS");
        assert_eq!(difference(&kept(1, "...."), &kept(1, "...."), strict), None);
        assert_eq!(difference(&kept(1, "...."), &kept(1, "..."), strict).unwrap(), "mask of 4x1 became 3x1");
    }
}
