//! Fields: how well a place fits what was said, 0..1, as a person means it. Places are where a thing's foot would stand, image pixels; left,
//! right, behind and in front are the viewer's, or by depth the robot's.

use super::support::Metric;
use referseg_image::Rect;
use referseg_language::{Motion, Place, Relation};

/// A thing as it stands in the picture.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

impl Standing {
    /// Of a box.
    pub fn new(extent: Rect) -> Standing {
        let [left, top, right, bottom] = extent.corners();
        Standing { left, top, right, bottom }
    }

    /// Columns.
    pub fn width(&self) -> f32 {
        self.right - self.left
    }

    fn height(&self) -> f32 {
        self.bottom - self.top
    }

    /// The middle of where it touches the surface: a fifth of its height above its lower end.
    pub fn foot(&self) -> [f32; 2] {
        [(self.left + self.right) / 2.0, self.bottom - 0.2 * self.height()]
    }
}

fn bell(x: f32, width: f32) -> f32 {
    (-0.5 * (x / width) * (x / width)).exp()
}

/// Metres between the edges of two things of which it is only said on which side of each other they are, in parts of their mean size.
const BESIDE: f32 = 0.35;

/// How well a foot at `[x, y]` stands in a relation to anchors, for a thing as wide as `width`; 0 for relations that are no place beside an
/// anchor.
pub fn relation(relation: Relation, anchors: &[Standing], width: f32, [x, y]: [f32; 2]) -> f32 {
    let Some(anchor) = anchors.first() else { return 0.0 };
    // the size of what is near: the larger of both things
    let size = anchor.width().max(anchor.height()).max(width);
    let [cx, cy] = anchor.foot();
    let aside = |gap: f32| {
        if gap < 0.0 {
            0.0
        } else {
            bell(gap - 0.65 * width - 0.05 * size, 0.35 * size) * bell(y - cy, 0.22 * size)
        }
    };
    let front = || {
        let gap = y - anchor.bottom;
        if gap < -0.1 * anchor.height() {
            0.0
        } else {
            bell(gap - 0.3 * width - 0.05 * size, 0.3 * size) * bell(x - cx, 0.25 * size)
        }
    };
    let behind = || {
        // what is hidden by the anchor is no place: behind a tall thing the surface shows above its top
        let ideal = (anchor.bottom - 0.55 * anchor.height()).min(anchor.top - 0.25 * width);
        if y > anchor.bottom - 0.35 * anchor.height() {
            0.0
        } else {
            bell(y - ideal, 0.4 * size) * bell(x - cx, 0.25 * size)
        }
    };
    match relation {
        Relation::LeftOf => aside(anchor.left - x),
        Relation::RightOf => aside(x - anchor.right),
        Relation::InFrontOf => front(),
        Relation::Behind => behind(),
        Relation::NextTo => aside(anchor.left - x).max(aside(x - anchor.right)).max(0.8 * front()),
        Relation::AwayFrom => 1.0 - bell((x - cx).hypot(2.0 * (y - cy)), 1.5 * size),
        Relation::Between => match anchors {
            [a, b, ..] => between(a.foot(), b.foot(), [x, y]),
            _ => 0.0,
        },
        _ => 0.0,
    }
}

fn between(a: [f32; 2], b: [f32; 2], [x, y]: [f32; 2]) -> f32 {
    let (ux, uy) = (b[0] - a[0], b[1] - a[1]);
    let square = (ux * ux + uy * uy).max(1.0);
    let along = ((x - a[0]) * ux + (y - a[1]) * uy) / square;
    let across = ((x - a[0]) * uy - (y - a[1]) * ux) / square;
    bell(along - 0.5, 0.13) * bell(across, 0.14)
}

/// How well a place stands in a part of the picture of this size.
pub fn part(place: Place, (width, height): (usize, usize), [x, y]: [f32; 2]) -> f32 {
    let (u, v) = (x / width as f32, y / height as f32);
    let low = |t: f32| bell((t - 0.2).max(0.0), 0.15);
    let high = |t: f32| low(1.0 - t);
    let middle = |t: f32| bell(t - 0.5, 0.15);
    match place {
        Place::Left => low(u),
        Place::Right => high(u),
        Place::Top | Place::Back => low(v),
        Place::Bottom | Place::Front => high(v),
        Place::Middle => middle(u) * middle(v),
        Place::TopLeft => low(u) * low(v),
        Place::TopRight => high(u) * low(v),
        Place::BottomLeft => low(u) * high(v),
        Place::BottomRight => high(u) * high(v),
    }
}

