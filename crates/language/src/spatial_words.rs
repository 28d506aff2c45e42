//! `SpatialWords`: what HybridGL hears of places in a sentence: one relation, one direction, and the other things named
//! (Liu and Li, CVPR 2025; word lists and rules from the authors' program).

use super::dependency::Tree;
use super::parsed_command::{Constraint, Order, ParsedCommand, Place, Relation, Size};
use std::ops::Range;

/// A relation of boxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BoxRelation {
    #[default]
    None,
    Left,
    Right,
    Up,
    Down,
    Big,
    Small,
    Within,
}

/// A direction of the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Direction {
    #[default]
    None,
    Left,
    Right,
    Middle,
    Up,
    Down,
}

/// The relation, the direction and the other things of a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpatialWords {
    /// To the other things, or among the candidates where none is named.
    pub relation: BoxRelation,
    /// The same by the authors' program, which compares the words for "right" wrongly and never hears them.
    pub published_relation: BoxRelation,
    /// Where in the picture.
    pub direction: Direction,
    /// Noun phrases of things that are not the target.
    pub others: Vec<String>,
}

const RELATIONS: [(BoxRelation, &[&str]); 7] = [
    (BoxRelation::Left, &["left", "west"]),
    (BoxRelation::Right, &["right", "east"]),
    (BoxRelation::Up, &["above", "north", "top", "back", "behind"]),
    (BoxRelation::Down, &["below", "south", "under", "front"]),
    (BoxRelation::Big, &["bigger", "larger", "closer"]),
    (BoxRelation::Small, &["smaller", "tinier", "further", "smallest"]),
    (BoxRelation::Within, &["inside", "within", "contained"]),
];

const DIRECTIONS: [(Direction, &[&str]); 5] = [
    (Direction::Left, &["left"]),
    (Direction::Right, &["right"]),
    (Direction::Middle, &["middle", "between"]),
    (Direction::Up, &["up", "top", "above"]),
    (Direction::Down, &["down", "under", "bottom", "low"]),
];

/// With one of these as another noun, a word of place means the picture and is no relation.
const PARTS_OF_THE_PICTURE: [&str; 8] = ["part", "image", "side", "picture", "half", "region", "section", "photo"];

/// Roots of chunks that name no thing, beside the relation words; "smallest" is not among them.
const NO_THINGS: [&str; 4] = ["who", "what", "which", "middle"];

/// The value whose word hangs on the head that comes first in the sentence; of several on one head the first word's.
fn heard<T: Copy>(table: &[(T, &[&str])], words: &[String], heads: &[usize]) -> Option<T> {
    let named = |word: &String| table.iter().find(|(_, names)| names.contains(&word.as_str())).map(|(value, _)| *value);
    let hits = words.iter().zip(heads).filter_map(|(word, head)| Some((head, named(word)?)));
    hits.min_by_key(|(head, _)| **head).map(|(_, value)| value)
}

impl SpatialWords {
    /// By the authors' rules on a parsed sentence: its words, the index of each one's head, its noun chunks as tokens and
    /// index of the root, with their text, and the text of the target's.
    pub fn of_parse(
        words: &[String],
        heads: &[usize],
        chunks: &[(Range<usize>, usize, String)],
        target: &str,
    ) -> SpatialWords {
        let others: Vec<_> = chunks.iter().filter(|(_, _, text)| text != target).collect();
        let root = |chunk: &&&(Range<usize>, usize, String)| words[chunk.1].clone();
        let of_the_picture = others.iter().any(|chunk| PARTS_OF_THE_PICTURE.contains(&root(&chunk).as_str()));
        let relation = |table: &[(BoxRelation, &[&str])]| match of_the_picture {
            true => BoxRelation::None,
            false => heard(table, words, heads).unwrap_or_default(),
        };
        let without_right: Vec<_> = RELATIONS.into_iter().filter(|(kind, _)| *kind != BoxRelation::Right).collect();
        let names_no_thing = |word: &str| {
            let relations = RELATIONS.iter().any(|(_, names)| names.contains(&word) && word != "smallest");
            relations || NO_THINGS.contains(&word)
        };
        let things = others.iter().filter(|chunk| !names_no_thing(&root(chunk)));
        SpatialWords {
            relation: relation(&RELATIONS),
            published_relation: relation(&without_right),
            direction: heard(&DIRECTIONS, words, heads).unwrap_or_default(),
            others: things.map(|(_, _, text)| text.clone()).collect(),
        }
    }

