//! Messages in the order of their time, however a recording stores them.
//!
//! Recorders write topics from several threads, so that messages are a little out of order; converters write topic after topic. An
//! [`OrderProbe`] tells, from times and sizes alone, which of three ways is enough: none; a [`Window`] of at most 64 MB; or a
//! [`Spool`], a temporary file as large as the messages that are asked for, with 32 bytes for each in memory.

use super::decompress;
use super::message::{Message, Taken};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;

/// Bytes of messages that a window holds.
const WINDOW: usize = 64 << 20;

/// What a message takes beside its bytes.
const OVERHEAD: usize = 128;

/// How a recording's messages are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// By time.
    #[default]
    ByTime,
    /// Nearly by time: a window puts them in order.
    Nearly,
    /// In another order, such as topic after topic.
    Other,
}

/// Watches times as they are stored.
#[derive(Debug, Default)]
pub struct OrderProbe {
    /// Times and sizes of what a window would hold.
    held: BinaryHeap<Reverse<(u64, usize)>>,
    bytes: usize,
    newest: u64,
    /// The time of what a window would have given away last.
    given: u64,
    order: Order,
}

impl OrderProbe {
    /// Takes the next message's time and size, bytes.
    pub fn see(&mut self, log_time: u64, length: usize) {
        if self.order == Order::Other {
            return;
        }
        if log_time < self.newest {
            self.order = Order::Nearly;
        }
        self.newest = self.newest.max(log_time);
        if log_time < self.given {
            self.order = Order::Other;
            self.held.clear();
            return;
        }
        self.held.push(Reverse((log_time, length + OVERHEAD)));
        self.bytes += length + OVERHEAD;
        while self.bytes > WINDOW {
            let Some(Reverse((time, length))) = self.held.pop() else { break };
            self.bytes -= length;
            self.given = time;
        }
    }

    /// What was found.
    pub fn order(&self) -> Order {
        self.order
    }
}

/// A message that waits, ordered by its time and, of the same time, its place in the recording.
struct Waiting {
    place: u64,
    message: Message,
}

