//! `StampMatcher`: pairs frames with other messages about them (external proposals, label images) by their stamps.
//!
//! A detector takes time and skips frames. So frames are kept until a message with their stamp arrives. Pairs are returned in the order
//! of their stamps; a pair that is older than one already returned is dropped.

use std::collections::VecDeque;

/// Frames that wait: two seconds at 15 Hz.
const FRAMES: usize = 30;
/// Bytes in which they wait: at 1080p ten raw frames.
const MOST_BYTES: usize = 64 << 20;
/// Messages kept because they arrived before their frame.
const EARLY: usize = 4;

/// How far stamps may go back from one frame to the next, nanoseconds.
const MOST_BACK: i64 = 1_000_000_000;

/// Whether two stamps belong together; 0 is none.
fn is_near(a: i64, b: i64, tolerance: i64) -> bool {
    a != 0 && b != 0 && a.abs_diff(b) <= tolerance.unsigned_abs()
}

/// Frames `F` that wait, and messages `P` that arrived before their frame.
pub struct StampMatcher<F, P> {
    frames: VecDeque<(i64, usize, F)>,
    early: VecDeque<(i64, P)>,
    /// The newest stamp of a message.
    newest: Option<i64>,
}

impl<F, P> Default for StampMatcher<F, P> {
    fn default() -> Self {
        StampMatcher { frames: VecDeque::new(), early: VecDeque::new(), newest: None }
    }
}

impl<F, P> StampMatcher<F, P> {
    /// Takes a frame of so many bytes; returns it with its message if that has arrived, and the frames that are given up: for which no
    /// message arrived and that have no more room, or whose clock has started anew.
    pub fn frame(&mut self, stamp: i64, bytes: usize, frame: F, tolerance: i64) -> (Option<(F, P)>, Vec<F>) {
        let mut given_up = Vec::new();
        if self.frames.back().is_some_and(|(last, ..)| stamp.saturating_add(MOST_BACK) < *last) {
            // the clock or the recording has started anew
            given_up = self.all_frames();
            self.clear();
        }
        let known = self.early.iter().position(|(other, _)| is_near(*other, stamp, tolerance));
        if let Some((_, given)) = known.and_then(|at| self.early.remove(at)) {
            return (Some((frame, given)), given_up);
        }
        self.frames.push_back((stamp, bytes, frame));
        let mut held: usize = self.frames.iter().map(|(_, bytes, _)| bytes).sum();
        while self.frames.len() > FRAMES || held > MOST_BYTES && self.frames.len() > 1 {
            let Some((_, bytes, oldest)) = self.frames.pop_front() else { break };
            held -= bytes;
            given_up.push(oldest);
        }
        (None, given_up)
    }

    /// Takes a message for a frame; returns the frames before that one, for which no message arrived, and the pair. Without a
    /// frame of its stamp it waits for one, unless it is older than all.
    pub fn given(&mut self, stamp: i64, given: P, tolerance: i64) -> (Vec<F>, Option<(F, P)>) {
        self.newest = self.newest.max(Some(stamp));
        let nearest = (0..self.frames.len()).min_by_key(|at| self.frames[*at].0.abs_diff(stamp));
        match nearest.filter(|at| is_near(self.frames[*at].0, stamp, tolerance)) {
            Some(at) => {
                let mut passed: Vec<F> = self.frames.drain(..=at).map(|(.., frame)| frame).collect();
                let matched = passed.pop().map(|frame| (frame, given));
                (passed, matched)
            }
            None => {
                if self.frames.back().is_none_or(|(last, ..)| *last < stamp) {
                    self.early.push_back((stamp, given));
                    if self.early.len() > EARLY {
                        self.early.pop_front();
                    }
                }
                (Vec::new(), None)
            }
        }
    }

