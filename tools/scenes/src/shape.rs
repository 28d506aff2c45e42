//! The shape of an object: a signed distance function in the object's own frame.
//!
//! The frame has its origin where the object stands on the table, y up, and unit size: a medium
//! object is about one unit across. Each category has proportions drawn at random, because one
//! fixed mug would teach a model that mug and no other.

use crate::vector::{v, V3};
use rand::Rng;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    Box,
    Cube,
    Ball,
    Can,
    Cone,
    Mug,
    Cup,
    Bottle,
    Bowl,
    Plate,
    Banana,
    Book,
    Wrench,
    Hammer,
    Ring,
}

impl Category {
    pub const ALL: [Category; 15] = [
        Category::Box,
        Category::Cube,
        Category::Ball,
        Category::Can,
        Category::Cone,
        Category::Mug,
        Category::Cup,
        Category::Bottle,
        Category::Bowl,
        Category::Plate,
        Category::Banana,
        Category::Book,
        Category::Wrench,
        Category::Hammer,
        Category::Ring,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Category::Box => "box",
            Category::Cube => "cube",
            Category::Ball => "ball",
            Category::Can => "can",
            Category::Cone => "cone",
            Category::Mug => "mug",
            Category::Cup => "cup",
            Category::Bottle => "bottle",
            Category::Bowl => "bowl",
            Category::Plate => "plate",
            Category::Banana => "banana",
            Category::Book => "book",
            Category::Wrench => "wrench",
            Category::Hammer => "hammer",
            Category::Ring => "ring",
        }
    }
}

/// A category with its proportions. `p` are the free proportions, their meaning set by `sample`.
#[derive(Clone, Debug)]
pub struct Shape {
    pub category: Category,
    p: [f32; 6],
    /// Lying on its side instead of standing.
    pub lying: bool,
    /// Radius of the sphere around `centre` that holds the whole shape.
    pub radius: f32,
    /// Centre of that sphere, in the object's frame.
    pub centre: V3,
}

fn sd_box(q: V3, half: V3, round: f32) -> f32 {
    let d = v(q.x.abs() - half.x + round, q.y.abs() - half.y + round, q.z.abs() - half.z + round);
    let outside = v(d.x.max(0.0), d.y.max(0.0), d.z.max(0.0)).length();
    outside + d.x.max(d.y).max(d.z).min(0.0) - round
}

/// Upright cylinder from y = 0 to `height`.
fn sd_cylinder(q: V3, radius: f32, height: f32, round: f32) -> f32 {
    let dx = q.x.hypot(q.z) - radius + round;
    let dy = (q.y - height / 2.0).abs() - height / 2.0 + round;
    dx.max(dy).min(0.0) + dx.max(0.0).hypot(dy.max(0.0)) - round
}

/// Upright frustum from y = 0 (radius `r0`) to `height` (radius `r1`); a lower bound of the distance.
fn sd_frustum(q: V3, r0: f32, r1: f32, height: f32) -> f32 {
    let slope = (r0 - r1) / height;
    let side = (q.x.hypot(q.z) - (r0 - slope * q.y)) / (1.0 + slope * slope).sqrt();
    side.max(-q.y).max(q.y - height)
}

/// Torus in the xz plane.
fn sd_torus(q: V3, major: f32, minor: f32) -> f32 {
    (q.x.hypot(q.z) - major).hypot(q.y) - minor
}

