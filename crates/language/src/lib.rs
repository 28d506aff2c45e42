//! Language: what a person said, as words and as meaning. Knows neither images nor models of them.
#![warn(missing_docs)]

mod adjuncts;
mod antecedents;
mod behind_noun;
mod clause;
mod clause_object;
mod command;
mod corrections;
pub mod dependency;
mod destination;
mod expression;
mod follow_up;
mod free_place;
mod goals;
mod lexicon;
mod modifiers;
mod negation;
mod noun_modifiers;
mod noun_phrase;
mod parsed_command;
mod parser;
mod parts_of_speech;
mod pattern;
mod phrases;
mod politeness;
mod prefix;
mod reading;
mod requests;
mod roles;
mod rules;
mod spatial_words;
mod text_words;
mod verb_object;
mod word_classes;
mod word_forms;

pub use command::{Command, MAX_CHARACTERS};
pub use follow_up::{follow_up, FollowUp};
pub use parsed_command::{
    Clause, Constraint, Description, Destination, Goal, Motion, Order, OtherReading, ParsedCommand, Place, Quantity,
    Relation, Respect, Size,
};
pub use parser::{CommandParser, ParserKind};
pub use parts_of_speech::is_colour;
pub use roles::Roles;
pub use spatial_words::{BoxRelation, Direction, SpatialWords};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
