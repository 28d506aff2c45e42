//! `Mesh`: the triangles of an object with their texture, and a tree to find which one a ray hits.

use glam::{vec3a, Vec2, Vec3A};
use obvhs::bvh2::builder::build_bvh2_from_tris;
use obvhs::bvh2::Bvh2;
use obvhs::ray::{Ray, RayHit};
use obvhs::triangle::Triangle;
use obvhs::BvhBuildParams;
use std::io::{Error, Result};
use std::path::Path;
use std::time::Duration;

/// A picture in linear light, repeated in both directions.
pub struct Texture {
    width: usize,
    height: usize,
    pixels: Vec<Vec3A>,
}

/// sRGB 0..1 to linear light.
pub fn linear(colour: Vec3A) -> Vec3A {
    colour.powf(2.2)
}

impl Texture {
    /// Reads a picture.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn open(path: &Path) -> Result<Texture> {
        let opened = image::open(path).map_err(|cause| Error::other(format!("{}: {cause}", path.display())))?;
        let rgb = opened.to_rgb8();
        let value = |pixel: &image::Rgb<u8>| {
            let [r, g, b] = pixel.0.map(|byte| f32::from(byte) / 255.0);
            linear(vec3a(r, g, b))
        };
        Ok(Texture {
            width: rgb.width() as usize,
            height: rgb.height() as usize,
            pixels: rgb.pixels().map(value).collect(),
        })
    }

    /// A texture of `width` by `height` pixels in linear light, row-major from the top.
    pub fn of(width: usize, height: usize, pixels: Vec<Vec3A>) -> Texture {
        Texture { width, height, pixels }
    }

    /// Part of its pixels that have a colour.
    pub fn share(&self, colour: Vec3A) -> f32 {
        let count = self.pixels.iter().filter(|pixel| pixel.distance(colour) < 0.02).count();
        count as f32 / self.pixels.len() as f32
    }

    /// The nearest pixel; (0, 0) is the lower left corner.
    pub fn at(&self, place: Vec2) -> Vec3A {
        let part = |value: f32, size: usize| ((value - value.floor()) * size as f32) as usize % size;
        self.pixels[part(1.0 - place.y, self.height) * self.width + part(place.x, self.width)]
    }
}

struct Corner {
    normal: Vec3A,
    place: Vec2,
}

/// Triangles in metres, z up.
pub struct Mesh {
    triangles: Vec<Triangle>,
    corners: Vec<[Corner; 3]>,
    tree: Bvh2,
    /// Its corner points.
    pub points: Vec<Vec3A>,
}

/// Where a ray hits a mesh.
pub struct Hit {
    /// Distance along the ray.
    pub t: f32,
    /// Unit normal, interpolated.
    pub normal: Vec3A,
    /// Place in the texture.
    pub place: Vec2,
}

