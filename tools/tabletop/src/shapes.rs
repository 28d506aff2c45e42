//! Shapes that are made, not scanned: turned things, boxes, handles, and prints and patterns to put on them. The same generator gives
//! the same shapes.

use crate::library::{hsv, paints, Model};
use crate::mesh::{linear, Mesh, Texture};
use glam::{vec2, vec3a, Vec2, Vec3A};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use std::f32::consts::TAU;

/// Corners of one triangle: point, normal, place in the texture.
type Three = [(Vec3A, Vec3A, Vec2); 3];

fn between(rng: &mut Pcg64, low: f32, high: f32) -> f32 {
    rng.random_range(low..high)
}

/// Two triangles of four corners that go around.
fn quad(out: &mut Vec<Three>, four: [(Vec3A, Vec3A, Vec2); 4]) {
    out.push([four[0], four[1], four[2]]);
    out.push([four[0], four[2], four[3]]);
}

/// A profile (radius, height) turned about z; an edge sharper than 40 degrees stays sharp.
fn turned(profile: &[Vec2], sides: usize, out: &mut Vec<Three>) {
    let direction = |at: usize| (profile[at + 1] - profile[at]).normalize_or(Vec2::Y);
    let length: f32 = profile.windows(2).map(|two| two[0].distance(two[1])).sum();
    let mut along = 0.0;
    for at in 0..profile.len() - 1 {
        let own = direction(at);
        let smooth = |other: Option<usize>| match other.map(direction) {
            Some(other) if other.dot(own) > 0.766 => (own + other).normalize(),
            _ => own,
        };
        let ends = [smooth(at.checked_sub(1)), smooth((at + 2 < profile.len()).then_some(at + 1))];
        let next = along + profile[at].distance(profile[at + 1]);
        let corner = |side: usize, end: usize| {
            let (sine, cosine) = (side as f32 / sides as f32 * TAU).sin_cos();
            let (place, tangent) = (profile[at + end], ends[end]);
            let normal = vec3a(tangent.y * cosine, tangent.y * sine, -tangent.x);
            let v = [along, next][end] / length.max(1e-6);
            (vec3a(place.x * cosine, place.x * sine, place.y), normal, vec2(side as f32 / sides as f32, v))
        };
        for side in 0..sides {
            quad(out, [corner(side, 0), corner(side + 1, 0), corner(side + 1, 1), corner(side, 1)]);
        }
        along = next;
    }
}

/// A tube of a radius along a path.
fn tube(path: &[Vec3A], radius: f32, out: &mut Vec<Three>) {
    const SIDES: usize = 8;
    let frame = |at: usize| {
        let along = (path[(at + 1).min(path.len() - 1)] - path[at.saturating_sub(1)]).normalize_or(Vec3A::Z);
        let across = along.cross(Vec3A::Y).try_normalize().unwrap_or(Vec3A::X);
        (across, along.cross(across))
    };
    let corner = |at: usize, side: usize| {
        let ((u, v), angle) = (frame(at), side as f32 / SIDES as f32 * TAU);
        let normal = u * angle.cos() + v * angle.sin();
        (path[at] + normal * radius, normal, vec2(side as f32 / SIDES as f32, at as f32 / path.len() as f32))
    };
    for at in 0..path.len() - 1 {
        for side in 0..SIDES {
            quad(out, [corner(at, side), corner(at + 1, side), corner(at + 1, side + 1), corner(at, side + 1)]);
        }
    }
}

/// A box that stands on z = 0; each side shows another part of the texture.
fn cuboid(size: Vec3A, rng: &mut Pcg64, out: &mut Vec<Three>) {
    let half = size * vec3a(0.5, 0.5, 1.0);
    let (low, high) = (vec3a(-half.x, -half.y, 0.0), vec3a(half.x, half.y, half.z));
    for axis in 0..3 {
        for (side, sign) in [(low, -1.0), (high, 1.0)] {
            let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
            // text stands upright on the sides
            let (u, v) = if u == 2 { (v, u) } else { (u, v) };
            let mut normal = Vec3A::ZERO;
            normal[axis] = sign;
            let shift = vec2(between(rng, 0.0, 1.0), 0.0);
            let corner = |a: f32, b: f32| {
                let mut point = Vec3A::ZERO;
                (point[axis], point[u], point[v]) =
                    (side[axis], low[u] + a * (high[u] - low[u]), low[v] + b * (high[v] - low[v]));
                (point, normal, vec2(a * 0.98, b * 0.98) + shift)
            };
            quad(out, [corner(0.0, 0.0), corner(1.0, 0.0), corner(1.0, 1.0), corner(0.0, 1.0)]);
        }
    }
}

