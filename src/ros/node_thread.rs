//! `NodeThread`: the one thread that owns the r2r node, and `Ros`, through which other threads call it.
//!
//! r2r wants the node exclusively both to spin and to create or ask anything, so jobs wait in a queue
//! between two short spins. r2r's streams keep ten messages and drop what comes on top, faster than a task wakes
//! when many callers call at once; so they are drained here, after every spin. Time that runs backwards (a bag that
//! loops) is noticed here too.

use super::lock::lock;
use futures::stream::{poll_fn, BoxStream};
use futures::{FutureExt, Stream, StreamExt};
use r2r::qos::ReliabilityPolicy;
use r2r::{Clock, Node, QosProfile};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{mpsc, Arc, Mutex};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

/// The longest that the thread waits for a message before it looks for jobs.
const SPIN: Duration = Duration::from_millis(10);

/// A clock corrected by less than this has not gone back.
const JITTER: Duration = Duration::from_millis(100);

/// Requests and commands that may wait for the task that serves them; as many as their profiles keep.
pub const WAITING: usize = 100;

type Job = Box<dyn FnOnce(&mut Owned) + Send>;

/// Takes what a stream has; false when its end or nobody is there any more.
type Drain = Box<dyn FnMut() -> bool + Send>;

/// What the thread owns.
struct Owned {
    node: Node,
    drains: Vec<Drain>,
    /// The clock's time at the last look; `None` when it starts again.
    last_time: Option<Duration>,
}

/// What tells subscriptions apart: topic, type, whether they are reliable.
type Key = (String, &'static str, bool);
/// Subscriptions that nobody reads, and that have received nothing since.
type Unread = Arc<Mutex<HashMap<Key, BoxStream<'static, Vec<u8>>>>>;

/// The messages of a subscription that outlasts who reads it while its topic is silent: r2r takes an abandoned one away only when its next
/// message comes, so on a silent topic they would pile up with every activation.
pub struct LastingSubscription {
    key: Key,
    stream: Option<BoxStream<'static, Vec<u8>>>,
    unread: Unread,
}

impl Stream for LastingSubscription {
    type Item = Vec<u8>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        match &mut self.stream {
            Some(stream) => stream.poll_next_unpin(context),
            None => Poll::Ready(None),
        }
    }
}

impl Drop for LastingSubscription {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            lock(&self.unread).insert(self.key.clone(), stream);
        }
    }
}

/// The next message of a stream; never when there is none.
pub async fn next(stream: &mut Option<impl Stream<Item = Vec<u8>> + Unpin>) -> Vec<u8> {
    match stream {
        Some(messages) => match messages.next().await {
            Some(message) => message,
            None => {
                *stream = None;
                std::future::pending().await
            }
        },
        None => std::future::pending().await,
    }
}

/// Gives up what receives again: it goes with the next message.
fn keep_the_silent(unread: &Unread) {
    lock(unread).retain(|_, stream| stream.next().now_or_never().is_none());
}

/// The way to the node for other threads.
#[derive(Clone)]
pub struct Ros {
    jobs: mpsc::Sender<Job>,
    clock: Arc<Mutex<Clock>>,
    unread: Unread,
    /// By full names, the names as they were before remapping.
    given_names: Arc<Mutex<HashMap<String, String>>>,
}

