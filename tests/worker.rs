//! What the inference thread works on, with the shipped model and given proposals, without ROS.

use referseg::config::{Config, Layer};
use referseg::frame::Frame;
use referseg::scoring::Status;
use referseg::segmenter::Segmenter;
use referseg::worker::{Around, Mode, Outcome, Worker, MAX_WAITING};
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

/// An input is its number; what was answered comes out of a channel.
struct Bench {
    frame: Frame,
    heard: Arc<AtomicBool>,
    /// Each decoding announces its frame and waits here for leave.
    started: Sender<u32>,
    leave: Receiver<()>,
    answers: Sender<(u32, u32, Status, String)>,
}

impl Around<u32> for Bench {
    fn wanted(&self) -> bool {
        self.heard.load(Ordering::SeqCst)
    }

    fn decode(&self, input: &u32) -> Result<Frame> {
        self.started.send(*input).unwrap();
        self.leave.recv().unwrap();
        match input {
            666 => panic!("a broken camera"),
            404 => Err(Error::Image("a broken frame".into())),
            _ => Ok(self.frame.clone()),
        }
    }

    fn deliver(&mut self, outcome: Outcome<u32>) {
        let (status, reason) = match &outcome.result {
            Ok((_, _, answer)) => (answer.status, answer.reason.clone()),
            Err(error) => (Status::Error, error.to_string()),
        };
        self.answers.send((*outcome.input, outcome.command.number, status, reason)).unwrap();
    }
}

struct Rig {
    worker: Worker<u32>,
    heard: Arc<AtomicBool>,
    started: Receiver<u32>,
    leave: Sender<()>,
    answers: Receiver<(u32, u32, Status, String)>,
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
            worker: Worker::start(segmenter(), mode, bench).unwrap(),
            heard,
            started: of_started,
            leave,
            answers: of_answers,
        }
    }

    fn say(&self, text: &str) -> u32 {
        self.worker.command(Ok(text.into())).unwrap()
    }

    /// The frame that is worked on next, let through.
    fn let_through(&self) -> u32 {
        let frame = self.started.recv_timeout(PATIENCE).unwrap();
        self.leave.send(()).unwrap();
        frame
    }

    fn answer(&self) -> (u32, u32, Status, String) {
        self.answers.recv_timeout(PATIENCE).unwrap()
    }
}

#[test]
fn the_newest_frame_wins_when_the_model_is_slow() {
    let rig = Rig::new(Mode::Continuous);
    rig.say("the red ball");
    rig.worker.offer_frame(1);
    assert_eq!(rig.started.recv_timeout(PATIENCE).unwrap(), 1);
    for frame in 2..=9 {
        rig.worker.offer_frame(frame);
    }
    rig.leave.send(()).unwrap();
    assert_eq!(rig.answer().0, 1);
    assert_eq!(rig.let_through(), 9);
    assert_eq!(rig.answer(), (9, 1, Status::Found, String::new()));
}

#[test]
fn frames_without_a_command_or_a_listener_are_not_looked_at() {
    let rig = Rig::new(Mode::Once);
    rig.worker.offer_frame(1);
    rig.heard.store(false, Ordering::SeqCst);
    rig.say("the red ball");
    rig.worker.offer_frame(2);
    std::thread::sleep(Duration::from_millis(100)); // for what must not happen
    rig.heard.store(true, Ordering::SeqCst);
    rig.worker.offer_frame(3);
    assert_eq!(rig.let_through(), 3, "the command went on waiting");
    assert_eq!(rig.answer().1, 1);
    assert!(rig.started.try_recv().is_err());
}

#[test]
fn once_answers_each_waiting_command_on_one_frame_that_came_after_it() {
    let rig = Rig::new(Mode::Once);
    rig.say("the red ball");
    rig.say("the black can");
    rig.worker.offer_frame(1);
    assert_eq!(rig.started.recv_timeout(PATIENCE).unwrap(), 1);
    rig.say("the banana"); // while frame 1 is worked on
    rig.leave.send(()).unwrap();
    assert_eq!([rig.answer().1, rig.answer().1], [1, 2]);
    rig.worker.offer_frame(2);
    assert_eq!(rig.let_through(), 2);
    let (frame, number, status, _) = rig.answer();
    assert_eq!((frame, number, status), (2, 3, Status::Found));
}

#[test]
fn an_empty_command_clears_and_a_refused_one_leaves_what_is_in_force() {
    let rig = Rig::new(Mode::Continuous);
    rig.say("the red ball");
    rig.say("?!");
    rig.worker.offer_frame(1);
    rig.let_through();
    let (first, second) = (rig.answer(), rig.answer());
    assert_eq!((first.1, first.2), (2, Status::Error), "the refused one, with its reason: {}", first.3);
    assert_eq!((second.1, second.2), (1, Status::Found));
    rig.worker.offer_frame(2);
    rig.let_through();
    assert_eq!(rig.answer().1, 1, "and is refused once only");
    rig.say("  ");
    rig.worker.offer_frame(3);
    std::thread::sleep(Duration::from_millis(100)); // for what must not happen
    assert!(rig.started.try_recv().is_err());
}

#[test]
fn a_frame_that_breaks_the_computation_costs_only_its_own_answer() {
    let rig = Rig::new(Mode::Continuous);
    rig.say("the red ball");
    for (frame, status) in [(666, Status::Error), (404, Status::Error), (1, Status::Found)] {
        rig.worker.offer_frame(frame);
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
    let refused = rig.worker.command(Ok("one more".into())).unwrap_err().to_string();
    assert!(refused.contains("wait for a frame already"), "{refused}");
}

#[test]
fn stopping_waits_only_so_long() {
    let mut idle = Rig::new(Mode::Once);
    assert!(idle.worker.stop(PATIENCE));
    let mut busy = Rig::new(Mode::Once);
    busy.say("the red ball");
    busy.worker.offer_frame(1);
    busy.started.recv_timeout(PATIENCE).unwrap();
    assert!(!busy.worker.stop(Duration::from_millis(50)), "frame 1 is still decoded");
    busy.leave.send(()).unwrap();
}
