//! The ROS 2 node: the only files that know r2r.
//!
//! `node` is the process, `core` what all parts share, `spinner` the thread that owns the r2r node.
//! In come `listening` (images, depth), `asking` (service, action) and the parameters; out go `outputs`,
//! `journal` and `diagnostics`. `lifecycle` decides which of it is there.

mod asking;
mod core;
mod diagnostics;
mod journal;
mod lifecycle;
mod listening;
mod names;
mod node;
mod outputs;
mod parameter_server;
mod parameters;
mod speaker;
mod spinner;

pub use node::run;
pub use parameters::PARAMETERS;
