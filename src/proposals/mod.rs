//! `Proposal`: a region that may be one thing, whatever its name (section 3.1 of the paper).
//!
//! Generators stand behind one trait.

mod labels;
mod regions;
pub mod sam;

pub use labels::Labels;
pub use regions::Regions;
pub use sam::Sam;

use crate::config::{Generator, ProposalSettings};
use crate::error::Result;
use crate::frame::Frame;
use crate::mask::Mask;
use candle_core::Device;

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

/// Makes the generator that the settings name, on the device if it needs one.
///
/// # Errors
/// When its files can't be read.
pub fn open(settings: &ProposalSettings, device: &Device) -> Result<Box<dyn ProposeMasks>> {
    Ok(match &settings.generator {
        Generator::Regions => Box::new(Regions::new(settings)),
        Generator::Labels(path) => Box::new(Labels::open(path)?),
        Generator::Sam => Box::new(Sam::open(settings, device)?),
    })
}
