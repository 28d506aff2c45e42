//! `Tracks`: the things of one camera that are followed, each with a number that stays while answers come and go.

use super::tracker::{Lost, Picture, Tracker};
use referseg_answer::{Answer, CommandInfo, Following, FoundThing, FrameResult, Origin, StageTimes, Status};
use referseg_image::{Frame, Mask};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};

/// Things of one answer that are followed, the best first: bounds the work of a frame.
const MOST: usize = 16;
/// Masks of each that are remembered, for answers on frames that have passed: two seconds at 30 Hz.
const TRAIL: usize = 60;
/// How far stamps may go back from one new frame to the next, nanoseconds; further, a clock or a recording has started anew.
const MOST_BACK: i64 = 1_000_000_000;
/// New frames in a row whose stamps may not grow: a second at 30 Hz.
const MOST_NOT_LATER: u32 = 30;
/// Overlap (IoU) from which a thing that was found is the one that was followed there.
const SAME: f32 = 0.3;

/// Numbers of tracks, over all cameras; the first is 1.
#[derive(Debug, Default)]
pub struct TrackNumbers(AtomicU32);

impl TrackNumbers {
    fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1)
    }
}

/// One thing.
struct Track {
    number: u32,
    found: FoundThing,
    /// Where it was seen, by the frames' stamps, nanoseconds.
    trail: VecDeque<(i64, Mask)>,
    tracker: Option<Tracker>,
    is_lost: bool,
}

impl Track {
    fn seen(&mut self, stamp: i64, mask: Mask) {
        if self.trail.len() == TRAIL {
            self.trail.pop_front();
        }
        self.trail.push_back((stamp, mask));
    }

    /// Where it was seen nearest to a time.
    fn mask_at(&self, stamp: i64) -> Option<&Mask> {
        self.trail.iter().min_by_key(|(at, _)| at.abs_diff(stamp)).map(|(_, mask)| mask)
    }
}

/// What was found last.
struct Grounding {
    command: CommandInfo,
    /// Without its scores.
    answer: Answer,
    stamp: i64,
    frame: Frame,
}

/// The things of one camera.
#[derive(Default)]
pub struct Tracks {
    grounding: Option<Grounding>,
    tracks: Vec<Track>,
    /// Numbers of tracks that an answer ended, with the reason; not reported yet.
    ended: Vec<(u32, String)>,
    /// The stamp of the last frame.
    last: Option<i64>,
    /// New frames in a row whose stamps were not later.
    not_later: u32,
}

/// A thing in the frame into which it was followed.
pub struct FollowedThing {
    /// `Found` or `Lost`, with the reason; what was found is the thing alone.
    pub answer: Answer,
    /// The number of its track.
    pub track: [u32; 1],
    /// How it was followed.
    pub following: Following,
}

/// All things that were followed into a frame.
pub struct FollowedFrame {
    /// The command that they answer.
    pub command: CommandInfo,
    /// Each of them.
    pub things: Vec<FollowedThing>,
    /// Those that are seen, as one answer; `Lost` when there are none.
    together: Answer,
    tracks: Vec<u32>,
}

impl FollowedFrame {
    /// Each thing as a result of its own.
    pub fn each<'a>(&'a self, camera: usize, frame: &'a Frame) -> impl Iterator<Item = FrameResult<'a>> {
        self.things.iter().map(move |thing| FrameResult {
            tracks: &thing.track,
            following: Some(thing.following),
            ..self.result(camera, frame, &thing.answer)
        })
    }

    /// The things that are seen as one result.
    pub fn together<'a>(&'a self, camera: usize, frame: &'a Frame) -> FrameResult<'a> {
        FrameResult {
            tracks: &self.tracks,
            following: self.things.first().map(|thing| thing.following),
            ..self.result(camera, frame, &self.together)
        }
    }

    fn result<'a>(&'a self, camera: usize, frame: &'a Frame, answer: &'a Answer) -> FrameResult<'a> {
        let command = &self.command;
        FrameResult {
            camera,
            command,
            frame: Some(frame),
            is_static: false,
            tracks: &[],
            following: None,
            answer: Ok(answer),
        }
    }
}

