//! The supporting surface by depth: the plane that the things stand on, with its extent in the picture, and distances on it.

use super::grid::Grid;
use super::surface::{around_feet, connected};
use nalgebra::{Matrix3, Vector3};
use referseg_camera::{DepthImage, Pinhole};
use referseg_image::Mask;

/// Planes through three cells that are tried; with a third of the cells on the plane, 200 miss it once in a thousand times.
const TRIALS: usize = 200;
/// A cell is on the plane when its inverse depth differs by less than this part: while the plane is sought, and for its extent.
const ON_PLANE: f32 = 0.01;
const SHOWS: f32 = 0.02;
/// Cells around the feet of things count so many times.
const FEET: f32 = 4.0;
/// Fewer cells with known depth than this give no plane.
const FEWEST: usize = 12;

/// A plane as a pinhole camera sees it: inverse depth is linear in the pixel, `1/z = a x + b y + c`, 1/metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plane {
    coefficients: Vector3<f32>,
}

impl Plane {
    fn inverse_depth(&self, [x, y]: [f32; 2]) -> f32 {
        self.coefficients.dot(&Vector3::new(x, y, 1.0))
    }
}

/// The plane that things stand on, and which cells show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Support {
    /// The plane.
    pub plane: Plane,
    /// For each cell, whether it shows the plane.
    pub shows: Vec<bool>,
}

/// The supporting surface; `None` where depth is not known around the things. `occupied`: the cells that things touch.
pub fn support(grid: &Grid, depth: &DepthImage, things: &[Mask], occupied: &[bool]) -> Option<Support> {
    let inverse: Vec<Option<f32>> = (0..grid.len()).map(|cell| inverse_depth(grid, depth, cell)).collect();
    let mut is_foot = vec![false; grid.len()];
    let seeds = around_feet(grid, things, occupied);
    seeds.iter().for_each(|cell| is_foot[*cell] = true);
    let known: Vec<(Vector3<f32>, f32, f32)> = (0..grid.len())
        .filter(|cell| !occupied[*cell])
        .filter_map(|cell| {
            let [x, y] = grid.middle(cell);
            Some((Vector3::new(x, y, 1.0), inverse[cell]?, if is_foot[cell] { FEET } else { 1.0 }))
        })
        .collect();
    if known.len() < FEWEST {
        return None;
    }
    // the same cells each time: the same frame has the same answer
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % known.len()
    };
    let weight = |plane: &Vector3<f32>| -> f32 {
        let on =
            |(pixel, inverse, _): &&(Vector3<f32>, f32, f32)| (plane.dot(pixel) - inverse).abs() < ON_PLANE * inverse;
        known.iter().filter(on).map(|(_, _, weight)| weight).sum()
    };
    let trial = |_| {
        let (a, b, c) = (&known[draw()], &known[draw()], &known[draw()]);
        let rows = Matrix3::from_rows(&[a.0.transpose(), b.0.transpose(), c.0.transpose()]);
        Some(rows.try_inverse()? * Vector3::new(a.1, b.1, c.1))
    };
    let trials: Vec<Vector3<f32>> = (0..TRIALS).filter_map(trial).collect();
    let best = trials.into_iter().map(|plane| (weight(&plane), plane)).max_by(|a, b| a.0.total_cmp(&b.0))?.1;
    let plane = Plane { coefficients: refined(&known, refined(&known, best)) };
    let is_on = |cell: usize| {
        let expected = plane.inverse_depth(grid.middle(cell));
        inverse[cell].is_some_and(|inverse| (inverse - expected).abs() < SHOWS * expected)
    };
    let shows = connected(grid, &seeds, |cell| !occupied[cell] && is_on(cell));
    Some(Support { plane, shows })
}

/// Least squares over the cells on a plane.
fn refined(known: &[(Vector3<f32>, f32, f32)], plane: Vector3<f32>) -> Vector3<f32> {
    let (mut left, mut right) = (Matrix3::<f64>::zeros(), Vector3::<f64>::zeros());
    for (pixel, inverse, _) in known {
        if (plane.dot(pixel) - inverse).abs() < ON_PLANE * inverse {
            let pixel = pixel.cast::<f64>();
            left += pixel * pixel.transpose();
            right += pixel * f64::from(*inverse);
        }
    }
    left.try_inverse().map_or(plane, |left| (left * right).cast())
}