/// Points of an ellipse's right half, from its lower pole to its upper.
fn ellipse(radius: f32, height: f32, taper: f32) -> Vec<Vec2> {
    (0..=16)
        .map(|k| {
            let angle = k as f32 / 16.0 * std::f32::consts::PI;
            let z = (1.0 - angle.cos()) / 2.0;
            vec2(radius * angle.sin() * (1.0 - taper * z), height * z)
        })
        .collect()
}

/// A vessel: outside up, over the rim, inside down. `outer` are (radius, height) from the foot to the rim.
fn vessel(outer: &[Vec2], wall: f32) -> Vec<Vec2> {
    let mut profile = vec![vec2(0.0, 0.0)];
    profile.extend_from_slice(outer);
    profile.extend(
        outer.iter().rev().map(|point| vec2((point.x - wall).max(0.0), point.y.max(wall))),
    );
    profile.push(vec2(0.0, wall));
    profile
}

/// A colour that people call by a name: its name and sRGB.
fn paint(rng: &mut Pcg64) -> (&'static str, Vec3A) {
    let (name, [h, s, v]) = *paints().choose(rng).unwrap_or(&paints()[0]);
    (name, hsv(between(rng, h.0, h.1), between(rng, s.0, s.1), between(rng, v.0, v.1)))
}

const SIDE: usize = 128;

/// A texture of patches over a ground: what it is called, and the name of the ground's colour where it covers most.
struct Decorated {
    texture: Texture,
    colour: Option<String>,
    pattern: Option<&'static str>,
}

fn painted(ground: Vec3A, over: impl Fn(f32, f32) -> Option<Vec3A>) -> Texture {
    let pixels = (0..SIDE * SIDE).map(|at| {
        let (x, y) = ((at % SIDE) as f32 / SIDE as f32, (at / SIDE) as f32 / SIDE as f32);
        linear(over(x, y).unwrap_or(ground))
    });
    Texture::of(SIDE, SIDE, pixels.collect())
}

/// Stripes, dots or checks of two colours.
fn patterned(rng: &mut Pcg64) -> Decorated {
    let (name, ground) = paint(rng);
    let (_, second) = loop {
        let other = paint(rng);
        if other.0 != name {
            break other;
        }
    };
    let (count, kind, across) = (rng.random_range(3..9) as f32, rng.random_range(0..3), rng.random_bool(0.6));
    let part = between(rng, 0.25, 0.5);
    let texture = painted(ground, |x, y| {
        let (u, v) = ((x * count).fract(), (y * count).fract());
        let is_second = match kind {
            0 => (if across { v } else { u }) < part,
            1 => (u - 0.5).hypot(v - 0.5) < 0.6 * part,
            _ => (u < 0.5) != (v < 0.5),
        };
        is_second.then_some(second)
    });
    let pattern = ["striped", "dotted", "checked"][kind];
    Decorated { texture, colour: (kind < 2 && part < 0.4).then(|| name.to_string()), pattern: Some(pattern) }
}

/// What is printed on a package: bands, a picture of blobs, a title and lines of small print.
fn printed(rng: &mut Pcg64) -> Decorated {
    let (name, ground) = paint(rng);
    let mut patches: Vec<(Vec2, Vec2, bool, Vec3A)> = Vec::new(); // centre, half size, whether round, colour
    let ink = if ground.element_sum() > 1.6 { Vec3A::splat(0.08) } else { Vec3A::splat(0.95) };
    for _ in 0..rng.random_range(0..3) {
        let at = vec2(0.5, between(rng, 0.0, 1.0));
        patches.push((at, vec2(0.5, between(rng, 0.02, 0.14)), false, paint(rng).1));
    }
    if rng.random_bool(0.7) {
        let middle = vec2(between(rng, 0.3, 0.7), between(rng, 0.3, 0.7));
        for _ in 0..rng.random_range(1..9) {
            let at = middle + vec2(between(rng, -0.18, 0.18), between(rng, -0.18, 0.18));
            let half = vec2(between(rng, 0.04, 0.2), between(rng, 0.04, 0.2));
            patches.push((at, half, true, paint(rng).1));
        }
    }
    let title = if rng.random_bool(0.6) { ink } else { paint(rng).1 };
    let letters = |patches: &mut Vec<_>, at: Vec2, tall: f32, count: usize, colour: Vec3A, rng: &mut Pcg64| {
        for letter in 0..count {
            let wide = tall * between(rng, 0.2, 0.45);
            let place = at + vec2(letter as f32 * tall * 0.85, 0.0);
            patches.push((place, vec2(wide, tall / 2.0), rng.random_bool(0.3), colour));
            patches.push((place, vec2(wide * 0.4, tall * between(rng, 0.1, 0.3)), false, ground));
        }
    };
    let tall = between(rng, 0.07, 0.2);
    let count = rng.random_range(3..9);
    letters(&mut patches, vec2(between(rng, 0.08, 0.3), between(rng, 0.1, 0.3)), tall, count, title, rng);
    for line in 0..rng.random_range(0..7) {
        let count = rng.random_range(6..14);
        letters(&mut patches, vec2(0.1, 0.65 + 0.05 * line as f32), 0.03, count, ink, rng);
    }
    let texture = painted(ground, |x, y| {
        patches.iter().rev().find_map(|(at, half, is_round, colour)| {
            let d = (vec2(x, y) - *at) / *half;
            (if *is_round { d.length() < 1.0 } else { d.abs().max_element() < 1.0 }).then_some(*colour)
        })
    });
    let ground = linear(ground);
    Decorated { colour: (texture.share(ground) > 0.6).then(|| name.to_string()), texture, pattern: None }
}

