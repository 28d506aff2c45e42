//! Files, read and written safely, and the error type of the Referseg crates.
//!
//! [`atomic_file::AtomicFile`] is an output that appears whole or not at all and never over an input,
//! [`fingerprint::Fingerprint`] a hash of all that a result depends on, [`foreign_file::ForeignFile`] what a download or a
//! checkout left in a file's place, [`pickle_size`] how much memory a pickle would take, and [`catch_panic`] turns panics of other crates on damaged input into errors.
#![warn(missing_docs)]

pub mod atomic_file;
pub mod catch_panic;
mod error;
pub mod fingerprint;
pub mod foreign_file;
pub mod pickle_size;

pub use error::{Error, Result};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