/// How well a place lies among the things whose feet these are: what is far from all of them is rather another surface.
pub fn among(feet: &[[f32; 2]], (width, _): (usize, usize), [x, y]: [f32; 2]) -> f32 {
    let many = feet.len().max(1) as f32;
    let mean = |axis: usize| feet.iter().map(|foot| foot[axis]).sum::<f32>() / many;
    bell((x - mean(0)).hypot(2.0 * (y - mean(1))), 0.35 * width as f32)
}

/// How well a place lies this way from where a thing stands.
pub fn motion(motion: Motion, thing: &Standing, [x, y]: [f32; 2]) -> f32 {
    let [fx, fy] = thing.foot();
    let (along, across) = match motion {
        Motion::Left => (fx - x, 2.0 * (y - fy)),
        Motion::Right => (x - fx, 2.0 * (y - fy)),
        Motion::Forward => (2.0 * (y - fy), x - fx),
        Motion::Backward => (2.0 * (fy - y), x - fx),
        // up and down leave the surface
        Motion::Up | Motion::Down => return 0.0,
    };
    let width = thing.width();
    if along < 0.3 * width {
        0.0
    } else {
        bell(along - 1.3 * width, 0.7 * width) * bell(across, 0.3 * width)
    }
}

/// How well a place stands in a relation to an anchor with so many metres between their edges, or close to it where `None` are said.
/// `width`: of the thing, image pixels.
pub fn at_distance(
    relation: Relation,
    metric: &Metric,
    anchor: &Standing,
    width: f32,
    distance: Option<f32>,
    at: [f32; 2],
) -> f32 {
    let foot = anchor.foot();
    let (Some([right, away]), Some(pixel)) = (metric.between(foot, at), metric.of_pixel(foot)) else { return 0.0 };
    let size = 0.5 * pixel * (anchor.width() + width);
    let between_middles = distance.unwrap_or(BESIDE * size) + size;
    let (along, across) = match relation {
        Relation::LeftOf => (-right, away),
        Relation::RightOf => (right, away),
        Relation::InFrontOf => (-away, right),
        Relation::Behind => (away, right),
        Relation::NextTo => (right.hypot(away), 0.0),
        Relation::AwayFrom => return f32::from(u8::from(right.hypot(away) >= between_middles)),
        _ => return 0.0,
    };
    let along = match distance {
        Some(distance) => exactly(along, between_middles, distance),
        None if along < 0.5 * size => 0.0,
        None => bell(along - between_middles, 0.5 * size),
    };
    along * bell(across, 0.3 * between_middles)
}

/// How well a place lies so many metres this way from where a thing stands, or somewhat this way where `None` are said.
pub fn moved_by(motion: Motion, metric: &Metric, thing: &Standing, distance: Option<f32>, at: [f32; 2]) -> f32 {
    let foot = thing.foot();
    let (Some([right, away]), Some(pixel)) = (metric.between(foot, at), metric.of_pixel(foot)) else { return 0.0 };
    let (along, across) = match motion {
        Motion::Left => (-right, away),
        Motion::Right => (right, away),
        Motion::Forward => (-away, right),
        Motion::Backward => (away, right),
        Motion::Up | Motion::Down => return 0.0,
    };
    let width = pixel * thing.width();
    match distance {
        Some(distance) => exactly(along, distance, distance) * bell(across, 0.2 * distance),
        None if along < 0.3 * width => 0.0,
        None => bell(along - 1.3 * width, 0.7 * width) * bell(across, 0.3 * width),
    }
}

/// How well metres are those wanted, for a distance that was said as `said`.
fn exactly(metres: f32, wanted: f32, said: f32) -> f32 {
    bell(metres - wanted, (0.1 * said).max(0.01))
}
