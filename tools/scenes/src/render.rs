//! The renderer: sphere tracing of the objects over an analytic table, in linear light.

use crate::scene::{linear, Object, Pattern, Scene};
use crate::vector::{v, V3};
use rand::Rng;

/// A picture with its instance map, row-major.
pub struct Picture {
    pub width: usize,
    pub height: usize,
    /// sRGB, 3 bytes a pixel.
    pub rgb: Vec<u8>,
    /// 0 for table and background, else the object's index plus one.
    pub ids: Vec<u8>,
    /// For each object, the pixels it would cover if nothing stood before it.
    pub amodal_area: Vec<u32>,
}

struct Hit {
    t: f32,
    /// Index into the scene's objects.
    object: usize,
}

/// Where a ray enters and leaves a sphere.
fn sphere_span(origin: V3, direction: V3, centre: V3, radius: f32) -> Option<(f32, f32)> {
    let oc = origin - centre;
    let b = oc.dot(direction);
    let h = b * b - oc.dot(oc) + radius * radius;
    if h <= 0.0 {
        return None;
    }
    let h = h.sqrt();
    Some((-b - h, -b + h)).filter(|span| span.1 > 0.0)
}

fn march(object: &Object, origin: V3, direction: V3) -> Option<f32> {
    let (near, far) = sphere_span(origin, direction, object.centre(), object.radius())?;
    let mut t = near.max(0.0);
    for _ in 0..80 {
        let d = object.distance(origin + direction * t);
        if d < 0.0012 {
            return Some(t);
        }
        t += d.max(0.002);
        if t > far {
            return None;
        }
    }
    None
}

/// 1 in full light, 0 in full shadow.
fn light_reaching(scene: &Scene, from: V3) -> f32 {
    let sharpness = scene.look.shadow;
    let mut light = 1.0f32;
    for object in &scene.objects {
        let span = sphere_span(from, scene.look.light, object.centre(), object.radius() * 1.1);
        let Some((near, far)) = span else { continue };
        let mut t = near.max(0.02);
        for _ in 0..28 {
            let d = object.distance(from + scene.look.light * t);
            light = light.min(sharpness * d / t);
            if d < 0.002 {
                return 0.0;
            }
            t += d.clamp(0.012, 0.25);
            if t > far {
                break;
            }
        }
    }
    light.clamp(0.0, 1.0)
}

/// Ambient light left at a point by what stands close to it, 0..1.
fn openness(scene: &Scene, at: V3, normal: V3) -> f32 {
    let mut blocked = 0.0;
    for (step, weight) in [(0.05, 1.0), (0.16, 0.6), (0.32, 0.35)] {
        let q = at + normal * step;
        let mut d = q.y.max(0.0).min(step);
        for object in &scene.objects {
            if (q - object.centre()).length() < object.radius() + step {
                d = d.min(object.distance(q));
            }
        }
        blocked += weight * (step - d).max(0.0) / step;
    }
    (1.0 - 0.45 * blocked).clamp(0.15, 1.0)
}

fn hash(x: i32, y: i32) -> f32 {
    let mut h = (x as u32).wrapping_mul(0x9E37_79B1) ^ (y as u32).wrapping_mul(0x85EB_CA77);
    h ^= h >> 15;
    h = h.wrapping_mul(0x2C1B_3C6D);
    h ^= h >> 13;
    (h & 0xFFFF) as f32 / 65535.0
}

/// Smooth noise in 0..1.
fn noise(x: f32, y: f32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (tx, ty) = (x - fx, y - fy);
    let (sx, sy) = (tx * tx * (3.0 - 2.0 * tx), ty * ty * (3.0 - 2.0 * ty));
    let (ix, iy) = (fx as i32, fy as i32);
    let top = hash(ix, iy) * (1.0 - sx) + hash(ix + 1, iy) * sx;
    let low = hash(ix, iy + 1) * (1.0 - sx) + hash(ix + 1, iy + 1) * sx;
    top * (1.0 - sy) + low * sy
}

