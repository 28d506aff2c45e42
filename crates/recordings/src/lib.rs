//! The wire: ROS 2's messages as they are in DDS and in recordings (CDR), without ROS, and their way to and from the plain
//! types.
//!
//! The node and `referseg replay` read and write the same bytes through this module, so that both give the same answers.
#![warn(missing_docs)]

pub mod bag;
mod cdr;
pub mod convert;
mod decode;
pub mod definitions;
mod depth;
mod detected_boxes;
pub mod encode;
mod external_proposals;
mod referseg;
mod result_messages;
mod ros_messages;
mod transport;

pub use cdr::{from_cdr, to_cdr, MessageType};
pub use decode::{header, is_depth, text, Input};
pub use depth::DepthMessage;
pub use external_proposals::ExternalProposalsMessage;
pub use referseg::{Anchor, Candidate, Destination, Object, Roles, Segmentation};
pub use result_messages::{Output, ResultMessages};
pub use ros_messages::*;
pub use transport::{base_topic, sibling_topic, Transport};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