impl Tracks {
    /// Takes an answer on a frame, and gives the numbers of the tracks of what it found, in the same order: those of things that were
    /// followed to the same place, or else new ones. What is not among them is followed no longer.
    pub fn ground(
        &mut self,
        stamp: i64,
        frame: &Frame,
        command: &CommandInfo,
        answer: &Answer,
        numbers: &TrackNumbers,
    ) -> Vec<u32> {
        let found = if answer.status == Status::Found { answer.found.iter().take(MOST).collect() } else { Vec::new() };
        let mut before = std::mem::take(&mut self.tracks);
        let known = known_numbers(&found, &before, stamp);
        let mut given: Vec<Option<u32>> = known.iter().map(|known| known.map(|at| before[at].number)).collect();
        // a thing that was lost and is the only one that the same command means, before and now
        let same_command = self.grounding.as_ref().is_some_and(|last| last.command.text == command.text);
        if let ([number @ None], [track]) = (&mut given[..], &before[..]) {
            *number = Some(track.number).filter(|_| same_command && track.is_lost);
        }
        self.tracks = Vec::new();
        for (thing, number) in found.iter().zip(given) {
            let known = before.iter().position(|track| Some(track.number) == number);
            let mut track = match known {
                Some(at) => before.swap_remove(at),
                None => Track {
                    number: numbers.next(),
                    found: (*thing).clone(),
                    trail: VecDeque::new(),
                    tracker: None,
                    is_lost: false,
                },
            };
            track.found = (*thing).clone();
            track.tracker = None;
            track.is_lost = false;
            track.trail.retain(|(at, _)| *at < stamp); // the answer now covers what was seen since
            track.seen(stamp, thing.mask.clone());
            self.tracks.push(track);
        }
        let why = match answer.status {
            Status::Found => "a later answer found something else".to_string(),
            status if answer.reason.is_empty() => format!("a later answer is {}", status.name()),
            status => format!("a later answer is {}: {}", status.name(), answer.reason),
        };
        self.ended.extend(before.into_iter().map(|track| (track.number, why.clone())));
        let kept = Answer {
            scores: Vec::new(),
            leading: Vec::new(),
            found: Vec::new(),
            times: StageTimes::default(),
            ..answer.clone()
        };
        self.grounding = Some(Grounding { command: command.clone(), answer: kept, stamp, frame: frame.clone() });
        self.last = None;
        self.tracks.iter().map(|track| track.number).collect()
    }

    /// Whether a frame would tell anything.
    pub fn is_idle(&self) -> bool {
        self.tracks.is_empty() && self.ended.is_empty()
    }

    /// Whether nothing was followed since the last answer.
    pub fn is_fresh(&self) -> bool {
        self.last.is_none()
    }

    /// The stamp after which frames count: that of the answer, or of the last frame.
    fn since(&self) -> Option<i64> {
        self.last.or(self.grounding.as_ref().map(|grounding| grounding.stamp))
    }

    /// Ends all tracks, and tells nobody.
    pub fn clear(&mut self) {
        *self = Tracks::default();
    }

    /// Ends the tracks of a topic's command up to a number, which was cleared.
    pub fn clear_up_to(&mut self, number: u32) {
        if self.grounding.as_ref().is_some_and(|grounding| grounding.command.number <= number) {
            self.clear();
        }
    }

    /// Why the stamp of a new frame can't belong to the tracks, in words.
    fn broken_time(&mut self, stamp: i64, since: i64) -> Option<String> {
        let apart = since.saturating_sub(stamp);
        if apart > MOST_BACK {
            let seconds = apart as f64 / 1e9;
            return Some(format!(
                "the stamps of the images have gone back by {seconds:.3} s: their clock started anew"
            ));
        }
        self.not_later += 1;
        let is_stuck = self.not_later >= MOST_NOT_LATER;
        is_stuck.then(|| format!("the stamps of {MOST_NOT_LATER} images in a row have not grown"))
    }

    /// Follows all things into a later frame; `None` when there are none, or the frame is not later. A new frame (the newest that was
    /// received) whose time can't follow that of the tracks ends them.
    pub fn follow(&mut self, stamp: i64, frame: &Frame, is_new: bool) -> Option<FollowedFrame> {
        if self.is_idle() {
            return None;
        }
        match self.since() {
            Some(since) if stamp <= since => {
                let why = if is_new { self.broken_time(stamp, since)? } else { return None };
                self.not_later = 0;
                self.ended.extend(self.tracks.drain(..).map(|track| (track.number, why.clone())));
            }
            _ => self.not_later = 0,
        }
        let Grounding { command, answer, stamp: grounded, frame: first } = self.grounding.as_ref()?;
        self.last = Some(stamp);
        let age = stamp.saturating_sub(*grounded).max(0) as f64 / 1e9;
        let lost = |reason: String| Answer { status: Status::Lost, reason, ..answer.clone() };
        let mut things: Vec<FollowedThing> = Vec::new();
        let picture = Picture::new(frame);
        for (number, reason) in self.ended.drain(..) {
            let following = Following { quality: 0.0, grounding_age: age };
            things.push(FollowedThing { answer: lost(reason), track: [number], following });
        }
        let mut first_picture = None;
        for track in &mut self.tracks {
            if track.tracker.is_none() {
                let first = first_picture.get_or_insert_with(|| Picture::new(first));
                track.tracker = Tracker::new(first, &track.found.mask);
            }
            let sight = track.tracker.as_mut().map_or(Err(Lost::OtherSize), |tracker| tracker.update(&picture));
            track.is_lost = sight.is_err();
            let (answer, quality) = match sight {
                Ok(seen) => {
                    track.seen(stamp, seen.mask.clone());
                    let found = vec![FoundThing { mask: seen.mask, ..track.found.clone() }];
                    let score = track.found.score;
                    (Answer { status: Status::Found, found, score, ..answer.clone() }, seen.quality)
                }
                Err(why) => (lost(why.to_string()), 0.0),
            };
            let following = Following { quality, grounding_age: age };
            things.push(FollowedThing { answer, track: [track.number], following });
        }
        let seen = || things.iter().filter(|thing| thing.answer.status == Status::Found);
        let found: Vec<FoundThing> = seen().flat_map(|thing| thing.answer.found.clone()).collect();
        let together = match (found.is_empty(), things.last()) {
            (true, Some(last)) => last.answer.clone(),
            _ => Answer { status: Status::Found, found, ..answer.clone() },
        };
        let tracks = seen().map(|thing| thing.track[0]).collect();
        let command = CommandInfo { origin: Origin::Track, ..command.clone() };
        Some(FollowedFrame { command, things, together, tracks })
    }
}

