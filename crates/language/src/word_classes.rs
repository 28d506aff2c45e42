//! What single words mean before a noun: ranks, numbers, sides, superlatives, sizes; and a noun's singular.

use super::lexicon::{is, ADJECTIVES, COLOURS, ED_WORDS};
use super::parsed_command::{Order, Place, Size};
use super::parts_of_speech::is_colour;
use super::phrases::Side;
use super::word_forms::is_superlative;

/// Whether a word is an adjective of any class: it stands before a noun and is none.
pub fn is_adjectival(word: &str) -> bool {
    is(ADJECTIVES, word)
        || is(COLOURS, word)
        || ordinal(word).is_some()
        || superlative(word).is_some()
        || size(word).is_some()
        || side(word).is_some()
        || number(word).is_some_and(|_| !word.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether a word before a noun says what it looks like rather than what it is.
pub fn describes(word: &str) -> bool {
    is_colour(word)
        || is_adjectival(word)
        || is_superlative(word)
        || word.ends_with("ish")
        || word.ends_with("-colored")
        || word.len() > 4 && word.ends_with("ed") && !is(ED_WORDS, word)
        || word.ends_with('"')
}

/// The colour that "non-red", "not red", "non red" denies.
pub fn lacked<'a>(word: &'a str, next: &'a str) -> Option<&'a str> {
    if is(&["non", "not"], word) && describes(next) {
        return Some(next);
    }
    let rest = word.strip_prefix("non-").or_else(|| word.strip_prefix("non"))?;
    is_colour(rest).then_some(rest)
}

/// A rank in words: 1 for the first, -1 for the last, -2 for the last but one.
pub fn ordinal(word: &str) -> Option<i32> {
    const NAMES: [(&str, i32); 25] = [
        ("first", 1),
        ("second", 2),
        ("third", 3),
        ("fourth", 4),
        ("fifth", 5),
        ("sixth", 6),
        ("seventh", 7),
        ("eighth", 8),
        ("ninth", 9),
        ("tenth", 10),
        ("1st", 1),
        ("2nd", 2),
        ("3rd", 3),
        ("4th", 4),
        ("5th", 5),
        ("6th", 6),
        ("7th", 7),
        ("8th", 8),
        ("9th", 9),
        ("10th", 10),
        ("last", -1),
        ("final", -1),
        ("penultimate", -2),
        ("antepenultimate", -3),
        ("third-last", -3),
    ];
    NAMES.iter().find(|(name, _)| *name == word).map(|(_, rank)| *rank)
}

pub fn number(word: &str) -> Option<usize> {
    const NAMES: [&str; 11] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let digits = || word.parse().ok().filter(|count| (1..100).contains(count));
    match word {
        "couple" | "pair" => Some(2),
        "eleven" => Some(11),
        "dozen" | "twelve" => Some(12),
        "fifteen" => Some(15),
        "twenty" => Some(20),
        "thirty" => Some(30),
        "fifty" => Some(50),
        _ => NAMES.iter().position(|name| *name == word).or_else(digits),
    }
}

pub fn side(word: &str) -> Option<Side> {
    Some(match word {
        "left" | "left-hand" | "lefthand" => Side::Left,
        "right" | "right-hand" | "righthand" => Side::Right,
        "top" | "upper" => Side::Top,
        "bottom" | "lower" => Side::Bottom,
        "front" | "near" | "foreground" => Side::Near,
        "back" | "rear" | "far" | "background" => Side::Far,
        "middle" | "center" | "centre" | "central" | "centered" | "centermost" => Side::Middle,
        _ => return None,
    })
}

pub fn superlative(word: &str) -> Option<Order> {
    Some(match word {
        "leftmost" | "left-most" | "westernmost" => Order::Leftmost,
        "rightmost" | "right-most" | "easternmost" => Order::Rightmost,
        "topmost" | "uppermost" | "top-most" => Order::Topmost,
        "bottommost" | "bottom-most" | "lowermost" => Order::Bottommost,
        "nearest" | "closest" | "closer" | "nearer" | "frontmost" | "foremost" => Order::Nearest,
        "farthest" | "furthest" | "farther" | "further" | "rearmost" | "backmost" | "hindmost" => Order::Farthest,
        "largest" | "biggest" | "larger" | "bigger" | "longest" | "longer" | "hugest" => Order::Largest,
        "widest" | "wider" | "broadest" | "broader" => Order::Widest,
        "smallest" | "tiniest" | "littlest" | "smaller" | "tinier" | "narrowest" | "slimmest" => Order::Smallest,
        "tallest" | "taller" => Order::Tallest,
        "shortest" | "shorter" | "flattest" => Order::Lowest,
        "highest" | "higher" => Order::Topmost,
        "lowest" => Order::Bottommost,
        "brightest" | "brighter" | "lightest" | "lighter" | "palest" | "paler" => Order::Brightest,
        "darkest" | "darker" => Order::Darkest,
        "middlemost" | "centermost" => Order::Central,
        _ => return graded_colour(word).map(|colour| Order::MostColoured(colour.into())),
    })
}

/// The colour of "redder" and "greenest".
fn graded_colour(word: &str) -> Option<&'static str> {
    let stem = word.strip_suffix("est").or_else(|| word.strip_suffix("er"))?;
    let is_colour = |colour: &&str| {
        // "redder", "bluer", "greener"
        let doubled = stem.len() == colour.len() + 1 && stem.strip_suffix(|c| colour.ends_with(c)) == Some(colour);
        *colour == stem || doubled || colour.strip_suffix('e') == Some(stem)
    };
    COLOURS.iter().copied().find(is_colour)
}

pub fn size(word: &str) -> Option<Size> {
    Some(match word {
        "large" | "big" | "huge" | "giant" | "enormous" | "large-sized" | "oversized" | "massive" => Size::Large,
        "medium" | "medium-sized" | "mid-sized" | "middle-sized" => Size::Medium,
        "small" | "little" | "tiny" | "mini" | "miniature" | "small-sized" => Size::Small,
        "tall" | "high" => Size::Tall,
        "short" | "low" => Size::Short,
        _ => return None,
    })
}

pub fn most(side: Side) -> Order {
    match side {
        Side::Left => Order::Leftmost,
        Side::Right => Order::Rightmost,
        Side::Top => Order::Topmost,
        Side::Bottom => Order::Bottommost,
        Side::Near => Order::Nearest,
        Side::Far => Order::Farthest,
        Side::Middle => Order::Central,
    }
}

/// "The second mug on the left" counts from the left.
pub fn order_from(place: Place) -> Option<Order> {
    Some(match place {
        Place::Left => Order::Leftmost,
        Place::Right => Order::Rightmost,
        Place::Top => Order::Topmost,
        Place::Bottom => Order::Bottommost,
        Place::Front => Order::Nearest,
        Place::Back => Order::Farthest,
        _ => return None,
    })
}
