//! `Mode`: when commands of a topic are answered.

use crate::{Error, Result};

/// When commands of a topic are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// On every newest frame, until another command comes or an empty one clears it.
    Continuous,
    /// Once, on the next frame.
    Once,
}

impl Mode {
    /// `continuous` or `once`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(name: &str) -> Result<Mode> {
        match name {
            "continuous" => Ok(Mode::Continuous),
            "once" => Ok(Mode::Once),
            _ => Err(Error::config("mode", format!("{name:?} is unknown; expected continuous or once"))),
        }
    }
}