impl Shape {
    pub fn sample(category: Category, rng: &mut impl Rng) -> Shape {
        let mut p = [0.0f32; 6];
        let mut u = |lo: f32, hi: f32| rng.random_range(lo..hi);
        let (radius, centre);
        let mut lie = 0.0;
        match category {
            Category::Box => {
                // half extents; never near a cube
                let long = u(0.42, 0.62);
                let a = long * u(0.35, 0.66);
                let b = long * u(0.35, 0.8);
                p = [long, a, b, u(0.005, 0.04), 0.0, 0.0];
                if u(0.0, 1.0) < 0.3 {
                    p.swap(0, 1);
                }
                radius = v(p[0], p[1], p[2]).length() + 0.02;
                centre = v(0.0, p[1], 0.0);
            }
            Category::Cube => {
                p[0] = u(0.33, 0.42);
                p[1] = u(0.004, 0.05);
                radius = p[0] * 1.76;
                centre = v(0.0, p[0], 0.0);
            }
            Category::Ball => {
                p[0] = u(0.33, 0.45);
                radius = p[0] + 0.01;
                centre = v(0.0, p[0], 0.0);
            }
            Category::Can => {
                p[0] = u(0.22, 0.36); // radius
                p[1] = p[0] * u(2.0, 3.2); // height
                p[2] = u(0.004, 0.03);
                lie = 0.2;
                radius = p[0].hypot(p[1] / 2.0) + 0.02;
                centre = v(0.0, p[1] / 2.0, 0.0);
            }
            Category::Cone => {
                p[0] = u(0.28, 0.45);
                p[1] = u(0.7, 1.05);
                p[2] = if u(0.0, 1.0) < 0.25 { p[0] * 1.25 } else { 0.0 }; // base plate
                p[3] = if u(0.0, 1.0) < 0.4 { u(0.02, 0.08) } else { 0.0 }; // blunt tip
                radius = p[1] * 0.5 + 0.35;
                centre = v(0.0, p[1] * 0.42, 0.0);
            }
            Category::Mug => {
                p[0] = u(0.28, 0.38); // radius
                p[1] = u(0.58, 0.85); // height
                p[2] = u(0.03, 0.06); // wall
                p[3] = u(0.15, 0.22); // handle ring
                p[4] = u(0.035, 0.06); // handle thickness
                p[5] = u(0.85, 1.05); // lower radius factor
                radius = (p[0] + p[3] + 0.12).hypot(p[1] / 2.0);
                centre = v(0.05, p[1] / 2.0, 0.0);
            }
            Category::Cup => {
                p[0] = u(0.2, 0.27); // lower radius
                p[1] = p[0] * u(1.2, 1.6); // upper radius
                p[2] = u(0.6, 0.85);
                p[3] = u(0.02, 0.045);
                radius = p[1].hypot(p[2] / 2.0) + 0.03;
                centre = v(0.0, p[2] / 2.0, 0.0);
            }
            Category::Bottle => {
                p[0] = u(0.17, 0.26); // body radius
                p[1] = u(0.5, 0.75); // body height
                p[2] = u(0.06, 0.1); // neck radius
                p[3] = u(0.12, 0.28); // shoulder height
                p[4] = u(0.14, 0.3); // neck height
                lie = 0.2;
                let h = p[1] + p[3] + p[4];
                radius = h / 2.0 + 0.12;
                centre = v(0.0, h / 2.0, 0.0);
            }
            Category::Bowl => {
                p[0] = u(0.42, 0.55); // sphere radius
                p[1] = u(0.03, 0.05); // wall
                p[2] = u(0.75, 1.05); // depth as a part of the radius
                radius = p[0] * 1.15;
                centre = v(0.0, p[0] * p[2] * 0.5, 0.0);
            }
            Category::Plate => {
                p[0] = u(0.5, 0.68);
                p[1] = u(0.03, 0.05);
                p[2] = u(0.03, 0.07); // height of the rim
                p[3] = u(0.55, 0.75); // flat part
                radius = p[0] + 0.08;
                centre = v(0.0, 0.05, 0.0);
            }
            Category::Banana => {
                p[0] = u(0.45, 0.6); // radius of the bend
                p[1] = u(0.7, 1.05); // half angle
                p[2] = u(0.085, 0.125); // thickness
                radius = p[0] * 1.05;
                centre = v(0.0, 0.1, 0.0);
            }
            Category::Book => {
                p[0] = u(0.38, 0.52);
                p[1] = u(0.05, 0.13);
                p[2] = p[0] * u(0.66, 0.8);
                lie = 0.18; // for a book: standing on its spine
                radius = v(p[0], p[1], p[2]).length() + 0.03;
                centre = v(0.0, p[1], 0.0);
            }
            Category::Wrench => {
                p[0] = u(0.45, 0.62); // half length
                p[1] = u(0.055, 0.08); // half width of the shaft
                p[2] = u(0.15, 0.2); // head radius
                p[3] = u(0.035, 0.06); // half thickness
                p[4] = u(-0.5, 0.5); // angle of the jaw
                p[5] = if u(0.0, 1.0) < 0.6 { 1.0 } else { 0.0 }; // ring end
                radius = p[0] + p[2] + 0.03;
                centre = v(0.0, 0.05, 0.0);
            }
            Category::Hammer => {
                p[0] = u(0.5, 0.65); // half length of the handle
                p[1] = u(0.04, 0.065);
                p[2] = u(0.2, 0.28); // half length of the head
                p[3] = u(0.08, 0.12);
                p[4] = if u(0.0, 1.0) < 0.5 { 1.0 } else { 0.0 }; // round head
                radius = p[0].hypot(p[2]) + 0.12;
                centre = v(0.0, 0.1, 0.0);
            }
            Category::Ring => {
                p[0] = u(0.3, 0.45);
                p[1] = u(0.06, 0.12);
                radius = p[0] + p[1] + 0.02;
                centre = v(0.0, p[1], 0.0);
            }
        }
        let lying = rng.random_range(0.0..1.0) < lie;
        // the sphere follows the turn that `upright` undoes
        let centre = match (lying, category) {
            (false, _) => centre,
            (true, Category::Book) => v(0.0, p[2], 0.0),
            (true, _) => v(0.0, p[0], 0.0),
        };
        Shape { category, p, lying, radius, centre }
    }

