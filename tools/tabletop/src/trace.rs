//! Path tracing: what a camera sees of a scene, and which object each pixel shows.

use crate::scene::{Instance, Paint, Scene};
use glam::{vec2, vec3a, Vec2, Vec3A};
use rand::Rng;
use rand_pcg::Pcg64;

/// A rendered picture.
pub struct Picture {
    /// Linear light, row-major.
    pub light: Vec<Vec3A>,
    /// 0, or the number of the object, from 1.
    pub ids: Vec<u8>,
    /// Pixels of each object if nothing were before it.
    pub alone: Vec<usize>,
}

struct Seen<'s, 'l> {
    instance: &'s Instance<'l>,
    number: usize,
    t: f32,
    normal: Vec3A,
    place: Vec2,
}

/// Whether a ray meets a box before a distance.
fn meets(low: Vec3A, high: Vec3A, origin: Vec3A, inverse: Vec3A, before: f32) -> bool {
    let (a, b) = ((low - origin) * inverse, (high - origin) * inverse);
    let (near, far) = (a.min(b).max_element().max(0.0), a.max(b).min_element());
    near <= far && near < before
}

impl<'l> Instance<'l> {
    /// A ray in the own frame; its direction keeps its length, so that distances are those of the scene.
    fn own_ray(&self, origin: Vec3A, direction: Vec3A) -> (Vec3A, Vec3A) {
        (self.back * (origin - self.at) / self.scale, self.back * direction / self.scale)
    }
}

fn nearest<'s, 'l>(scene: &'s Scene<'l>, origin: Vec3A, direction: Vec3A) -> Option<Seen<'s, 'l>> {
    let inverse = direction.recip();
    let mut best: Option<Seen> = None;
    for (number, instance) in scene.instances.iter().enumerate() {
        let before = best.as_ref().map_or(f32::MAX, |seen| seen.t);
        if !meets(instance.low, instance.high, origin, inverse, before) {
            continue;
        }
        let (own, along) = instance.own_ray(origin, direction);
        if let Some(hit) = instance.mesh.hit(own, along, before) {
            let normal = (instance.back.transpose() * hit.normal).normalize_or(Vec3A::Z);
            best = Some(Seen { instance, number, t: hit.t, normal, place: hit.place });
        }
    }
    best
}

fn is_blocked(scene: &Scene, origin: Vec3A, direction: Vec3A, before: f32) -> bool {
    let inverse = direction.recip();
    scene.instances.iter().any(|instance| {
        meets(instance.low, instance.high, origin, inverse, before) && {
            let (own, along) = instance.own_ray(origin, direction);
            instance.mesh.blocks(own, along, before)
        }
    })
}

fn albedo(seen: &Seen, point: Vec3A) -> Vec3A {
    let painted = match &seen.instance.paint {
        Paint::Plain(colour) => *colour,
        Paint::Own(tint) => {
            let texture = seen.instance.model.and_then(|model| model.texture.as_ref());
            texture.map_or(Vec3A::splat(0.5), |texture| texture.at(seen.place)) * *tint
        }
        Paint::Picture(surface, tint) => {
            // by the two axes across the normal, in metres
            let along = seen.normal.abs();
            let flat = match (along.x > along.y, along.z > along.x.max(along.y)) {
                (_, true) => vec2(point.x, point.y),
                (true, _) => vec2(point.y, point.z),
                _ => vec2(point.x, point.z),
            };
            surface.texture.at(flat / surface.covers) * *tint
        }
    };
    painted.clamp(Vec3A::splat(0.005), Vec3A::splat(0.95))
}

fn on_sphere(rng: &mut Pcg64) -> Vec3A {
    let (z, turn): (f32, f32) = (rng.random_range(-1.0..1.0), rng.random_range(0.0..std::f32::consts::TAU));
    let flat = (1.0 - z * z).max(0.0).sqrt();
    vec3a(flat * turn.cos(), flat * turn.sin(), z)
}

fn sky(scene: &Scene, direction: Vec3A) -> Vec3A {
    let part = 0.5 + 0.5 * direction.z;
    scene.sky[0] * (1.0 - part) + scene.sky[1] * part
}

