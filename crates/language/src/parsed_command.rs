//! `ParsedCommand`: the meaning of a command, as far as it was understood.

use super::lexicon::{is, COLOURS, MATERIALS, ROOMS, SUPPORTS};
use serde::Serialize;

/// A command with its meaning.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParsedCommand {
    /// The whole text.
    pub text: String,
    /// The thing to be found.
    pub target: Description,
    /// How many things are meant.
    pub quantity: Quantity,
    /// The command forbids the target and names nothing else ("don't touch the mug"): it may not be found.
    #[serde(skip_serializing_if = "is_false")]
    pub forbidden: bool,
    /// The command ends by taking itself back ("..., cancel that", "never mind"): nothing may be found.
    #[serde(skip_serializing_if = "is_false")]
    pub taken_back: bool,
    /// No object is named ("hello", "pick it up" without anything that "it" could be): nothing can be looked for.
    #[serde(skip_serializing_if = "is_false")]
    pub names_nothing: bool,
    /// Things that the command takes back or forbids ("no wait", "don't take ..."); none of them may be found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<Description>,
    /// Further things of a list ("red cup, blue ball"), which are not looked for: a command has one target.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also_named: Vec<Description>,
    /// Sides and distances are the robot's, who is spoken to ("on your left", "closest to you"), rather than the picture's.
    #[serde(skip_serializing_if = "is_false")]
    pub from_robot: bool,
    /// Where the target shall go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<Destination>,
    /// The target is a free place ("the empty space between the mugs"), which the destination means; nothing is moved there.
    #[serde(skip_serializing_if = "is_false")]
    pub free_place: bool,
    /// What is to be done, in the order of the text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clauses: Vec<Clause>,
    /// Words that may matter and were not understood.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_understood: Vec<String>,
    /// Other readings of the text, where the grammar leaves a choice; the likeliest is this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_readings: Vec<OtherReading>,
}

/// Another reading of a text: "move the can near the box" may say which can, or where to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OtherReading {
    /// How likely it is beside the likeliest one, whose weight is 1; 0..1.
    pub weight: f32,
    /// What the text then means. It has no other readings itself.
    #[serde(flatten)]
    pub parsed: ParsedCommand,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Clause {
    /// The verb, in lower case; empty when there is none.
    pub verb: String,
    /// What it is done to, as said: "the red mug behind the plate".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Where to, as said: "into the box".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// With what, as said: "the cloth".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// Along what, as said: "along the edge".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// Where something shall go.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Destination {
    /// As said: "between the plate and the can".
    pub phrase: String,
    /// What that means.
    pub goal: Goal,
    /// How far from the anchor, or from where the object is, metres; `None` when it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance: Option<f32>,
}

/// What a destination means.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// So to something else. `On` also stands for "to" and "onto", `In` for "into".
    Relation {
        /// Which.
        relation: Relation,
        /// To what; two for `between` two things that are named apart.
        anchors: Vec<Description>,
    },
    /// A part of the picture or of the surface.
    Place(Place),
    /// Anywhere that is free.
    Free,
    /// Where the object was before.
    Back,
    /// This way from where the object is.
    Motion(Motion),
    /// To whoever speaks.
    Speaker,
    /// Not understood.
    Unknown,
}

impl Goal {
    /// What something shall stand so to; empty where nothing is.
    pub fn anchors(&self) -> &[Description] {
        match self {
            Goal::Relation { anchors, .. } => anchors,
            _ => &[],
        }
    }

    /// Whether it is between things.
    pub fn is_between(&self) -> bool {
        matches!(self, Goal::Relation { relation: Relation::Between, .. })
    }

    /// In a word or two: "left of", "free".
    pub fn word(&self) -> &'static str {
        match self {
            Goal::Relation { relation, .. } => relation.words(),
            Goal::Place(_) => "place",
            Goal::Free => "free",
            Goal::Back => "back",
            Goal::Motion(_) => "motion",
            Goal::Speaker => "speaker",
            Goal::Unknown => "unknown",
        }
    }
}

/// A direction of motion; the camera's, as everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Motion {
    Left,
    Right,
    /// Towards the camera.
    Forward,
    /// Away from the camera.
    Backward,
    Up,
    Down,
}

/// How many things are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// The one that fits; several are ambiguous.
    One,
    /// Whichever fits best; several are no trouble ("any mug", "one of the mugs").
    Any,
    /// So many, all that fit ("both mugs", "the three cans").
    Exactly(usize),
    /// So many of those that fit, whichever ("two cans").
    Some(usize),
    /// All that fit, however many.
    All,
    /// All that fit but so many, whichever ("all but one of the mugs").
    AllBut(usize),
}

/// What is said of a thing, or of several.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Description {
    /// The noun phrase that names it, as said: "the red mug". Where a pronoun stands for a noun that was said before
    /// ("no wait, the green one"), the noun is in its place.
    pub phrase: String,
    /// The noun: "mug", "coffee mug"; `None` for "thing", "object", "one".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noun: Option<String>,
    /// Words for what it looks like: colours, materials, patterns, and all that is not understood better.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
    /// What it has, as said: "with a white handle".
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// Where it is taken from, as said: "the bin"; that it is there is one of the constraints too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What else must be true of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<Constraint>,
    /// What may be meant instead: "the mug or the can".
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Description>,
}

