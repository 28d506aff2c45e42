//! What the inference thread works on, with the shipped model and given proposals, without ROS.

use referseg::config::{Config, Layer};
use referseg::frame::Frame;
use referseg::outcome::{Outcome, Way};
use referseg::scoring::Status;
use referseg::segmenter::{Segmenter, Stage};
use referseg::worker::{Around, Caller, Further, Mode, Request, Worker, MAX_WAITING};
use referseg::{Error, Result};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn scene(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scene").join(name).display().to_string()
}

fn segmenter() -> Segmenter {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/demo").display().to_string();
    let labels = format!("labels:{}", scene("000000_ids.png"));
    let layers = [
        Layer::value("test", "model", model),
        Layer::value("test", "proposals.generator", labels),
        Layer::value("test", "answer.min_score", -1.0),
        Layer::value("test", "answer.min_margin", 0.0),
    ];
    Segmenter::open(Config::from_layers(&layers).unwrap()).unwrap()
}

/// Frame, command number, status, reason.
type Told = (u32, u32, Status, String);

/// An input is its number; what was answered comes out of a channel.
struct Bench {
    frame: Frame,
    heard: Arc<AtomicBool>,
    /// Each decoding announces its frame and waits here for leave.
    started: Sender<u32>,
    leave: Receiver<()>,
    answers: Sender<Told>,
}

impl Around<u32> for Bench {
    type Reply = u32;

    fn wanted(&self, _: usize) -> bool {
        self.heard.load(Ordering::SeqCst)
    }

    fn decode(&self, _: usize, input: &u32) -> Result<Frame> {
        self.started.send(*input).unwrap();
        self.leave.recv().unwrap();
        match input {
            666 => panic!("a broken camera"),
            404 => Err(Error::Image("a broken frame".into())),
            _ => Ok(self.frame.clone()),
        }
    }

    fn deliver(&mut self, input: &u32, outcome: &Outcome) -> u32 {
        let told = (*input, outcome.asked.number, outcome.status(), outcome.reason());
        self.answers.send(told).unwrap();
        *input
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

    fn answer(&mut self, _: &Outcome, reply: u32) -> Further {
        let _ = self.replies.send(reply);
        self.had += 1;
        if self.had == self.wants {
            Further::Enough
        } else {
            Further::NextFrame
        }
    }
}

struct Rig {
    worker: Worker<u32, u32>,
    heard: Arc<AtomicBool>,
    started: Receiver<u32>,
    leave: Sender<()>,
    answers: Receiver<Told>,
}

/// A request's far end.
struct Asked {
    stages: Receiver<Stage>,
    replies: Receiver<u32>,
    cancelled: Arc<AtomicBool>,
}

impl Rig {
    fn new(mode: Mode) -> Rig {
        let (started, of_started) = channel();
        let (leave, of_leave) = channel();
        let (answers, of_answers) = channel();
        let heard = Arc::new(AtomicBool::new(true));
        let frame = Frame::open(Path::new(&scene("000000.png"))).unwrap();
        let bench = Bench { frame, heard: heard.clone(), started, leave: of_leave, answers };
        Rig {
            worker: Worker::start(segmenter(), mode, 2, bench).unwrap(),
            heard,
            started: of_started,
            leave,
            answers: of_answers,
        }
    }

    fn say(&self, text: &str) -> u32 {
        self.worker.command(None, Ok(text.into())).unwrap()
    }

    fn offer(&self, frame: u32) {
        self.worker.offer_frame(0, frame);
    }