    pub(super) fn of_tree(tree: &Tree, target: &str) -> SpatialWords {
        let chunk = |range: Range<usize>| {
            // a chunk ends with its root
            let root = range.end - 1;
            let text = tree.text(range.clone());
            (range, root, text)
        };
        let chunks: Vec<_> = tree.noun_chunks().into_iter().map(chunk).collect();
        SpatialWords::of_parse(&tree.words, &tree.heads, &chunks, target)
    }

    /// By our own reading of the sentence, where there is no tree: its first relation and place.
    pub(super) fn of_command(parsed: &ParsedCommand) -> SpatialWords {
        let constraints = &parsed.target.constraints;
        let relation = constraints.iter().find_map(|constraint| match constraint {
            Constraint::Relation { relation, .. } => box_relation(*relation),
            Constraint::Size(Size::Large) | Constraint::Order { rank: 1, by: Order::Largest } => Some(BoxRelation::Big),
            Constraint::Size(Size::Small) | Constraint::Order { rank: 1, by: Order::Smallest } => {
                Some(BoxRelation::Small)
            }
            _ => None,
        });
        let direction = constraints.iter().find_map(direction);
        let others = constraints.iter().flat_map(|constraint| match constraint {
            Constraint::Relation { anchors, .. } => anchors.as_slice(),
            _ => &[],
        });
        let relation = relation.unwrap_or_default();
        SpatialWords {
            relation,
            published_relation: if relation == BoxRelation::Right { BoxRelation::None } else { relation },
            direction: direction.unwrap_or_default(),
            others: others.map(|anchor| anchor.phrase.clone()).collect(),
        }
    }
}

fn box_relation(relation: Relation) -> Option<BoxRelation> {
    match relation {
        Relation::LeftOf => Some(BoxRelation::Left),
        Relation::RightOf => Some(BoxRelation::Right),
        Relation::Above | Relation::Behind => Some(BoxRelation::Up),
        Relation::Below | Relation::Under | Relation::InFrontOf => Some(BoxRelation::Down),
        Relation::In => Some(BoxRelation::Within),
        Relation::NextTo
        | Relation::On
        | Relation::From
        | Relation::Between
        | Relation::AwayFrom
        | Relation::LargerThan
        | Relation::SmallerThan
        | Relation::TallerThan
        | Relation::BrighterThan
        | Relation::DarkerThan => None,
    }
}

fn direction(constraint: &Constraint) -> Option<Direction> {
    match constraint {
        Constraint::Place(Place::Left) => Some(Direction::Left),
        Constraint::Place(Place::Right) => Some(Direction::Right),
        Constraint::Place(Place::Middle) => Some(Direction::Middle),
        Constraint::Place(Place::Top | Place::TopLeft | Place::TopRight) => Some(Direction::Up),
        Constraint::Place(Place::Bottom | Place::BottomLeft | Place::BottomRight) => Some(Direction::Down),
        Constraint::Order { by: Order::Leftmost, rank: 1 } => Some(Direction::Left),
        Constraint::Order { by: Order::Rightmost, rank: 1 } => Some(Direction::Right),
        Constraint::Order { by: Order::Topmost, rank: 1 } => Some(Direction::Up),
        Constraint::Order { by: Order::Bottommost, rank: 1 } => Some(Direction::Down),
        Constraint::Order { by: Order::Central, rank: 1 } => Some(Direction::Middle),
        Constraint::Relation { relation: Relation::Between, .. } => Some(Direction::Middle),
        Constraint::Relation { relation: Relation::LeftOf, .. } => Some(Direction::Left),
        Constraint::Relation { relation: Relation::RightOf, .. } => Some(Direction::Right),
        Constraint::Relation { relation: Relation::Above, .. } => Some(Direction::Up),
        Constraint::Relation { relation: Relation::Under, .. } => Some(Direction::Down),
        _ => None,
    }
}
