//! Expressions as people vary them: places, orders, relations, exclusions and corrections, each with many wordings, and
//! things that are absent or ambiguous. For evaluation; every condition keeps a margin.

use crate::expression::Symbol;
use crate::scene::Colour;
use crate::shape::Category;
use rand::seq::IndexedRandom;
use rand::Rng;
use serde::Serialize;

/// An expression with what is right.
#[derive(Clone, Debug, Serialize)]
pub struct Spoken {
    pub text: String,
    /// What kind of words.
    pub kind: &'static str,
    /// Id of the object meant; 0 when there is not exactly one.
    pub target: u8,
    /// The status that is right.
    pub want: &'static str,
    /// Id of an object that must never be found; 0 for none.
    pub never: u8,
}

/// All kinds.
pub const KINDS: [&str; 18] = [
    "attr", "side", "corner", "middle", "ordinal", "camera", "two", "relation", "nearest", "between", "compound",
    "same", "negation", "instead", "correction", "forbidden", "absent", "ambiguous",
];

/// A noun phrase and what it demands.
#[derive(Clone, Copy)]
struct Noun {
    colour: Option<Colour>,
    category: Option<Category>,
}

impl Noun {
    fn of(s: &Symbol, rng: &mut impl Rng) -> Noun {
        match rng.random_range(0..10) {
            0..=4 => Noun { colour: None, category: Some(s.category) },
            5..=7 => Noun { colour: Some(s.colour), category: Some(s.category) },
            _ => Noun { colour: Some(s.colour), category: None },
        }
    }

    fn fits(&self, s: &Symbol) -> bool {
        self.colour.is_none_or(|c| c == s.colour) && self.category.is_none_or(|c| c == s.category)
    }

    fn among<'a>(&self, all: &'a [Symbol]) -> Vec<&'a Symbol> {
        all.iter().filter(|s| self.fits(s)).collect()
    }

    fn words(&self, rng: &mut impl Rng) -> String {
        let noun = self.category.map_or_else(|| pick(&["object", "thing", "item"], rng), |c| c.name());
        match self.colour {
            Some(Colour::Gray) => format!("{} {noun}", pick(&["gray", "grey"], rng)),
            Some(colour) => format!("{} {noun}", colour.name()),
            None => noun.to_string(),
        }
    }
}

fn pick<'a>(from: &[&'a str], rng: &mut impl Rng) -> &'a str {
    from.choose(rng).copied().unwrap_or_default()
}

/// Fills `{n}`, `{a}`, `{b}`, `{x}` of one of some forms.
fn fill(forms: &[&str], parts: &[(&str, &str)], rng: &mut impl Rng) -> String {
    let mut text = pick(forms, rng).to_string();
    for (name, value) in parts {
        text = text.replace(name, value);
    }
    text
}

/// `key` of `best` is smallest among `rivals` by a margin.
fn first(best: &Symbol, rivals: &[&Symbol], key: impl Fn(&Symbol) -> f32, margin: f32) -> bool {
    rivals.iter().filter(|s| s.id != best.id).all(|s| key(s) - key(best) > margin)
}

fn apart(a: &Symbol, b: &Symbol) -> f32 {
    (a.centroid[0] - b.centroid[0]).hypot(0.75 * (a.centroid[1] - b.centroid[1]))
}

const WRAPS: [&str; 14] = [
    "{}", "{}", "{}", "{}", "grab {}", "please take {}", "could you bring me {}", "give me {}, please", "find {}",
    "I need {}", "would you hand me {}?", "show me {}", "robot, fetch {}", "pick {} up",
];

fn wrapped(text: &str, rng: &mut impl Rng) -> String {
    if text.starts_with("counting") {
        return text.to_string();
    }
    let form = pick(&WRAPS, rng);
    // a long phrase is not parted from its verb's particle
    let form = if form == "pick {} up" && text.split(' ').count() > 3 { "get {}" } else { form };
    form.replace("{}", text)
}

