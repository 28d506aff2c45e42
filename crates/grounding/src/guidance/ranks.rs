//! Places, sizes and ranks: how well a thing fits them among the things that fit the rest of the description.

use super::layout::Outline;
use super::relations::{sigmoid, SOFT, SOFT_BEARING, SOFT_HEIGHT};
use super::resolve::{best_of, half_at, Factor, Reason, Resolver, HALF_THERE};
use referseg_language::{Constraint, Description, Order, Place, Size};

/// Softness of comparisons of sizes, in logarithms.
const SOFT_SIZE: f32 = 0.08;

/// Softness of comparisons of brightness and of colours, in parts of their range.
pub const SOFT_BRIGHTNESS: f32 = 0.03;

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
    /// Places, sizes and ranks among the things that fit.
    pub fn ranked(&self, constraint: &Constraint, fitting: &[f32], wanted: usize) -> Option<Factor> {
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
        let robots = |key: &dyn Fn(usize) -> Option<f32>| self.all().map(key).collect::<Option<Vec<f32>>>();
        let height = |i: usize| Some(-self.robot_place(i)?[2]);
        let bearing = |i: usize| Some(-self.bearing(i)?);
        match by {
            Order::Leftmost | Order::Rightmost if self.from_robot => match robots(&bearing) {
                Some(keys) => by_keys(keys, if *by == Order::Leftmost { 1.0 } else { -1.0 }, SOFT_BEARING),
                None => by_key(&|o| if *by == Order::Leftmost { o.x } else { -o.x }, SOFT),
            },
            Order::Leftmost => by_key(&|o| o.x, SOFT),
            Order::Rightmost => by_key(&|o| -o.x, SOFT),
            Order::Topmost | Order::Bottommost => {
                let sign = if *by == Order::Topmost { 1.0 } else { -1.0 };
                match robots(&height) {
                    Some(keys) => by_keys(keys, sign, SOFT_HEIGHT),
                    None => by_key(&|o| sign * o.y, SOFT),
                }
            }
            Order::Nearest => by_keys(self.distances(), 1.0, SOFT),
            Order::Farthest => by_keys(self.distances(), -1.0, SOFT),
            Order::Largest => by_key(&|o| -o.area.ln(), SOFT_SIZE),
            Order::Smallest => by_key(&|o| o.area.ln(), SOFT_SIZE),
            Order::Tallest => by_keys(self.heights(), -1.0, SOFT_SIZE),
            Order::Lowest => by_keys(self.heights(), 1.0, SOFT_SIZE),
            Order::Widest => by_key(&|o| -(o.right - o.left).max(1e-6).ln(), SOFT_SIZE),
            Order::Brightest => by_key(&|o| -o.brightness, SOFT_BRIGHTNESS),
            Order::Darkest => by_key(&|o| o.brightness, SOFT_BRIGHTNESS),
            Order::MostColoured(colour) => {
                let keys = self.all().map(|i| -self.appearance.attribute(self.things[i], colour, None)).collect();
                by_keys(keys, 1.0, SOFT_BRIGHTNESS)
            }
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
        let there = half_at(anchors.iter().copied().fold(0.0, f32::max), HALF_THERE, 2);
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
        let bearings = |sign: f32| -> Option<(Vec<f32>, Vec<f32>)> {
            let bearings = self.all().map(|i| self.bearing(i)).collect::<Option<Vec<f32>>>()?;
            let at = bearings.iter().map(|bearing| sigmoid(sign * bearing / 0.15)).collect();
            // keys as long as a picture is wide, which a camera sees about a radian of
            Some((bearings.iter().map(|bearing| -sign * bearing).collect(), at))
        };
        let of_robot = match place {
            Place::Left => bearings(1.0),
            Place::Right => bearings(-1.0),
            _ => None,
        };
        let (keys, at) = match place {
            _ if of_robot.is_some() => of_robot.unwrap_or_default(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chance_of_exactly_so_many() {
        assert!((exactly([0.5, 0.5].into_iter(), 1) - 0.5).abs() < 1e-6);
        assert_eq!(exactly([1.0, 1.0, 0.0].into_iter(), 2), 1.0);
        assert_eq!(exactly(std::iter::empty(), 0), 1.0);
        assert_eq!(exactly(std::iter::empty(), 3), 0.0);
    }
}
