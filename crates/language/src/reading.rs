//! Readings: a parsed command in one line of words, so that a person sees how it was understood.

use super::parsed_command::{Constraint, Description, Order, ParsedCommand, Place, Quantity, Relation, Respect, Size};
use std::fmt::Write;

impl ParsedCommand {
    /// "the mug; third from the left; not red".
    pub fn reading(&self) -> String {
        let mut line = match self.quantity {
            Quantity::One => String::new(),
            Quantity::Any => "any of: ".into(),
            Quantity::All => "all of: ".into(),
            Quantity::AllBut(count) => format!("all but {count} of: "),
            Quantity::Exactly(count) => format!("exactly {count} of: "),
            Quantity::Some(count) => format!("any {count} of: "),
        };
        line += &self.target.reading();
        for other in &self.withdrawn {
            let _ = write!(line, "; taken back: {}", other.reading_inside());
        }
        if let Some(destination) = &self.destination {
            let _ = write!(line, "; goal: {}", destination.phrase);
        }
        let roles = self.roles();
        for (role, said) in [("instrument", roles.instrument), ("path", roles.path)] {
            if !said.is_empty() && said != roles.theme {
                let _ = write!(line, "; {role}: {said}");
            }
        }
        if self.taken_back {
            line += "; taken back";
        }
        if self.names_nothing {
            line += "; names no object";
        }
        if self.forbidden {
            line += "; forbidden";
        }
        line
    }
}

impl Description {
    /// Look and constraints, in words.
    pub fn reading(&self) -> String {
        self.words("; ")
    }

    fn reading_inside(&self) -> String {
        if self.is_plain() {
            self.words(", ")
        } else {
            format!("({})", self.words(", "))
        }
    }

    fn words(&self, between: &str) -> String {
        let said = self.noun.is_some() || !self.attributes.is_empty() || !self.details.is_empty();
        let look = if said || !self.is_plain() || self.phrase.is_empty() {
            format!("the {}", self.look())
        } else {
            self.phrase.clone()
        };
        let parts: Vec<String> =
            std::iter::once(look).chain(self.constraints.iter().map(Constraint::reading)).collect();
        let alternatives = self.alternatives.iter().map(Description::reading_inside);
        std::iter::once(parts.join(between)).chain(alternatives).collect::<Vec<_>>().join(" or ")
    }
}

impl Constraint {
    /// In words: "left of the box".
    pub fn reading(&self) -> String {
        match self {
            Constraint::Place(place) => place.words().into(),
            Constraint::Size(size) => size.words().into(),
            Constraint::Order { rank, by } => ordered(*rank, by),
            Constraint::Relation { relation, anchors } => {
                let pair = if *relation == Relation::Between && anchors.len() == 1 { "two of: " } else { "" };
                let anchors: Vec<String> = anchors.iter().map(|a| format!("{pair}{}", a.reading_inside())).collect();
                format!("{} {}", relation.words(), anchors.join(" and "))
            }
            Constraint::Lacks(look) => format!("not {look}"),
            Constraint::Except(other) if other.noun.is_none() && other.attributes.is_empty() && !other.is_plain() => {
                let parts: Vec<String> = other.constraints.iter().map(Constraint::reading).collect();
                format!("not {}", parts.join(", "))
            }
            Constraint::Except(other) => format!("not {}", other.reading_inside()),
            Constraint::Likeness { respect, alike, anchor } => {
                let (is, than) = if *alike { ("the same", "as") } else { ("another", "than") };
                format!("of {is} {} {than} {}", respect.word(), anchor.reading_inside())
            }
            Constraint::Other => "another one".into(),
        }
    }
}

fn ordered(rank: i32, by: &Order) -> String {
    const RANKS: [&str; 10] =
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
    let nth = match rank {
        -1 => "last".to_string(),
        -10..=-2 => {
            const COUNTS: [&str; 9] = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
            format!("last but {}", COUNTS[rank.unsigned_abs() as usize - 2])
        }
        1..=10 => RANKS[rank.unsigned_abs() as usize - 1].to_string(),
        _ => format!("number {rank}"),
    };
    let (first, counted) = match by {
        Order::Leftmost => ("leftmost".into(), "from the left".to_string()),
        Order::Rightmost => ("rightmost".into(), "from the right".into()),
        Order::Topmost => ("topmost".into(), "from the top".into()),
        Order::Bottommost => ("bottommost".into(), "from the bottom".into()),
        Order::Nearest => ("nearest".into(), "nearest".into()),
        Order::Farthest => ("farthest".into(), "farthest".into()),
        Order::Largest => ("largest".into(), "largest".into()),
        Order::Smallest => ("smallest".into(), "smallest".into()),
        Order::Tallest => ("tallest".into(), "tallest".into()),
        Order::Lowest => ("lowest".into(), "lowest".into()),
        Order::Widest => ("widest".into(), "widest".into()),
        Order::Brightest => ("brightest".into(), "brightest".into()),
        Order::Darkest => ("darkest".into(), "darkest".into()),
        Order::MostColoured(colour) => (format!("most {colour}"), format!("most {colour}")),
        Order::Central => ("nearest to the middle".into(), "nearest to the middle".into()),
        Order::NearestTo(anchor) => {
            (format!("nearest to {}", anchor.reading_inside()), format!("nearest to {}", anchor.reading_inside()))
        }
        Order::FarthestFrom(anchor) => {
            (format!("farthest from {}", anchor.reading_inside()), format!("farthest from {}", anchor.reading_inside()))
        }
    };
    if rank == 1 {
        first
    } else {
        format!("{nth} {counted}")
    }
}

impl Place {
    /// In words: "on the left".
    pub fn words(self) -> &'static str {
        match self {
            Place::Left => "on the left",
            Place::Right => "on the right",
            Place::Top => "at the top",
            Place::Bottom => "at the bottom",
            Place::Front => "in front",
            Place::Back => "at the back",
            Place::Middle => "in the middle",
            Place::TopLeft => "at the top left",
            Place::TopRight => "at the top right",
            Place::BottomLeft => "at the bottom left",
            Place::BottomRight => "at the bottom right",
        }
    }
}

impl Size {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Size::Large => "large",
            Size::Medium => "medium-sized",
            Size::Small => "small",
            Size::Tall => "tall",
            Size::Short => "short",
        }
    }
}

impl Relation {
    /// In words, before the anchor: "left of".
    pub fn words(self) -> &'static str {
        match self {
            Relation::LeftOf => "left of",
            Relation::RightOf => "right of",
            Relation::InFrontOf => "in front of",
            Relation::Behind => "behind",
            Relation::Above => "above",
            Relation::Below => "below",
            Relation::NextTo => "next to",
            Relation::On => "on",
            Relation::In => "in",
            Relation::From => "from",
            Relation::Under => "under",
            Relation::Between => "between",
            Relation::AwayFrom => "away from",
            Relation::LargerThan => "larger than",
            Relation::SmallerThan => "smaller than",
            Relation::TallerThan => "taller than",
            Relation::BrighterThan => "brighter than",
            Relation::DarkerThan => "darker than",
        }
    }
}

impl Respect {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Respect::Colour => "colour",
            Respect::Kind => "kind",
            Respect::Size => "size",
        }
    }
}
