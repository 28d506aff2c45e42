//! `Error`: everything that can go wrong, one variant for each thing that a user can fix.
//!
//! Each message names the subject, the fact, what was expected and, where there is one, the remedy.

use std::path::PathBuf;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, in words that a user can act on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A configuration file or value that can't be used.
    #[error("configuration {subject}: {fact}")]
    Config {
        /// The file or the key.
        subject: String,
        /// What is wrong and what was expected.
        fact: String,
    },
    /// A file of a model folder that is absent, damaged or of another kind.
    #[error("model file {path:?}: {fact}")]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong, what was expected, and the remedy.
        fact: String,
    },
    /// A device that this build or machine does not have.
    #[error("device {name:?}: {fact}")]
    Device {
        /// As the user wrote it.
        name: String,
        /// What is wrong and the remedy.
        fact: String,
    },
    /// An image that can't be read.
    #[error("image: {0}")]
    Image(String),
    /// A command that can't be used.
    #[error("command: {0}")]
    Command(String),
    /// A file that can't be read or written.
    #[error("file {path:?}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A checkpoint that can't be fetched, or is not what it should be.
    #[error("{model}: {fact}")]
    Fetch {
        /// The checkpoint's name, and the file.
        model: String,
        /// What happened and the remedy.
        fact: String,
    },
    /// A recording that can't be read or written.
    #[error("recording {path:?}: {fact}")]
    Bag {
        /// Its file or folder.
        path: PathBuf,
        /// What is wrong and what was expected.
        fact: String,
    },
    /// A ROS message that can't be read or written.
    #[error("message: {0}")]
    Message(String),
    /// Masks from outside that do not fit the image, or more of them than memory should hold.
    #[error("proposals: {0}")]
    Proposals(String),
    /// A tensor operation failed: shapes that disagree, or a device out of memory.
    #[error("computation: {0}")]
    Computation(String),
}

#[cfg(feature = "candle")]
impl From<candle_core::Error> for Error {
    fn from(cause: candle_core::Error) -> Error {
        Error::Computation(cause.to_string())
    }
}

impl Error {
    /// A configuration error about `subject`.
    pub fn config(subject: impl Into<String>, fact: impl Into<String>) -> Self {
        Error::Config { subject: subject.into(), fact: fact.into() }
    }

    /// A model error about the file `path`.
    pub fn model(path: impl Into<PathBuf>, fact: impl Into<String>) -> Self {
        Error::Model { path: path.into(), fact: fact.into() }
    }

    /// The same error with the image, command or proposals that it is about named in front of the fact.
    pub fn about(self, subject: impl std::fmt::Display) -> Self {
        match self {
            Error::Image(fact) => Error::Image(format!("{subject}: {fact}")),
            Error::Command(fact) => Error::Command(format!("{subject}: {fact}")),
            Error::Proposals(fact) => Error::Proposals(format!("{subject}: {fact}")),
            other => other,
        }
    }

    /// A file error about `path`, for `map_err`.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |cause| Error::File { path, cause }
    }
}
