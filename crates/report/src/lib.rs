//! Report pages: one HTML file each, which needs no other file and no server.
//!
//! [`document`] is the frame that all of them share (title, facts, counts, style); [`Page`] fills it with rows that can be
//! filtered, plots and pictures. Texts are escaped; nothing is loaded from outside.
#![warn(missing_docs)]

mod document;
mod page;
mod thumbnail;

pub use document::{date, document, Heading, Total};
pub use page::{Numbers, Page, Words};
pub use thumbnail::thumbnail;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