/// The light that comes along a ray.
fn radiance(
    scene: &Scene,
    mut origin: Vec3A,
    mut direction: Vec3A,
    first: Option<Seen>,
    rng: &mut Pcg64,
    bounces: usize,
) -> Vec3A {
    let (mut light, mut weight) = (Vec3A::ZERO, Vec3A::ONE);
    let mut next = first;
    for bounce in 0..=bounces {
        let Some(seen) = next.take().or_else(|| if bounce == 0 { None } else { nearest(scene, origin, direction) })
        else {
            return light + weight * sky(scene, direction);
        };
        let point = origin + direction * seen.t;
        let normal = if seen.normal.dot(direction) > 0.0 { -seen.normal } else { seen.normal };
        let colour = albedo(&seen, point);
        let above = point + normal * 1e-4 + normal * seen.t * 1e-5;
        let Instance { mirror, roughness, is_metal, .. } = *seen.instance;
        // Schlick's mirror, stronger along the surface
        let facing = (-direction).dot(normal).clamp(0.0, 1.0);
        let share = if mirror > 0.0 { mirror + (1.0 - mirror) * (1.0 - facing).powi(5) * 0.6 } else { 0.0 };
        if share > 0.0 && rng.random_range(0.0..1.0) < share {
            let straight = direction - normal * (2.0 * direction.dot(normal));
            let bent = (straight + on_sphere(rng) * roughness).normalize_or(normal);
            direction = if bent.dot(normal) > 0.0 { bent } else { straight };
            if is_metal {
                weight *= (colour * 0.6 + Vec3A::splat(0.3)).min(Vec3A::ONE);
            }
            // lamps in the mirror
            for lamp in &scene.lights {
                let to = lamp.at - above;
                let away = to.length();
                let inside = direction.dot(to / away) > (1.0 - 0.5 * (lamp.radius / away).powi(2)).min(0.9999);
                if inside && !is_blocked(scene, above, direction, away) {
                    light += weight * lamp.power / (4.0 * lamp.radius * lamp.radius).max(0.01) * 0.2;
                }
            }
            origin = above;
            continue;
        }
        weight *= colour;
        let chosen = rng.random_range(0..scene.lights.len());
        let lamp = &scene.lights[chosen];
        let to = lamp.at + on_sphere(rng) * lamp.radius - above;
        let (away, toward) = (to.length(), to.normalize_or(Vec3A::Z));
        let facing = toward.dot(normal);
        if facing > 0.0 && !is_blocked(scene, above, toward, away) {
            light += weight * lamp.power * (facing * scene.lights.len() as f32 / (away * away).max(0.01));
        }
        origin = above;
        direction = (normal + on_sphere(rng)).normalize_or(normal);
    }
    light + weight * sky(scene, direction) * 0.5
}

/// Renders a scene with so many paths a pixel.
pub fn render(scene: &Scene, width: usize, height: usize, paths: usize, bounces: usize, rng: &mut Pcg64) -> Picture {
    let aspect = width as f32 / height as f32;
    let first_object = scene.instances.len() - scene.objects;
    let place = |x: f32, y: f32| vec2(2.0 * x / width as f32 - 1.0, 1.0 - 2.0 * y / height as f32);
    let (mut light, mut ids) = (Vec::with_capacity(width * height), Vec::with_capacity(width * height));
    let mut alone = vec![0; scene.objects];
    let eye = scene.camera.eye;
    for row in 0..height {
        for column in 0..width {
            let centre = scene.direction(place(column as f32 + 0.5, row as f32 + 0.5), aspect);
            let seen = nearest(scene, eye, centre);
            let id = seen.as_ref().map_or(0, |seen| (seen.number + 1).saturating_sub(first_object));
            ids.push(id as u8);
            let inverse = centre.recip();
            for (at, instance) in scene.instances[first_object..].iter().enumerate() {
                let is_seen = id == at + 1
                    || meets(instance.low, instance.high, eye, inverse, f32::MAX) && {
                        let (own, along) = instance.own_ray(eye, centre);
                        instance.mesh.blocks(own, along, f32::MAX)
                    };
                alone[at] += usize::from(is_seen);
            }
            let mut sum = Vec3A::ZERO;
            for _ in 0..paths {
                let off: (f32, f32) = (rng.random_range(0.0..1.0), rng.random_range(0.0..1.0));
                let direction = scene.direction(place(column as f32 + off.0, row as f32 + off.1), aspect);
                let first = nearest(scene, eye, direction);
                let one = match first {
                    None => sky(scene, direction),
                    first => radiance(scene, eye, direction, first, rng, bounces),
                };
                // a rare bright path would be a white dot
                sum += one.min(Vec3A::splat(6.0));
            }
            light.push(sum / paths as f32);
        }
    }
    Picture { light, ids, alone }
}