    fn ask(&self, text: &str, wants: usize, change: impl FnOnce(&mut Request<u32, u32>)) -> Asked {
        let (stages, of_stages) = channel();
        let (replies, of_replies) = channel();
        let cancelled = Arc::new(AtomicBool::new(false));
        let mut request = Request {
            text: text.into(),
            target: None,
            camera: 0,
            picture: None,
            next_frame: false,
            min_score: None,
            min_margin: None,
            way: Way::Service,
            id: String::new(),
            cancelled: cancelled.clone(),
            caller: Box::new(Patient { wants, stages, replies, had: 0 }),
        };
        change(&mut request);
        self.worker.ask(request).unwrap();
        Asked { stages: of_stages, replies: of_replies, cancelled }
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
    rig.heard.store(false, Ordering::SeqCst);
    rig.say("the red ball");
    rig.offer(2);
    std::thread::sleep(Duration::from_millis(100)); // for what must not happen
    rig.heard.store(true, Ordering::SeqCst);
    rig.offer(3);
    assert_eq!(rig.let_through(), 3, "the command went on waiting");
    assert_eq!(rig.answer().1, 1);
    assert!(rig.started.try_recv().is_err());
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
fn an_empty_command_clears_and_a_refused_one_leaves_what_is_in_force() {
    let rig = Rig::new(Mode::Continuous);
    rig.say("the red ball");
    rig.say("?!");
    rig.offer(1);
    rig.let_through();
    let (first, second) = (rig.answer(), rig.answer());
    assert_eq!((first.1, first.2), (2, Status::Error), "the refused one, with its reason: {}", first.3);
    assert_eq!((second.1, second.2), (1, Status::Found));
    rig.offer(2);
    rig.let_through();
    assert_eq!(rig.answer().1, 1, "and is refused once only");
    rig.say("  ");
    rig.offer(3);
    std::thread::sleep(Duration::from_millis(100)); // for what must not happen
    assert!(rig.started.try_recv().is_err());
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
fn waiting_commands_are_bounded() {
    let rig = Rig::new(Mode::Once);
    for _ in 0..MAX_WAITING {
        rig.say("the red ball");
    }
    let refused = rig.worker.command(None, Ok("one more".into())).unwrap_err().to_string();
    assert!(refused.contains("wait for a frame already"), "{refused}");
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
    assert!(rig.started.try_recv().is_err());
    // time went backwards: the frame is of another time
    rig.worker.forget_frames();
    let third = rig.ask("the black can", 1, |_| {});
    std::thread::sleep(Duration::from_millis(100)); // for what must not happen
    assert!(third.replies.try_recv().is_err());
}

#[test]
fn a_request_may_bring_its_picture_and_thresholds() {
    let rig = Rig::new(Mode::Continuous);
    rig.ask("the red ball", 1, |request| {
        request.picture = Some(7);
        request.min_score = Some(0.999);
    });
    assert_eq!(rig.let_through(), 7);
    let (frame, _, status, reason) = rig.answer();
    assert_eq!((frame, status), (7, Status::NotFound), "{reason}");
    rig.ask("the red ball", 1, |request| request.picture = Some(8));
    assert_eq!(rig.let_through(), 8, "a picture of one's own is encoded each time");
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
    std::thread::sleep(Duration::from_millis(100)); // for what must not happen
    assert!(rig.started.try_recv().is_err());
    assert!(asked.replies.recv().is_err(), "the caller was let go");
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
    rig.worker.command(None, Ok("?!".into())).unwrap();
    rig.offer(1);
    rig.let_through();
    let mut told = [rig.answer(), rig.answer(), rig.answer(), rig.answer()];
    told.sort_by_key(|told| told.1);
    assert_eq!(
        told.map(|told| (told.1, told.2)).map(|(number, status)| (number, status == Status::Error)),
        [(command, false), (2, false), (3, false), (4, true)]
    );
    for request in requests {
        assert_eq!(request.replies.iter().count(), 1);
    }
}

#[test]
fn clearing_lets_everybody_go() {
    let rig = Rig::new(Mode::Continuous);
    rig.say("the red ball");
    let asked = rig.ask("the red ball", 1, |_| {});
    rig.worker.clear();
    assert!(asked.replies.recv_timeout(PATIENCE).is_err());
    rig.offer(1);
    std::thread::sleep(Duration::from_millis(100)); // for what must not happen
    assert!(rig.started.try_recv().is_err());
}

#[test]
fn settings_change_between_frames_and_a_refused_change_leaves_them() {
    let rig = Rig::new(Mode::Continuous);
    let before = segmenter();
    let with = |layers: &[Layer]| {
        let model = Layer::value("test", "model", before.config().model.display().to_string());
        let labels = Layer::value("test", "proposals.generator", format!("labels:{}", scene("000000_ids.png")));
        Config::from_layers(&[&[model, labels], layers].concat()).unwrap()
    };
    rig.say("the red ball");
    rig.offer(1);
    rig.let_through();
    assert_eq!(rig.answer().2, Status::Found);
    let fitter = before.fitter();
    let unfit = fitter.prepare(before.config(), with(&[Layer::value("test", "method", "grad_cam")])).err().unwrap();
    assert!(unfit.to_string().contains("grad_cam can't run on this model"), "{unfit}");
    let absent = fitter.prepare(before.config(), with(&[Layer::value("test", "proposals.generator", "sam")]));
    assert!(absent.is_err(), "no weights of SAM here");
    let strict = with(&[Layer::value("test", "answer.min_score", 0.999)]);
    rig.worker.change(fitter.prepare(before.config(), strict).unwrap());
    rig.offer(2);
    rig.let_through();
    assert_eq!(rig.answer().2, Status::NotFound);
}