/// One expression of a kind; `None` when the draw does not fit the scene, try again.
pub fn draw(kind: &'static str, all: &[Symbol], rng: &mut impl Rng) -> Option<Spoken> {
    let clear: Vec<&Symbol> = all.iter().filter(|s| s.visible > 0.5).collect();
    let target = *clear.choose(rng)?;
    let noun = Noun::of(target, rng);
    let rivals = noun.among(all);
    let [x, y] = target.centroid;
    let n = noun.words(rng);
    let found = |text: String, never: u8| Some(Spoken { text, kind, target: target.id, want: "FOUND", never });
    let sides: [(&str, &str, usize, f32); 2] = [("left", "left", 0, 1.0), ("right", "right", 0, -1.0)];
    match kind {
        "attr" if rivals.len() == 1 => found(wrapped(&format!("the {n}"), rng), 0),
        "side" if rivals.len() > 1 => {
            let (side, axis, sign) =
                *[("left", 0, 1.0), ("right", 0, -1.0), ("front", 1, -1.0), ("back", 1, 1.0)].choose(rng)?;
            let part = if sign > 0.0 { target.centroid[axis] } else { 1.0 - target.centroid[axis] };
            if part > 0.45 || !first(target, &rivals, |s| sign * s.centroid[axis], 0.12) {
                return None;
            }
            let forms: &[&str] = match side {
                "left" | "right" => &[
                    "the {n} on the {s}",
                    "the {n} to the {s}",
                    "the {s} {n}",
                    "the {n} on the {s} side",
                    "the {n} at the {s}",
                    "the {n} on your {s}",
                    "the {s}-hand {n}",
                    "the {n} that is on the {s}",
                    "the {n} on the {s} side of the table",
                    "the {n} in the {s} half of the picture",
                ],
                "front" => &[
                    "the {n} in front",
                    "the front {n}",
                    "the {n} at the front",
                    "the {n} close to us",
                    "the {n} near the camera",
                ],
                _ => &[
                    "the {n} in the back",
                    "the {n} at the back",
                    "the {n} at the rear",
                    "the {n} far away",
                    "the {n} in the background",
                ],
            };
            let text = fill(forms, &[("{n}", &n), ("{s}", side)], rng);
            found(wrapped(&text, rng), 0)
        }
        "corner" => {
            let (vertical, horizontal) =
                (if y < 0.5 { ["top", "upper"] } else { ["bottom", "lower"] }, if x < 0.5 { "left" } else { "right" });
            let away = |s: &Symbol| (s.centroid[0] - x.round()).hypot(0.75 * (s.centroid[1] - y.round()));
            if away(target) > 0.38
                || (x - 0.5).abs() < 0.15
                || (y - 0.5).abs() < 0.12
                || !first(target, &rivals, away, 0.1)
            {
                return None;
            }
            let v = pick(&vertical, rng);
            let forms = [
                "the {n} in the {v} {h} corner",
                "the {n} at the {v} {h}",
                "the {v} {h} {n}",
                "the {n} in the {v} {h}",
                "the {n} near the {v} {h} corner",
                "the {n} in the {v}-{h} corner",
                "the {v}-{h} {n}",
                "the {n} in the {v} {h}-hand corner",
                "the {n} in the {v} {h} part of the image",
            ];
            let text = fill(&forms, &[("{n}", &n), ("{v}", v), ("{h}", horizontal)], rng);
            found(wrapped(&text, rng), 0)
        }
        "middle" if rivals.len() > 2 => {
            let away = |s: &Symbol| (s.centroid[0] - 0.5).hypot(0.75 * (s.centroid[1] - 0.5));
            if away(target) > 0.16 || !first(target, &rivals, away, 0.12) {
                return None;
            }
            let forms = [
                "the {n} in the middle",
                "the middle {n}",
                "the {n} in the center",
                "the {n} in the centre of the picture",
                "the central {n}",
            ];
            found(wrapped(&fill(&forms, &[("{n}", &n)], rng), rng), 0)
        }
        "ordinal" if rivals.len() > 2 => {
            let (side, _, _, sign) = *sides.choose(rng)?;
            let mut row = rivals.clone();
            row.sort_by(|a, b| (sign * a.centroid[0]).total_cmp(&(sign * b.centroid[0])));
            let close = row.windows(2).any(|w| (w[0].centroid[0] - w[1].centroid[0]).abs() < 0.04);
            let rank = row.iter().position(|s| s.id == target.id)?;
            if close || rank == 0 {
                return None;
            }
            let last = rank == row.len() - 1 && rng.random_bool(0.3);
            let word = if last {
                "last"
            } else {
                ["first", "second", "third", "fourth", "fifth", "sixth", "seventh"].get(rank)?
            };
            let forms = [
                "the {r} {n} from the {s}",
                "the {n} that is {r} from the {s}",
                "{r} {n} from {s}",
                "the {r} {n} counting from the {s}",
                "counting from the {s}, the {r} {n}",
                "the {n} {r} from the {s}",
                "the {r} {n} from the {s} side",
                "the {r} {n} starting from the {s}",
            ];
            found(wrapped(&fill(&forms, &[("{n}", &n), ("{r}", word), ("{s}", side)], rng), rng), 0)
        }
        "camera" if rivals.len() > 1 => {
            let (sign, forms): (f32, &[&str]) = match rng.random_bool(0.5) {
                true => (
                    1.0,
                    &[
                        "the {n} closest to us",
                        "the {n} nearest to the camera",
                        "the nearest {n}",
                        "the closest {n} to me",
                        "the {n} that is closest to the robot",
                        "the {n} nearest to you",
                        "the {n} closest to where you are",
                        "the frontmost {n}",
                    ],
                ),
                false => (
                    -1.0,
                    &[
                        "the {n} farthest from us",
                        "the {n} furthest from the camera",
                        "the farthest {n}",
                        "the {n} most distant from us",
                        "the {n} furthest away from me",
                        "the {n} that is farthest away",
                        "the furthest {n}",
                        "the rearmost {n}",
                    ],
                ),
            };
            // both the distance and the place in the picture say so
            let nearer = |s: &Symbol| sign * s.depth;
            let lower = |s: &Symbol| -sign * s.centroid[1];
            if !first(target, &rivals, nearer, 0.25) || !first(target, &rivals, lower, 0.08) {
                return None;
            }
            found(wrapped(&fill(forms, &[("{n}", &n)], rng), rng), 0)
        }
        "two" if rivals.len() > 1 => {
            let area = |s: &Symbol| (s.area as f32).ln();
            let whole = rivals.iter().all(|s| s.visible > 0.9);
            let forms: &[&str] = match rng.random_range(0..4) {
                0 if first(target, &rivals, |s| s.centroid[0], 0.08) => &[
                    "the leftmost {n}",
                    "the {n} furthest left",
                    "the {n} on the far left",
                    "the {n} farthest to the left",
                    "the far left {n}",
                ],
                1 if first(target, &rivals, |s| -s.centroid[0], 0.08) => &[
                    "the rightmost {n}",
                    "the {n} furthest right",
                    "the {n} on the far right",
                    "the {n} most to the right",
                    "the {n} all the way to the right",
                ],
                2 if whole && first(target, &rivals, |s| -area(s), 0.4) => {
                    &["the biggest {n}", "the largest {n}", "the {n} that is the largest", "the larger {n}"]
                }
                3 if whole && first(target, &rivals, area, 0.4) => {
                    &["the smallest {n}", "the tiniest {n}", "the {n} that is the smallest", "the smaller {n}"]
                }
                _ => return None,
            };
            found(wrapped(&fill(forms, &[("{n}", &n)], rng), rng), 0)
        }
        "relation" | "compound" if rivals.len() > 1 => {
            let anchor = *clear.choose(rng)?;
            let a = Noun::of(anchor, rng);
            let anchors = a.among(all);
            if anchor.id == target.id || noun.fits(anchor) && kind == "relation" || a.fits(target) && kind == "relation"
            {
                return None;
            }
            let mut named = format!("the {}", a.words(rng));
            if kind == "compound" {
                let (side, sign) = *[("left", 1.0f32), ("right", -1.0)].choose(rng)?;
                if anchors.len() < 2 || !first(anchor, &anchors, |s| sign * s.centroid[0], 0.12) {
                    return None;
                }
                let form = pick(
                    &["the {a} on the {s}", "the {s}most {a}", "the {a} that is on the {s}", "the {a} on the far {s}"],
                    rng,
                );
                named = form.replace("{a}", &a.words(rng)).replace("{s}", side);
            } else if anchors.len() != 1 {
                return None;
            }
            let beyond = |s: &Symbol, axis: usize, sign: f32| sign * (s.centroid[axis] - anchor.centroid[axis]);
            let others = || rivals.iter().filter(|s| s.id != target.id && s.id != anchor.id);
            let only = |axis: usize, sign: f32| {
                beyond(target, axis, sign) > 0.08 && others().all(|s| beyond(s, axis, sign) < -0.02)
            };
            let level = (x - anchor.centroid[0]).abs() < 0.18;
            let forms: &[&str] = match rng.random_range(0..4) {
                0 if only(0, -1.0) => &[
                    "the {n} left of {a}",
                    "the {n} to the left of {a}",
                    "the {n} on the left side of {a}",
                    "the {n} that is left of {a}",
                    "the {n} standing to the left of {a}",
                ],
                1 if only(0, 1.0) => &[
                    "the {n} right of {a}",
                    "the {n} to the right of {a}",
                    "the {n} on the right side of {a}",
                    "the {n} which is right of {a}",
                ],
                2 if level && only(1, 1.0) => {
                    &["the {n} in front of {a}", "the {n} that is in front of {a}", "the {n} closer to us than {a}"]
                }
                3 if level && only(1, -1.0) => &[
                    "the {n} behind {a}",
                    "the {n} that is behind {a}",
                    "the {n} located behind {a}",
                    "the {n} directly behind {a}",
                ],
                _ => return None,
            };
            found(wrapped(&fill(forms, &[("{n}", &n), ("{a}", &named)], rng), rng), 0)
        }
        "nearest" => {
            let anchor = *clear.choose(rng)?;
            let a = Noun::of(anchor, rng);
            let rivals: Vec<&Symbol> = rivals.into_iter().filter(|s| s.id != anchor.id).collect();
            if anchor.id == target.id || a.among(all).len() != 1 || rivals.len() < 2 {
                return None;
            }
            let forms: &[&str] = match rng.random_bool(0.5) {
                true if first(target, &rivals, |s| apart(s, anchor), 0.1) => &[
                    "the {n} closest to {a}",
                    "the {n} nearest to {a}",
                    "the {n} nearest {a}",
                    "the nearest {n} to {a}",
                    "the {n} that is closest to {a}",
                    "the closest {n} to {a}",
                ],
                false if first(target, &rivals, |s| -apart(s, anchor), 0.1) => &[
                    "the {n} farthest from {a}",
                    "the {n} furthest away from {a}",
                    "the {n} most distant from {a}",
                    "the {n} that is furthest from {a}",
                ],
                _ => return None,
            };
            let named = format!("the {}", a.words(rng));
            found(wrapped(&fill(forms, &[("{n}", &n), ("{a}", &named)], rng), rng), 0)
        }
        "between" => {
            let (a, b) = (*clear.choose(rng)?, *clear.choose(rng)?);
            let (na, nb) = (Noun::of(a, rng), Noun::of(b, rng));
            if a.id == b.id
                || a.id == target.id
                || b.id == target.id
                || na.among(all).len() != 1
                || nb.among(all).len() != 1
            {
                return None;
            }
            let aligned = |s: &Symbol| {
                let (ux, uy) = (b.centroid[0] - a.centroid[0], 0.75 * (b.centroid[1] - a.centroid[1]));
                let (px, py) = (s.centroid[0] - a.centroid[0], 0.75 * (s.centroid[1] - a.centroid[1]));
                let length = ux.hypot(uy).max(1e-3);
                ((px * ux + py * uy) / (length * length), ((px * uy - py * ux) / length).abs(), length)
            };
            let within = |s: &Symbol, low: f32, wide: f32| {
                let (along, across, length) = aligned(s);
                (low..1.0 - low).contains(&along) && across < wide * length
            };
            let rivals: Vec<&Symbol> = rivals.into_iter().filter(|s| s.id != a.id && s.id != b.id).collect();
            if !within(target, 0.25, 0.2) || rivals.iter().any(|s| s.id != target.id && within(s, 0.05, 0.6)) {
                return None;
            }
            let forms = [
                "the {n} between {a} and {b}",
                "the {n} in between {a} and {b}",
                "the {n} that is between {a} and {b}",
                "the {n} that stands between {a} and {b}",
            ];
            let (wa, wb) = (format!("the {}", na.words(rng)), format!("the {}", nb.words(rng)));
            found(wrapped(&fill(&forms, &[("{n}", &n), ("{a}", &wa), ("{b}", &wb)], rng), rng), 0)
        }
        "same" => {
            let anchor = *clear.choose(rng)?;
            let own = Noun { colour: None, category: Some(target.category) };
            let a = Noun { colour: None, category: Some(anchor.category) };
            let alike = all.iter().filter(|s| s.category == target.category && s.colour == anchor.colour).count();
            if anchor.category == target.category
                || anchor.colour != target.colour
                || a.among(all).len() != 1
                || alike != 1
                || own.among(all).len() < 2
            {
                return None;
            }
            let forms = [
                "the {n} that has the same color as {a}",
                "the {n} with the same colour as {a}",
                "the {n} in the same colour as {a}",
                "the {n} of the same color as {a}",
                "the {n} that is the same colour as {a}",
                "the {n} whose colour is the same as that of {a}",
                "the {n} matching the colour of {a}",
            ];
            let wa = format!("the {}", a.words(rng));
            found(wrapped(&fill(&forms, &[("{n}", own.category?.name()), ("{a}", &wa)], rng), rng), 0)
        }
        "negation" | "instead" | "correction" | "forbidden" => {
            // two of one category in different colours, and no third
            let category = Noun { colour: None, category: Some(target.category) };
            let two = category.among(all);
            let other = *two.iter().find(|s| s.colour != target.colour)?;
            if two.len() != 2 {
                return None;
            }
            let (n, c, o) = (target.category.name(), target.colour.name(), other.colour.name());
            let parts = [("{n}", n), ("{c}", c), ("{o}", o)];
            if kind == "forbidden" {
                let forms = [
                    "don't touch the {o} {n}",
                    "do not pick up the {o} {n}",
                    "leave the {o} {n} alone",
                    "never take the {o} {n}",
                    "avoid the {o} {n}",
                ];
                return Some(Spoken {
                    text: fill(&forms, &parts, rng),
                    kind,
                    target: 0,
                    want: "NOT_FOUND",
                    never: other.id,
                });
            }
            let forms: &[&str] = match kind {
                "negation" => &[
                    "the {n} that isn't {o}",
                    "the {n} which is not {o}",
                    "the non-{o} {n}",
                    "any {n} except the {o} one",
                    "the {n} other than the {o} one",
                    "the {n}, but not the {o} one",
                    "a {n} that's not {o}",
                    "any {n} but the {o} one",
                    "the {n}, not the {o} one",
                    "not the {o} {n}, the other one",
                ],
                "instead" => &[
                    "don't take the {o} {n}, take the {c} {n}",
                    "take the {c} {n} instead of the {o} one",
                    "instead of the {o} {n} grab the {c} one",
                    "not the {o} {n} but the {c} one",
                    "I don't want the {o} {n}, I want the {c} one",
                    "the {c} {n} rather than the {o} one",
                    "leave the {o} {n} and take the {c} one",
                ],
                _ => &[
                    "pick up the {o} {n}, no wait, the {c} one",
                    "take the {o} {n}, sorry, I mean the {c} one",
                    "the {o} {n}, no, the {c} {n}",
                    "grab the {o} {n} - actually the {c} one",
                    "give me the {o} {n}, I meant the {c} one",
                    "get the {o} {n}. No, make that the {c} one",
                    "the {o} {n}, or rather the {c} one",
                ],
            };
            found(fill(forms, &parts, rng), other.id)
        }
        "absent" => {
            let noun = match rng.random_range(0..3) {
                0 => Noun { colour: Some(*Colour::ALL.choose(rng)?), category: Some(target.category) },
                1 => Noun { colour: None, category: Some(*Category::ALL.choose(rng)?) },
                _ => Noun { colour: Some(*Colour::ALL.choose(rng)?), category: Some(*Category::ALL.choose(rng)?) },
            };
            // people say cup for mug, and box for cube: neither is clearly absent beside the other
            let near = |a: Category, b: Category| {
                let pair = |p, q| (a == p && b == q) || (a == q && b == p);
                a == b || pair(Category::Cup, Category::Mug) || pair(Category::Box, Category::Cube)
            };
            let there = |s: &Symbol| {
                noun.colour.is_none_or(|c| c == s.colour) && noun.category.is_some_and(|c| near(c, s.category))
            };
            if all.iter().any(there) {
                return None;
            }
            let text = wrapped(&format!("the {}", noun.words(rng)), rng);
            Some(Spoken { text, kind, target: 0, want: "NOT_FOUND", never: 0 })
        }
        "ambiguous" if rivals.len() > 1 => {
            Some(Spoken { text: wrapped(&format!("the {n}"), rng), kind, target: 0, want: "AMBIGUOUS", never: 0 })
        }
        _ => None,
    }
}
