//! The ROS 2 node: the only files that know r2r.
//!
//! `node` is the process, `core` what all parts share, `node_thread` the thread that owns the r2r node.
//! Inputs are `subscription` (images, depth), `requests` (service, action) and the parameters; outputs are `outputs`,
//! `picture_outputs`, `logger` and `diagnostics`. `lifecycle` drives `core`; `bond` tells Nav2 that the node is alive.

mod action_server;
mod arguments;
mod bond;
mod camera;
mod camera_frame;
mod command_subscription;
mod diagnostics;
mod graph_check;
mod latched_messages;
mod latencies;
mod lifecycle;
mod lifecycle_state;
mod lock;
mod logger;
mod names;
mod node;
mod node_core;
mod node_thread;
mod output_publishers;
mod outputs;
mod parameter_server;
mod parameters;
mod picture_outputs;
mod publisher;
mod requests;
mod shared_memory_port;
mod shared_publisher;
mod subscription;
mod track_outputs;
mod transforms;
mod visualization;
mod waiting_frames;

pub use graph_check::findings as doctor;
pub use node::run;
pub use parameters::PARAMETERS;
