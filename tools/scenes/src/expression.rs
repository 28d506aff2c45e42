//! Referring expressions made from the symbols of a scene, each true of exactly one object.
//!
//! Left and right, front and back are meant as the camera sees them. Every condition keeps a margin,
//! so that no expression hangs on a pixel.

use crate::scene::{Colour, Size};
use crate::shape::Category;
use rand::seq::IndexedRandom;
use rand::Rng;
use serde::Serialize;

/// What the words are made from: one visible object.
#[derive(Clone, Debug, Serialize)]
pub struct Symbol {
    /// Value in the instance map.
    pub id: u8,
    pub category: Category,
    pub colour: Colour,
    pub size: Size,
    /// Centroid of the visible pixels, in parts of the picture's width and height.
    pub centroid: [f32; 2],
    /// Distance from the camera along its view, scene units.
    pub depth: f32,
    /// Height above the table, scene units.
    pub height: f32,
    /// Visible pixels.
    pub area: u32,
    /// Visible part of the object, 0..1.
    pub visible: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Attribute,
    Position,
    Relation,
    Superlative,
    Command,
    /// Nothing in the scene fits.
    Absent,
    /// Two or more objects fit equally.
    Ambiguous,
}

#[derive(Clone, Debug, Serialize)]
pub struct Expression {
    pub text: String,
    pub noun_phrase: String,
    pub kind: Kind,
    /// Id of the object meant; 0 when there is not exactly one.
    pub target: u8,
    /// Ids of all objects that fit the words.
    pub fitting: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Noun {
    Category(Category),
    /// cube or box
    Block,
    /// anything
    Generic(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Description {
    size: Option<Size>,
    colour: Option<Colour>,
    noun: Noun,
}

impl Description {
    fn fits(&self, s: &Symbol) -> bool {
        let noun = match self.noun {
            Noun::Category(c) => c == s.category,
            Noun::Block => matches!(s.category, Category::Box | Category::Cube),
            Noun::Generic(_) => true,
        };
        noun && self.colour.is_none_or(|c| c == s.colour) && self.size.is_none_or(|z| z == s.size)
    }

    fn among<'a>(&self, all: &'a [Symbol]) -> Vec<&'a Symbol> {
        all.iter().filter(|s| self.fits(s)).collect()
    }

    fn words(&self, rng: &mut impl Rng) -> String {
        let mut words = Vec::new();
        match self.size {
            Some(Size::Small) => words.push(*["small", "little", "tiny"].choose(rng).unwrap()),
            Some(Size::Large) => words.push(*["large", "big", "huge"].choose(rng).unwrap()),
            Some(Size::Medium) => words.push(*["medium", "medium-sized"].choose(rng).unwrap()),
            None => {}
        }
        match self.colour {
            Some(Colour::Gray) => words.push(*["gray", "grey"].choose(rng).unwrap()),
            Some(c) => words.push(c.name()),
            None => {}
        }
        words.push(match self.noun {
            Noun::Category(c) => c.name(),
            Noun::Block => "block",
            Noun::Generic(word) => word,
        });
        words.join(" ")
    }

    /// A description that fits `s`.
    fn of(s: &Symbol, rng: &mut impl Rng) -> Description {
        let noun = match rng.random_range(0.0..1.0f32) {
            x if x < 0.76 => Noun::Category(s.category),
            x if x < 0.82 && matches!(s.category, Category::Box | Category::Cube) => Noun::Block,
            x if x < 0.82 => Noun::Category(s.category),
            _ => Noun::Generic(["object", "thing", "item", "one"].choose(rng).unwrap()),
        };
        let generic = matches!(noun, Noun::Generic(_));
        let colour = rng.random_bool(if generic { 0.9 } else { 0.62 }).then_some(s.colour);
        let sized = s.size != Size::Medium && rng.random_bool(0.16);
        Description { size: sized.then_some(s.size), colour, noun }
    }
}

fn determined(words: &str, rng: &mut impl Rng) -> String {
    if rng.random_bool(0.85) {
        format!("the {words}")
    } else {
        words.to_string()
    }
}

/// `best` stands alone by at least `margin` under `key` (smaller is better).
fn alone<F: Fn(&Symbol) -> f32>(best: &Symbol, others: &[&Symbol], key: F, margin: f32) -> bool {
    others.iter().filter(|o| o.id != best.id).all(|o| key(o) - key(best) > margin)
}

fn attribute(target: &Symbol, all: &[Symbol], rng: &mut impl Rng) -> Option<(String, String)> {
    let d = Description::of(target, rng);
    if d.among(all).len() != 1 {
        return None;
    }
    let text = determined(&d.words(rng), rng);
    let adjective_last = d.colour.is_some() && d.size.is_none() && rng.random_bool(0.06);
    if adjective_last {
        let head = Description { colour: None, ..d }.words(rng);
        let colour = d.colour.map_or("", Colour::name);
        return Some((format!("the {head} that is {colour}"), format!("the {head}")));
    }
    Some((text.clone(), text))
}

fn position(target: &Symbol, all: &[Symbol], rng: &mut impl Rng) -> Option<(String, String)> {
    let d = Description::of(target, rng);
    let rivals = d.among(all);
    let [x, y] = target.centroid;
    let single = rivals.len() == 1;
    if single && rng.random_bool(0.4) {
        return None; // the word should usually matter
    }
    let (words, front, after): (_, &[&str], &[&str]) = match rng.random_range(0..5) {
        0 if alone(target, &rivals, |s| s.centroid[0], 0.1) && (!single || x < 0.4) => {
            ("left", &["left", "left hand"], &["on the left", "to the left", "on the left side", "at the left"])
        }
        1 if alone(target, &rivals, |s| -s.centroid[0], 0.1) && (!single || x > 0.6) => {
            ("right", &["right", "right hand"], &["on the right", "to the right", "on the right side", "at the right"])
        }
        2 if alone(target, &rivals, |s| -s.centroid[1], 0.09) && (!single || y > 0.58) => {
            ("front", &["front", "bottom", "near"], &["in front", "at the front", "at the bottom", "close to us"])
        }
        3 if alone(target, &rivals, |s| s.centroid[1], 0.09) && (!single || y < 0.42) => {
            ("back", &["back", "top", "far"], &["in the back", "at the back", "at the top", "far away"])
        }
        4 if (x - 0.5).abs() < 0.14
            && (y - 0.5).abs() < 0.2
            && alone(target, &rivals, |s| (s.centroid[0] - 0.5).abs(), 0.12) =>
        {
            ("middle", &["middle", "center", "central"], &["in the middle", "in the center", "at the center"])
        }
        _ => return None,
    };
    let base = d.words(rng);
    debug_assert!(!words.is_empty());
    if rng.random_bool(0.35) {
        let text = determined(&format!("{} {base}", front.choose(rng)?), rng);
        Some((text.clone(), text))
    } else {
        let phrase = determined(&base, rng);
        Some((format!("{phrase} {}", after.choose(rng)?), phrase))
    }
}

fn superlative(target: &Symbol, all: &[Symbol], rng: &mut impl Rng) -> Option<(String, String)> {
    let mut d = Description::of(target, rng);
    d.size = None;
    let rivals = d.among(all);
    if rivals.len() < 2 {
        return None;
    }
    let area = |s: &Symbol| (s.area as f32).ln();
    let whole = rivals.iter().all(|s| s.visible > 0.8);
    let options: &[&str] = match rng.random_range(0..8) {
        0 if alone(target, &rivals, |s| s.centroid[0], 0.07) => &["leftmost", "left most"],
        1 if alone(target, &rivals, |s| -s.centroid[0], 0.07) => &["rightmost", "right most"],
        2 if alone(target, &rivals, |s| -s.centroid[1], 0.07) => &["nearest", "closest", "frontmost"],
        3 if alone(target, &rivals, |s| s.centroid[1], 0.07) => &["farthest", "furthest"],
        4 if whole && alone(target, &rivals, |s| -area(s), 0.35) => &["biggest", "largest", "bigger"],
        5 if whole && alone(target, &rivals, area, 0.35) => &["smallest", "tiniest", "smaller"],
        6 if whole && alone(target, &rivals, |s| -s.height.ln(), 0.3) => &["tallest", "highest"],
        7 if whole && alone(target, &rivals, |s| s.height.ln(), 0.3) => &["shortest", "lowest"],
        _ => return None,
    };
    let word = *options.choose(rng)?;
    let base = d.words(rng);
    let to_camera = matches!(word, "nearest" | "closest") && rng.random_bool(0.5);
    if to_camera {
        let phrase = determined(&base, rng);
        return Some((format!("{phrase} {word} to the camera"), phrase));
    }
    let text = determined(&format!("{word} {base}"), rng);
    Some((text.clone(), text))
}

fn relation(target: &Symbol, all: &[Symbol], rng: &mut impl Rng) -> Option<(String, String)> {
    let anchor = all.choose(rng)?;
    let d = Description::of(target, rng);
    let a = Description::of(anchor, rng);
    if anchor.id == target.id || a.among(all).len() != 1 || d.fits(anchor) {
        return None;
    }
    let rivals = d.among(all);
    if rivals.len() == 1 && rng.random_bool(0.4) {
        return None;
    }
    let beyond = |s: &Symbol, axis: usize, sign: f32| sign * (s.centroid[axis] - anchor.centroid[axis]);
    let apart = |s: &Symbol| (s.centroid[0] - anchor.centroid[0]).hypot(0.75 * (s.centroid[1] - anchor.centroid[1]));
    // true of the target by a margin, and of no rival
    let only = |axis: usize, sign: f32| {
        beyond(target, axis, sign) > 0.07 && rivals.iter().all(|s| s.id == target.id || beyond(s, axis, sign) < 0.0)
    };
    let words: &[&str] = match rng.random_range(0..5) {
        0 if only(0, -1.0) => &["left of", "to the left of", "on the left of"],
        1 if only(0, 1.0) => &["right of", "to the right of", "on the right of"],
        2 if only(1, 1.0) && (target.centroid[0] - anchor.centroid[0]).abs() < 0.2 => &["in front of", "before"],
        3 if only(1, -1.0) && (target.centroid[0] - anchor.centroid[0]).abs() < 0.2 => &["behind", "in back of"],
        4 if apart(target) < 0.3 && rivals.iter().all(|s| s.id == target.id || apart(s) > 1.5 * apart(target)) => {
            &["next to", "beside", "near", "close to", "by"]
        }
        _ => return None,
    };
    let phrase = determined(&d.words(rng), rng);
    Some((format!("{phrase} {} the {}", words.choose(rng)?, a.words(rng)), phrase))
}

const COMMANDS: [&str; 44] = [
    "pick up {}",
    "please pick up {}",
    "pick {} up",
    "grab {}",
    "please grab {}",
    "take {}",
    "get {}",
    "get me {}",
    "bring me {}",
    "bring {}",
    "hand me {}",
    "please hand me {}",
    "give me {}",
    "pass me {}",
    "pass {}",
    "fetch {}",
    "fetch me {}",
    "lift {}",
    "raise {}",
    "grasp {}",
    "hold {}",
    "move {}",
    "push {}",
    "pull {}",
    "touch {}",
    "point at {}",
    "point to {}",
    "look at {}",
    "look for {}",
    "find {}",
    "locate {}",
    "show me {}",
    "go to {}",
    "move to {}",
    "drive to {}",
    "reach for {}",
    "remove {}",
    "select {}",
    "segment {}",
    "where is {}",
    "can you hand me {}",
    "could you please get {}",
    "i want {}",
    "i need {}",
];

const TAILS: [&str; 14] = [
    "", "", "", "", " please", " now", " for me", " from the table", " carefully", " and give it to me",
    " and bring it here", " and lift it", " quickly", " and hold it",
];

/// Wraps an expression into something one says to a robot.
fn command(text: &str, rng: &mut impl Rng) -> String {
    let object =
        if text.starts_with("the ") || rng.random_bool(0.2) { text.to_string() } else { format!("the {text}") };
    let form = COMMANDS.choose(rng).expect("the list is not empty");
    let tail = TAILS.choose(rng).expect("the list is not empty");
    format!("{}{tail}", form.replace("{}", &object))
}

/// One expression of `kind` for an object of the scene; `None` when the draw does not fit, try again.
pub fn draw(kind: Kind, all: &[Symbol], rng: &mut impl Rng) -> Option<Expression> {
    // what is nearly hidden is not referred to
    let clear: Vec<_> = all.iter().filter(|s| s.visible > 0.4).collect();
    let target = *clear.choose(rng)?;
    let (text, noun_phrase) = match kind {
        Kind::Attribute => attribute(target, all, rng)?,
        Kind::Position => position(target, all, rng)?,
        Kind::Relation => relation(target, all, rng)?,
        Kind::Superlative => superlative(target, all, rng)?,
        Kind::Command => {
            let inner =
                *[Kind::Attribute, Kind::Attribute, Kind::Position, Kind::Relation, Kind::Superlative].choose(rng)?;
            let plain = draw(inner, all, rng)?;
            return Some(Expression { text: command(&plain.text, rng), kind, ..plain });
        }
        Kind::Absent | Kind::Ambiguous => return open(kind, target, all, rng),
    };
    Some(Expression { text, noun_phrase, kind, target: target.id, fitting: vec![target.id] })
}

/// A description that fits no object, or several.
fn open(kind: Kind, like: &Symbol, all: &[Symbol], rng: &mut impl Rng) -> Option<Expression> {
    let mut d = Description::of(like, rng);
    d.size = None;
    if kind == Kind::Absent {
        match rng.random_range(0..3) {
            0 => d.colour = Some(*Colour::ALL.choose(rng)?),
            1 => d.noun = Noun::Category(*Category::ALL.choose(rng)?),
            _ => {
                d.colour = Some(*Colour::ALL.choose(rng)?);
                d.noun = Noun::Category(*Category::ALL.choose(rng)?);
            }
        }
    }
    let fitting: Vec<u8> = d.among(all).iter().map(|s| s.id).collect();
    if (kind == Kind::Absent) != fitting.is_empty() || fitting.len() == 1 {
        return None;
    }
    let phrase = determined(&d.words(rng), rng);
    let text = if rng.random_bool(0.4) { command(&phrase, rng) } else { phrase.clone() };
    Some(Expression { text, noun_phrase: phrase, kind, target: 0, fitting })
}