    /// Undoes the lying turn: object frame to the frame in which the shape is defined.
    fn upright(&self, q: V3) -> V3 {
        if !self.lying {
            return q;
        }
        match self.category {
            // stands on its long edge: z becomes up
            Category::Book => v(q.x, q.z + self.p[1], q.y - self.p[2]),
            // lies along x, its axis at the height of its radius
            _ => {
                let half = self.centre_height_upright();
                v(q.y - self.p[0], q.x + half, q.z)
            }
        }
    }

    fn centre_height_upright(&self) -> f32 {
        match self.category {
            Category::Bottle => (self.p[1] + self.p[3] + self.p[4]) / 2.0,
            _ => self.p[1] / 2.0,
        }
    }

    /// Signed distance (a lower bound of it) at `q` in the object's frame.
    pub fn distance(&self, q: V3) -> f32 {
        let q = self.upright(q);
        let p = &self.p;
        match self.category {
            Category::Box => sd_box(q - v(0.0, p[1], 0.0), v(p[0], p[1], p[2]), p[3]),
            Category::Cube => sd_box(q - v(0.0, p[0], 0.0), v(p[0], p[0], p[0]), p[1]),
            Category::Ball => (q - v(0.0, p[0], 0.0)).length() - p[0],
            Category::Can => sd_cylinder(q, p[0], p[1], p[2]),
            Category::Cone => {
                let cone = sd_frustum(q, p[0], p[3], p[1]);
                if p[2] > 0.0 {
                    cone.min(sd_box(q - v(0.0, 0.025, 0.0), v(p[2], 0.03, p[2]), 0.01))
                } else {
                    cone
                }
            }
            Category::Mug => {
                let outer = sd_frustum(q, p[0] * p[5], p[0], p[1]);
                let inner = sd_frustum(q - v(0.0, p[2], 0.0), (p[0] * p[5] - p[2]).max(0.05), p[0] - p[2], p[1]);
                let at = q - v(p[0] * 0.98, p[1] * 0.5, 0.0);
                // the ring stands upright in the xy plane, stretched a little along y
                let handle = sd_torus(v(at.x, at.z, at.y * 0.85), p[3], p[4]).max(-at.x - 0.02);
                outer.max(-inner).min(handle.max(-outer))
            }
            Category::Cup => {
                let outer = sd_frustum(q, p[0], p[1], p[2]);
                let inner = sd_frustum(q - v(0.0, p[3], 0.0), p[0] - p[3], p[1] - p[3], p[2]);
                outer.max(-inner)
            }
            Category::Bottle => {
                let body = sd_cylinder(q, p[0], p[1], 0.03);
                let shoulder = sd_frustum(q - v(0.0, p[1] - 0.03, 0.0), p[0] - 0.02, p[2], p[3]);
                let neck = sd_cylinder(q - v(0.0, p[1] + p[3] - 0.04, 0.0), p[2], p[4] + 0.04, 0.01);
                body.min(shoulder).min(neck)
            }
            Category::Bowl => {
                // part of a spherical shell, its foot cut flat on the table
                let c = q - v(0.0, p[0] * 0.95, 0.0);
                let shell = (c.length() - p[0] + p[1]).abs() - p[1];
                shell.max(q.y - p[0] * p[2]).max(-q.y) * 0.9
            }
            Category::Plate => {
                let r = q.x.hypot(q.z);
                let flat = p[0] * p[3];
                let lift = ((r - flat) / (p[0] - flat)).clamp(0.0, 1.0) * p[2];
                sd_cylinder(q - v(0.0, lift, 0.0), p[0], p[1], 0.012) * 0.75
            }
            Category::Banana => {
                // an arc in the xz plane, thick in its middle
                let c = q - v(0.0, p[2], -p[0] * 0.75);
                let angle = c.x.atan2(c.z).clamp(-p[1], p[1]);
                let nearest = v(p[0] * angle.sin(), 0.0, p[0] * angle.cos());
                let thin = 1.0 - 0.62 * (angle / p[1]).abs().powi(3);
                ((c - nearest).length() - p[2] * thin) * 0.8
            }
            Category::Book => sd_box(q - v(0.0, p[1], 0.0), v(p[0], p[1], p[2]), 0.008),
            Category::Wrench => {
                let slab = (q.y - p[3]).abs() - p[3];
                let shaft = (q.z.abs() - p[1]).max(q.x.abs() - p[0]);
                let head = (q.x - p[0]).hypot(q.z) - p[2];
                let (s, c) = p[4].sin_cos();
                let (jx, jz) = (c * (q.x - p[0]) + s * q.z, -s * (q.x - p[0]) + c * q.z);
                let jaw = (-jx - 0.02).max(jz.abs() - p[2] * 0.5);
                let mut d = shaft.min(head).max(-jaw);
                if p[5] > 0.0 {
                    let r = (q.x + p[0]).hypot(q.z);
                    d = d.min(r - p[2] * 0.8).max(p[2] * 0.45 - r);
                }
                d.max(slab)
            }
            Category::Hammer => {
                let lie = v(q.z, q.x + p[0], q.y - p[3]);
                let handle = sd_cylinder(lie, p[1], p[0] * 2.0, 0.02);
                let at = q - v(p[0] * 0.92, p[3], 0.0);
                let head = if p[4] > 0.0 {
                    sd_cylinder(v(at.x, at.z + p[2], at.y), p[3], p[2] * 2.0, 0.015)
                } else {
                    sd_box(at, v(p[3], p[3], p[2]), 0.015)
                };
                handle.min(head)
            }
            Category::Ring => sd_torus(q - v(0.0, p[1], 0.0), p[0], p[1]),
        }
    }

