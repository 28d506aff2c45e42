//! What the inference thread works on, with the shipped model and given proposals, without ROS.

use referseg::answer::{FrameResult, Origin, Status};
use referseg::config::{Config, Layer};
use referseg::grounding::{Segmenter, Stage};
use referseg::image::{self, Frame};
use referseg::runtime::{Caller, Dialogue, FrameReader, Mode, Request, Worker, WorkerHost, MAX_WAITING};
use referseg::{Error, Result};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
/// The image of the request by which [`Rig::after_everything`] knows the end.
const LAST: u32 = 999;

fn scene(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scene").join(name).display().to_string()
}

/// Frames are encoded one after the other, each, unless `live` says otherwise.
fn segmenter(live: &[Layer]) -> Segmenter {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/demo").display().to_string();
    let labels = format!("labels:{}", scene("000000_ids.png"));
    let layers = [
        Layer::value("test", "model", model),
        Layer::value("test", "proposals.generator", labels),
        Layer::value("test", "answer.min_score", -1.0),
        Layer::value("test", "answer.min_margin", 0.0),
        Layer::value("test", "live.static_tolerance", 0.0),
    ];
    Segmenter::open(Config::from_layers(&[&layers, live].concat()).unwrap()).unwrap()
}

/// Frame, command number, status, reason.
type Told = (u32, u32, Status, String);

/// An input whose frame has noise of a level.
const NOISY: u32 = 201;
/// An input whose frame shows one thing more, of 16x16 pixels.
const CHANGED: u32 = 202;

/// An input is its number; its frame is always the same, but for those that break and those named above.
struct Inputs {
    frame: Frame,
    /// Each decoding announces its frame and waits here for leave.
    started: Sender<u32>,
    leave: Mutex<Receiver<()>>,
}

impl FrameReader<u32> for Inputs {
    fn image(&self, input: &u32) -> Result<Frame> {
        self.started.send(*input).unwrap();
        self.leave.lock().unwrap().recv().unwrap();
        match *input {
            666 => panic!("a broken camera"),
            404 => Err(Error::Image("a broken frame".into())),
            NOISY => {
                let noise = |(at, level): (usize, &u8)| level.saturating_add((at * 7 % 3) as u8).saturating_sub(1);
                let levels = self.frame.rgb().iter().enumerate().map(noise).collect();
                Frame::new(self.frame.width(), self.frame.height(), levels)
            }
            CHANGED => {
                let (width, mut levels) = (self.frame.width(), self.frame.rgb().to_vec());
                for row in 100..116 {
                    levels[(row * width + 100) * 3..][..48].iter_mut().for_each(|level| *level = 255 - *level);
                }
                Frame::new(width, self.frame.height(), levels)
            }
            _ => Ok(self.frame.clone()),
        }
    }

    fn stamp(&self, input: &u32) -> Option<i64> {
        Some(i64::from(*input))
    }
}

/// What was answered comes out of a channel.
struct Bench {
    subscribed: Arc<AtomicBool>,
    answers: Sender<Told>,
    problems: Sender<String>,
}

/// A command whose result the host can't deliver.
const BREAKS_THE_HOST: &str = "break the host";

impl WorkerHost<u32> for Bench {
    type Reply = u32;

    fn wanted(&self, _: usize) -> bool {
        self.subscribed.load(Ordering::SeqCst)
    }

    fn deliver(&mut self, input: &u32, result: &FrameResult) -> u32 {
        if result.command.text == BREAKS_THE_HOST {
            panic!("a broken publisher");
        }
        let told = (*input, result.command.number, result.status(), result.reason());
        self.answers.send(told).unwrap();
        *input
    }

    fn problem(&mut self, text: &str) {
        self.problems.send(text.into()).unwrap();
    }
}

/// A caller who wants so many frames, and keeps the stages and replies.
struct Patient {
    wants: usize,
    stages: Sender<Stage>,
    replies: Sender<u32>,
    had: usize,
}

impl Caller<u32> for Patient {
    fn stage(&mut self, stage: Stage) {
        let _ = self.stages.send(stage);
    }

