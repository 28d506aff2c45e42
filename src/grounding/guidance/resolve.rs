//! The resolver: which things a description means, as a probability for each, constraint by constraint.
//!
//! Things are proposals that stand for themselves (`things.rs`). A description's look gives each thing a probability;
//! every constraint multiplies it. An anchor is resolved in the same way and remains a distribution over things, as in
//! ReCLIP (Subramanian et al., ACL 2022, section 3.2): nothing is decided before the end.

use super::appearance::Appearance;
use super::layout::{Layout, Outline};
use super::relations::{between, beyond, sigmoid, stands, SOFT};
use crate::language::{Constraint, Description, Order, Place, Relation, Respect, Size};
use std::cell::Cell;

/// Probability at which a thing counts half as one that fits, when things are counted or ordered.
const HALF_FITS: f32 = 0.3;

/// Softness of comparisons of sizes, in logarithms.
const SOFT_SIZE: f32 = 0.08;

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
}

/// How much a thing counts among those that fit.
fn counts(fit: f32) -> f32 {
    fit * fit / (fit * fit + HALF_FITS * HALF_FITS)
}

/// Probability that exactly `before` of independent events come true.
fn exactly(events: impl Iterator<Item = f32>, before: usize) -> f32 {
    let mut chances = vec![0.0; before + 1];
    chances[0] = 1.0;
    for event in events {
        for k in (0..=before).rev() {
            let come = if k > 0 { chances[k - 1] * event } else { 0.0 };
            chances[k] = chances[k] * (1.0 - event) + come;
        }
    }
    chances[before]
}