    /// Whether frames wait.
    pub fn has_frames(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Takes the newest frame out and drops the others; what is to be answered although nothing came for it.
    pub fn newest_frame(&mut self) -> Option<F> {
        self.frames.drain(..).next_back().map(|(.., frame)| frame)
    }

    /// Takes all frames out, oldest first.
    pub fn all_frames(&mut self) -> Vec<F> {
        self.frames.drain(..).map(|(.., frame)| frame).collect()
    }

    /// Discards everything: time went backwards.
    pub fn clear(&mut self) {
        *self = StampMatcher::default();
    }

    /// Why nothing belongs to a frame, in words.
    pub fn reason(&self, stamp: i64, tolerance: i64) -> String {
        match self.newest {
            _ if stamp == 0 => "the image has no stamp (0), so no proposals can be paired with it".into(),
            None => "no proposals have been received for this image".into(),
            Some(newest) => {
                let apart = (stamp - newest) as f64 / 1e9;
                let (seconds, where_) = (apart.abs(), if apart > 0.0 { "older" } else { "newer" });
                let most = tolerance as f64 / 1e9;
                format!(
                    "no proposals of this image's stamp: the newest are {seconds:.3} s {where_}; expected at most {most:.3} s"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn proposals_find_their_frame_whichever_comes_first_and_never_an_older_one() {
        let mut matcher = StampMatcher::default();
        for number in 0..4 {
            assert_eq!(matcher.frame((1000 + number * 100) * MS, 1, number, 20 * MS), (None, vec![]));
        }
        assert_eq!(
            matcher.given(1205 * MS, "c", 20 * MS),
            (vec![0, 1], Some((2, "c"))),
            "what was passed over is given back"
        );
        assert_eq!(matcher.given(1100 * MS, "b", 20 * MS), (vec![], None), "its frame was passed over");
        assert_eq!(matcher.given(1400 * MS, "e", 20 * MS), (vec![], None), "its frame has not come");
        assert_eq!(matcher.frame(1401 * MS, 1, 4, 20 * MS), (Some((4, "e")), vec![]));
        assert_eq!(matcher.newest_frame(), Some(3));
        assert_eq!(matcher.newest_frame(), None);
        assert!(matcher.reason(1900 * MS, 20 * MS).contains("0.500 s older; expected at most 0.020 s"));
    }

    #[test]
    fn what_waits_is_bounded_and_the_oldest_makes_room() {
        let mut matcher = StampMatcher::<i64, ()>::default();
        let crowded: Vec<i64> =
            (0..100).flat_map(|number| matcher.frame((1000 + number * 100) * MS, 1, number, MS).1).collect();
        assert_eq!(crowded, (0..70).collect::<Vec<_>>());
        for second in 100..200 {
            matcher.given(second * 1000 * MS, (), MS);
        }
        assert_eq!((matcher.frames.len(), matcher.early.len()), (FRAMES, EARLY));
        assert_eq!(matcher.all_frames(), (70..100).collect::<Vec<_>>());
        let large = |number: i64| matcher.frame((1000 + number * 100) * MS, MOST_BYTES / 3, number, MS).1;
        let crowded: Vec<i64> = (0..10).flat_map(large).collect();
        assert_eq!(crowded, (0..7).collect::<Vec<_>>(), "three of a third of the bytes");
        matcher.clear();
        assert!(matcher.reason(MS, MS).contains("have been received"));
    }

    #[test]
    fn without_stamps_nothing_is_paired_and_a_clock_that_starts_anew_gives_up_what_waits() {
        let mut matcher = StampMatcher::default();
        assert_eq!(matcher.frame(0, 1, 1, 20 * MS), (None, vec![]));
        assert_eq!(matcher.given(0, "p", 20 * MS), (vec![], None));
        assert!(matcher.reason(0, 20 * MS).contains("no stamp (0)"));
        let mut matcher = StampMatcher::<i32, ()>::default();
        matcher.frame(9000 * MS, 1, 1, 20 * MS);
        assert_eq!(matcher.frame(50 * MS, 1, 2, 20 * MS), (None, vec![1]));
    }
}