fn model(noun: &str, number: usize, made: Vec<Three>, decorated: Option<Decorated>) -> Model {
    let mesh = Mesh::of_corners(made);
    let (low, high) =
        mesh.points.iter().fold((Vec3A::MAX, Vec3A::MIN), |(low, high), point| (low.min(*point), high.max(*point)));
    let (colour, pattern) = decorated.as_ref().map_or((None, None), |d| (d.colour.clone(), d.pattern));
    Model {
        noun: noun.to_string(),
        name: format!("made_{}_{number}", noun.replace(' ', "_")),
        is_paintable: decorated.is_none(),
        texture: decorated.map(|decorated| decorated.texture),
        colour,
        pattern,
        mesh,
        size: high - low,
    }
}

/// Shapes of a noun, in metres.
fn shape(noun: &str, rng: &mut Pcg64) -> Option<Vec<Three>> {
    let mut out = Vec::new();
    let mut b = |low: f32, high: f32| rng.random_range(low..high);
    let sides = 40;
    match noun {
        "cube" => {
            let side = b(0.03, 0.08);
            cuboid(Vec3A::splat(side), rng, &mut out)
        }
        "box" => {
            let size = vec3a(b(0.05, 0.2), b(0.03, 0.12), b(0.03, 0.25));
            cuboid(size, rng, &mut out)
        }
        "book" => {
            let size = vec3a(b(0.1, 0.2), b(0.14, 0.26), b(0.01, 0.045));
            cuboid(size, rng, &mut out)
        }
        "ruler" => cuboid(vec3a(b(0.15, 0.31), b(0.02, 0.04), 0.002), rng, &mut out),
        "eraser" => cuboid(vec3a(b(0.03, 0.06), b(0.015, 0.03), b(0.008, 0.016)), rng, &mut out),
        "remote control" => cuboid(vec3a(b(0.035, 0.055), b(0.12, 0.21), b(0.012, 0.025)), rng, &mut out),
        "calculator" => cuboid(vec3a(b(0.06, 0.09), b(0.1, 0.16), b(0.008, 0.018)), rng, &mut out),
        "ball" => turned(&ellipse(0.5, 1.0, 0.0).iter().map(|p| *p * 0.07).collect::<Vec<_>>(), sides, &mut out),
        "egg" => {
            let r = b(0.02, 0.025);
            turned(&ellipse(r * 1.1, r * 2.7, 0.22), sides, &mut out)
        }
        "kiwi" => turned(&ellipse(b(0.022, 0.028), b(0.06, 0.075), 0.05), sides, &mut out),
        "cucumber" => {
            let (r, h) = (b(0.016, 0.026), b(0.14, 0.28));
            let profile: Vec<Vec2> = ellipse(1.0, h, 0.1).iter().map(|p| vec2(r * p.x.powf(0.45), p.y)).collect();
            turned(&profile, sides, &mut out)
        }
        "soap" => {
            let (r, h) = (b(0.035, 0.05), b(0.02, 0.03));
            let profile: Vec<Vec2> = ellipse(1.0, h, 0.0).iter().map(|p| vec2(r * p.x.powf(0.5), p.y)).collect();
            turned(&profile, sides, &mut out);
            let narrow = b(0.55, 0.7);
            out.iter_mut().flatten().for_each(|corner| corner.0.y *= narrow);
        }
        "cone" => {
            let (r, h) = (b(0.025, 0.06), b(0.06, 0.14));
            let top = if b(0.0, 1.0) < 0.5 { 0.0 } else { r * b(0.0, 0.15) };
            let foot = b(0.0, 1.0) < 0.35;
            let mut profile = vec![vec2(0.0, 0.0)];
            if foot {
                profile.extend([vec2(r * 1.4, 0.0), vec2(r * 1.4, 0.006), vec2(r, 0.006)]);
            } else {
                profile.push(vec2(r, 0.0));
            }
            profile.extend([vec2(top, h), vec2(0.0, h)]);
            turned(&profile, sides, &mut out)
        }
        "ring" => {
            let (r, thick) = (b(0.02, 0.07), b(0.12, 0.36));
            let profile: Vec<Vec2> = (0..=20)
                .map(|k| {
                    let angle = k as f32 / 20.0 * TAU;
                    vec2(r + r * thick * angle.cos(), r * thick * (1.0 + angle.sin()))
                })
                .collect();
            turned(&profile, sides, &mut out)
        }
        "can" => {
            let (r, h, dip) = (b(0.025, 0.05), b(0.05, 0.16), b(0.002, 0.006));
            let neck = r * b(0.85, 1.0);
            let profile = [
                vec2(0.0, dip), vec2(neck * 0.93, dip), vec2(neck * 0.95, 0.0), vec2(neck, 0.0), vec2(r, 0.006),
                vec2(r, h - 0.006), vec2(neck, h), vec2(neck * 0.95, h), vec2(neck * 0.93, h - dip), vec2(0.0, h - dip),
            ];
            turned(&profile, sides, &mut out)
        }
        "cup" | "mug" | "glass" => {
            let (r, h) = (b(0.03, 0.05), if noun == "mug" { b(0.075, 0.12) } else { b(0.06, 0.15) });
            let (foot, belly) = (r * if noun == "mug" { b(0.8, 1.0) } else { b(0.6, 0.95) }, r * b(0.0, 0.12));
            let outer: Vec<Vec2> = (0..=8)
                .map(|k| {
                    let part = k as f32 / 8.0;
                    let bulge = belly * (part * std::f32::consts::PI).sin();
                    vec2(foot + (r - foot) * part + bulge, h * part)
                })
                .collect();
            turned(&vessel(&outer, b(0.002, 0.005)), sides, &mut out);
            if noun == "mug" {
                let (low, high, far) = (h * b(0.15, 0.3), h * b(0.7, 0.92), b(0.02, 0.035));
                let square = b(0.5, 1.0);
                let path: Vec<Vec3A> = (0..=14)
                    .map(|k| {
                        let angle = k as f32 / 14.0 * std::f32::consts::PI;
                        let reach = angle.sin().powf(square);
                        let z = (low + high) / 2.0 - (high - low) / 2.0 * angle.cos();
                        vec3a(r.min(foot + belly) * 0.97 + far * reach, 0.0, z)
                    })
                    .collect();
                tube(&path, b(0.004, 0.007), &mut out);
            }
        }
        "bowl" => {
            let (r, h) = (b(0.05, 0.11), b(0.03, 0.08));
            let (foot, round) = (r * b(0.35, 0.6), b(0.4, 0.8));
            let outer: Vec<Vec2> = (0..=10)
                .map(|k| {
                    let part = k as f32 / 10.0;
                    vec2(foot + (r - foot) * part.powf(round), h * part)
                })
                .collect();
            turned(&vessel(&outer, b(0.002, 0.006)), sides, &mut out)
        }
        "plate" => {
            let (r, h) = (b(0.07, 0.14), b(0.012, 0.028));
            let outer = [vec2(r * 0.6, 0.0), vec2(r * b(0.62, 0.72), h * 0.3), vec2(r * 0.97, h * 0.95), vec2(r, h)];
            turned(&vessel(&outer, 0.003), sides, &mut out)
        }
        "bottle" | "vase" | "jar" => {
            let (r, h) = match noun {
                "bottle" => (b(0.025, 0.045), b(0.15, 0.3)),
                "vase" => (b(0.04, 0.08), b(0.12, 0.3)),
                _ => (b(0.03, 0.05), b(0.07, 0.14)),
            };
            let neck = r * if noun == "jar" { b(0.8, 0.95) } else { b(0.3, 0.6) };
            let (shoulder, end) = (h * b(0.5, 0.75), h * b(0.78, 0.9));
            let shoulder = if noun == "jar" { h * 0.8 } else { shoulder };
            let cap = neck * b(1.0, 1.25);
            let mut profile = vec![vec2(0.0, 0.0), vec2(r * 0.92, 0.0), vec2(r, 0.008)];
            for k in 0..=8 {
                let part = k as f32 / 8.0;
                let smooth = part * part * (3.0 - 2.0 * part);
                profile.push(vec2(r + (neck - r) * smooth, shoulder + (end - shoulder) * part));
            }
            if noun == "vase" {
                profile.extend([vec2(neck * b(1.0, 1.6), h), vec2(neck * 0.9, h), vec2(neck * 0.8, h * 0.6), vec2(0.0, h * 0.5)]);
            } else {
                profile.extend([vec2(cap, end + 0.001), vec2(cap, h), vec2(0.0, h)]);
            }
            turned(&profile, sides, &mut out)
        }
        "pencil" | "pen" => {
            let (r, h) = (b(0.0035, 0.006), b(0.11, 0.19));
            let profile = [vec2(0.0, 0.0), vec2(r * 0.15, 0.0), vec2(r, r * b(3.0, 6.0)), vec2(r, h), vec2(0.0, h)];
            turned(&profile, if noun == "pencil" { 6 } else { 20 }, &mut out);
            // lying along x
            out.iter_mut().flatten().for_each(|corner| {
                let (p, n) = (corner.0, corner.1);
                corner.0 = vec3a(p.z - h / 2.0, p.y, p.x + r);
                corner.1 = vec3a(n.z, n.y, n.x);
            });
        }
        _ => return None,
    }
    Some(out)
}