    /// Part of the surface that is not painted in the object's colour, if any:
    /// 1 for the pages of a book, 2 for the metal lid of a can, 0 for paint.
    pub fn trim(&self, q: V3) -> u8 {
        let q = self.upright(q);
        let p = &self.p;
        match self.category {
            Category::Book => {
                let inside = (q.y - p[1]).abs() < p[1] * 0.72;
                let edge = q.x > p[0] * 0.985 || q.z.abs() > p[2] * 0.985;
                u8::from(inside && edge)
            }
            Category::Can => {
                let lid = q.y > p[1] * 0.97 || q.y < p[1] * 0.03;
                2 * u8::from(lid)
            }
            _ => 0,
        }
    }

    /// Height above the table, object frame.
    pub fn height(&self) -> f32 {
        let p = &self.p;
        match self.category {
            Category::Box => 2.0 * p[1],
            Category::Cube | Category::Ball => 2.0 * p[0],
            Category::Can if self.lying => 2.0 * p[0],
            Category::Can | Category::Cone | Category::Mug => p[1],
            Category::Cup => p[2],
            Category::Bottle if self.lying => 2.0 * p[0],
            Category::Bottle => p[1] + p[3] + p[4],
            Category::Bowl => p[0] * p[2],
            Category::Plate => p[1] + p[2],
            Category::Banana | Category::Hammer => 0.24,
            Category::Book if self.lying => 2.0 * p[2],
            Category::Book => 2.0 * p[1],
            Category::Wrench => 2.0 * p[3],
            Category::Ring => 2.0 * p[1],
        }
    }
}
