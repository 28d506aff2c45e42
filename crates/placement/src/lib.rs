//! Placement: where a thing shall go in a picture. The free part of the surface that a goal means, and the best point in it.
//!
//! Coordinates are image pixels. Nothing here knows models: what the anchors are, and which thing is moved, has been decided before.
#![warn(missing_docs)]

mod clearance;
mod field;
mod grid;
mod surface;

use clearance::clearance;
use field::Standing;
use grid::Grid;
use referseg_image::{Frame, Mask};
use referseg_language::{Goal, Relation};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The picture and what stands in it.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The picture.
    pub frame: &'a Frame,
    /// The things in it, of the picture's size; no two are the same thing.
    pub things: &'a [Mask],
    /// Which of them is moved: where it stands counts as free.
    pub moved: usize,
}

/// Where a thing shall go.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    /// The places that would do.
    pub region: Mask,
    /// The best of them, `[x, y]` in image pixels: where the thing's foot would stand.
    pub point: [f32; 2],
    /// How well it fits what was said, 0..1.
    pub fit: f32,
}

/// Part of the thing's width that must be free around its foot.
const NEEDED: f32 = 0.3;
/// Part of its width beyond which more room is no better.
const AMPLE: f32 = 0.6;
/// Least room, pixels across.
const LEAST: f32 = 5.0;
/// How well a place must fit at least, and which part of the best belongs to the region.
const FITS: f32 = 0.05;
const REGION: f32 = 0.5;

/// The best place for the scene's moved thing. `anchors` are the numbers of the goal's anchors among the things.
///
/// # Errors
/// The reason, in words, when there is no such place: no room, or a goal that a picture does not show.
pub fn place(scene: &Scene, goal: &Goal, anchors: &[usize]) -> Result<Spot, String> {
    let moved = scene
        .things
        .get(scene.moved)
        .and_then(Mask::bounding_box)
        .ok_or("what is to be moved is not in the picture")?;
    let moved = Standing::new(moved);
    let grid = Grid::new(scene.frame.width(), scene.frame.height());
    let standing: Vec<Standing> =
        anchors.iter().filter_map(|anchor| Some(Standing::new(scene.things.get(*anchor)?.bounding_box()?))).collect();
    match goal {
        Goal::Relation { relation: relation @ (Relation::On | Relation::In | Relation::From), .. } => {
            let anchor = *anchors.first().ok_or("the anchor is not in the picture")?;
            onto(scene, &grid, anchor, *relation)
        }
        Goal::Relation { relation, .. } => {
            if standing.is_empty() || *relation == Relation::Between && standing.len() < 2 {
                return Err("the anchor is not in the picture".into());
            }
            on_surface(scene, &grid, &moved, |at| field::relation(*relation, &standing, moved.width(), at))
        }
        Goal::Place(part) => on_surface(scene, &grid, &moved, |at| field::part(*part, grid.size, at)),
        Goal::Free => {
            let feet: Vec<[f32; 2]> =
                scene.things.iter().filter_map(|thing| Some(Standing::new(thing.bounding_box()?).foot())).collect();
            on_surface(scene, &grid, &moved, |at| field::among(&feet, grid.size, at))
        }
        Goal::Motion(motion) => on_surface(scene, &grid, &moved, |at| field::motion(*motion, &moved, at)),
        Goal::Back => Err("where it was before is not known".into()),
        Goal::Speaker => Err("who speaks is not in the picture".into()),
        Goal::Unknown => Err("where it shall go was not understood".into()),
    }
}

/// The best free place on the surface by a field.
fn on_surface(scene: &Scene, grid: &Grid, moved: &Standing, field: impl Fn([f32; 2]) -> f32) -> Result<Spot, String> {
    let mut all = vec![false; grid.len()];
    let mut others = vec![false; grid.len()];
    for (number, thing) in scene.things.iter().enumerate() {
        for (cell, touched) in grid.touched(thing).into_iter().enumerate() {
            all[cell] |= touched;
            others[cell] |= touched && number != scene.moved;
        }
    }
    let shows = closed(grid, &surface::surface(grid, scene.frame, scene.things, &all), &all);
    let room = clearance(grid, &others);
    let edge: Vec<bool> = shows.iter().map(|shows| !shows).collect();
    // the moved thing hides the surface below it
    let inside = clearance(grid, &edge);
    let needed = (NEEDED * moved.width()).max(LEAST);
    let ample = (AMPLE * moved.width()).max(2.0 * LEAST);
    let value = |cell: usize| {
        if others[cell] || !shows[cell] || room[cell] < needed {
            return 0.0;
        }
        let roomy = |room: f32| ((room - needed).max(0.0) / (ample - needed)).min(1.0);
        let [x, y] = grid.middle(cell);
        let rim = [x, grid.size.0 as f32 - x, y, grid.size.1 as f32 - y].into_iter().fold(f32::MAX, f32::min);
        if rim < needed {
            return 0.0; // part of it would be outside the picture
        }
        field([x, y]) * (0.5 + 0.3 * roomy(room[cell]) + 0.2 * roomy(inside[cell]))
    };
    let values: Vec<f32> = (0..grid.len()).map(value).collect();
    best(grid, &values, room).ok_or_else(|| "there is no room".to_string())
}

