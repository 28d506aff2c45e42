//! Replay: recordings answered without ROS, and recordings of answers compared.

mod bag_index;
mod commands;
mod compare;
mod comparison_report;
mod player;
mod recorded_frame;
mod recorded_transforms;
mod recorder;
mod report;
mod summary;
mod thresholds;
mod topic_pairs;

pub use bag_index::{BagIndex, BagTopic};
pub use commands::Commands;
pub use compare::{compare, AnswerPair, Change, Comparison, Key, Tolerance};
pub use comparison_report::comparison_html;
pub use player::{replay, DepthTopics, Options, Selection};
pub use recorded_transforms::OtherFrames;
pub use report::html;
pub use summary::{AnswerRecord, Summary};
pub use thresholds::Thresholds;
