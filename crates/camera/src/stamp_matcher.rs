//! `StampMatcher`: frames that wait for what somebody else says of them, brought together by their stamps.
//!
//! Whoever finds proposals takes time, and does not look at every frame. So frames are kept until something of their stamp comes;
//! one that it comes for is newer than all that were matched before, or it is left out.

use std::collections::VecDeque;

/// Frames that wait: two seconds at 15 Hz.
const FRAMES: usize = 30;
/// What came before its frame: a message that overtook another.
const EARLY: usize = 4;

/// Frames `F` that wait, and what came before its frame, `P`.
pub struct StampMatcher<F, P> {
    frames: VecDeque<(i64, F)>,
    early: VecDeque<(i64, P)>,
    /// The stamp of what came last.
    newest: Option<i64>,
}

impl<F, P> Default for StampMatcher<F, P> {
    fn default() -> Self {
        StampMatcher { frames: VecDeque::new(), early: VecDeque::new(), newest: None }
    }
}

impl<F, P> StampMatcher<F, P> {
    /// Takes a frame; gives it back with what came for it already, if that is so. The second part: a frame for which nothing
    /// came and that has no more room.
    pub fn frame(&mut self, stamp: i64, frame: F, tolerance: i64) -> (Option<(F, P)>, Option<F>) {
        let known = self.early.iter().position(|(other, _)| (other - stamp).abs() <= tolerance);
        if let Some((_, given)) = known.and_then(|at| self.early.remove(at)) {
            return (Some((frame, given)), None);
        }
        self.frames.push_back((stamp, frame));
        let crowded = self.frames.len() > FRAMES;
        (None, crowded.then(|| self.frames.pop_front()).flatten().map(|(_, frame)| frame))
    }

    /// Takes what came for a frame; gives back the frames before it, for which nothing came, and it with its frame. Without a
    /// frame of its stamp it waits for one, unless it is older than all.
    pub fn given(&mut self, stamp: i64, given: P, tolerance: i64) -> (Vec<F>, Option<(F, P)>) {
        self.newest = self.newest.max(Some(stamp));
        let nearest = (0..self.frames.len()).min_by_key(|at| (self.frames[*at].0 - stamp).abs());
        match nearest.filter(|at| (self.frames[*at].0 - stamp).abs() <= tolerance) {
            Some(at) => {
                let mut passed: Vec<F> = self.frames.drain(..=at).map(|(_, frame)| frame).collect();
                let matched = passed.pop().map(|frame| (frame, given));
                (passed, matched)
            }
            None => {
                if self.frames.back().is_none_or(|(last, _)| *last < stamp) {
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
        self.frames.drain(..).next_back().map(|(_, frame)| frame)
    }

    /// Takes all frames out, oldest first.
    pub fn all_frames(&mut self) -> Vec<F> {
        self.frames.drain(..).map(|(_, frame)| frame).collect()
    }

    /// Discards everything: time went backwards.
    pub fn clear(&mut self) {
        *self = StampMatcher::default();
    }

    /// Why nothing belongs to a frame, in words.
    pub fn reason(&self, stamp: i64, tolerance: i64) -> String {
        match self.newest {
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
            assert_eq!(matcher.frame(number * 100 * MS, number, 20 * MS), (None, None));
        }
        assert_eq!(
            matcher.given(205 * MS, "c", 20 * MS),
            (vec![0, 1], Some((2, "c"))),
            "what was passed over is given back"
        );
        assert_eq!(matcher.given(100 * MS, "b", 20 * MS), (vec![], None), "its frame was passed over");
        assert_eq!(matcher.given(400 * MS, "e", 20 * MS), (vec![], None), "its frame has not come");
        assert_eq!(matcher.frame(401 * MS, 4, 20 * MS), (Some((4, "e")), None));
        assert_eq!(matcher.newest_frame(), Some(3));
        assert_eq!(matcher.newest_frame(), None);
        assert!(matcher.reason(900 * MS, 20 * MS).contains("0.500 s older; expected at most 0.020 s"));
    }

    #[test]
    fn what_waits_is_bounded_and_the_oldest_makes_room() {
        let mut matcher = StampMatcher::<i64, ()>::default();
        let crowded: Vec<i64> = (0..100).filter_map(|number| matcher.frame(number * 100 * MS, number, MS).1).collect();
        assert_eq!(crowded, (0..70).collect::<Vec<_>>());
        for second in 100..200 {
            matcher.given(second * 1000 * MS, (), MS);
        }
        assert_eq!((matcher.frames.len(), matcher.early.len()), (FRAMES, EARLY));
        assert_eq!(matcher.all_frames(), (70..100).collect::<Vec<_>>());
        matcher.clear();
        assert!(matcher.reason(0, MS).contains("have been received"));
    }
}