fn table_colour(scene: &Scene, at: V3) -> V3 {
    let look = &scene.look;
    if let Some((hx, hz)) = look.table_half {
        if at.x.abs() > hx || at.z.abs() > hz {
            return look.floor;
        }
    }
    let (s, c) = look.table_turn.sin_cos();
    let x = (c * at.x + s * at.z) / look.table_scale;
    let y = (c * at.z - s * at.x) / look.table_scale;
    let t = match look.table {
        Pattern::Plain => 0.0,
        Pattern::Checker => ((x.floor() + y.floor()) as i32).rem_euclid(2) as f32,
        Pattern::Wood => {
            let grain = noise(x * 1.5, y * 14.0) * 0.6 + noise(x * 5.0, y * 60.0) * 0.4;
            let plank = hash((y * 0.8).floor() as i32, 7);
            0.6 * grain + 0.4 * plank
        }
        Pattern::Speckle => 0.5 * noise(x * 6.0, y * 6.0) + 0.5 * noise(x * 30.0, y * 30.0),
        Pattern::Stripes => f32::from(x.rem_euclid(1.0) < 0.5),
        Pattern::Grid => f32::from(x.rem_euclid(1.0) < 0.08 || y.rem_euclid(1.0) < 0.08),
    };
    look.table_colours.0.mix(look.table_colours.1, t)
}

fn paint(object: &Object, at: V3) -> V3 {
    let own = object.own_frame(at);
    match object.shape.trim(own) {
        1 => return linear(v(0.92, 0.9, 0.84)),
        2 if object.metal_lid => return linear(v(0.75, 0.75, 0.76)),
        _ => {}
    }
    if let Some((low, high, ink)) = object.band {
        if (low..high).contains(&own.y) {
            return ink;
        }
    }
    let (strength, frequency) = object.pattern;
    if strength == 0.0 {
        return object.albedo;
    }
    let n = noise(own.x * frequency + 9.0, (own.y * 1.7 + own.z) * frequency);
    object.albedo * (1.0 - strength + 2.0 * strength * n)
}

fn shade(scene: &Scene, at: V3, normal: V3, view: V3, albedo: V3, shine: (f32, f32)) -> V3 {
    let look = &scene.look;
    let facing = normal.dot(look.light).max(0.0);
    let lit = if look.shadow > 0.0 && facing > 0.0 { light_reaching(scene, at + normal * 0.01) } else { 1.0 };
    let ambient = look.ambient * if look.occlusion { openness(scene, at, normal) } else { 1.0 };
    let direct = (1.15 - look.ambient).max(0.1) * facing * lit;
    let mut colour = albedo * ambient + albedo.filter(look.light_colour) * direct;
    if look.specular && shine.0 > 0.0 {
        let half = (look.light - view).normalised();
        let glint = normal.dot(half).max(0.0).powf(shine.1) * shine.0 * lit * facing.sqrt();
        colour = colour + look.light_colour * glint;
    }
    colour
}

