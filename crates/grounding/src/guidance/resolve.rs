//! The resolver: which things a description means, as a probability for each, constraint by constraint.
//!
//! Things are proposals that stand for themselves (`things.rs`). A description's look gives each thing a probability;
//! every constraint multiplies it. An anchor is resolved in the same way and remains a distribution over things, as in
//! ReCLIP (Subramanian et al., ACL 2022, section 3.2): nothing is decided before the end.

use super::allowed::Allowed;
use super::appearance::Appearance;
use super::layout::{Layout, Outline};
use super::relations::{between, beyond, higher, stands, to_the_side};
use referseg_language::{Constraint, Description, Relation, Respect};
use std::cell::{Cell, RefCell};

/// Probability at which a thing counts half as one that fits, when things are counted or ordered. It is low: in a row a
/// mug that is hard to make out is still likelier one of the mugs than nothing. This and the next two were chosen on
/// the development set of docs/evaluation.md, on rendered scenes of seed 11 and on rows of things of PyBullet (seed 3000).
const HALF_FITS: f32 = 0.07;

/// Probability of being what is excluded at which a thing is half excluded.
const HALF_EXCLUDED: f32 = 0.3;

/// Probability of being a thing, rather than a part or background, at which a proposal counts half in an order.
const HALF_THING: f32 = 0.4;

/// Probability of the likeliest anchor at which it counts half as being there.
pub const HALF_THERE: f32 = 0.04;
/// How surely a proposal must be the table, for "on the table" to say something about the others.
const HALF_SUPPORT: f32 = 0.5;

/// What kind of reason a factor is; each is a scoring term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Reason {
    Description,
    Place,
    Order,
    Relation,
    Exclusion,
    Likeness,
}

/// A factor on every thing's probability.
pub struct Factor {
    /// What kind it is.
    pub reason: Reason,
    /// In words: "left of the box".
    pub words: String,
    /// For each thing, 0..1.
    pub values: Vec<f32>,
    /// The anchor that it hangs on, in words, with the best probability that something is it.
    pub anchor: Option<(String, f32)>,
}

/// A description resolved over things.
pub struct Resolved {
    /// All factors, the look first.
    pub factors: Vec<Factor>,
    /// Their product, for each thing, 0..1.
    pub fit: Vec<f32>,
}

/// What descriptions are resolved over.
pub struct Resolver<'a> {
    /// The proposals that stand for themselves.
    pub things: &'a [usize],
    /// What proposals look like.
    pub appearance: &'a Appearance<'a>,
    /// Where they are.
    pub layout: &'a Layout,
    /// Set when a distance or a height was judged by depth.
    pub by_depth: Cell<bool>,
    /// Whether sides and distances are the robot's ("on your left"), not the picture's.
    pub from_robot: bool,
    /// Set when a place was judged in the robot's frame.
    pub by_robot: Cell<bool>,
    /// For each description that was resolved, how surely each proposal looks like it, things or not.
    pub looks: RefCell<Vec<Vec<f32>>>,
}

/// How much a thing counts among those that fit.
fn counts(fit: f32) -> f32 {
    half_at(fit, HALF_FITS, 3)
}

/// A soft threshold: 0.5 at `half`, the steeper the higher the power.
pub fn half_at(value: f32, half: f32, power: i32) -> f32 {
    let (value, half) = (value.powi(power), half.powi(power));
    value / (value + half)
}

