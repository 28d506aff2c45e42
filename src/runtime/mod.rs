//! The runtime: who is answered on which frame, live on an inference thread or offline one frame after the other.
//!
//! Frames: one slot a camera, the newest wins. Commands have three origins. Those on a topic are for all: in continuous
//! mode the newest replaces the one before and is answered on every newest frame; in once mode each is answered on the
//! first frame that comes after it. Requests are one caller's: answered on the newest frame, on an image of their own,
//! or on frame after frame until the caller has enough. Cameras are served round-robin, all queues are bounded, and a
//! frame asked again, or one that shows the same as the one before, is not encoded again. Knows no ROS.

mod agreement;
mod answering;
mod camera_queue;
mod camera_state;
mod catch_panic;
mod command_cache;
mod conversations;
mod following;
mod following_thread;
mod frame_encoder;
mod host;
mod inference_thread;
mod mode;
mod offline;
mod queue;
mod request;
mod shared;
mod worker;

pub use agreement::{Agreement, Progress};
pub use camera_queue::{Dropped, MAX_WAITING};
pub use catch_panic::guarded;
pub use conversations::{Dialogue, MAX_CONVERSATIONS};
pub use host::{FrameReader, TrackHost, WorkerHost};
pub use mode::Mode;
pub use offline::Offline;
pub use queue::MAX_REQUESTS;
pub use request::{Caller, Request};
pub use worker::Worker;