impl Mesh {
    /// Reads a Wavefront file of triangles or polygons.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn open(path: &Path) -> Result<Mesh> {
        let text = std::fs::read_to_string(path)?;
        let (mut points, mut places, mut normals) = (Vec::new(), Vec::new(), Vec::new());
        let (mut triangles, mut corners) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            let kind = words.next().unwrap_or_default();
            let numbers = |words: std::str::SplitAsciiWhitespace| -> Vec<f32> {
                words.map_while(|word| word.parse().ok()).collect()
            };
            match kind {
                "v" => points.push(numbers(words)),
                "vn" => normals.push(numbers(words)),
                "vt" => places.push(numbers(words)),
                "f" => {
                    let corner = |word: &str| -> Vec<usize> {
                        word.split('/').map(|index| index.parse::<usize>().unwrap_or(0)).collect()
                    };
                    let all: Vec<Vec<usize>> = words.map(corner).collect();
                    for at in 1..all.len().saturating_sub(1) {
                        let three = [&all[0], &all[at], &all[at + 1]];
                        let vector = |list: &[Vec<f32>], index: usize| {
                            let row = index.checked_sub(1).and_then(|index| list.get(index));
                            row.filter(|row| row.len() >= 2)
                                .map(|row| vec3a(row[0], row[1], row.get(2).copied().unwrap_or(0.0)))
                        };
                        let [a, b, c] = three.map(|corner| vector(&points, corner[0]));
                        let (Some(a), Some(b), Some(c)) = (a, b, c) else { continue };
                        let flat = (b - a).cross(c - a).normalize_or_zero();
                        if flat == Vec3A::ZERO {
                            continue;
                        }
                        triangles.push(Triangle { v0: a, v1: b, v2: c });
                        corners.push(three.map(|corner| {
                            Corner {
                                normal: corner.get(2).and_then(|index| vector(&normals, *index)).unwrap_or(flat),
                                place: corner
                                    .get(1)
                                    .and_then(|index| vector(&places, *index))
                                    .map_or(Vec2::ZERO, |p| Vec2::new(p.x, p.y)),
                            }
                        }));
                    }
                }
                _ => {}
            }
        }
        if triangles.is_empty() {
            return Err(Error::other(format!("{}: no triangles", path.display())));
        }
        Ok(Mesh::of(triangles, corners))
    }

    /// A mesh of triangles, each corner its point, unit normal and place in the texture.
    pub fn of_corners(list: Vec<[(Vec3A, Vec3A, Vec2); 3]>) -> Mesh {
        let list = list.iter().filter(|[a, b, c]| (b.0 - a.0).cross(c.0 - a.0).length_squared() > 1e-18);
        let triangle = |[a, b, c]: &[(Vec3A, Vec3A, Vec2); 3]| Triangle { v0: a.0, v1: b.0, v2: c.0 };
        let corner = |(_, normal, place): (Vec3A, Vec3A, Vec2)| Corner { normal, place };
        let (triangles, corners) = list.map(|three| (triangle(three), three.map(corner))).unzip();
        Mesh::of(triangles, corners)
    }

    fn of(triangles: Vec<Triangle>, corners: Vec<[Corner; 3]>) -> Mesh {
        let tree = build_bvh2_from_tris(&triangles, BvhBuildParams::fast_build(), &mut Duration::default());
        let points = triangles.iter().flat_map(|triangle| [triangle.v0, triangle.v1, triangle.v2]).collect();
        Mesh { triangles, corners, tree, points }
    }

    /// A box from one corner to the other, its texture once a metre.
    pub fn cuboid(low: Vec3A, high: Vec3A) -> Mesh {
        let (mut triangles, mut corners) = (Vec::new(), Vec::new());
        for axis in 0..3 {
            for side in [low, high] {
                let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
                let point = |a: f32, b: f32| {
                    let mut point = Vec3A::ZERO;
                    (point[axis], point[u], point[v]) = (side[axis], a, b);
                    point
                };
                let mut normal = Vec3A::ZERO;
                normal[axis] = if side == low { -1.0 } else { 1.0 };
                let four = [(low[u], low[v]), (high[u], low[v]), (high[u], high[v]), (low[u], high[v])];
                for three in [[0, 1, 2], [0, 2, 3]] {
                    let [a, b, c] = three.map(|at| point(four[at].0, four[at].1));
                    triangles.push(Triangle { v0: a, v1: b, v2: c });
                    corners.push(three.map(|at| Corner { normal, place: Vec2::new(four[at].0, four[at].1) }));
                }
            }
        }
        Mesh::of(triangles, corners)
    }

    /// The nearest hit before a distance.
    pub fn hit(&self, origin: Vec3A, direction: Vec3A, before: f32) -> Option<Hit> {
        let mut hit = RayHit::none();
        let ray = Ray::new(origin, direction, 0.0, before);
        let found = self.tree.ray_traverse(ray, &mut hit, |ray, id| {
            self.triangles[self.tree.primitive_indices[id] as usize].intersect(ray)
        });
        if !found || hit.t >= before {
            return None;
        }
        let index = self.tree.primitive_indices[hit.primitive_id as usize] as usize;
        let (triangle, corners) = (&self.triangles[index], &self.corners[index]);
        let point = origin + direction * hit.t;
        let (e1, e2, to) = (triangle.v1 - triangle.v0, triangle.v2 - triangle.v0, point - triangle.v0);
        let (d11, d12, d22) = (e1.dot(e1), e1.dot(e2), e2.dot(e2));
        let (t1, t2) = (to.dot(e1), to.dot(e2));
        let whole = (d11 * d22 - d12 * d12).max(1e-20);
        let (b, c) = ((d22 * t1 - d12 * t2) / whole, (d11 * t2 - d12 * t1) / whole);
        let a = 1.0 - b - c;
        let normal = corners[0].normal * a + corners[1].normal * b + corners[2].normal * c;
        let place = corners[0].place * a + corners[1].place * b + corners[2].place * c;
        Some(Hit { t: hit.t, normal: normal.normalize_or(e1.cross(e2).normalize_or(Vec3A::Z)), place })
    }

    /// Whether anything is hit before a distance.
    pub fn blocks(&self, origin: Vec3A, direction: Vec3A, before: f32) -> bool {
        let mut hit = RayHit::none();
        let ray = Ray::new(origin, direction, 0.0, before);
        self.tree.ray_traverse(ray, &mut hit, |ray, id| {
            self.triangles[self.tree.primitive_indices[id] as usize].intersect(ray)
        }) && hit.t < before
    }
}
