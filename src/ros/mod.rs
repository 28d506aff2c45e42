//! The ROS 2 node: the only files that know r2r.
//!
//! `decode` brings messages in, `encode` takes answers out, `parameters` declares the settings, and
//! `node` joins them to the worker.

mod decode;
mod encode;
mod node;
mod parameters;

pub use node::run;
pub use parameters::PARAMETERS;