impl Ros {
    /// Runs a job with the node on its own thread.
    ///
    /// # Errors
    /// When the node has ended.
    pub async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Node) -> T + Send + 'static,
    ) -> Result<T, &'static str> {
        self.call_owned(move |owned| job(&mut owned.node)).await
    }

    async fn call_owned<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Owned) -> T + Send + 'static,
    ) -> Result<T, &'static str> {
        let (done, result) = tokio::sync::oneshot::channel();
        let job = Box::new(move |owned: &mut Owned| {
            let _ = done.send(job(owned));
        });
        let ended = "the node has ended";
        self.jobs.send(job).map_err(|_| ended)?;
        result.await.map_err(|_| ended)
    }

    /// Subscribes, or reuses an idle subscription of the same type. For volatile topics: messages received meanwhile are dropped.
    ///
    /// # Errors
    /// When ROS refuses or the node has ended.
    pub async fn subscribe_lasting(
        &self,
        topic: &str,
        kind: &'static str,
        profile: QosProfile,
    ) -> r2r::Result<LastingSubscription> {
        let key: Key = (topic.into(), kind, profile.reliability == ReliabilityPolicy::Reliable);
        let name = self.before_remapping(topic);
        let (unread, wanted) = (self.unread.clone(), key.clone());
        let opened = self.call(move |node| {
            keep_the_silent(&unread);
            let known = lock(&unread).remove(&wanted);
            known.map_or_else(|| node.subscribe_raw(&name, kind, profile).map(StreamExt::boxed), Ok)
        });
        let stream = opened.await.unwrap_or(Err(r2r::Error::RCL_RET_NODE_INVALID))?;
        Ok(LastingSubscription { key, stream: Some(stream), unread: self.unread.clone() })
    }

    /// Keeps the name that rcl remaps to a topic whose full name it would remap once more: with `left:=right` and `right:=left` the full
    /// name of `left` is `/right`.
    pub fn keep_name_before_remapping(&self, full: &str, given: &str) {
        lock(&self.given_names).insert(full.into(), given.into());
    }

    /// The name of a topic as it is handed to rcl, which remaps it.
    pub fn before_remapping(&self, full: &str) -> String {
        lock(&self.given_names).get(full).cloned().unwrap_or_else(|| full.into())
    }

    /// The messages of an r2r stream, none of which is lost while fewer than [`WAITING`] wait.
    pub fn drained<T: Send + 'static>(&self, mut stream: BoxStream<'static, T>) -> impl Stream<Item = T> + Unpin {
        let (waiting, mut messages) = tokio::sync::mpsc::channel(WAITING);
        let drain = move || loop {
            let Ok(place) = waiting.try_reserve() else { return !waiting.is_closed() };
            match stream.next().now_or_never() {
                Some(Some(message)) => place.send(message),
                Some(None) => return false,
                None => return true,
            }
        };
        // a node that has ended has no messages
        let _ = self.jobs.send(Box::new(|owned: &mut Owned| owned.drains.push(Box::new(drain))));
        poll_fn(move |context| messages.poll_recv(context))
    }

    /// Takes the time from `/clock` or from the system; what the clock says next is no jump.
    ///
    /// # Errors
    /// When ROS refuses or the node has ended.
    pub async fn use_sim_time(&self, wanted: bool) -> Result<(), String> {
        let switched = self.call_owned(move |owned| {
            // before the thread looks at the clock again
            owned.last_time = None;
            let source = owned.node.get_time_source();
            if wanted {
                source.enable_sim_time(&mut owned.node)
            } else {
                source.disable_sim_time();
                Ok(())
            }
        });
        switched.await?.map_err(|error| error.to_string())
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
pub struct NodeThread {
    running: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl NodeThread {
    /// Starts to spin; `jumped` is called when time has gone backwards.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(node: Node, jumped: impl Fn() + Send + 'static) -> std::io::Result<(NodeThread, Ros)> {
        let (jobs, to_do) = mpsc::channel::<Job>();
        let clock = node.get_ros_clock();
        let unread = Unread::default();
        let ros = Ros { jobs, clock: clock.clone(), unread: unread.clone(), given_names: Arc::default() };
        let running = Arc::new(AtomicBool::new(true));
        let spinning = running.clone();
        let thread = std::thread::Builder::new().name("ros".into()).spawn(move || {
            let mut owned = Owned { node, drains: Vec::new(), last_time: None };
            while spinning.load(Ordering::Relaxed) {
                while let Ok(job) = to_do.try_recv() {
                    job(&mut owned);
                }
                owned.node.spin_once(SPIN);
                owned.drains.retain_mut(|drain| drain());
                keep_the_silent(&unread);
                let time = now(&clock);
                if owned.last_time.is_some_and(|last| time + JITTER < last) {
                    jumped();
                }
                owned.last_time = Some(time);
            }
            lock(&unread).clear();
            drop(owned); // peers see the endpoints go
        })?;
        Ok((NodeThread { running, thread }, ros))
    }

    /// Ends the spinning and the node. A thread that still spins while the process ends crashes it.
    ///
    /// # Errors
    /// When the thread panicked.
    pub fn stop(self) -> Result<(), &'static str> {
        self.running.store(false, Ordering::Relaxed);
        self.thread.join().map_err(|_| "the ROS thread panicked")
    }
}
