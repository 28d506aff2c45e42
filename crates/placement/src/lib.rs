//! Placement: where a thing shall go in a picture. The free part of the surface that a goal means, and the best point in it.
//!
//! Coordinates are image pixels. Nothing here knows models: what the anchors are, and which thing is moved, has been decided before.
#![warn(missing_docs)]

mod clearance;
mod field;
mod grid;
mod support;
mod surface;

use clearance::clearance;
use field::Standing;
use grid::Grid;
use referseg_camera::DepthImage;
use referseg_image::{Frame, Mask, Rect};
use referseg_language::{Goal, Motion, Relation};
use support::{support, Metric};

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
    /// Which of them is moved: where it stands counts as free. `None` when the place itself is looked for.
    pub moved: Option<usize>,
    /// What a camera saw in depth; then the surface is the plane that the things stand on, and with its camera distances are metric.
    pub depth: Option<&'a DepthImage>,
}

/// Where a thing shall go, and what it needs there.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What was said.
    pub goal: &'a Goal,
    /// The numbers of the goal's anchors among the things.
    pub anchors: &'a [usize],
    /// How far from the anchor's edge, or from where the thing is, metres; needs depth and its camera.
    pub distance: Option<f32>,
    /// Whether left, right, behind and in front are the robot's; needs depth, its camera and where that stands in the robot's frame.
    pub from_robot: bool,
    /// The room that it needs.
    pub room: Room,
}

/// The room that a thing needs, metres; needs depth and its camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Room {
    /// Diameter of what it stands on; 0 for the thing's own size in the picture.
    pub footprint: f32,
    /// What must be free around that.
    pub clearance: f32,
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
    /// Whether distances were measured: on a plane that depth shows.
    pub is_metric: bool,
    /// Whether left, right, behind and in front were the robot's.
    pub is_robots: bool,
}

/// Part of the thing's width that must be free around its foot.
const NEEDED: f32 = 0.3;
/// Part of its width beyond which more room is no better.
const AMPLE: f32 = 0.6;
/// Width of a thing of ordinary size, as a part of the picture's.
const ORDINARY: f32 = 0.08;
/// Least room, pixels across.
const LEAST: f32 = 5.0;
/// How well a place must fit at least, and which part of the best belongs to the region.
const FITS: f32 = 0.05;
const REGION: f32 = 0.5;

/// Where a thing stood that shall go back there: its mask then, in a picture of the same size.
///
/// # Errors
/// The reason, in words, when something else stands there now, or it has not moved.
pub fn back(scene: &Scene, before: &[Mask]) -> Result<Spot, String> {
    let size = (scene.frame.width(), scene.frame.height());
    let own = scene.moved.and_then(|moved| scene.things.get(moved));
    let has_left = |mask: &&Mask| own.is_none_or(|own| mask.iou(own) < SAME_PLACE);
    let mut known = before.iter().filter(|mask| (mask.width(), mask.height()) == size && mask.area() > 0).peekable();
    if known.peek().is_none() {
        return Err("where it was before is not known".into());
    }
    let mask = known.find(has_left).ok_or("it stands where it was")?;
    let others = scene.things.iter().enumerate().filter(|(number, _)| Some(*number) != scene.moved);
    let covered = others.map(|(_, thing)| thing.intersection(mask)).sum::<usize>();
    if covered as f32 > SAME_PLACE * mask.area() as f32 {
        return Err("something else stands where it was".into());
    }
    let point = Standing::new(mask.bounding_box().unwrap_or_default()).foot();
    Ok(Spot { region: mask.clone(), point, fit: 1.0, is_metric: false, is_robots: false })
}

/// Part of two masks that both share from which on they are one place.
const SAME_PLACE: f32 = 0.3;

