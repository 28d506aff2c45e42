//! The answer to a command on a frame, in plain types: no tensors, no messages.
#![warn(missing_docs)]

mod answer;
mod command_info;
mod destination;
pub mod drawing;
mod frame_result;
mod question;
mod status;

pub use answer::{Answer, FoundThing, ScoredProposal, StageTimes};
pub use command_info::{CommandInfo, Origin};
pub use destination::{Anchor, DestinationSpot, FoundDestination};
pub use frame_result::{Following, FrameResult};
pub use question::{Candidate, Question};
pub use status::Status;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
