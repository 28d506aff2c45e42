//! `Roles`: who plays which part in a command's event, as said.

use super::parsed_command::{Clause, Goal, Motion, ParsedCommand};
use serde::Serialize;

/// The parts of an event, each in the words of the text; empty where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Roles {
    /// What is done: "put".
    pub verb: String,
    /// To what: the noun phrase of the thing to be found.
    pub theme: String,
    /// Where it is taken from: "the bin".
    pub source: String,
    /// Where it shall go: "next to the plate".
    pub goal: String,
    /// The way it shall move from where it is: left, right, forward, backward, up or down.
    pub direction: String,
    /// How far from there, or from the goal's anchor, metres; 0 when it is not said.
    pub distance: f32,
    /// With what it is done, a tool or a material: "the cloth".
    pub instrument: String,
    /// Along what: "along the edge".
    pub path: String,
}

impl ParsedCommand {
    /// The roles of the event that the command asks for.
    pub fn roles(&self) -> Roles {
        let said = |of: fn(&Clause) -> Option<&String>| self.clauses.iter().find_map(of).cloned().unwrap_or_default();
        let theme = if self.names_nothing || self.free_place { String::new() } else { self.target.phrase.clone() };
        let instrument = said(|clause| clause.instrument.as_ref());
        let mut roles = Roles {
            verb: self
                .clauses
                .iter()
                .map(|clause| clause.verb.clone())
                .find(|verb| !verb.is_empty())
                .unwrap_or_default(),
            source: self.target.source.clone().unwrap_or_default(),
            // "take the sponge and use it to wipe the plate"
            instrument: if instrument == "it" { theme.clone() } else { instrument },
            theme,
            path: said(|clause| clause.path.as_ref()),
            ..Roles::default()
        };
        if let Some(destination) = &self.destination {
            roles.distance = destination.distance.unwrap_or_default();
            match destination.goal {
                Goal::Motion(motion) => roles.direction = motion.word().into(),
                _ => roles.goal.clone_from(&destination.phrase),
            }
        }
        roles
    }
}

impl Motion {
    /// In a word: "left".
    pub fn word(self) -> &'static str {
        match self {
            Motion::Left => "left",
            Motion::Right => "right",
            Motion::Forward => "forward",
            Motion::Backward => "backward",
            Motion::Up => "up",
            Motion::Down => "down",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{CommandParser, ParserKind};

    #[test]
    fn every_role_of_an_event_is_told_apart() {
        let parser = CommandParser::open(ParserKind::Rules, "".as_ref()).unwrap();
        let roles = |text: &str| parser.parse(text).roles();
        let said = roles("take the red mug out of the bin with your left hand and put it 5 cm left of the plate");
        assert_eq!((&said.verb[..], &said.theme[..], &said.source[..]), ("take", "the red mug", "the bin"));
        assert_eq!((&said.goal[..], &said.instrument[..]), ("left of the plate", "your left hand"));
        assert!((said.distance - 0.05).abs() < 1e-6, "{said:?}");
        let said = roles("push the box 10 cm to the left along the edge");
        assert_eq!((&said.direction[..], &said.goal[..], &said.path[..]), ("left", "", "along the edge"));
        assert!((said.distance - 0.1).abs() < 1e-6, "{said:?}");
        let said = roles("use the sponge to wipe the plate");
        assert_eq!((&said.theme[..], &said.instrument[..]), ("the sponge", "the sponge"));
    }
}
