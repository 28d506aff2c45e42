//! Recordings of ROS 2 and ROS 1, read and written without ROS.

mod decompress;
mod foxglove;
mod mcap;
mod message;
mod order;
mod reader;
mod ros1;
mod ros1_message;
mod serialization;
mod sink;
mod sqlite;
mod storage;
mod writer;

pub use message::{Message, Truncation};
pub use order::Order;
pub use reader::{Bag, BagFile, Reading};
pub use serialization::Serialization;
pub use sink::Unread;
pub use writer::Writer;
