//! Things: the proposals that stand for themselves.
//!
//! Parts, rims, near copies and unions overlap the thing that they belong to. Of proposals that share most of the smaller
//! one, the likeliest to be a whole thing stands for all, so that things are counted and not fragments.

use super::appearance::Appearance;
use super::layout::Layout;

/// Part of the smaller of two proposals that both share, above which they are one thing.
pub const SAME_THING: f32 = 0.5;

/// The things among `n` proposals, in the order of the proposals; none whose features are no numbers.
pub fn things(n: usize, appearance: &Appearance, layout: &Layout) -> Vec<usize> {
    let likely: Vec<f32> = (0..n).map(|i| appearance.thing(i)).collect();
    let mut order: Vec<usize> = (0..n).filter(|i| !likely[*i].is_nan()).collect();
    order.sort_by(|a, b| likely[*b].total_cmp(&likely[*a]).then(a.cmp(b)));
    let mut things: Vec<usize> = Vec::new();
    for i in order {
        if things.iter().all(|other| layout.shared(i, *other) < SAME_THING) {
            things.push(i);
        }
    }
    things.sort_unstable();
    things
}