impl Resolver<'_> {
    fn outline(&self, i: usize) -> &Outline {
        &self.layout.outlines[self.things[i]]
    }

    /// How far a thing is from the camera, metres, where that is known.
    fn distance(&self, i: usize) -> Option<f32> {
        let depth = self.layout.depths.as_ref()?[self.things[i]];
        self.by_depth.set(true);
        Some(depth)
    }

    /// Keys of an order by distance, nearest first, in parts of the picture or, by depth, of the distance.
    fn distances(&self) -> Vec<f32> {
        let place = |i: usize| -self.outline(i).y;
        self.all().map(|i| self.distance(i).map_or_else(|| place(i), |metres| metres.ln())).collect()
    }

    /// Logarithms of heights: of the boxes, or by depth of the things themselves.
    fn heights(&self) -> Vec<f32> {
        let height = |i: usize| self.outline(i).height().max(1e-6).ln();
        self.all().map(|i| height(i) + self.distance(i).map_or(0.0, f32::ln)).collect()
    }

    fn all(&self) -> std::ops::Range<usize> {
        0..self.things.len()
    }

    /// Resolves a description; `withdrawn` are others that it must not be, `wanted` how many of an order's first are meant.
    pub fn resolve(&self, description: &Description, withdrawn: &[Description], wanted: usize) -> Resolved {
        let look: Vec<f32> = self.things.iter().map(|thing| self.appearance.look(*thing, description)).collect();
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
            let values = self.resolve(other, &[], 1).fit.iter().map(|fit| 1.0 - counts(*fit)).collect();
            let words = format!("not {}", other.phrase);
            resolved.take(Some(Factor { reason: Reason::Exclusion, words, values, anchor: None }));
        }
        // ranks are counted over what fits everything else
        let fitting: Vec<f32> = resolved.fit.iter().map(|fit| counts(*fit)).collect();
        for constraint in description.constraints.iter().filter(ranks) {
            let factor = self.ranked(constraint, &fitting, wanted);
            resolved.take(factor);
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
                let values = fit.iter().map(|fit| 1.0 - counts(*fit)).collect();
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
        let there = counts(anchors.iter().copied().fold(0.0, f32::max));
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
        (values.collect(), named)
    }

    /// How well a thing stands in a relation to another; in front and behind by depth, where that is known.
    fn stands(&self, relation: Relation, i: usize, j: usize) -> f32 {
        let (a, b) = (self.outline(i), self.outline(j));
        let sign = match relation {
            Relation::Behind => 1.0,
            Relation::InFrontOf => -1.0,
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
            sum / total * counts(there)
        }
    }

    /// Places, sizes and ranks among the things that fit.
    fn ranked(&self, constraint: &Constraint, fitting: &[f32], wanted: usize) -> Option<Factor> {
        let words = constraint.reading();
        match constraint {
            Constraint::Place(place) => {
                let values = self.placed(*place, fitting);
                Some(Factor { reason: Reason::Place, words, values, anchor: None })
            }
            Constraint::Size(size) => {
                let values = self.sized(*size, fitting);
                Some(Factor { reason: Reason::Place, words, values, anchor: None })
            }
            Constraint::Order { rank, by } => {
                let (values, anchor) = self.first_few(*rank, by, fitting, wanted);
                Some(Factor { reason: Reason::Order, words, values, anchor })
            }
            _ => None,
        }
    }

    /// For each thing, the probability that it has this rank among the fitting ones, the smallest key first.
    fn rank(&self, rank: i32, fitting: &[f32], keys: &[f32], soft: f32) -> Vec<f32> {
        let (sign, nth) = if rank < 0 { (-1.0, -rank) } else { (1.0, rank) };
        let before = nth.unsigned_abs().max(1) as usize - 1;
        let value = |i: usize| {
            let earlier = |j: usize| fitting[j] * sigmoid(sign * (keys[i] - keys[j]) / soft);
            exactly(self.all().filter(|j| *j != i).map(earlier), before)
        };
        self.all().map(value).collect()
    }

    fn keys(&self, key: impl Fn(&Outline) -> f32) -> Vec<f32> {
        self.all().map(|i| key(self.outline(i))).collect()
    }

    /// As `ordered`, but for the `wanted` ranks from this one on.
    fn first_few(&self, rank: i32, by: &Order, fitting: &[f32], wanted: usize) -> (Vec<f32>, Option<(String, f32)>) {
        let (mut values, anchor) = self.ordered(rank, by, fitting);
        for more in 1..i32::try_from(wanted.min(self.things.len())).unwrap_or(1) {
            let (next, _) = self.ordered(rank + rank.signum() * more, by, fitting);
            values.iter_mut().zip(next).for_each(|(value, next)| *value = (*value + next).min(1.0));
        }
        (values, anchor)
    }

    fn ordered(&self, rank: i32, by: &Order, fitting: &[f32]) -> (Vec<f32>, Option<(String, f32)>) {
        let by_key = |key: &dyn Fn(&Outline) -> f32, soft: f32| (self.rank(rank, fitting, &self.keys(key), soft), None);
        let by_keys = |keys: Vec<f32>, sign: f32, soft: f32| {
            let keys: Vec<f32> = keys.into_iter().map(|key| sign * key).collect();
            (self.rank(rank, fitting, &keys, soft), None)
        };
        match by {
            Order::Leftmost => by_key(&|o| o.x, SOFT),
            Order::Rightmost => by_key(&|o| -o.x, SOFT),
            Order::Topmost => by_key(&|o| o.y, SOFT),
            Order::Bottommost => by_key(&|o| -o.y, SOFT),
            Order::Nearest => by_keys(self.distances(), 1.0, SOFT),
            Order::Farthest => by_keys(self.distances(), -1.0, SOFT),
            Order::Largest => by_key(&|o| -o.area.ln(), SOFT_SIZE),
            Order::Smallest => by_key(&|o| o.area.ln(), SOFT_SIZE),
            Order::Tallest => by_keys(self.heights(), -1.0, SOFT_SIZE),
            Order::Lowest => by_keys(self.heights(), 1.0, SOFT_SIZE),
            Order::Central => by_key(&|o| (o.x - 0.5).hypot(o.y - self.layout.height / 2.0), SOFT),
            Order::NearestTo(anchor) => self.by_distance(rank, 1.0, anchor, fitting),
            Order::FarthestFrom(anchor) => self.by_distance(rank, -1.0, anchor, fitting),
        }
    }

    fn by_distance(
        &self,
        rank: i32,
        sign: f32,
        anchor: &Description,
        fitting: &[f32],
    ) -> (Vec<f32>, Option<(String, f32)>) {
        let anchors = self.resolve(anchor, &[], 1).fit;
        let total: f32 = anchors.iter().sum::<f32>().max(1e-9);
        let there = counts(anchors.iter().copied().fold(0.0, f32::max));
        let mut values = vec![0.0; self.things.len()];
        for j in self.all().filter(|j| anchors[*j] > 1e-3 * total) {
            let mut rivals = fitting.to_vec();
            rivals[j] = 0.0; // the anchor itself is not among those that are ranked
            let distances = self.keys(|o| sign * o.distance(self.outline(j)));
            for (i, value) in self.rank(rank, &rivals, &distances, SOFT).into_iter().enumerate() {
                if i != j {
                    values[i] += anchors[j] / total * value * there;
                }
            }
        }
        // as in `expected`: never the thing itself
        for (i, value) in values.iter_mut().enumerate() {
            *value = (*value / (1.0 - anchors[i] / total).max(0.3)).min(1.0);
        }
        (values, Some(best_of(anchor, &anchors)))
    }

    /// Half by where it is, half by whether another one that fits is farther out.
    fn placed(&self, place: Place, fitting: &[f32]) -> Vec<f32> {
        let h = self.layout.height;
        let ramp = |part: f32| sigmoid((0.5 - part) / 0.12); // 1 at the near end, 0 at the far one
        let corner = |x: f32, y: f32| -> (Vec<f32>, Vec<f32>) {
            let keys = self.keys(|o| (o.x - x).hypot(o.y - y * h));
            let at = |o: &Outline| ramp((o.x - x).abs()) * ramp((o.y / h - y).abs());
            (keys, self.all().map(|i| at(self.outline(i))).collect())
        };
        let along = |key: &dyn Fn(&Outline) -> f32, part: &dyn Fn(&Outline) -> f32| -> (Vec<f32>, Vec<f32>) {
            (self.keys(key), self.all().map(|i| ramp(part(self.outline(i)))).collect())
        };
        let (keys, at) = match place {
            Place::Left => along(&|o| o.x, &|o| o.x),
            Place::Right => along(&|o| -o.x, &|o| 1.0 - o.x),
            Place::Top => along(&|o| o.y, &|o| o.y / h),
            Place::Bottom => along(&|o| -o.y, &|o| 1.0 - o.y / h),
            Place::Back => (self.distances().iter().map(|key| -key).collect(), along(&|o| o.y, &|o| o.y / h).1),
            Place::Front => (self.distances(), along(&|o| -o.y, &|o| 1.0 - o.y / h).1),
            Place::Middle => {
                let away = |o: &Outline| (o.x - 0.5).hypot(0.5 * (o.y - h / 2.0));
                along(&away, &|o| 2.0 * away(o))
            }
            Place::TopLeft => corner(0.0, 0.0),
            Place::TopRight => corner(1.0, 0.0),
            Place::BottomLeft => corner(0.0, 1.0),
            Place::BottomRight => corner(1.0, 1.0),
        };
        let first = self.rank(1, fitting, &keys, SOFT);
        first.into_iter().zip(at).map(|(first, at)| 0.6 * first + 0.4 * at).collect()
    }

    fn sized(&self, size: Size, fitting: &[f32]) -> Vec<f32> {
        let sizes: Vec<f32> = match size {
            Size::Tall | Size::Short => self.heights().into_iter().map(|height| 2.0 * height).collect(),
            _ => self.keys(|o| o.area.max(1e-9).ln()),
        };
        let mut sorted = sizes.clone();
        sorted.sort_by(f32::total_cmp);
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
        let sign = if matches!(size, Size::Large | Size::Tall) { -1.0 } else { 1.0 };
        if size == Size::Medium {
            return sizes.iter().map(|own| (-((own - median) / 0.8).powi(2)).exp()).collect();
        }
        let keys: Vec<f32> = sizes.iter().map(|own| sign * own).collect();
        let first = self.rank(1, fitting, &keys, 2.0 * SOFT_SIZE);
        let at = sizes.iter().map(|own| sigmoid(sign * (median - own) / 0.4));
        first.into_iter().zip(at).map(|(first, at)| 0.5 * first + 0.5 * at).collect()
    }
}

fn best_of(anchor: &Description, fit: &[f32]) -> (String, f32) {
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