    fn answer(&mut self, _: &FrameResult, reply: u32) -> ControlFlow<()> {
        let _ = self.replies.send(reply);
        self.had += 1;
        if self.had == self.wants {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

struct Rig {
    worker: Worker<u32, u32>,
    subscribed: Arc<AtomicBool>,
    started: Receiver<u32>,
    leave: Sender<()>,
    answers: Receiver<Told>,
    problems: Receiver<String>,
}

/// A request's far end.
struct Asked {
    stages: Receiver<Stage>,
    replies: Receiver<u32>,
    cancelled: Arc<AtomicBool>,
}

impl Rig {
    fn new(mode: Mode) -> Rig {
        Rig::of(segmenter(&[]), mode)
    }

    fn of(segmenter: Segmenter, mode: Mode) -> Rig {
        let (started, of_started) = channel();
        let (leave, of_leave) = channel();
        let (answers, of_answers) = channel();
        let (problems, of_problems) = channel();
        let subscribed = Arc::new(AtomicBool::new(true));
        let frame = image::open(Path::new(&scene("000000.png"))).unwrap();
        let inputs = Inputs { frame, started, leave: Mutex::new(of_leave) };
        let bench = Bench { subscribed: subscribed.clone(), answers, problems };
        Rig {
            worker: Worker::start(segmenter, mode, 2, inputs, bench, None).unwrap(),
            subscribed,
            started: of_started,
            leave,
            answers: of_answers,
            problems: of_problems,
        }
    }

    fn say(&self, text: &str) -> u32 {
        self.worker.command(None, Ok(text.into()))
    }

    fn offer(&self, frame: u32) {
        self.worker.offer_frame(0, frame);
    }

    fn try_ask(&self, text: &str, wants: usize, change: impl FnOnce(&mut Request<u32, u32>)) -> Result<Asked> {
        let (stages, of_stages) = channel();
        let (replies, of_replies) = channel();
        let cancelled = Arc::new(AtomicBool::new(false));
        let mut request = Request {
            text: text.into(),
            target: None,
            camera: 0,
            image: None,
            next_frame: false,
            by_track: false,
            min_score: None,
            min_margin: None,
            origin: Origin::Service,
            id: String::new(),
            conversation: String::new(),
            cancelled: cancelled.clone(),
            caller: Box::new(Patient { wants, stages, replies, had: 0 }),
        };
        change(&mut request);
        self.worker.ask(request)?;
        Ok(Asked { stages: of_stages, replies: of_replies, cancelled })
    }

    fn ask(&self, text: &str, wants: usize, change: impl FnOnce(&mut Request<u32, u32>)) -> Asked {
        self.try_ask(text, wants, change).unwrap()
    }

    /// Waits until everything that was to be done is done, and makes sure that nothing was. Requests with images of their
    /// own are served round-robin with the cameras, so between two of them every camera had its turn.
    fn after_everything(&self) {
        for _ in 0..2 {
            let last = self.ask("the red ball", 1, |request| request.image = Some(LAST));
            assert_eq!(self.let_through(), LAST, "nothing else was started");
            last.replies.recv_timeout(PATIENCE).unwrap();
            assert_eq!(self.answer().0, LAST, "nothing else was answered");
        }
    }

    /// The frame that is worked on next, let through.
    fn let_through(&self) -> u32 {
        let frame = self.started.recv_timeout(PATIENCE).unwrap();
        self.leave.send(()).unwrap();
        frame
    }

    fn answer(&self) -> Told {
        self.answers.recv_timeout(PATIENCE).unwrap()
    }
}

#[test]
fn the_newest_frame_wins_when_the_model_is_slow() {
    let rig = Rig::new(Mode::Continuous);
    rig.say("the red ball");
    rig.offer(1);
    assert_eq!(rig.started.recv_timeout(PATIENCE).unwrap(), 1);
    for frame in 2..=9 {
        rig.offer(frame);
    }
    rig.leave.send(()).unwrap();
    assert_eq!(rig.answer().0, 1);
    assert_eq!(rig.let_through(), 9);
    assert_eq!(rig.answer(), (9, 1, Status::Found, String::new()));
}

#[test]
fn frames_without_a_command_or_a_listener_are_not_looked_at() {
    let rig = Rig::new(Mode::Once);
    rig.offer(1);
    rig.subscribed.store(false, Ordering::SeqCst);
    rig.say("the red ball");
    rig.offer(2);
    rig.after_everything();
    rig.subscribed.store(true, Ordering::SeqCst);
    rig.offer(3);
    assert_eq!(rig.let_through(), 3, "the command went on waiting");
    assert_eq!(rig.answer().1, 1);
    rig.after_everything();
}

#[test]
fn once_answers_each_waiting_command_on_one_frame_that_came_after_it() {
    let rig = Rig::new(Mode::Once);
    rig.say("the red ball");
    rig.say("the black can");
    rig.offer(1);
    assert_eq!(rig.started.recv_timeout(PATIENCE).unwrap(), 1);
    rig.say("the banana"); // while frame 1 is worked on
    rig.leave.send(()).unwrap();
    assert_eq!([rig.answer().1, rig.answer().1], [1, 2]);
    rig.offer(2);
    assert_eq!(rig.let_through(), 2);
    let (frame, number, status, _) = rig.answer();
    assert_eq!((frame, number, status), (2, 3, Status::Found));
}

#[test]
fn after_an_empty_or_an_unusable_command_nothing_is_looked_for() {
    let rig = Rig::new(Mode::Continuous);
    rig.say("the red ball");
    rig.say("?!");
    rig.offer(1);
    let first = rig.answer();
    assert_eq!((first.1, first.2), (2, Status::Error), "the refused one, with its reason: {}", first.3);
    rig.offer(2);
    rig.after_everything();
    rig.say("the red ball");
    rig.offer(3);
    rig.let_through();
    assert_eq!(rig.answer().2, Status::Found);
    rig.say("  ");
    rig.offer(4);
    rig.after_everything();
}

#[test]
fn a_frame_that_breaks_the_computation_costs_only_its_own_answer() {
    let rig = Rig::new(Mode::Continuous);
    rig.say("the red ball");
    for (frame, status) in [(666, Status::Error), (404, Status::Error), (1, Status::Found)] {
        rig.offer(frame);
        rig.let_through();
        let answer = rig.answer();
        assert_eq!((answer.0, answer.2), (frame, status), "{}", answer.3);
    }
}

#[test]
fn waiting_commands_are_bounded_and_the_oldest_is_answered_with_an_error() {
    let rig = Rig::new(Mode::Once);
    for _ in 0..=MAX_WAITING {
        rig.say("the red ball");
    }
    rig.offer(1);
    rig.let_through();
    let (_, number, status, reason) = rig.answer();
    assert_eq!((number, status), (1, Status::Error));
    assert!(reason.contains("newer commands wait"), "{reason}");
    assert!((2..=MAX_WAITING as u32 + 1).all(|number| rig.answer().1 == number));
}

#[test]
fn stopping_waits_only_so_long() {
    let idle = Rig::new(Mode::Once);
    assert!(idle.worker.stop(PATIENCE));
    let busy = Rig::new(Mode::Once);
    busy.say("the red ball");
    busy.offer(1);
    busy.started.recv_timeout(PATIENCE).unwrap();
    assert!(!busy.worker.stop(Duration::from_millis(50)), "frame 1 is still decoded");
    busy.leave.send(()).unwrap();
}

#[test]
fn a_frame_asked_again_is_not_encoded_again() {
    let rig = Rig::new(Mode::Continuous);
    rig.offer(1);
    let first = rig.ask("the red ball", 1, |_| {});
    assert_eq!(rig.let_through(), 1);
    assert_eq!(first.replies.recv_timeout(PATIENCE).unwrap(), 1);
    let second = rig.ask("the black can", 1, |_| {});
    assert_eq!(second.replies.recv_timeout(PATIENCE).unwrap(), 1, "without leave to decode");
    assert_eq!(second.stages.iter().collect::<Vec<_>>(), [Stage::Scoring]);
    let all = [Stage::Decoding, Stage::Proposals, Stage::Features, Stage::Scoring];
    assert_eq!(first.stages.iter().collect::<Vec<_>>(), all);
    rig.answers.try_iter().count();
    // time went backwards: the frame is of another time
    rig.worker.forget_frames();
    let third = rig.ask("the black can", 1, |_| {});
    rig.after_everything();
    assert!(third.replies.try_recv().is_err());
}

#[test]
fn a_frame_that_shows_the_same_is_answered_without_being_encoded_again() {
    let rig = Rig::of(segmenter(&[Layer::value("test", "live.static_tolerance", 2.0)]), Mode::Continuous);
    let stages = |camera: usize, frame: u32| {
        rig.worker.offer_frame(camera, frame);
        let asked = rig.ask("the red ball", 1, |request| request.camera = camera);
        rig.let_through();
        assert_eq!(asked.replies.recv_timeout(PATIENCE).unwrap(), frame);
        assert_eq!(rig.answer().2, Status::Found);
        asked.stages.iter().collect::<Vec<_>>()
    };
    let encoded = [Stage::Decoding, Stage::Proposals, Stage::Features, Stage::Scoring];
    let compared = [Stage::Decoding, Stage::Scoring];
    assert_eq!(stages(0, 1), encoded);
    assert_eq!(stages(0, NOISY), compared);
    assert_eq!(stages(1, 1), encoded, "cameras are compared with themselves only");
    assert_eq!(stages(0, CHANGED), encoded);
    assert_eq!(stages(0, CHANGED), compared);
    assert_eq!(stages(0, 1), encoded, "it changed back");
    rig.worker.forget_frames();
    assert_eq!(stages(0, 1), encoded, "time went backwards");
}

#[test]
fn a_request_may_bring_its_image_and_thresholds() {
    let rig = Rig::new(Mode::Continuous);
    rig.ask("the red ball", 1, |request| {
        request.image = Some(7);
        request.min_score = Some(0.999);
    });
    assert_eq!(rig.let_through(), 7);
    let (frame, _, status, reason) = rig.answer();
    assert_eq!((frame, status), (7, Status::NotFound), "{reason}");
    rig.ask("the red ball", 1, |request| request.image = Some(8));
    assert_eq!(rig.let_through(), 8, "an image of one's own is encoded each time");
    assert_eq!(rig.answer().2, Status::Found, "other thresholds were that request's alone");
}

#[test]
fn a_request_gets_frame_after_frame_until_it_has_enough() {
    let rig = Rig::new(Mode::Continuous);
    let asked = rig.ask("the red ball", 3, |_| {});
    for frame in 1..=4 {
        rig.offer(frame);
        if frame < 4 {
            assert_eq!(rig.let_through(), frame);
            assert_eq!(asked.replies.recv_timeout(PATIENCE).unwrap(), frame);
        }
    }
    assert_eq!(rig.answers.try_iter().count(), 3);
    rig.after_everything();
    assert!(asked.replies.recv().is_err(), "the caller was dropped");
}

#[test]
fn a_cancelled_request_is_given_up_between_stages() {
    let rig = Rig::new(Mode::Continuous);
    let asked = rig.ask("the red ball", 1, |_| {});
    rig.offer(1);
    assert_eq!(rig.started.recv_timeout(PATIENCE).unwrap(), 1);
    asked.cancelled.store(true, Ordering::Relaxed);
    rig.leave.send(()).unwrap();
    assert!(asked.replies.recv_timeout(PATIENCE).is_err(), "let go without an answer");
    assert_eq!(asked.stages.iter().collect::<Vec<_>>(), [Stage::Decoding]);
    assert!(rig.answers.try_recv().is_err());
}

#[test]
fn whoever_asks_beside_whom_gets_his_own_answer() {
    let rig = Rig::new(Mode::Continuous);
    let command = rig.say("the red ball");
    let requests = ["the black can", "the banana"].map(|text| rig.ask(text, 1, |_| {}));
    rig.worker.command(None, Ok("?!".into()));
    rig.offer(1);
    rig.let_through();
    let mut told = [rig.answer(), rig.answer(), rig.answer()];
    told.sort_by_key(|told| told.1);
    assert_eq!(
        told.map(|told| (told.1, told.2)).map(|(number, status)| (number, status == Status::Error)),
        [(2, false), (3, false), (4, true)],
        "the command that can't be used has ended command {command}"
    );
    for request in requests {
        assert_eq!(request.replies.iter().count(), 1);
    }
}

#[test]
fn deactivating_drops_what_waits_and_takes_nothing_more() {
    let rig = Rig::new(Mode::Continuous);
    rig.say("the red ball");
    let asked = rig.ask("the red ball", 1, |_| {});
    rig.worker.set_active(false);
    assert!(asked.replies.recv_timeout(PATIENCE).is_err());
    rig.offer(1);
    let refused = rig.try_ask("the red ball", 1, |_| {}).err().unwrap().to_string();
    assert!(refused.contains("not active"), "{refused}");
    rig.worker.set_active(true);
    rig.offer(2);
    rig.after_everything();
}

#[test]
fn what_is_worked_on_while_the_worker_is_deactivated_reaches_nobody_and_no_goal_survives() {
    let rig = Rig::new(Mode::Continuous);
    rig.say("the red ball");
    let goal = rig.ask("the red ball", 1000, |request| request.origin = Origin::Action);
    rig.offer(1);
    assert_eq!(rig.started.recv_timeout(PATIENCE).unwrap(), 1);
    rig.worker.set_active(false); // frame 1 is being decoded
    rig.worker.set_active(true);
    rig.leave.send(()).unwrap();
    assert!(goal.replies.recv_timeout(PATIENCE).is_err(), "the goal's channel ends");
    rig.offer(2);
    rig.after_everything();
    assert!(rig.answers.try_recv().is_err(), "the old command is answered no more");
}

#[test]
fn a_goal_in_flight_ends_when_the_worker_stops() {
    let rig = Rig::new(Mode::Continuous);
    let goal = rig.ask("the red ball", 1000, |_| {});
    rig.offer(1);
    assert_eq!(rig.started.recv_timeout(PATIENCE).unwrap(), 1);
    assert!(!rig.worker.stop(Duration::ZERO));
    rig.leave.send(()).unwrap();
    assert!(goal.replies.recv_timeout(PATIENCE).is_err());
    assert!(rig.worker.stop(PATIENCE));
    assert!(rig.try_ask("the red ball", 1, |_| {}).is_err(), "a stopped worker takes nothing");
}

#[test]
fn a_command_cleared_while_it_is_worked_on_is_not_answered() {
    let rig = Rig::new(Mode::Continuous);
    rig.say("the red ball");
    rig.offer(1);
    assert_eq!(rig.started.recv_timeout(PATIENCE).unwrap(), 1);
    rig.say("");
    rig.leave.send(()).unwrap();
    rig.after_everything();
    assert!(rig.answers.try_recv().is_err());
}

#[test]
fn several_cameras_with_once_do_not_block_each_other() {
    let rig = Rig::new(Mode::Once);
    for number in 1..=2 * MAX_WAITING as u32 {
        assert_eq!(rig.say("the red ball"), number);
        rig.worker.offer_frame(1, number); // camera 0 shows nothing
        assert_eq!(rig.let_through(), number);
        let (frame, answered, status, _) = rig.answer();
        assert_eq!((frame, answered, status), (number, number, Status::Found));
    }
}

#[test]
fn a_host_or_caller_that_panics_costs_its_own_answer_and_the_thread_lives() {
    let rig = Rig::new(Mode::Continuous);
    let lost = rig.ask(BREAKS_THE_HOST, 1, |_| {});
    rig.offer(1);
    rig.let_through();
    assert!(lost.replies.recv_timeout(PATIENCE).is_err());
    let problem = rig.problems.recv_timeout(PATIENCE).unwrap();
    assert!(problem.contains("delivering its result") && problem.contains("a broken publisher"), "{problem}");

    struct Broken;
    impl Caller<u32> for Broken {
        fn stage(&mut self, _: Stage) {
            panic!("a broken caller");
        }
        fn answer(&mut self, _: &FrameResult, _: u32) -> ControlFlow<()> {
            panic!("a broken caller");
        }
    }
    rig.ask("the red ball", 1, |request| request.caller = Box::new(Broken));
    assert_eq!(rig.answer().2, Status::Found);
    let next = rig.ask("the red ball", 1, |_| {});
    assert_eq!(next.replies.recv_timeout(PATIENCE).unwrap(), 1);
}

/// Settings of the test's segmenter with changes.
fn with(layers: &[Layer]) -> Config {
    let before = segmenter(&[]).config().clone();
    let model = Layer::value("test", "model", before.model.display().to_string());
    let labels = Layer::value("test", "proposals.generator", before.proposals.generator.to_string());
    let each = Layer::value("test", "live.static_tolerance", 0.0);
    Config::from_layers(&[&[model, labels, each], layers].concat()).unwrap()
}

#[test]
fn other_proposals_are_in_force_for_the_same_frame_and_weights_that_can_not_be_loaded_change_nothing() {
    let rig = Rig::new(Mode::Continuous);
    let (before, preparer) = (segmenter(&[]).config().clone(), segmenter(&[]).preparer());
    let change = |layers: &[Layer]| {
        let (done, applied) = channel();
        let prepared = preparer.prepare(&before, with(layers)).unwrap();
        rig.worker.change(prepared, move |result| done.send(result.map_err(|error| error.to_string())).unwrap());
        applied.recv_timeout(PATIENCE).unwrap()
    };
    rig.offer(1);
    let stages = |encodes: bool| {
        let asked = rig.ask("the red ball", 1, |_| {});
        if encodes {
            rig.let_through();
        }
        asked.replies.recv_timeout(PATIENCE).unwrap();
        asked.stages.iter().count()
    };
    assert_eq!(stages(true), 4);
    // thresholds and weights of mixing: the frame is not encoded again
    change(&[Layer::value("test", "visual.global_weight", 0.4), Layer::value("test", "answer.min_score", 0.1)])
        .unwrap();
    assert_eq!(stages(false), 1);
    // another generator: it is
    change(&[Layer::value("test", "proposals.generator", "regions")]).unwrap();
    assert_eq!(stages(true), 4);
    // damaged weights of Segment Anything: refused, and the proposals before go on
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sam.safetensors");
    std::fs::write(&file, b"no weights").unwrap();
    let sam = [
        Layer::value("test", "proposals.generator", "sam"),
        Layer::value("test", "proposals.sam.model", file.display().to_string()),
    ];
    let refused = change(&sam).unwrap_err();
    assert!(refused.contains("not a readable safetensors file"), "{refused}");
    assert_eq!(stages(false), 1);
}

#[test]
fn settings_change_between_frames_and_a_refused_change_leaves_them() {
    let rig = Rig::new(Mode::Continuous);
    let before = segmenter(&[]);
    rig.say("the red ball");
    rig.offer(1);
    rig.let_through();
    assert_eq!(rig.answer().2, Status::Found);
    let preparer = before.preparer();
    let unfit = preparer.prepare(before.config(), with(&[Layer::value("test", "method", "grad_cam")])).err().unwrap();
    assert!(unfit.to_string().contains("grad_cam can't run on this model"), "{unfit}");
    let absent = preparer.prepare(before.config(), with(&[Layer::value("test", "proposals.generator", "sam")]));
    assert!(absent.is_err(), "no weights of SAM here");
    let strict = with(&[Layer::value("test", "answer.min_score", 0.999)]);
    rig.worker.change(preparer.prepare(before.config(), strict).unwrap(), |applied| applied.unwrap());
    rig.offer(2);
    rig.let_through();
    assert_eq!(rig.answer().2, Status::NotFound);
}

#[test]
fn a_conversation_is_forgotten_when_nobody_speaks_for_its_time() {
    let thresholds = [Layer::value("own", "answer.min_score", 0.1), Layer::value("own", "answer.min_margin", 0.1)];
    let rig = Rig::of(segmenter(&thresholds), Mode::Continuous);
    let answer = |frame: u32| {
        rig.offer(frame);
        assert_eq!(rig.let_through(), frame);
        rig.answer().2
    };
    rig.worker.set_dialogue(Dialogue { on_topics: true, timeout: PATIENCE });
    rig.say("the ball");
    assert_eq!(answer(1), Status::Ambiguous);
    rig.say("the left one");
    assert_eq!(answer(2), Status::Found);
    rig.worker.set_dialogue(Dialogue { on_topics: true, timeout: Duration::ZERO });
    assert_eq!(answer(3), Status::Found, "what was said holds on every frame");
    rig.say("the other one");
    assert_ne!(answer(4), Status::Found, "nobody knows any more of what");
}