/// Noun, how many, and of ten how many are printed and how many patterned; the others take any paint.
const MADE: [(&str, usize, usize, usize); 23] = [
    ("cube", 12, 2, 2), ("box", 20, 8, 1), ("book", 10, 7, 1), ("ball", 10, 1, 4), ("cone", 10, 0, 2), ("ring", 10, 0, 2),
    ("can", 16, 7, 1), ("cup", 12, 1, 3), ("mug", 16, 2, 3), ("glass", 4, 0, 1), ("bowl", 12, 0, 3), ("plate", 8, 0, 3),
    ("bottle", 14, 4, 0), ("vase", 6, 0, 3), ("jar", 8, 4, 0), ("pencil", 4, 0, 1), ("pen", 6, 1, 1), ("ruler", 4, 3, 0),
    ("eraser", 4, 3, 0), ("remote control", 6, 5, 0), ("calculator", 4, 9, 0), ("soap", 4, 1, 0), ("egg", 3, 0, 0),
];
/// Things of one colour in nature.
const GROWN: [(&str, usize, [(f32, f32); 3]); 2] = [
    ("kiwi", 3, [(28.0, 40.0), (0.45, 0.6), (0.3, 0.5)]),
    ("cucumber", 4, [(95.0, 125.0), (0.55, 0.8), (0.2, 0.5)]),
];

