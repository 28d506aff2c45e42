//! How well two outlines stand in a relation, softly, 0..1.
//!
//! Left and right, front and back are the camera's: on a surface seen from above its edge, what is lower in the picture
//! is nearer. Lengths are in parts of the image's width. The widths below are of the order of what people still call
//! "left of"; they were set on the development scenes (docs/language.md) and not tuned further.

use super::layout::Outline;
use referseg_language::Relation;

/// Softness of comparisons of places.
pub const SOFT: f32 = 0.012;

/// 0 far below zero, 1 far above.
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn bell(x: f32, width: f32) -> f32 {
    (-(x / width) * (x / width)).exp()
}

fn within(a: &Outline, b: &Outline) -> f32 {
    a.inside(b) * sigmoid((b.area / a.area.max(1e-9)).ln() / 0.3 + 1.0)
}

/// How well `a` stands in the relation to `b`; for those of two places only.
pub fn stands(relation: Relation, a: &Outline, b: &Outline) -> f32 {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    // a little preference for what is close: "left of the box" is not the farthest thing on the left
    let close = 0.8 + 0.2 * (-a.distance(b) / 0.3).exp();
    let beside = bell((dx.abs() - 0.12).max(0.0), 0.25);
    match relation {
        Relation::LeftOf => sigmoid((dx - SOFT) / SOFT) * close,
        Relation::RightOf => sigmoid((-dx - SOFT) / SOFT) * close,
        Relation::Behind => sigmoid((dy - SOFT) / SOFT) * beside * close,
        Relation::InFrontOf => sigmoid((-dy - SOFT) / SOFT) * beside * close,
        Relation::Above => sigmoid((dy - SOFT) / SOFT) * beside * close,
        Relation::Below => sigmoid((-dy - SOFT) / SOFT) * beside * close,
        Relation::NextTo => (-a.gap(b) / 0.12).exp(),
        Relation::On => on(a, b),
        Relation::Under => on(b, a).max(0.5 * sigmoid((-dy - SOFT) / SOFT) * beside),
        Relation::In => within(a, b),
        Relation::From => within(a, b).max(on(a, b)),
        Relation::AwayFrom => 1.0 - (-a.gap(b) / 0.2).exp(),
        Relation::LargerThan => larger(a, b),
        Relation::SmallerThan => larger(b, a),
        Relation::TallerThan => sigmoid(((a.height().max(1e-6) / b.height().max(1e-6)).ln() - 0.05) / 0.08),
        Relation::BrighterThan => brighter(a, b),
        Relation::DarkerThan => brighter(b, a),
        Relation::Between => 0.0,
    }
}

/// How surely `a` is brighter than `b`: a tenth of the range more surely is.
fn brighter(a: &Outline, b: &Outline) -> f32 {
    sigmoid((a.brightness - b.brightness - 0.02) / 0.03)
}

/// How well `a` covers more of the picture than `b`: half as much more is surely more.
fn larger(a: &Outline, b: &Outline) -> f32 {
    sigmoid(((a.area.max(1e-9) / b.area.max(1e-9)).ln() - 0.05) / 0.08)
}

/// How well `a` is beyond `b` by its distance from the camera: `farther` is the logarithm of the ratio of the distances.
pub fn beyond(farther: f32, a: &Outline, b: &Outline) -> f32 {
    let close = 0.8 + 0.2 * (-a.distance(b) / 0.3).exp();
    sigmoid((farther - SOFT) / SOFT) * bell(((b.x - a.x).abs() - 0.12).max(0.0), 0.25) * close
}

/// Softness of heights in the robot's frame, metres: depth cameras are not much better.
pub const SOFT_HEIGHT: f32 = 0.01;
/// Softness of bearings, radians.
pub const SOFT_BEARING: f32 = 0.02;

/// How well one place is above another against gravity (`sign` 1) or below it (-1), metres forward, left and up; a little preference
/// for what is straight above.
pub fn higher(sign: f32, own: [f32; 3], other: [f32; 3]) -> f32 {
    let apart = (own[0] - other[0]).hypot(own[1] - other[1]);
    let over = sign * (own[2] - other[2]);
    sigmoid((over - 2.0 * SOFT_HEIGHT) / SOFT_HEIGHT) * bell((apart - 0.15).max(0.0), 0.4)
}

/// How well a thing is to the side of another as the robot sees it: the difference of their bearings, radians.
pub fn to_the_side(farther: f32) -> f32 {
    sigmoid((farther - SOFT_BEARING) / SOFT_BEARING)
}

/// `a` rests on `b`: it stands over it, and its lower edge lies within it.
fn on(a: &Outline, b: &Outline) -> f32 {
    let width = (a.right.min(b.right) - a.left.max(b.left)).max(0.0) / (a.right - a.left).max(1e-6);
    let contact = sigmoid((a.bottom - b.top + 0.02) / SOFT) * sigmoid((b.bottom - a.bottom + 0.02) / SOFT);
    width * contact * sigmoid((b.y - a.y + 0.02) / SOFT)
}

/// How well `a` lies between `b` and `c`.
pub fn between(a: &Outline, b: &Outline, c: &Outline) -> f32 {
    let (ux, uy) = (c.x - b.x, c.y - b.y);
    let length = ux.hypot(uy).max(1e-4);
    let along = ((a.x - b.x) * ux + (a.y - b.y) * uy) / (length * length);
    let across = ((a.x - b.x) * uy - (a.y - b.y) * ux) / length;
    sigmoid((along - 0.1) / 0.05) * sigmoid((0.9 - along) / 0.05) * bell(across, 0.6 * length.max(0.15))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f32, y: f32, side: f32) -> Outline {
        let half = side / 2.0;
        Outline {
            x,
            y,
            left: x - half,
            right: x + half,
            top: y - half,
            bottom: y + half,
            area: side * side,
            brightness: 0.5,
        }
    }

    #[test]
    fn relations_hold_one_way() {
        let (left, right) = (square(0.2, 0.5, 0.1), square(0.7, 0.5, 0.1));
        assert!(stands(Relation::LeftOf, &left, &right) > 0.8 && stands(Relation::LeftOf, &right, &left) < 0.01);
        let (far, near) = (square(0.5, 0.2, 0.1), square(0.5, 0.6, 0.1));
        assert!(stands(Relation::Behind, &far, &near) > 0.8 && stands(Relation::InFrontOf, &far, &near) < 0.01);
        let (small, large) = (square(0.5, 0.5, 0.1), square(0.5, 0.55, 0.3));
        assert!(stands(Relation::In, &small, &large) > 0.8 && stands(Relation::In, &large, &small) < 0.2);
        assert!(stands(Relation::From, &small, &large) > 0.8 && stands(Relation::From, &large, &small) < 0.3);
        assert!(
            stands(Relation::LargerThan, &large, &small) > 0.9 && stands(Relation::LargerThan, &small, &large) < 0.1
        );
        assert!(
            stands(Relation::SmallerThan, &small, &large) > 0.9 && stands(Relation::SmallerThan, &small, &small) < 0.5
        );
        assert!(stands(Relation::On, &small, &large) > 0.5 && stands(Relation::On, &large, &small) < 0.3);
    }

    #[test]
    fn between_is_between() {
        let (a, b) = (square(0.2, 0.5, 0.1), square(0.8, 0.5, 0.1));
        assert!(between(&square(0.5, 0.52, 0.1), &a, &b) > 0.9);
        assert!(between(&square(0.9, 0.5, 0.1), &a, &b) < 0.1);
        assert!(between(&square(0.5, 0.9, 0.1), &a, &b) < 0.5);
    }
}
