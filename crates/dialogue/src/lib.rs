//! Dialogue: asking back when a command may mean several objects, or none, and hearing what is said next in the light of it.
//!
//! ```text
//!  Answer (AMBIGUOUS, NOT_FOUND) -> ask_back -> Question: text, candidates, each with a phrase that the resolver itself has checked
//!  text -> Conversation::hear (language: follow_up) -> EncodedCommand -> Answer -> Conversation::answered
//! ```
#![warn(missing_docs)]

mod conversation;
mod phrases;
mod question;

pub use conversation::Conversation;
pub use question::ask_back;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
