//! Recordings of rosbag2, read and written without ROS.

mod decompress;
mod mcap;
mod message;
mod reader;
mod sqlite;
mod writer;

pub use message::{Message, Truncation};
pub use reader::Bag;
pub use writer::Writer;