impl Resolver<'_> {
    pub fn outline(&self, i: usize) -> &Outline {
        &self.layout.outlines[self.things[i]]
    }

    /// How far a thing is from the camera, metres, where that is known.
    pub fn distance(&self, i: usize) -> Option<f32> {
        let depth = self.layout.depths.as_ref()?[self.things[i]];
        self.by_depth.set(true);
        Some(depth)
    }

    /// Where a thing is in the robot's frame, metres forward, left and up, where that is known.
    pub fn robot_place(&self, i: usize) -> Option<[f32; 3]> {
        let place = self.layout.robot.as_ref()?.places[self.things[i]];
        self.by_robot.set(true);
        Some(place)
    }

    /// For words that mean the robot: how far to its left a thing is, radians.
    pub fn bearing(&self, i: usize) -> Option<f32> {
        let [forward, left, _] = self.from_robot.then(|| self.robot_place(i))??;
        Some(left.atan2(forward))
    }

    /// Keys of an order by distance, nearest first, in parts of the picture or, by depth, of the distance.
    pub fn distances(&self) -> Vec<f32> {
        let from_robot = |i: usize| {
            let [forward, left, _] = self.from_robot.then(|| self.robot_place(i))??;
            Some(forward.hypot(left).max(1e-3).ln())
        };
        if let Some(keys) = self.all().map(from_robot).collect() {
            return keys;
        }
        let place = |i: usize| -self.outline(i).y;
        self.all().map(|i| self.distance(i).map_or_else(|| place(i), |metres| metres.ln())).collect()
    }

    /// Logarithms of heights: of the boxes, or by depth of the things themselves.
    pub fn heights(&self) -> Vec<f32> {
        let height = |i: usize| self.outline(i).height().max(1e-6).ln();
        self.all().map(|i| height(i) + self.distance(i).map_or(0.0, f32::ln)).collect()
    }

    pub fn all(&self) -> std::ops::Range<usize> {
        0..self.things.len()
    }

    /// Resolves a description; `withdrawn` are others that it must not be, `wanted` how many of an order's first are meant.
    pub fn resolve(&self, description: &Description, withdrawn: &[Description], wanted: usize) -> Resolved {
        self.resolve_allowed(description, withdrawn, wanted, None)
    }

    /// As [`Resolver::resolve`], among some of the proposals.
    pub fn resolve_allowed(
        &self,
        description: &Description,
        withdrawn: &[Description],
        wanted: usize,
        allowed: Option<&Allowed>,
    ) -> Resolved {
        let mut looks = self.appearance.looks(description);
        if let Some(Allowed { proposals, of_the_kind }) = allowed {
            for (i, look) in looks.iter_mut().enumerate() {
                *look = match proposals[i] {
                    false => 0.0,
                    true if *of_the_kind => self.appearance.described(i, description, 1.0),
                    true => *look,
                };
            }
        }
        let look: Vec<f32> = self.things.iter().map(|thing| looks[*thing]).collect();
        self.looks.borrow_mut().push(looks);
        let mut resolved = Resolved { fit: look.clone(), factors: Vec::new() };
        let words = format!("the {}", description.look());
        resolved.factors.push(Factor { reason: Reason::Description, words, values: look, anchor: None });
        let ranks = |constraint: &&Constraint| {
            matches!(constraint, Constraint::Order { .. } | Constraint::Place(_) | Constraint::Size(_))
        };
        for constraint in description.constraints.iter().filter(|constraint| !ranks(constraint)) {
            let factor = self.factor(constraint);
            resolved.take(factor);
        }
        for other in withdrawn {
            let values =
                self.resolve(other, &[], 1).fit.iter().map(|fit| 1.0 - half_at(*fit, HALF_EXCLUDED, 4)).collect();
            let words = format!("not {}", other.phrase);
            resolved.take(Some(Factor { reason: Reason::Exclusion, words, values, anchor: None }));
        }
        // ranks are counted over what fits everything else
        // counts as a thing at all, and as one of these if it is a thing: a mug that looks a little like a bowl still stands
        // in the row of mugs, a shadow that looks a little like a mug does not
        let counted = |(i, fit): (usize, &f32)| {
            let thing = self.appearance.thing(self.things[i]);
            counts(*fit / thing.max(1e-3)) * half_at(thing, HALF_THING, 6)
        };
        let fitting: Vec<f32> = resolved.fit.iter().enumerate().map(counted).collect();
        for constraint in description.constraints.iter().filter(ranks) {
            let factor = self.ranked(constraint, &fitting, wanted);
            resolved.take(factor);
        }
        if !description.alternatives.is_empty() {
            // "the mug or the can": a thing fits as far as it fits any of them
            let mut misfit: Vec<f32> = resolved.fit.iter().map(|fit| 1.0 - fit).collect();
            for other in &description.alternatives {
                let fit = self.resolve_allowed(other, &[], wanted, allowed).fit;
                misfit.iter_mut().zip(fit).for_each(|(misfit, fit)| *misfit *= 1.0 - fit);
            }
            let values: Vec<f32> = misfit.into_iter().map(|misfit| 1.0 - misfit).collect();
            let words = description.reading();
            resolved = Resolved {
                fit: values.clone(),
                factors: vec![Factor { reason: Reason::Description, words, values, anchor: None }],
            };
        }
        resolved
    }

    fn factor(&self, constraint: &Constraint) -> Option<Factor> {
        let words = constraint.reading();
        match constraint {
            Constraint::Relation { relation, anchors } => {
                let (values, anchor) = self.related(*relation, anchors);
                Some(Factor { reason: Reason::Relation, words, values, anchor })
            }
            Constraint::Lacks(look) => {
                let values = self.things.iter().map(|thing| 1.0 - self.appearance.attribute(*thing, look, None));
                Some(Factor { reason: Reason::Exclusion, words, values: values.collect(), anchor: None })
            }
            Constraint::Except(other) => {
                let fit = self.resolve(other, &[], 1).fit;
                let values = fit.iter().map(|fit| 1.0 - half_at(*fit, HALF_EXCLUDED, 4)).collect();
                Some(Factor { reason: Reason::Exclusion, words, values, anchor: None })
            }
            Constraint::Likeness { respect, alike, anchor } => {
                let anchors = self.resolve(anchor, &[], 1).fit;
                let alike_to = |i: usize| self.expected(&anchors, i, |j| self.alike(*respect, i, j));
                let values = self.all().map(|i| if *alike { alike_to(i) } else { self.unlike(&anchors, i, *respect) });
                let values = values.collect();
                Some(Factor { reason: Reason::Likeness, words, values, anchor: Some(best_of(anchor, &anchors)) })
            }
            _ => None,
        }
    }

    fn alike(&self, respect: Respect, i: usize, j: usize) -> f32 {
        match respect {
            Respect::Colour => self.appearance.same_colour(self.things[i], self.things[j]),
            Respect::Kind => self.appearance.same_kind(self.things[i], self.things[j]),
            Respect::Size => {
                let ratio = (self.outline(i).area / self.outline(j).area.max(1e-9)).max(1e-9).ln() / 0.4;
                (-ratio * ratio).exp()
            }
        }
    }

    fn unlike(&self, anchors: &[f32], i: usize, respect: Respect) -> f32 {
        self.expected(anchors, i, |j| 1.0 - self.alike(respect, i, j))
    }

    /// The expectation of a relation over what the anchor may be, never the thing itself; times how surely there is an
    /// anchor at all.
    fn expected(&self, anchors: &[f32], i: usize, relation: impl Fn(usize) -> f32) -> f32 {
        let total: f32 = anchors.iter().sum();
        if total < 1e-9 {
            return 0.0;
        }
        let others: f32 = self.all().filter(|j| *j != i).map(|j| anchors[j] / total * relation(j)).sum();
        let rest = (1.0 - anchors[i] / total).max(0.3);
        let there = half_at(anchors.iter().copied().fold(0.0, f32::max), HALF_THERE, 2);
        (others / rest).min(1.0) * there
    }

    fn related(&self, relation: Relation, anchors: &[Description]) -> (Vec<f32>, Option<(String, f32)>) {
        let fits: Vec<Vec<f32>> = anchors.iter().map(|anchor| self.resolve(anchor, &[], 1).fit).collect();
        let Some(first) = fits.first() else { return (vec![0.0; self.things.len()], None) };
        // the anchor that is hardest to find is the one to name
        let named =
            anchors.iter().zip(&fits).map(|(anchor, fit)| best_of(anchor, fit)).min_by(|a, b| a.1.total_cmp(&b.1));
        if relation == Relation::Between {
            let second = fits.get(1).unwrap_or(first);
            return (self.all().map(|i| self.between_them(first, second, fits.len() == 1, i)).collect(), named);
        }
        let values = self.all().map(|i| self.expected(first, i, |j| self.stands(relation, i, j)));
        let holds = matches!(relation, Relation::On | Relation::In | Relation::From);
        if holds && anchors.iter().all(Description::is_surrounding) {
            // the surface or the room is seldom proposed as a thing: as surely as it is not, anything may stand on it
            let there = half_at(first.iter().copied().fold(0.0, f32::max), HALF_SUPPORT, 4);
            return (values.map(|value| there * value + 1.0 - there).collect(), None);
        }
        (values.collect(), named)
    }

    /// How well a thing stands in a relation to another; in front and behind by depth, where that is known.
    fn stands(&self, relation: Relation, i: usize, j: usize) -> f32 {
        let (a, b) = (self.outline(i), self.outline(j));
        let sign = match relation {
            Relation::Behind => 1.0,
            Relation::InFrontOf => -1.0,
            Relation::Above | Relation::Below => {
                let sign = if relation == Relation::Above { 1.0 } else { -1.0 };
                return match (self.robot_place(i), self.robot_place(j)) {
                    (Some(own), Some(other)) => higher(sign, own, other),
                    _ => stands(relation, a, b),
                };
            }
            Relation::LeftOf | Relation::RightOf => {
                let sign = if relation == Relation::LeftOf { 1.0 } else { -1.0 };
                return match (self.bearing(i), self.bearing(j)) {
                    (Some(own), Some(other)) => to_the_side(sign * (own - other)),
                    _ => stands(relation, a, b),
                };
            }
            _ => return stands(relation, a, b),
        };
        match (self.distance(i), self.distance(j)) {
            (Some(own), Some(other)) => beyond(sign * (own / other).ln(), a, b),
            _ => stands(relation, a, b),
        }
    }

    /// Between two anchors, or between two of one kind.
    fn between_them(&self, first: &[f32], second: &[f32], pair: bool, i: usize) -> f32 {
        let (mut sum, mut total, mut there) = (0.0, 0.0f32, 0.0f32);
        for j in self.all().filter(|j| *j != i) {
            for k in self.all().filter(|k| *k != i && *k != j && (!pair || *k > j)) {
                let weight = first[j] * second[k];
                total += weight;
                there = there.max(first[j].min(second[k]));
                if weight > 1e-6 {
                    sum += weight * between(self.outline(i), self.outline(j), self.outline(k));
                }
            }
        }
        if total < 1e-9 {
            0.0
        } else {
            sum / total * half_at(there, HALF_THERE, 2)
        }
    }
}

pub fn best_of(anchor: &Description, fit: &[f32]) -> (String, f32) {
    (anchor.look(), fit.iter().copied().fold(0.0, f32::max))
}

impl Resolved {
    fn take(&mut self, factor: Option<Factor>) {
        let Some(factor) = factor else { return };
        for (fit, value) in self.fit.iter_mut().zip(&factor.values) {
            *fit *= value;
        }
        self.factors.push(factor);
    }

    /// The product of the factors of one reason, for each thing.
    pub fn product(&self, reason: Reason) -> Vec<f32> {
        let mut product = vec![1.0; self.fit.len()];
        for factor in self.factors.iter().filter(|factor| factor.reason == reason) {
            for (product, value) in product.iter_mut().zip(&factor.values) {
                *product *= value;
            }
        }
        product
    }
}

#[cfg(test)]
mod tests;