/// The best place for the scene's moved thing, or for one of ordinary size.
///
/// # Errors
/// The reason, in words, when there is no such place: no room, or a goal that a picture does not show.
pub fn place(scene: &Scene, wanted: &Wanted) -> Result<Spot, String> {
    let Wanted { goal, anchors, distance, from_robot, .. } = *wanted;
    let of = |number: usize| scene.things.get(number).and_then(Mask::bounding_box);
    let moved = match scene.moved {
        Some(moved) => of(moved).ok_or("what is to be moved is not in the picture")?,
        None => {
            let side = (ORDINARY * scene.frame.width() as f32) as usize;
            Rect { x: 0, y: 0, width: side.max(1), height: side.max(1) }
        }
    };
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
            let said = |at: [f32; 2]| field::relation(*relation, &standing, moved.width(), at);
            on_surface(scene, &grid, &moved, wanted, |at, metric| match metric {
                Some(metric) if *relation != Relation::Between && (distance.is_some() || metric.is_robots) => {
                    field::at_distance(*relation, metric, &standing[0], moved.width(), distance, at)
                }
                _ => said(at),
            })
        }
        Goal::Place(part) => on_surface(scene, &grid, &moved, wanted, |at, _| field::part(*part, grid.size, at)),
        Goal::Free => {
            let feet: Vec<[f32; 2]> =
                scene.things.iter().filter_map(|thing| Some(Standing::new(thing.bounding_box()?).foot())).collect();
            on_surface(scene, &grid, &moved, wanted, |at, _| field::among(&feet, grid.size, at))
        }
        Goal::Motion(Motion::Up | Motion::Down) => Err("up and down leave the surface".into()),
        Goal::Motion(motion) => on_surface(scene, &grid, &moved, wanted, |at, metric| match metric {
            Some(metric) if distance.is_some() || from_robot && metric.is_robots => {
                field::moved_by(*motion, metric, &moved, distance, at)
            }
            _ => field::motion(*motion, &moved, at),
        }),
        Goal::Back => Err("where it was before is not known".into()),
        Goal::Speaker => Err("who speaks is not in the picture".into()),
        Goal::Unknown => Err("where it shall go was not understood".into()),
    }
}

/// The best free place on the surface by a field.
fn on_surface(
    scene: &Scene,
    grid: &Grid,
    moved: &Standing,
    wanted: &Wanted,
    field: impl Fn([f32; 2], Option<&Metric>) -> f32,
) -> Result<Spot, String> {
    let mut all = vec![false; grid.len()];
    let mut others = vec![false; grid.len()];
    for (number, thing) in scene.things.iter().enumerate() {
        for (cell, touched) in grid.touched(thing).into_iter().enumerate() {
            all[cell] |= touched;
            others[cell] |= touched && Some(number) != scene.moved;
        }
    }
    let by_depth = scene.depth.and_then(|depth| Some((depth, support(grid, depth, scene.things, &all)?)));
    let needs = wanted.room;
    let metric =
        by_depth.as_ref().and_then(|(depth, support)| Metric::new(support.plane, depth, grid.size, wanted.from_robot));
    let shows = match by_depth {
        Some((_, support)) => support.shows,
        None => surface::surface(grid, scene.frame, scene.things, &all),
    };
    let shows = closed(grid, &shows, &all);
    let room = clearance(grid, &others);
    let edge: Vec<bool> = shows.iter().map(|shows| !shows).collect();
    // the moved thing hides the surface below it
    let inside = clearance(grid, &edge);
    let own = (NEEDED * moved.width()).max(LEAST);
    let more = (AMPLE * moved.width()).max(2.0 * LEAST) - own;
    let is_own = needs == Room::default();
    let rim = |cell: usize| {
        let [x, y] = grid.middle(cell);
        [x, grid.size.0 as f32 - x, y, grid.size.1 as f32 - y].into_iter().fold(f32::MAX, f32::min)
    };
    let value = |cell: usize| {
        if others[cell] || !shows[cell] || is_own && room[cell] < own {
            return 0.0;
        }
        let [x, y] = grid.middle(cell);
        let pixel = metric.as_ref().filter(|_| !is_own).and_then(|metric| metric.of_pixel([x, y]));
        let needed = pixel.map_or(own, |pixel| {
            let half = if needs.footprint > 0.0 { 0.5 * needs.footprint / pixel } else { own };
            half + needs.clearance / pixel
        });
        if room[cell] < needed {
            return 0.0;
        }
        let roomy = |room: f32| ((room - needed).max(0.0) / more).min(1.0);
        if rim(cell) < needed {
            return 0.0; // part of it would be outside the picture
        }
        field([x, y], metric.as_ref()) * (0.5 + 0.3 * roomy(room[cell]) + 0.2 * roomy(inside[cell]))
    };
    let values: Vec<f32> = (0..grid.len()).map(value).collect();
    // of places that fit equally well, the one with the most room in the picture
    let room = (0..grid.len()).map(|cell| room[cell].min(inside[cell]).min(rim(cell))).collect();
    let spot = best(grid, &values, room).ok_or_else(|| "there is no room".to_string())?;
    let is_robots = metric.as_ref().is_some_and(|metric| metric.is_robots);
    Ok(Spot { is_metric: metric.is_some(), is_robots, ..spot })
}

