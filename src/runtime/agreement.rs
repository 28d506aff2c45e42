//! `Agreement`: whether frames in a row show the same thing in the same place.

use crate::answer::Status;
use crate::image::Mask;

/// Overlap (IoU) with the frame before from which both show the same thing in the same place.
const SAME_PLACE: f32 = 0.5;

/// Counts frames that agree.
pub struct Agreement {
    needed: u32,
    seen: u32,
    agreeing: u32,
    last: Option<Mask>,
    best: Option<(Status, f32)>,
}

/// What a frame brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Whether enough frames in a row agree.
    pub reached: bool,
    /// Whether no frame before was as good.
    pub best: bool,
}

impl Agreement {
    /// Of so many frames in a row, at least one.
    pub fn of(needed: u32) -> Agreement {
        Agreement { needed: needed.max(1), seen: 0, agreeing: 0, last: None, best: None }
    }

    /// Frames looked at.
    pub fn seen(&self) -> u32 {
        self.seen
    }

    /// Frames in a row that agree, up to the last one.
    pub fn agreeing(&self) -> u32 {
        self.agreeing
    }

    /// Frames in a row that are needed.
    pub fn needed(&self) -> u32 {
        self.needed
    }

    /// Takes what the next frame showed, if anything, with its status and score.
    pub fn add(&mut self, status: Status, shown: Option<&Mask>, score: f32) -> Progress {
        self.seen += 1;
        let found = shown.filter(|_| status == Status::Found);
        let same = |mask: &Mask, last: &Mask| {
            (mask.width(), mask.height()) == (last.width(), last.height()) && mask.iou(last) >= SAME_PLACE
        };
        self.agreeing = match (found, &self.last) {
            (Some(mask), Some(last)) if same(mask, last) => self.agreeing + 1,
            (Some(_), _) => 1,
            (None, _) => 0,
        };
        self.last = found.cloned();
        let rank = |status: Status| match status {
            Status::Found => 3,
            Status::Ambiguous => 2,
            Status::NotFound => 1,
            Status::Error | Status::Lost => 0,
        };
        let best = self.best.is_none_or(|(known, high)| (rank(status), score) >= (rank(known), high));
        if best {
            self.best = Some((status, score));
        }
        Progress { reached: self.agreeing >= self.needed, best }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(agreement: &mut Agreement, row: &str, status: Status, score: f32) -> Progress {
        agreement.add(status, Some(&Mask::drawn(&[row])), score)
    }

    #[test]
    fn frames_in_a_row_must_show_it_in_the_same_place() {
        let mut agreement = Agreement::of(3);
        assert!(!add(&mut agreement, "###...", Status::Found, 0.5).reached);
        assert!(!add(&mut agreement, ".###..", Status::Found, 0.5).reached, "moved a little");
        assert_eq!(agreement.agreeing(), 2);
        assert!(!add(&mut agreement, "....##", Status::Found, 0.5).reached, "elsewhere: from one again");
        assert_eq!(agreement.agreeing(), 1);
        add(&mut agreement, "....##", Status::Found, 0.5);
        assert!(add(&mut agreement, "....##", Status::Found, 0.5).reached);
        assert_eq!(agreement.seen(), 5);
    }

    #[test]
    fn a_frame_without_the_thing_breaks_the_row() {
        for status in [Status::NotFound, Status::Ambiguous, Status::Error] {
            let mut agreement = Agreement::of(2);
            add(&mut agreement, "##", Status::Found, 0.5);
            add(&mut agreement, "##", status, 0.5);
            assert_eq!(agreement.agreeing(), 0);
            assert!(!add(&mut agreement, "##", Status::Found, 0.5).reached);
        }
    }

    #[test]
    fn the_best_is_the_surest_and_of_equals_the_newest() {
        let mut agreement = Agreement::of(9);
        let mut best = |status, score| add(&mut agreement, "##", status, score).best;
        assert!(best(Status::NotFound, 0.9));
        assert!(best(Status::Found, 0.4));
        assert!(!best(Status::NotFound, 0.95));
        assert!(!best(Status::Found, 0.3));
        assert!(best(Status::Found, 0.4));
    }

    #[test]
    fn one_frame_is_enough_when_none_is_asked_for() {
        assert!(add(&mut Agreement::of(0), "##", Status::Found, 0.5).reached);
    }
}