/// One thing that must be true of what is meant.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// It is in this part of the picture.
    Place(Place),
    /// It is large or small for what it is.
    Size(Size),
    /// It has this rank in an order of those that fit the description.
    Order {
        /// Counted from 1; from -1 backwards: -1 is the last.
        rank: i32,
        /// The order.
        by: Order,
    },
    /// It stands in a relation to something else.
    Relation {
        /// Which.
        relation: Relation,
        /// To what; two for `between` two things that are named apart.
        anchors: Vec<Description>,
    },
    /// It does not look like this: "not red".
    Lacks(String),
    /// It is none of these: "except the red one".
    Except(Description),
    /// It is like an anchor in this respect, or unlike it.
    Likeness {
        /// In what.
        respect: Respect,
        /// Whether it is alike.
        alike: bool,
        /// To what.
        anchor: Description,
    },
    /// It is another one than those that were named.
    Other,
}

/// A part of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Place {
    Left,
    Right,
    Top,
    Bottom,
    /// Close to the camera.
    Front,
    /// Far from the camera.
    Back,
    Middle,
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
}

/// A size in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Size {
    Large,
    Medium,
    Small,
    Tall,
    Short,
}

/// An order of things.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Order {
    Leftmost,
    Rightmost,
    Topmost,
    Bottommost,
    /// By the distance from the camera.
    Nearest,
    Farthest,
    Largest,
    Smallest,
    /// By the height above what they stand on.
    Tallest,
    Lowest,
    Widest,
    Brightest,
    Darkest,
    /// By how surely it has this colour.
    MostColoured(String),
    /// By how near the picture's middle.
    Central,
    NearestTo(Box<Description>),
    FarthestFrom(Box<Description>),
}

/// How a thing stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Relation {
    LeftOf,
    RightOf,
    InFrontOf,
    Behind,
    Above,
    Below,
    NextTo,
    /// Resting on it.
    On,
    /// Inside it.
    In,
    /// Where it is taken from ("from the shelf"), which may be on it or in it; in JSON `in`, for it says where it is now.
    #[serde(rename = "in")]
    From,
    Under,
    Between,
    /// Farther from it than others.
    AwayFrom,
    /// Larger in the picture.
    LargerThan,
    /// Smaller in the picture.
    SmallerThan,
    /// Higher from its foot to its top in the picture.
    TallerThan,
    BrighterThan,
    DarkerThan,
}

/// What two things can have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Respect {
    Colour,
    Kind,
    Size,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_false(value: &bool) -> bool {
    !value
}

impl ParsedCommand {
    /// A command of which only the target's noun phrase is known.
    pub fn with_target(text: impl Into<String>, phrase: impl Into<String>) -> ParsedCommand {
        let target = Description { phrase: phrase.into(), ..Description::default() };
        ParsedCommand::new(text, target)
    }

    /// A command for one thing.
    pub fn new(text: impl Into<String>, target: Description) -> ParsedCommand {
        ParsedCommand {
            text: text.into(),
            target,
            quantity: Quantity::One,
            forbidden: false,
            taken_back: false,
            names_nothing: false,
            withdrawn: Vec::new(),
            also_named: Vec::new(),
            from_robot: false,
            destination: None,
            free_place: false,
            clauses: Vec::new(),
            not_understood: Vec::new(),
            other_readings: Vec::new(),
        }
    }
}

impl Description {
    /// Whether anything is said beside what the thing looks like.
    pub fn is_plain(&self) -> bool {
        self.constraints.is_empty()
    }

    /// Whether it is what things stand on or in, such as the table or the kitchen.
    pub fn is_surrounding(&self) -> bool {
        let last = self.noun.as_deref().and_then(|noun| noun.split_whitespace().next_back());
        last.is_some_and(|word| is(SUPPORTS, word) || is(ROOMS, word))
    }

    /// The attributes and the noun, without places and orders: "red mug".
    pub fn look(&self) -> String {
        let noun = self.noun.as_deref().unwrap_or("thing");
        let details = self.details.iter().map(String::as_str);
        let words: Vec<&str> = self.attributes.iter().map(String::as_str).chain([noun]).chain(details).collect();
        words.join(" ")
    }

    /// The same thing by another noun, where this one names none: "the green one", of mugs, is "the green mug".
    /// "The green thing" stays a thing.
    pub fn with_noun_of(mut self, other: &Description) -> Description {
        const THINGS: [&str; 9] =
            ["thing", "things", "object", "objects", "item", "items", "something", "anything", "everything"];
        if self.phrase.split_whitespace().any(|word| THINGS.contains(&word.to_lowercase().as_str())) {
            return self;
        }
        let coloured = other.attributes.iter().any(|word| is(COLOURS, word));
        if coloured && self.attributes.is_empty() && self.noun.as_deref().is_some_and(|noun| is(COLOURS, noun)) {
            // "not the red mug, the orange"
            self.attributes.extend(self.noun.take());
        }
        if let (None, Some(noun)) = (&self.noun, &other.noun) {
            // "the paper cup, no wait, the plastic one"
            let noun = match noun.split_once(' ') {
                Some((material, rest)) if is(MATERIALS, material) && !self.attributes.is_empty() => rest.to_string(),
                _ => noun.clone(),
            };
            self.noun = Some(noun.clone());
            let words = self.phrase.split_whitespace().map(|word| match word.to_lowercase().as_str() {
                "one" => noun.clone(),
                "ones" => format!("{noun}s"),
                _ => word.to_string(),
            });
            self.phrase = words.collect::<Vec<_>>().join(" ");
        }
        self
    }
}