/// The surface without the small holes that texture leaves in it, and below the things.
fn closed(grid: &Grid, shows: &[f32], occupied: &[bool]) -> Vec<bool> {
    const AROUND: isize = 2;
    let around = |cell: usize| {
        let (x, y) = ((cell % grid.columns) as isize, (cell / grid.columns) as isize);
        let (mut seen, mut surface) = (0, 0);
        for dy in -AROUND..=AROUND {
            for dx in -AROUND..=AROUND {
                let (x, y) = (x + dx, y + dy);
                if x >= 0 && y >= 0 && (x as usize) < grid.columns && (y as usize) < grid.rows {
                    let beside = y as usize * grid.columns + x as usize;
                    seen += usize::from(!occupied[beside]);
                    surface += usize::from(shows[beside] > 0.5);
                }
            }
        }
        2 * surface > seen && seen > 0
    };
    (0..grid.len()).map(|cell| shows[cell] > 0.5 || occupied[cell] || around(cell)).collect()
}

/// A place on or in a thing: of what it shows and nothing else covers, what is farthest from the rim.
fn onto(scene: &Scene, grid: &Grid, anchor: usize, relation: Relation) -> Result<Spot, String> {
    let own = &scene.things[anchor];
    let extent = own.bounding_box().ok_or("the anchor is not in the picture")?;
    let mut blocked: Vec<bool> = grid.touched(own).into_iter().map(|own| !own).collect();
    for (number, thing) in scene.things.iter().enumerate() {
        if number != anchor && number != scene.moved {
            for (cell, touched) in grid.touched(thing).into_iter().enumerate() {
                blocked[cell] |= touched;
            }
        }
    }
    let room = clearance(grid, &blocked);
    // the top of what is higher than wide is its upper part
    let (top, height) = (extent.y as f32, extent.height as f32);
    let middle = if relation == Relation::In { 0.5 } else { 0.42 };
    let deepest = room.iter().copied().filter(|room| room.is_finite()).fold(1e-3, f32::max);
    let value = |cell: usize| {
        let across = (grid.middle(cell)[1] - top) / height - middle;
        if blocked[cell] {
            0.0
        } else {
            room[cell] / deepest * (-4.0 * across * across).exp()
        }
    };
    let values: Vec<f32> = (0..grid.len()).map(value).collect();
    best(grid, &values, room).ok_or_else(|| "there is no room on it".to_string())
}