/// 1/metres of the surface in a cell: the median of five of its pixels.
fn inverse_depth(grid: &Grid, depth: &DepthImage, cell: usize) -> Option<f32> {
    let [x, y] = grid.middle(cell);
    let quarter = grid.cell as f32 / 4.0;
    let offsets = [(0.0, 0.0), (-quarter, -quarter), (quarter, -quarter), (-quarter, quarter), (quarter, quarter)];
    let at = |(dx, dy): (f32, f32)| {
        let column = (x + dx) * depth.width as f32 / grid.size.0 as f32;
        let row = (y + dy) * depth.height as f32 / grid.size.1 as f32;
        depth.at((column as usize).min(depth.width - 1), (row as usize).min(depth.height - 1))
    };
    let mut metres: Vec<f32> = offsets.into_iter().filter_map(at).collect();
    metres.sort_by(f32::total_cmp);
    metres.get(metres.len() / 2).map(|metres| 1.0 / metres)
}

/// Distances on the supporting plane, metres.
pub struct Metric<'a> {
    plane: Plane,
    camera: &'a Pinhole,
    /// Depth pixels per image pixel.
    scale: [f32; 2],
    /// Unit vectors on the plane: to the right, and away from whoever looks: the camera, or the robot.
    right: Vector3<f64>,
    away: Vector3<f64>,
    /// Whether they are the robot's.
    pub is_robots: bool,
}

impl<'a> Metric<'a> {
    /// Of a plane in an image of this size; `None` where the camera is not known or sees the plane from its edge. With `from_robot`
    /// right and away are the robot's, where its frame is known.
    pub fn new(plane: Plane, depth: &'a DepthImage, size: (usize, usize), from_robot: bool) -> Option<Metric<'a>> {
        let camera = depth.camera()?;
        let scale = [depth.width as f32 / size.0 as f32, depth.height as f32 / size.1 as f32];
        let mut metric =
            Metric { plane, camera, scale, right: Vector3::zeros(), away: Vector3::zeros(), is_robots: false };
        let (x, y) = (size.0 as f32 / 2.0, size.1 as f32 / 2.0);
        let step = size.1 as f32 / 8.0;
        let middle = metric.point([x, y])?;
        let normal = (metric.point([x + step, y])? - middle).cross(&(metric.point([x, y + step])? - middle));
        let normal = normal.try_normalize(1e-9)?;
        let on_plane = |axis: Vector3<f64>| (axis - normal * normal.dot(&axis)).try_normalize(1e-6);
        let robot = depth.robot_axes().filter(|_| from_robot);
        if let Some([forward, left, _]) = robot.map(|axes| axes.map(Vector3::from)) {
            (metric.right, metric.away, metric.is_robots) = (on_plane(-left)?, on_plane(forward)?, true);
            return Some(metric);
        }
        metric.right = on_plane(Vector3::x())?;
        // seen from above, away is up in the image
        metric.away = on_plane(Vector3::z() - Vector3::y())?;
        Some(metric)
    }

    /// The point of the plane at an image pixel, in the camera's optical frame, metres.
    pub fn point(&self, [x, y]: [f32; 2]) -> Option<Vector3<f64>> {
        let inverse = self.plane.inverse_depth([x, y]);
        let (column, row) = (x * self.scale[0], y * self.scale[1]);
        let inside = inverse > 1e-3 && column >= 0.0 && row >= 0.0;
        let point = inside.then(|| self.camera.point(column as usize, row as usize, 1.0 / inverse)).flatten();
        point.map(Vector3::from)
    }

    /// Metres on the plane between two image pixels: to the right and away.
    pub fn between(&self, from: [f32; 2], to: [f32; 2]) -> Option<[f32; 2]> {
        let step = self.point(to)? - self.point(from)?;
        Some([step.dot(&self.right) as f32, step.dot(&self.away) as f32])
    }

    /// Metres that an image pixel is wide at a place.
    pub fn of_pixel(&self, [x, y]: [f32; 2]) -> Option<f32> {
        const STEP: f32 = 8.0; // points are of whole pixels
        Some((self.point([x + STEP, y])? - self.point([x, y])?).norm() as f32 / STEP)
    }
}
