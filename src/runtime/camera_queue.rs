//! `CameraQueue`: the newest frame of one camera, and the commands of a topic that wait for a frame of it.

use super::mode::Mode;
use crate::answer::CommandInfo;
use crate::language::Command;
use crate::{Error, Result};
use std::collections::VecDeque;
use std::sync::Arc;

/// Commands of a topic that may wait for a camera's frame.
pub const MAX_WAITING: usize = 16;
/// Commands that wait at a camera to be answered with their error: a burst as large as the subscription keeps.
const MAX_REFUSED: usize = 100;

/// Number of a frame of one camera, from 1 on. The numbers continue when frames are discarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FrameNumber(u64);

impl FrameNumber {
    /// Before the first frame.
    pub const NONE: FrameNumber = FrameNumber(0);

    fn next(self) -> FrameNumber {
        FrameNumber(self.0 + 1)
    }

    /// The frame before this one, or [`FrameNumber::NONE`].
    pub fn previous(self) -> FrameNumber {
        FrameNumber(self.0.saturating_sub(1))
    }
}

/// A queue of at most `N`, in which the oldest makes room for the newest.
struct Bounded<T, const N: usize>(VecDeque<T>);

impl<T, const N: usize> Bounded<T, N> {
    fn new() -> Self {
        Bounded(VecDeque::new())
    }

    /// Returns the oldest when it had to make room.
    fn push(&mut self, item: T) -> Option<T> {
        let oldest = if self.0.len() >= N { self.0.pop_front() } else { None };
        self.0.push_back(item);
        oldest
    }

    /// Removes those for which a condition holds, in order.
    fn remove_where(&mut self, holds: impl Fn(&T) -> bool) -> impl Iterator<Item = T> {
        let (removed, kept): (VecDeque<T>, _) = self.0.drain(..).partition(holds);
        self.0 = kept;
        removed.into_iter()
    }
}

/// Frames that were not processed, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// A newer one arrived while the worker was busy.
    pub superseded: u64,
    /// No command or request waited for one.
    pub unasked: u64,
}

/// A command of a topic.
pub struct TopicCommand {
    pub command: CommandInfo,
    /// The command, or why it can't be used.
    pub parsed: Result<Command>,
}

/// A command of a topic that waits for a frame after `after`.
struct WaitingCommand {
    command: Arc<TopicCommand>,
    after: FrameNumber,
}

/// The commands that can be answered. Which of them wait depends on the mode.
enum Usable {
    /// The newest command; it is answered on every newest frame until another replaces it.
    Continuous(Option<WaitingCommand>),
    /// Each is answered on one frame.
    Once(Bounded<WaitingCommand, MAX_WAITING>),
}

impl Usable {
    fn new(mode: Mode) -> Usable {
        match mode {
            Mode::Continuous => Usable::Continuous(None),
            Mode::Once => Usable::Once(Bounded::new()),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Usable::Continuous(current) => current.is_none(),
            Usable::Once(waiting) => waiting.0.is_empty(),
        }
    }
}

/// The newest frame of one camera, and the commands of a topic that wait for a frame of it.
pub struct CameraQueue<I> {
    newest: Option<Arc<I>>,
    /// Number of the newest frame.
    number: FrameNumber,
    /// Number of the last frame that was processed.
    processed: FrameNumber,
    dropped: Dropped,
    usable: Usable,
    /// Commands that can only be answered with their error.
    refused: Bounded<WaitingCommand, MAX_REFUSED>,
    /// Commands up to this number were cleared.
    cleared: u32,
}

impl<I> CameraQueue<I> {
    pub fn new(mode: Mode) -> CameraQueue<I> {
        CameraQueue {
            newest: None,
            number: FrameNumber::NONE,
            processed: FrameNumber::NONE,
            dropped: Dropped::default(),
            usable: Usable::new(mode),
            refused: Bounded::new(),
            cleared: 0,
        }
    }

    /// The newest frame, unless it was discarded.
    pub fn newest(&self) -> Option<(FrameNumber, Arc<I>)> {
        Some((self.number, self.newest.clone()?))
    }

    /// Number of the newest frame, also when it was discarded.
    pub fn number(&self) -> FrameNumber {
        self.number
    }

    /// What became of the frames that were not processed.
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Returns the frame that this one replaces; `is_requested` says whether requests wait for a frame.
    pub fn offer_frame(&mut self, input: Arc<I>, is_requested: bool) -> Option<Arc<I>> {
        if self.newest.is_some() && self.processed < self.number {
            let asked = is_requested || !self.usable.is_empty();
            *(if asked { &mut self.dropped.superseded } else { &mut self.dropped.unasked }) += 1;
        }
        self.number = self.number.next();
        self.newest.replace(input)
    }

    /// Discards the newest frame.
    pub fn forget_frame(&mut self) {
        self.newest = None;
    }

    /// Notes that a frame is processed.
    pub fn set_processed(&mut self, number: FrameNumber) {
        self.processed = self.processed.max(number);
    }

    /// Discards the commands up to a number, and takes those that follow as the mode says.
    pub fn clear(&mut self, mode: Mode, number: u32) {
        self.usable = Usable::new(mode);
        self.refused = Bounded::new();
        self.cleared = number;
    }

    /// Number of the last command that was cleared.
    pub fn cleared(&self) -> u32 {
        self.cleared
    }

    /// Whether a command of this number was not cleared.
    pub fn is_current(&self, command: u32) -> bool {
        command > self.cleared
    }

    /// Takes a command for the frames after the newest one.
    pub fn take(&mut self, command: Arc<TopicCommand>) {
        let is_usable = command.parsed.is_ok();
        let waiting = WaitingCommand { command, after: self.number };
        match &mut self.usable {
            Usable::Once(commands) if is_usable => {
                if let Some(WaitingCommand { command: oldest, after }) = commands.push(waiting) {
                    let fact = format!("dropped: {MAX_WAITING} newer commands wait for a frame of this camera");
                    let (command, parsed) = (oldest.command.clone(), Err(Error::Command(fact)));
                    self.refuse(WaitingCommand { command: Arc::new(TopicCommand { command, parsed }), after });
                }
            }
            Usable::Once(_) => self.refuse(waiting),
            Usable::Continuous(current) if is_usable => *current = Some(waiting),
            Usable::Continuous(current) => {
                // what was meant is unknown: nothing is looked for until the next command
                *current = None;
                self.refuse(waiting);
            }
        }
    }

    fn refuse(&mut self, command: WaitingCommand) {
        self.refused.push(command); // the oldest goes: nobody has listened for long
    }

    /// Whether commands wait, whatever the frame.
    pub fn has_commands(&self) -> bool {
        !self.usable.is_empty() || !self.refused.0.is_empty()
    }

    /// The commands to be answered on the newest frame, by number. None of them is returned again for the same frame.
    pub fn due(&mut self) -> Vec<Arc<TopicCommand>> {
        let number = self.number;
        let is_due = |waiting: &WaitingCommand| waiting.after < number;
        let mut due: Vec<_> = self.refused.remove_where(is_due).map(|waiting| waiting.command).collect();
        match &mut self.usable {
            Usable::Continuous(current) => {
                if let Some(current) = current.as_mut().filter(|current| is_due(current)) {
                    current.after = number;
                    due.push(current.command.clone());
                }
            }
            Usable::Once(waiting) => due.extend(waiting.remove_where(is_due).map(|waiting| waiting.command)),
        }
        due.sort_by_key(|waiting| waiting.command.number);
        due
    }
}
