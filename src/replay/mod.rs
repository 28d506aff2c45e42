//! Replay: recordings answered without ROS, and recordings of answers compared.

mod bag_index;
mod commands;
mod compare;
mod player;
mod report;
mod summary;

pub use bag_index::{BagIndex, BagTopic};
pub use commands::Commands;
pub use compare::{compare, Comparison, Key, Tolerance};
pub use player::{replay, Options};
pub use report::html;
pub use summary::{AnswerRecord, Summary};