/// The surface without the small holes that texture leaves in it, and below the things.
fn closed(grid: &Grid, shows: &[bool], occupied: &[bool]) -> Vec<bool> {
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
                    surface += usize::from(shows[beside]);
                }
            }
        }
        2 * surface > seen && seen > 0
    };
    (0..grid.len()).map(|cell| shows[cell] || occupied[cell] || around(cell)).collect()
}

/// A place on or in a thing: of what it shows and nothing else covers, what is farthest from the rim.
fn onto(scene: &Scene, grid: &Grid, anchor: usize, relation: Relation) -> Result<Spot, String> {
    let own = &scene.things[anchor];
    let extent = own.bounding_box().ok_or("the anchor is not in the picture")?;
    let mut blocked: Vec<bool> = grid.touched(own).into_iter().map(|own| !own).collect();
    for (number, thing) in scene.things.iter().enumerate() {
        if number != anchor && Some(number) != scene.moved {
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
    let (region, point, fit) = (grid.mask(&inside), grid.middle(cell), values[cell].min(1.0));
    Some(Spot { region, point, fit, is_metric: false, is_robots: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{Isometry3, Matrix3, Translation3, UnitQuaternion};
    use referseg_camera::{CameraModel, Pinhole, RobotView, TargetFrame};
    use referseg_image::LabelImage;
    use referseg_language::Place;

    const WALL: [u8; 3] = [60, 70, 160];
    const TABLE: [u8; 3] = [180, 150, 110];

    /// A table below a wall, and boxes on it.
    fn scene(boxes: &[Rect]) -> (Frame, Vec<Mask>) {
        let masks: Vec<Mask> = boxes.iter().map(|rect| Mask::of_rect(320, 240, *rect)).collect();
        let pixel = |at: usize| {
            let (x, y) = (at % 320, at / 320);
            let number = masks.iter().position(|mask| mask.at(x, y));
            let noise = ((x * 7 + y * 13) % 9) as u8;
            number.map_or(if y < 80 { WALL } else { TABLE }, |n| [20 + 30 * n as u8, 90, 40]).map(|shade| shade + noise)
        };
        (Frame::new(320, 240, (0..320 * 240).flat_map(pixel).collect()).unwrap(), masks)
    }

    fn scene_of<'a>(frame: &'a Frame, things: &'a [Mask], moved: usize) -> Scene<'a> {
        Scene { frame, things, moved: Some(moved), depth: None }
    }

    fn wanted<'a>(goal: &'a Goal, anchors: &'a [usize]) -> Wanted<'a> {
        Wanted { goal, anchors, distance: None, from_robot: false, room: Room::default() }
    }

    /// Millimetres of each pixel.
    fn depth(width: usize, height: usize, at: impl Fn(usize, usize) -> u32) -> DepthImage {
        let values = (0..width * height).map(|i| at(i % width, i / width)).collect();
        DepthImage::of_units(&LabelImage::new(width, height, values).unwrap(), 0.001)
    }

    /// Millimetres of a table 0.5 m below a camera that looks down by half a right angle, at 300 pixels of focal length.
    fn table(x: usize, y: usize) -> u32 {
        let _ = x;
        let down = (y as f64 - 119.5) / 300.0;
        (500.0 * 2f64.sqrt() / (1.0 + down)).round() as u32
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
            let spot = place(&scene_of(&frame, &masks, 0), &wanted(&goal, anchors)).unwrap();
            assert!(is_free(&masks, 0, spot.point), "{goal:?}: {:?}", spot.point);
            assert!(spot.region.at(spot.point[0] as usize, spot.point[1] as usize));
            let alone = Scene { moved: None, ..scene_of(&frame, &masks, 0) };
            if !matches!(goal, Goal::Motion(_)) {
                // for nothing in particular the moved thing is in the way like the others
                let [x, y] = place(&alone, &wanted(&goal, anchors)).unwrap().point;
                assert!(masks.iter().all(|mask| !mask.at(x as usize, y as usize)), "{goal:?}: {x} {y}");
            }
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
        let scene = scene_of(&frame, &masks, 0);
        for relation in [Relation::On, Relation::In] {
            let [x, y] = place(&scene, &wanted(&related(relation), &[1])).unwrap().point;
            assert!(masks[1].at(x as usize, y as usize) && x > 175.0, "{relation:?}: {x} {y}");
        }
    }

    #[test]
    fn what_cannot_be_is_a_reason() {
        // a wall of boxes, of which the last is moved: its own place is on the other side
        let boxes: Vec<Rect> = (0..8).map(|n| rect(n * 40, 90, 40, 150)).collect();
        let (frame, masks) = scene(&boxes);
        let scene = scene_of(&frame, &masks, 7);
        let reason = |goal: &Goal, anchors: &[usize]| place(&scene, &wanted(goal, anchors)).unwrap_err();
        assert_eq!(reason(&related(Relation::LeftOf), &[4]), "there is no room");
        assert!(reason(&Goal::Unknown, &[]).contains("not understood"));
        assert!(reason(&related(Relation::LeftOf), &[]).contains("anchor"));
        assert!(reason(&related(Relation::Between), &[1]).contains("anchor"));
        assert!(reason(&Goal::Motion(Motion::Up), &[]).contains("leave the surface"));
        assert!(place(&Scene { moved: Some(99), ..scene }, &wanted(&Goal::Free, &[])).is_err());
    }

    #[test]
    fn nothing_in_a_picture_is_too_small_or_too_large_for_it() {
        for (width, height) in [(1, 1), (3, 700), (4000, 3)] {
            let frame = Frame::new(width, height, vec![9; width * height * 3]).unwrap();
            let things = vec![Mask::of_rect(width, height, rect(0, 0, 1, 1)), Mask::empty(width, height)];
            for goal in [Goal::Free, related(Relation::On), related(Relation::NextTo), Goal::Place(Place::Middle)] {
                let depth = depth(width, height, |_, _| 1000);
                for depth in [None, Some(&depth)] {
                    let _ = place(&Scene { depth, ..scene_of(&frame, &things, 0) }, &wanted(&goal, &[1]));
                    let _ = place(&Scene { depth, ..scene_of(&frame, &things, 1) }, &wanted(&goal, &[0]));
                }
            }
        }
    }

    #[test]
    fn with_depth_the_surface_is_the_plane_that_things_stand_on_whatever_its_colours() {
        // one colour everywhere; the left half of the picture is a box's top, 10 cm nearer to the camera than the table
        let masks =
            vec![Mask::of_rect(320, 240, rect(200, 120, 30, 30)), Mask::of_rect(320, 240, rect(250, 150, 30, 30))];
        let frame = Frame::new(320, 240, vec![120; 320 * 240 * 3]).unwrap();
        let depth = depth(320, 240, |x, y| if x < 150 { table(x, y) - 100 } else { table(x, y) });
        let place = |depth| {
            let scene = Scene { depth, ..scene_of(&frame, &masks, 0) };
            super::place(&scene, &wanted(&Goal::Place(Place::Left), &[])).map(|spot| spot.point[0])
        };
        assert!(place(None).unwrap() < 100.0, "the colour is the table's");
        // as far left as the table goes, but for the two cells by which holes in it are closed
        assert!(place(Some(&depth)).unwrap() > 140.0, "the box's top is another plane");
        let scene = Scene { depth: Some(&depth), ..scene_of(&frame, &masks, 0) };
        let spot = super::place(&scene, &wanted(&related(Relation::LeftOf), &[1])).unwrap();
        assert!(spot.point[0] > 150.0 && spot.point[0] < 250.0, "{:?}", spot.point);
        let region: Vec<(usize, usize)> = spot.region.inside().collect();
        assert!(region.iter().all(|(x, _)| *x >= 144), "none on the box");
    }

    #[test]
    fn left_and_behind_are_the_robots_where_it_is_asked_for_and_known() {
        let k = [300.0, 0.0, 159.5, 0.0, 300.0, 119.5, 0.0, 0.0, 1.0];
        let model = CameraModel { width: 320, height: 240, k, ..Default::default() };
        let camera = Pinhole::of(&model, 320, 240, false).unwrap();
        // the robot looks to the camera's right: what is left for it is farther from the camera, which looks down by 45 degrees
        let s = std::f64::consts::FRAC_1_SQRT_2;
        let axes = Matrix3::new(1.0, 0.0, 0.0, 0.0, -s, s, 0.0, -s, -s); // forward, left and up in the optical frame
        let rotation = UnitQuaternion::from_matrix(&axes);
        let from_camera = Isometry3::from_parts(Translation3::identity(), rotation);
        let frame = TargetFrame { frame_id: "base_link".into(), from_camera };
        let known = depth(320, 240, table).seen_by(camera);
        let robot = known.clone().in_robots_frame(RobotView { camera, frame });
        let masks =
            vec![Mask::of_rect(320, 240, rect(150, 110, 20, 20)), Mask::of_rect(320, 240, rect(30, 200, 20, 20))];
        let frame = Frame::new(320, 240, vec![120; 320 * 240 * 3]).unwrap();
        let place = |depth: &DepthImage, goal: &Goal, from_robot| {
            let scene = Scene { depth: Some(depth), ..scene_of(&frame, &masks, 1) };
            let spot = super::place(&scene, &Wanted { from_robot, ..wanted(goal, &[0]) }).unwrap();
            (spot.point, spot.is_robots)
        };
        let left = related(Relation::LeftOf);
        let ([x, y], is_robots) = place(&robot, &left, true);
        assert!(is_robots && y < 110.0 && (x - 160.0).abs() < 30.0, "{x} {y}");
        let ([x, _], is_robots) = place(&robot, &related(Relation::Behind), true);
        assert!(is_robots && x > 170.0, "forward of the robot is right in the picture: {x}");
        let ([x, y], _) = place(&robot, &Goal::Motion(Motion::Left), true);
        assert!(y < 195.0 && (x - 40.0).abs() < 30.0, "{x} {y}");
        for (depth, from_robot) in [(&robot, false), (&known, true)] {
            let ([x, _], is_robots) = place(depth, &left, from_robot);
            assert!(!is_robots && x < 150.0, "the viewer's left: {x}");
        }
    }

    #[test]
    fn back_is_where_it_stood_unless_something_else_stands_there() {
        let (frame, masks) = scene(&[rect(40, 180, 30, 30), rect(130, 130, 40, 50)]);
        let at = |rect: Rect| Mask::of_rect(320, 240, rect);
        let scene = scene_of(&frame, &masks, 0);
        let before = [at(rect(41, 181, 30, 30)), at(rect(220, 150, 30, 30)), at(rect(1, 1, 9, 9))];
        let spot = back(&scene, &before).unwrap();
        assert_eq!(spot.point, [235.0, 174.0], "the last place that is not where it stands now");
        assert_eq!(spot.region, before[1]);
        let reason = |before: &[Mask]| back(&scene, before).unwrap_err();
        assert_eq!(reason(&before[..1]), "it stands where it was");
        assert_eq!(reason(&[at(rect(135, 140, 30, 30))]), "something else stands where it was");
        let other_camera = Mask::of_rect(640, 480, rect(220, 150, 30, 30));
        assert_eq!(reason(&[other_camera]), "where it was before is not known");
        // one that the robot holds is nowhere
        assert_eq!(back(&Scene { moved: None, ..scene }, &before[1..]).unwrap().region, before[1]);
    }

    #[test]
    fn with_depth_and_its_camera_distances_and_room_are_metric() {
        let k = [300.0, 0.0, 159.5, 0.0, 300.0, 119.5, 0.0, 0.0, 1.0];
        let model = CameraModel { width: 320, height: 240, k, ..Default::default() };
        let camera = Pinhole::of(&model, 320, 240, false).unwrap();
        let depth = depth(320, 240, table).seen_by(camera);
        let masks =
            vec![Mask::of_rect(320, 240, rect(150, 110, 20, 20)), Mask::of_rect(320, 240, rect(30, 200, 20, 20))];
        let frame = Frame::new(320, 240, vec![120; 320 * 240 * 3]).unwrap();
        let scene = Scene { depth: Some(&depth), ..scene_of(&frame, &masks, 0) };
        // the thing's foot, where its pixel is 2.3 mm wide
        let foot = Standing::new(rect(150, 110, 20, 20)).foot();
        let pixel = f64::from(table(160, foot[1] as usize)) / 300.0 / 1000.0;
        for (motion, metres) in [(Motion::Right, 0.1), (Motion::Right, 0.2), (Motion::Left, 0.2)] {
            let goal = Goal::Motion(motion);
            let spot = place(&scene, &Wanted { distance: Some(metres), ..wanted(&goal, &[]) }).unwrap();
            assert!(spot.is_metric);
            let moved = f64::from((spot.point[0] - foot[0]).abs()) * pixel;
            assert!((moved - f64::from(metres)).abs() < 0.02, "{motion:?} {metres}: {moved}");
        }
        // away from the camera a row is more metres than a column
        let goal = Goal::Motion(Motion::Backward);
        let spot = place(&scene, &Wanted { distance: Some(0.2), ..wanted(&goal, &[]) }).unwrap();
        let rows = foot[1] - spot.point[1];
        assert!(rows > 20.0 && f64::from(rows) * pixel < 0.2, "{rows}");
        let goal = Goal::Free;
        let fits =
            |footprint| place(&scene, &Wanted { room: Room { footprint, clearance: 0.02 }, ..wanted(&goal, &[]) });
        assert!(fits(0.1).is_ok());
        assert_eq!(fits(3.0).unwrap_err(), "there is no room", "a thing of 3 m on a table of 0.7 m");
    }
}