/// Colour in linear light and id of what one ray meets.
fn trace(scene: &Scene, column: f32, row: f32, amodal: Option<&mut [u32]>) -> (V3, u8) {
    let camera = &scene.camera;
    let x = (2.0 * column - 1.0) * camera.tan_half * scene.aspect;
    let y = (1.0 - 2.0 * row) * camera.tan_half;
    let direction = (camera.forward + camera.right * x + camera.up * y).normalised();
    let table = (direction.y < -1e-4).then(|| -camera.eye.y / direction.y);
    let mut best: Option<Hit> = None;
    let mut counts = amodal;
    for (object, body) in scene.objects.iter().enumerate() {
        let Some(t) = march(body, camera.eye, direction) else { continue };
        if table.is_some_and(|floor| t > floor + 0.005) {
            continue;
        }
        if let Some(counts) = counts.as_deref_mut() {
            counts[object] += 1;
        }
        if best.as_ref().is_none_or(|b| t < b.t) {
            best = Some(Hit { t, object });
        }
    }
    if let Some(hit) = best {
        let body = &scene.objects[hit.object];
        let at = camera.eye + direction * hit.t;
        let e = 0.002 * body.scale;
        let (k1, k2, k3, k4) = (v(1.0, -1.0, -1.0), v(-1.0, -1.0, 1.0), v(-1.0, 1.0, -1.0), v(1.0, 1.0, 1.0));
        let normal = (k1 * body.distance(at + k1 * e)
            + k2 * body.distance(at + k2 * e)
            + k3 * body.distance(at + k3 * e)
            + k4 * body.distance(at + k4 * e))
        .normalised();
        let colour = shade(scene, at, normal, direction, paint(body, at), (body.shine, body.gloss));
        return (colour, hit.object as u8 + 1);
    }
    if let Some(t) = table.filter(|t| *t < 40.0) {
        let at = camera.eye + direction * t;
        let up = v(0.0, 1.0, 0.0);
        return (shade(scene, at, up, direction, table_colour(scene, at), (0.0, 1.0)), 0);
    }
    (scene.look.sky.0.mix(scene.look.sky.1, row), 0)
}

/// Renders with `side` x `side` rays a pixel; the id is that of the ray nearest the pixel's centre.
pub fn render(scene: &Scene, width: usize, height: usize, side: usize, rng: &mut impl Rng) -> Picture {
    let mut light = vec![V3::default(); width * height];
    let mut ids = vec![0u8; width * height];
    let mut amodal_area = vec![0u32; scene.objects.len()];
    let middle = (side / 2) * side + side / 2;
    for row in 0..height {
        for column in 0..width {
            let pixel = row * width + column;
            for sample in 0..side * side {
                let dx = ((sample % side) as f32 + 0.5) / side as f32;
                let dy = ((sample / side) as f32 + 0.5) / side as f32;
                let central = sample == middle;
                let (colour, id) = trace(
                    scene,
                    (column as f32 + dx) / width as f32,
                    (row as f32 + dy) / height as f32,
                    central.then_some(&mut amodal_area[..]),
                );
                // highlights must not swamp the pixel's other rays
                let capped = v(colour.x.min(1.5), colour.y.min(1.5), colour.z.min(1.5));
                light[pixel] = light[pixel] + capped * (1.0 / (side * side) as f32);
                if central {
                    ids[pixel] = id;
                }
            }
        }
    }
    let rgb = develop(scene, light, width, height, rng);
    Picture { width, height, rgb, ids, amodal_area }
}

/// What the camera makes of the light: blur, exposure, tint, vignette, gamma, noise.
fn develop(scene: &Scene, light: Vec<V3>, width: usize, height: usize, rng: &mut impl Rng) -> Vec<u8> {
    let look = &scene.look;
    let at =
        |c: i64, r: i64| light[r.clamp(0, height as i64 - 1) as usize * width + c.clamp(0, width as i64 - 1) as usize];
    let mut rgb = Vec::with_capacity(width * height * 3);
    for row in 0..height as i64 {
        for column in 0..width as i64 {
            let mut c = at(column, row);
            if look.blur > 0.0 {
                let side = look.blur * 0.25;
                let around = at(column - 1, row) + at(column + 1, row) + at(column, row - 1) + at(column, row + 1);
                c = (c + around * side) * (1.0 / (1.0 + 4.0 * side));
            }
            let (x, y) = (2.0 * column as f32 / width as f32 - 1.0, 2.0 * row as f32 / height as f32 - 1.0);
            let fall = 1.0 - look.vignette * 0.5 * (x * x + y * y);
            let c = c.filter(look.tint) * (look.exposure * fall);
            for channel in [c.x, c.y, c.z] {
                let grain =
                    if look.noise > 0.0 { look.noise * (rng.random::<f32>() + rng.random::<f32>() - 1.0) } else { 0.0 };
                let value = channel.max(0.0).powf(look.gamma / 2.2) + grain;
                rgb.push((value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
            }
        }
    }
    rgb
}
