//! `Proposal`: a region that may be one thing, whatever its name (section 3.1 of the paper).
//!
//! Generators stand behind one trait. Segment Anything will be another file beside `regions`.

mod labels;
mod regions;

pub use labels::Labels;
pub use regions::Regions;

use crate::config::{Generator, ProposalSettings};
use crate::error::Result;
use crate::frame::Frame;
use crate::mask::Mask;

/// A class-agnostic region of a frame, in image pixels, never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Its pixels; as large as the frame.
    pub mask: Mask,
    /// The value that it has in a label image, if it came from one.
    pub label: Option<u32>,
}

/// Finds proposals in frames.
pub trait ProposeMasks: Send {
    /// The proposals of a frame, in an order that depends on nothing but the frame.
    ///
    /// # Errors
    /// When the generator can't work on this frame.
    fn propose(&mut self, frame: &Frame) -> Result<Vec<Proposal>>;
}

/// Makes the generator that the settings name.
///
/// # Errors
/// When its files can't be read.
pub fn open(settings: &ProposalSettings) -> Result<Box<dyn ProposeMasks>> {
    Ok(match &settings.generator {
        Generator::Regions => Box::new(Regions::new(settings)),
        Generator::Labels(path) => Box::new(Labels::open(path)?),
    })
}