/// For each thing the place of the track that was seen where it is, at about the same time; each track once, the best pairs first.
fn known_numbers(found: &[&FoundThing], tracks: &[Track], stamp: i64) -> Vec<Option<usize>> {
    let mut pairs = Vec::new();
    for (at, thing) in found.iter().enumerate() {
        for (known, track) in tracks.iter().enumerate() {
            let same_size = |mask: &&Mask| (mask.width(), mask.height()) == (thing.mask.width(), thing.mask.height());
            let overlap = track.mask_at(stamp).filter(same_size).map_or(0.0, |mask| mask.iou(&thing.mask));
            if overlap >= SAME {
                pairs.push((overlap, at, known));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut chosen = vec![None; found.len()];
    for (_, at, known) in pairs {
        if chosen[at].is_none() && !chosen.contains(&Some(known)) {
            chosen[at] = Some(known);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use referseg_image::Rect;

    const MS: i64 = 1_000_000;

    /// Mottled squares of 30 pixels with their corners at columns, on mottled ground.
    fn scene(corners: &[i32]) -> Frame {
        let pixel = |x: i32, y: i32| {
            let wave = |a: i32, b: i32| ((a * a * 7 + b * 13 + a * b * 5) % 97) as u8;
            let inside = corners.iter().position(|corner| (0..30).contains(&(x - corner)) && (30..60).contains(&y));
            match inside {
                Some(which) => [150 + wave(x - corners[which], y), wave(y, x - corners[which]), 60 * which as u8],
                None => [wave(x / 4, y / 4) / 2, 90, 120],
            }
        };
        let rgb = (0..90).flat_map(|y| (0..200).flat_map(move |x| pixel(x, y))).collect();
        Frame::new(200, 90, rgb).unwrap()
    }

    fn answer(status: Status, corners: &[usize]) -> Answer {
        let found = corners.iter().map(|x| FoundThing {
            proposal: Some(0),
            score: 0.5,
            mask: Mask::of_rect(200, 90, Rect { x: *x, y: 30, width: 30, height: 30 }),
            refined: false,
        });
        Answer {
            status,
            reason: String::new(),
            target: "the square".into(),
            reading: String::new(),
            roles: Default::default(),
            score: 0.5,
            margin: 0.1,
            best: Some(0),
            rivals: Vec::new(),
            found: found.collect(),
            destination: None,
            question: None,
            by_depth: false,
            reference_frame: String::new(),
            scores: vec![0.5],
            leading: Vec::new(),
            crops: 0,
            times: StageTimes::default(),
        }
    }

    fn command(number: u32) -> CommandInfo {
        CommandInfo {
            text: "the square".into(),
            number,
            origin: Origin::Topic,
            id: String::new(),
            conversation: String::new(),
        }
    }

    /// Grounds what stands at these columns.
    fn ground(tracks: &mut Tracks, numbers: &TrackNumbers, milliseconds: i64, corners: &[i32]) -> Vec<u32> {
        let at: Vec<usize> = corners.iter().map(|corner| *corner as usize).collect();
        tracks.ground(milliseconds * MS, &scene(corners), &command(1), &answer(Status::Found, &at), numbers)
    }

    #[test]
    fn a_number_stays_with_its_thing_over_answers_on_frames_that_have_passed() {
        let (mut tracks, numbers) = (Tracks::default(), TrackNumbers::default());
        assert_eq!(ground(&mut tracks, &numbers, 0, &[10, 120]), [1, 2]);
        for step in 1..20 {
            let followed = tracks.follow(i64::from(step) * 30 * MS, &scene(&[10 + 2 * step, 120]), true).unwrap();
            assert!(followed.things.iter().all(|thing| thing.answer.status == Status::Found), "{step}");
        }
        // the answer says the other one first, and is of a frame that passed long ago
        assert_eq!(ground(&mut tracks, &numbers, 300, &[120, 30]), [2, 1]);
        assert_eq!(ground(&mut tracks, &numbers, 600, &[80]), [3], "elsewhere is another thing");
        let followed = tracks.follow(630 * MS, &scene(&[80]), true).unwrap();
        let reported: Vec<_> = followed.things.iter().map(|thing| (thing.track[0], thing.answer.status)).collect();
        assert_eq!(reported.len(), 3);
        assert!(reported.contains(&(1, Status::Lost)) && reported.contains(&(3, Status::Found)), "{reported:?}");
        assert_eq!(tracks.follow(660 * MS, &scene(&[80]), true).unwrap().things.len(), 1, "the end is reported once");
    }

    #[test]
    fn age_counts_from_the_answer_and_frames_that_are_not_later_tell_nothing() {
        let (mut tracks, numbers) = (Tracks::default(), TrackNumbers::default());
        assert!(tracks.follow(0, &scene(&[]), true).is_none());
        ground(&mut tracks, &numbers, 100, &[10]);
        assert!(tracks.follow(100 * MS, &scene(&[10]), true).is_none(), "the answer's own");
        let followed = tracks.follow(350 * MS, &scene(&[11]), true).unwrap();
        assert!((followed.things[0].following.grounding_age - 0.25).abs() < 1e-9);
        assert!(tracks.follow(340 * MS, &scene(&[11]), true).is_none(), "older than the last");
        let frame = scene(&[11]);
        let together = followed.together(0, &frame);
        assert_eq!((together.status(), together.track(), together.command.origin), (Status::Found, 1, Origin::Track));
    }

    #[test]
    fn a_lost_thing_says_why_and_gets_its_number_back_from_the_same_command() {
        let (mut tracks, numbers) = (Tracks::default(), TrackNumbers::default());
        ground(&mut tracks, &numbers, 0, &[10]);
        let gone = tracks.follow(30 * MS, &scene(&[]), true).unwrap();
        let thing = &gone.things[0];
        assert_eq!((thing.answer.status, thing.following.quality), (Status::Lost, 0.0));
        assert!(thing.answer.reason.contains("hidden") && thing.answer.found.is_empty(), "{}", thing.answer.reason);
        assert_eq!(ground(&mut tracks, &numbers, 60, &[120]), [1]);
    }

    #[test]
    fn an_answer_that_finds_nothing_ends_the_track_with_its_reason() {
        let (mut tracks, numbers) = (Tracks::default(), TrackNumbers::default());
        ground(&mut tracks, &numbers, 0, &[10]);
        let unsure = Answer { reason: "two fit".into(), ..answer(Status::Ambiguous, &[10]) };
        assert!(tracks.ground(30 * MS, &scene(&[10]), &command(1), &unsure, &numbers).is_empty());
        let followed = tracks.follow(60 * MS, &scene(&[10]), true).unwrap();
        assert_eq!(followed.things[0].answer.reason, "a later answer is AMBIGUOUS: two fit");
        assert!(tracks.is_idle());
        ground(&mut tracks, &numbers, 90, &[10]);
        tracks.clear_up_to(0);
        assert!(!tracks.is_idle(), "of a later command");
        tracks.clear_up_to(1);
        assert!(tracks.is_idle());
    }

    #[test]
    fn a_clock_that_starts_anew_or_stands_still_ends_the_tracks_with_a_reason() {
        let numbers = TrackNumbers::default();
        let mut tracks = Tracks::default();
        ground(&mut tracks, &numbers, 5000, &[10]);
        assert!(tracks.follow(100 * MS, &scene(&[10]), false).is_none(), "a frame kept from before");
        let lost = tracks.follow(100 * MS, &scene(&[10]), true).unwrap();
        assert_eq!(lost.things[0].answer.status, Status::Lost);
        assert!(lost.things[0].answer.reason.contains("gone back by 4.900 s"), "{}", lost.things[0].answer.reason);
        assert!(tracks.is_idle());

        ground(&mut tracks, &numbers, 5000, &[10]);
        let mut lost = (0..MOST_NOT_LATER).filter_map(|_| tracks.follow(5000 * MS, &scene(&[10]), true));
        let lost = lost.next().unwrap();
        assert!(lost.things[0].answer.reason.contains("have not grown"), "{}", lost.things[0].answer.reason);
        assert!(tracks.is_idle());
    }
}
