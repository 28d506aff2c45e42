//! `Similarity`: a turn, a change of size and a shift of the picture's plane, and which one moves points as they were seen to move.

/// Points closer together than this tell neither size nor angle, pixels.
const CLOSE: f32 = 4.0;

/// A similarity: `p` goes to `[[a, -b], [b, a]] p + shift`, in image pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    a: f32,
    b: f32,
    shift: [f32; 2],
}

impl Similarity {
    /// That which moves nothing.
    pub const IDENTITY: Similarity = Similarity { a: 1.0, b: 0.0, shift: [0.0; 2] };

    /// Where a point goes.
    pub fn apply(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [self.a * x - self.b * y + self.shift[0], self.b * x + self.a * y + self.shift[1]]
    }

    /// Where a point came from.
    pub fn inverse(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (x, y) = (x - self.shift[0], y - self.shift[1]);
        let square = self.scale().powi(2);
        [(self.a * x + self.b * y) / square, (self.a * y - self.b * x) / square]
    }

    /// The same and a shift after it.
    pub fn shifted(&self, by: [f32; 2]) -> Similarity {
        Similarity { shift: [self.shift[0] + by[0], self.shift[1] + by[1]], ..*self }
    }

    /// How much larger things become.
    pub fn scale(&self) -> f32 {
        self.a.hypot(self.b)
    }

    /// What most pairs of points (from, to) have in common: size and angle are the medians over all pairs of pairs, the shift the
    /// median of what is left, and then the least squares of the pairs that agree within `reach` pixels. Half of them may be
    /// wrong. Gives which agree, too; `None` for fewer than three.
    pub fn of_most(pairs: &[([f32; 2], [f32; 2])], reach: f32) -> Option<(Similarity, Vec<bool>)> {
        if pairs.len() < 3 {
            return None;
        }
        let (mut sizes, mut angles) = (Vec::new(), Vec::new());
        for (number, (from, to)) in pairs.iter().enumerate() {
            for (other_from, other_to) in &pairs[..number] {
                let before = [from[0] - other_from[0], from[1] - other_from[1]];
                let after = [to[0] - other_to[0], to[1] - other_to[1]];
                let (length, now) = (before[0].hypot(before[1]), after[0].hypot(after[1]));
                if length < CLOSE || now == 0.0 {
                    continue;
                }
                sizes.push(now / length);
                // the angle between both, whichever way they point
                let cross = before[0] * after[1] - before[1] * after[0];
                let dot = before[0] * after[0] + before[1] * after[1];
                angles.push(cross.atan2(dot));
            }
        }
        let (size, angle) = (median(&mut sizes).unwrap_or(1.0), median(&mut angles).unwrap_or(0.0));
        let (a, b) = (size * angle.cos(), size * angle.sin());
        let turned = Similarity { a, b, shift: [0.0; 2] };
        let mut left = [Vec::new(), Vec::new()];
        for (from, to) in pairs {
            let [x, y] = turned.apply(*from);
            left[0].push(to[0] - x);
            left[1].push(to[1] - y);
        }
        let [x, y] = &mut left;
        let first = Similarity { a, b, shift: [median(x)?, median(y)?] };
        let agreeing = first.agreeing(pairs, reach);
        let refined = Similarity::of_all(pairs, &agreeing).unwrap_or(first);
        let agreeing = refined.agreeing(pairs, reach);
        Some((refined, agreeing))
    }

    /// Which pairs it moves to where they went, within `reach` pixels.
    fn agreeing(&self, pairs: &[([f32; 2], [f32; 2])], reach: f32) -> Vec<bool> {
        let off = |from: [f32; 2], to: [f32; 2]| {
            let [x, y] = self.apply(from);
            (x - to[0]).hypot(y - to[1])
        };
        pairs.iter().map(|(from, to)| off(*from, *to) <= reach).collect()
    }

    /// The least squares of the pairs that count; `None` where they are one point.
    fn of_all(pairs: &[([f32; 2], [f32; 2])], counts: &[bool]) -> Option<Similarity> {
        let counted = || pairs.iter().zip(counts).filter(|(_, counts)| **counts).map(|(pair, _)| pair);
        let n = counted().count() as f32;
        let mean = |of: fn(&([f32; 2], [f32; 2])) -> f32| counted().map(of).sum::<f32>() / n;
        let from = [mean(|pair| pair.0[0]), mean(|pair| pair.0[1])];
        let to = [mean(|pair| pair.1[0]), mean(|pair| pair.1[1])];
        let (mut dot, mut cross, mut square) = (0.0, 0.0, 0.0);
        for (f, t) in counted() {
            let (fx, fy, tx, ty) = (f[0] - from[0], f[1] - from[1], t[0] - to[0], t[1] - to[1]);
            dot += fx * tx + fy * ty;
            cross += fx * ty - fy * tx;
            square += fx * fx + fy * fy;
        }
        if !(n >= 3.0 && square > 0.0) {
            return None;
        }
        let (a, b) = (dot / square, cross / square);
        Some(Similarity { a, b, shift: [to[0] - a * from[0] + b * from[1], to[1] - b * from[0] - a * from[1]] })
    }
}

fn median(values: &mut [f32]) -> Option<f32> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    Some(*values.select_nth_unstable_by(middle, f32::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points() -> Vec<[f32; 2]> {
        (0..20).map(|n| [(n * 37 % 50) as f32 + 100.0, (n * 23 % 40) as f32 + 60.0]).collect()
    }

    #[test]
    fn a_turn_with_a_change_of_size_is_found_although_a_third_of_the_points_lie() {
        let (angle, size) = (0.3f32, 1.2);
        let truth = Similarity { a: size * angle.cos(), b: size * angle.sin(), shift: [-20.0, 7.0] };
        let moved = |(n, p): (usize, [f32; 2])| {
            let [x, y] = truth.apply(p);
            (p, if n % 3 == 0 { [x + 15.0, y - n as f32] } else { [x, y] })
        };
        let pairs: Vec<_> = points().into_iter().enumerate().map(moved).collect();
        let (found, agreeing) = Similarity::of_most(&pairs, 1.0).unwrap();
        assert!((found.scale() - 1.2).abs() < 1e-3 && (found.b.atan2(found.a) - 0.3).abs() < 1e-3, "{found:?}");
        assert_eq!(agreeing, (0..20).map(|n| n % 3 != 0).collect::<Vec<_>>());
        let [x, y] = found.inverse(truth.apply([120.0, 80.0]));
        assert!((x - 120.0).abs() < 0.01 && (y - 80.0).abs() < 0.01);
    }

    #[test]
    fn few_points_tell_nothing_and_one_place_tells_a_shift() {
        assert!(Similarity::of_most(&[([0.0; 2], [1.0; 2]); 2], 1.0).is_none());
        let (found, agreeing) = Similarity::of_most(&[([5.0; 2], [6.0, 4.0]); 4], 1.0).unwrap();
        assert_eq!((found.apply([5.0; 2]), agreeing), ([6.0, 4.0], vec![true; 4]));
    }
}
