//! `Spinner`: the one thread that owns the r2r node, and `Ros`, by which others have something done there.
//!
//! r2r wants the node exclusively both to spin and to create or ask anything, so deeds wait in a queue
//! between two short spins. r2r's streams keep ten messages and drop what comes on top, faster than a task wakes
//! when many callers call at once; so they are emptied here, after every spin. Time that runs backwards (a bag that
//! loops) is noticed here too.

use super::lock;
use futures::stream::{poll_fn, BoxStream};
use futures::{FutureExt, Stream, StreamExt};
use r2r::{Clock, Node};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{mpsc, Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// The longest that the thread waits for a message before it looks for deeds.
const SPIN: Duration = Duration::from_millis(10);

/// A clock set right by less than this has not gone back.
const JITTER: Duration = Duration::from_millis(100);

/// Requests and commands that may wait for the task that serves them; as many as their profiles keep.
pub const WAITING: usize = 100;

type Deed = Box<dyn FnOnce(&mut Spun) + Send>;

/// Takes what a stream has; false when its end or nobody is there any more.
type Emptying = Box<dyn FnMut() -> bool + Send>;

/// What the thread owns.
struct Spun {
    node: Node,
    emptied: Vec<Emptying>,
}

/// The way to the node for other threads.
#[derive(Clone)]
pub struct Ros {
    deeds: mpsc::Sender<Deed>,
    clock: Arc<Mutex<Clock>>,
}

impl Ros {
    /// Does something with the node on its own thread.
    ///
    /// # Errors
    /// When the node has ended.
    pub async fn with<T: Send + 'static>(
        &self,
        deed: impl FnOnce(&mut Node) -> T + Send + 'static,
    ) -> Result<T, &'static str> {
        let (done, result) = tokio::sync::oneshot::channel();
        let deed = Box::new(move |spun: &mut Spun| {
            let _ = done.send(deed(&mut spun.node));
        });
        let ended = "the node has ended";
        self.deeds.send(deed).map_err(|_| ended)?;
        result.await.map_err(|_| ended)
    }

    /// The messages of an r2r stream, none of which is lost while fewer than [`WAITING`] wait.
    pub fn emptied<T: Send + 'static>(&self, mut stream: BoxStream<'static, T>) -> impl Stream<Item = T> + Unpin {
        let (waiting, mut messages) = tokio::sync::mpsc::channel(WAITING);
        let emptying = move || loop {
            let Ok(place) = waiting.try_reserve() else { return !waiting.is_closed() };
            match stream.next().now_or_never() {
                Some(Some(message)) => place.send(message),
                Some(None) => return false,
                None => return true,
            }
        };
        // a node that has ended has no messages
        let _ = self.deeds.send(Box::new(|spun: &mut Spun| spun.emptied.push(Box::new(emptying))));
        poll_fn(move |context| messages.poll_recv(context))
    }

    /// The node's time: of the system, or of `/clock`.
    pub fn now(&self) -> Duration {
        now(&self.clock)
    }
}

fn now(clock: &Mutex<Clock>) -> Duration {
    lock(clock).get_now().unwrap_or_default()
}

/// The thread.
pub struct Spinner {
    running: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Spinner {
    /// Starts to spin; `jumped` is called when time has gone backwards.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(node: Node, jumped: impl Fn() + Send + 'static) -> std::io::Result<(Spinner, Ros)> {
        let (deeds, to_do) = mpsc::channel::<Deed>();
        let clock = node.get_ros_clock();
        let ros = Ros { deeds, clock: clock.clone() };
        let running = Arc::new(AtomicBool::new(true));
        let spinning = running.clone();
        let thread = std::thread::Builder::new().name("ros".into()).spawn(move || {
            let mut spun = Spun { node, emptied: Vec::new() };
            let mut last = Duration::ZERO;
            while spinning.load(Ordering::Relaxed) {
                while let Ok(deed) = to_do.try_recv() {
                    deed(&mut spun);
                }
                spun.node.spin_once(SPIN);
                spun.emptied.retain_mut(|emptying| emptying());
                let time = now(&clock);
                if time + JITTER < last {
                    jumped();
                }
                last = time;
            }
            drop(spun); // peers see the endpoints go
        })?;
        Ok((Spinner { running, thread }, ros))
    }

    /// Ends the spinning and the node. A thread that still spins while the process ends crashes it.
    ///
    /// # Errors
    /// When the thread broke down.
    pub fn stop(self) -> Result<(), &'static str> {
        self.running.store(false, Ordering::Relaxed);
        self.thread.join().map_err(|_| "the ROS thread broke down")
    }
}
