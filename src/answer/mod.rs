//! The answer to a command on a frame, in plain types: no tensors, no messages.

#[allow(clippy::module_inception)] // the first noun of the folder
mod answer;
mod command_info;
mod frame_result;
mod status;

pub use answer::{Answer, FoundThing, ScoredProposal, StageTimes};
pub use command_info::{CommandInfo, Origin};
pub use frame_result::{Following, FrameResult};
pub use status::Status;