/// All shapes.
pub fn all() -> Vec<Model> {
    let mut models = Vec::new();
    for (noun, count, print, pattern) in MADE {
        for number in 0..count {
            let mut rng = Pcg64::seed_from_u64(noun.bytes().fold(number as u64, |sum, byte| sum * 131 + u64::from(byte)));
            let Some(made) = shape(noun, &mut rng) else { continue };
            let decorated = match number * 10 / count {
                at if at < print => Some(printed(&mut rng)),
                at if at < print + pattern => Some(patterned(&mut rng)),
                _ => None,
            };
            models.push(model(noun, number, made, decorated));
        }
    }
    for (noun, count, [h, s, v]) in GROWN {
        for number in 0..count {
            let mut rng = Pcg64::seed_from_u64(number as u64 + 77);
            let Some(made) = shape(noun, &mut rng) else { continue };
            let ground = hsv(between(&mut rng, h.0, h.1), between(&mut rng, s.0, s.1), between(&mut rng, v.0, v.1));
            let specks: Vec<Vec2> = (0..80).map(|_| vec2(between(&mut rng, 0.0, 1.0), between(&mut rng, 0.0, 1.0))).collect();
            let texture = painted(ground, |x, y| {
                specks.iter().any(|speck| speck.distance(vec2(x, y)) < 0.014).then_some(ground * 0.7)
            });
            let colour = if noun == "kiwi" { "brown" } else { "green" };
            let decorated = Decorated { texture, colour: Some(colour.into()), pattern: None };
            models.push(model(noun, number, made, Some(decorated)));
        }
    }
    models
}