impl Waiting {
    fn key(&self) -> (u64, u64) {
        (self.message.log_time, self.place)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// Holds the newest messages back and gives the oldest away.
#[derive(Default)]
pub struct Window {
    held: BinaryHeap<Reverse<Waiting>>,
    bytes: usize,
    messages: u64,
}

impl Window {
    /// Takes a message; gives away what has no more room.
    pub fn put(&mut self, message: Message, take: &mut dyn FnMut(Message) -> Taken) -> Taken {
        self.bytes += message.cdr.len() + OVERHEAD;
        self.held.push(Reverse(Waiting { place: self.messages, message }));
        self.messages += 1;
        self.give_down_to(WINDOW, take)
    }

    /// Gives away all that is held.
    pub fn end(&mut self, take: &mut dyn FnMut(Message) -> Taken) -> Taken {
        self.give_down_to(0, take)
    }

    fn give_down_to(&mut self, room: usize, take: &mut dyn FnMut(Message) -> Taken) -> Taken {
        while self.bytes > room {
            let Some(Reverse(Waiting { message, .. })) = self.held.pop() else { break };
            self.bytes -= message.cdr.len() + OVERHEAD;
            if take(message)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Where a message stands in a spool.
struct Spooled {
    log_time: u64,
    offset: u64,
    length: usize,
    topic: usize,
}

/// Messages in a temporary file.
pub struct Spool {
    file: BufWriter<File>,
    room: u64,
    end: u64,
    /// Names and types.
    topics: Vec<(String, String)>,
    messages: Vec<Spooled>,
}

impl Spool {
    /// An empty one.
    pub fn new() -> Result<Spool, String> {
        let file = tempfile::tempfile().map_err(|cause| cause.to_string())?;
        let room = decompress::room(&std::env::temp_dir());
        Ok(Spool { file: BufWriter::new(file), room, end: 0, topics: Vec::new(), messages: Vec::new() })
    }

    /// Takes a message.
    pub fn put(&mut self, message: &Message) -> Taken {
        let Message { topic, kind, log_time, cdr } = message;
        let known = self.topics.iter().position(|(name, of)| name == topic && of == kind);
        let place = known.unwrap_or_else(|| {
            self.topics.push((topic.clone(), kind.clone()));
            self.topics.len() - 1
        });
        if self.end + cdr.len() as u64 > self.room {
            return Err(format!(
                "it is not stored by time, and the temporary folder has no room to put it in order ({} bytes)",
                self.room
            ));
        }
        self.file.write_all(cdr).map_err(|cause| cause.to_string())?;
        self.messages.push(Spooled { log_time: *log_time, offset: self.end, length: cdr.len(), topic: place });
        self.end += cdr.len() as u64;
        Ok(ControlFlow::Continue(()))
    }

    /// Gives all away in order.
    pub fn end(mut self, take: &mut dyn FnMut(Message) -> Taken) -> Taken {
        let file = self.file.into_inner().map_err(|cause| cause.to_string())?;
        self.messages.sort_by_key(|message| message.log_time); // stable
        for Spooled { log_time, offset, length, topic } in self.messages {
            let mut cdr = vec![0; length];
            file.read_exact_at(&mut cdr, offset).map_err(|cause| cause.to_string())?;
            let (topic, kind) = self.topics[topic].clone();
            if take(Message { topic, kind, log_time, cdr })?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(log_time: u64, length: usize) -> Message {
        Message { topic: "/a".into(), kind: "a/msg/B".into(), log_time, cdr: vec![log_time as u8; length] }
    }

    fn probed(times: impl IntoIterator<Item = u64>, length: usize) -> Order {
        let mut probe = OrderProbe::default();
        times.into_iter().for_each(|time| probe.see(time, length));
        probe.order()
    }

    #[test]
    fn the_way_is_chosen_by_how_many_bytes_a_message_is_late() {
        assert_eq!(probed(0..100, 1 << 20), Order::ByTime);
        assert_eq!(probed([1, 0, 3, 2], 1 << 20), Order::Nearly);
        let late = (1..100).chain([0]).chain(100..200);
        assert_eq!(probed(late.clone(), 10), Order::Nearly);
        assert_eq!(probed(late, 1 << 20), Order::Other);
    }

    #[test]
    fn window_and_spool_give_the_order_of_time_and_keep_that_of_equal_times() {
        let times = [5, 1, 4, 1, 3];
        type Taker<'a> = &'a mut dyn FnMut(Message) -> Taken;
        let sorted = |through: &dyn Fn(Taker)| {
            let mut given = Vec::new();
            through(&mut |message| {
                given.push((message.log_time, message.cdr.len()));
                Ok(ControlFlow::Continue(()))
            });
            given
        };
        let expected = [(1, 2), (1, 4), (3, 5), (4, 3), (5, 1)];
        let by_window = sorted(&|take| {
            let mut window = Window::default();
            times.iter().zip(1..).for_each(|(time, length)| assert!(window.put(message(*time, length), take).is_ok()));
            assert!(window.end(take).is_ok());
        });
        let by_spool = sorted(&|take| {
            let mut spool = Spool::new().unwrap();
            times.iter().zip(1..).for_each(|(time, length)| assert!(spool.put(&message(*time, length)).is_ok()));
            assert!(spool.end(take).is_ok());
        });
        assert_eq!(by_window, expected);
        assert_eq!(by_spool, expected);
    }

    #[test]
    fn a_window_holds_no_more_than_its_bytes() {
        let mut window = Window::default();
        let mut given = 0;
        for time in 0..100 {
            let taken = window.put(message(time, 1 << 20), &mut |_| {
                given += 1;
                Ok(ControlFlow::Continue(()))
            });
            assert_eq!(taken, Ok(ControlFlow::Continue(())));
            assert!(window.bytes <= WINDOW);
        }
        assert!(given > 30);
    }

    #[test]
    fn who_has_enough_ends_the_giving() {
        let mut spool = Spool::new().unwrap();
        (0..9).for_each(|time| assert!(spool.put(&message(time, 1)).is_ok()));
        let mut given = 0;
        let ended = spool.end(&mut |_| {
            given += 1;
            Ok(if given == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        });
        assert_eq!((ended.unwrap(), given), (ControlFlow::Break(()), 3));
    }
}