/// The best cell, between its neighbours, and what is nearly as good.
fn best(grid: &Grid, values: &[f32], room: Vec<f32>) -> Option<Spot> {
    let better =
        |a: &usize, b: &usize| values[*a].total_cmp(&values[*b]).then(room[*a].min(1e6).total_cmp(&room[*b].min(1e6)));
    let cell = (0..values.len()).max_by(better).filter(|cell| values[*cell] > FITS)?;
    let inside: Vec<bool> = values.iter().map(|value| *value > REGION * values[cell]).collect();
    Some(Spot { region: grid.mask(&inside), point: grid.middle(cell), fit: values[cell].min(1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use referseg_image::Rect;
    use referseg_language::{Motion, Place};

    const WALL: [u8; 3] = [60, 70, 160];
    const TABLE: [u8; 3] = [180, 150, 110];

    /// A table below a wall, and boxes on it.
    fn scene(boxes: &[Rect]) -> (Frame, Vec<Mask>) {
        let masks: Vec<Mask> = boxes.iter().map(|rect| Mask::of_rect(320, 240, *rect)).collect();
        let pixel = |at: usize| {
            let (x, y) = (at % 320, at / 320);
            let number = masks.iter().position(|mask| mask.at(x, y));
            let noise = ((x * 7 + y * 13) % 9) as u8;
            number.map_or(if y < 80 { WALL } else { TABLE }, |n| [20 + 60 * n as u8, 90, 40]).map(|shade| shade + noise)
        };
        (Frame::new(320, 240, (0..320 * 240).flat_map(pixel).collect()).unwrap(), masks)
    }

    fn rect(x: usize, y: usize, width: usize, height: usize) -> Rect {
        Rect { x, y, width, height }
    }

    fn related(relation: Relation) -> Goal {
        Goal::Relation { relation, anchors: Vec::new() }
    }

    /// Whether the point has room: on the table and on no thing but the moved one.
    fn is_free(masks: &[Mask], moved: usize, [x, y]: [f32; 2]) -> bool {
        let (x, y) = (x as usize, y as usize);
        y >= 80 && masks.iter().enumerate().all(|(number, mask)| number == moved || !mask.at(x, y))
    }

    #[test]
    fn a_place_stands_to_its_anchors_as_was_said() {
        let (frame, masks) = scene(&[rect(40, 180, 30, 30), rect(130, 130, 40, 50), rect(240, 140, 30, 40)]);
        let at = |goal: Goal, anchors: &[usize]| {
            let spot = place(&Scene { frame: &frame, things: &masks, moved: 0 }, &goal, anchors).unwrap();
            assert!(is_free(&masks, 0, spot.point), "{goal:?}: {:?}", spot.point);
            assert!(spot.region.at(spot.point[0] as usize, spot.point[1] as usize));
            spot.point
        };
        assert!(at(related(Relation::LeftOf), &[1])[0] < 130.0);
        assert!(at(related(Relation::RightOf), &[1])[0] > 170.0);
        assert!(at(related(Relation::InFrontOf), &[1])[1] > 175.0);
        assert!(at(related(Relation::Behind), &[1])[1] < 130.0);
        let between = at(related(Relation::Between), &[1, 2]);
        assert!(between[0] > 170.0 && between[0] < 240.0, "{between:?}");
        assert!(at(Goal::Place(Place::BottomRight), &[])[0] > 220.0);
        assert!(at(Goal::Motion(Motion::Right), &[])[0] > 60.0);
        at(Goal::Free, &[]);
    }

    #[test]
    fn on_and_in_are_within_the_anchor_and_beside_what_covers_it() {
        let (frame, mut masks) = scene(&[rect(40, 180, 30, 30), rect(130, 130, 80, 50)]);
        masks.push(Mask::of_rect(320, 240, rect(130, 130, 36, 50)));
        masks[1] = Mask::from_fn(320, 240, |x, y| masks[1].at(x, y) && !masks[2].at(x, y));
        let scene = Scene { frame: &frame, things: &masks, moved: 0 };
        for relation in [Relation::On, Relation::In] {
            let [x, y] = place(&scene, &related(relation), &[1]).unwrap().point;
            assert!(masks[1].at(x as usize, y as usize) && x > 175.0, "{relation:?}: {x} {y}");
        }
    }

    #[test]
    fn what_cannot_be_is_a_reason() {
        // a wall of boxes, of which the last is moved: its own place is on the other side
        let boxes: Vec<Rect> = (0..8).map(|n| rect(n * 40, 90, 40, 150)).collect();
        let (frame, masks) = scene(&boxes);
        let scene = Scene { frame: &frame, things: &masks, moved: 7 };
        assert_eq!(place(&scene, &related(Relation::LeftOf), &[4]).unwrap_err(), "there is no room");
        assert!(place(&scene, &Goal::Unknown, &[]).unwrap_err().contains("not understood"));
        assert!(place(&scene, &related(Relation::LeftOf), &[]).unwrap_err().contains("anchor"));
        assert!(place(&scene, &related(Relation::Between), &[1]).unwrap_err().contains("anchor"));
        assert!(place(&Scene { moved: 99, ..scene }, &Goal::Free, &[]).is_err());
    }

    #[test]
    fn nothing_in_a_picture_is_too_small_or_too_large_for_it() {
        for (width, height) in [(1, 1), (3, 700), (4000, 3)] {
            let frame = Frame::new(width, height, vec![9; width * height * 3]).unwrap();
            let things = vec![Mask::of_rect(width, height, rect(0, 0, 1, 1)), Mask::empty(width, height)];
            for goal in [Goal::Free, related(Relation::On), related(Relation::NextTo), Goal::Place(Place::Middle)] {
                let _ = place(&Scene { frame: &frame, things: &things, moved: 0 }, &goal, &[1]);
                let _ = place(&Scene { frame: &frame, things: &things, moved: 1 }, &goal, &[0]);
            }
        }
    }
}
