//! HybridGL's spatial relations: how the boxes of the likeliest proposals stand to those of the likeliest other things
//! (Liu and Li, CVPR 2025; constants from the authors' program).

use referseg_image::Rect;
use referseg_language::BoxRelation;

/// Proposals that may be the target.
pub const CANDIDATES: usize = 3;
/// Proposals that may be one of the other things.
pub const ANCHORS: usize = 6;

/// The indices of the largest `count` values, descending; of equals the first.
pub fn largest(values: &[f32], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
    order.truncate(count);
    order
}

/// A box as the authors keep it: its sides are one pixel shorter than the count of pixels.
#[derive(Clone, Copy)]
struct ShortBox {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
}

impl ShortBox {
    fn of(rect: Rect) -> ShortBox {
        let side = |pixels: usize| pixels.saturating_sub(1) as f32;
        ShortBox { x: rect.x as f32, y: rect.y as f32, width: side(rect.width), height: side(rect.height) }
    }

    fn centre(self) -> (f32, f32) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    fn area(self) -> f32 {
        self.width * self.height
    }

    fn shared(self, other: ShortBox) -> f32 {
        let overlap = |a: f32, b: f32, c: f32, d: f32| ((a + b).min(c + d) - a.max(c)).max(0.0);
        overlap(self.x, self.width, other.x, other.width) * overlap(self.y, self.height, other.y, other.height)
    }
}

/// How far `a` stands in a relation to `b`, 0..1.
pub fn holds(relation: BoxRelation, a: Rect, b: Rect) -> f32 {
    let (a, b) = (ShortBox::of(a), ShortBox::of(b));
    let when = |fits: bool| f32::from(u8::from(fits));
    match relation {
        BoxRelation::None => 1.0,
        BoxRelation::Left => when(a.centre().0 < b.centre().0),
        BoxRelation::Right => when(a.centre().0 > b.centre().0),
        BoxRelation::Up => when(a.centre().1 < b.centre().1),
        BoxRelation::Down => when(a.centre().1 > b.centre().1),
        BoxRelation::Big => when(a.area() > b.area()),
        BoxRelation::Small => when(a.area() < b.area()),
        BoxRelation::Within if a.area() > 0.0 => a.shared(b) / a.area(),
        BoxRelation::Within => 0.0,
    }
}

/// For each candidate, how it stands to the anchors: the sum over the anchors of how far the relation holds, times how
/// likely the candidate is the target (`p`) and the anchor an other thing (`q`). Without a relation the anchors only
/// count. A candidate that is its own anchor is not left out.
pub fn support(
    relation: BoxRelation,
    boxes: &[Rect],
    candidates: &[usize],
    p: &[f32],
    anchors: &[usize],
    q: &[f32],
) -> Vec<f32> {
    let pair = |i: usize, j: usize| match relation {
        BoxRelation::None => p[i],
        _ => p[i] * q[j] * holds(relation, boxes[i], boxes[j]),
    };
    candidates.iter().map(|i| anchors.iter().map(|j| pair(*i, *j)).sum()).collect()
}
