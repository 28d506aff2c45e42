//! `Scene`: objects on a table, in a shelf or in a box, with lights and a camera; drawn from one seeded generator, so that a number
//! names the same scene everywhere.

use crate::library::{hsv, paints, Library, Model, Surface};
use crate::mesh::{linear, Mesh};
use glam::{vec3a, EulerRot, Mat3A, Vec2, Vec3A};
use rand::seq::IndexedRandom;
use rand::Rng;
use rand_pcg::Pcg64;

/// What a surface reflects.
pub enum Paint<'l> {
    /// The model's own texture, times a tint.
    Own(Vec3A),
    /// One colour, linear light.
    Plain(Vec3A),
    /// A surface's picture, times a tint.
    Picture(&'l Surface, Vec3A),
}

/// A mesh at its place.
pub struct Instance<'l> {
    pub mesh: &'l Mesh,
    pub model: Option<&'l Model>,
    pub paint: Paint<'l>,
    /// Own frame to scene, without scale, and back.
    pub turn: Mat3A,
    pub back: Mat3A,
    pub scale: f32,
    pub at: Vec3A,
    /// Part of light that is mirrored straight on, and how rough the mirror is.
    pub mirror: f32,
    pub roughness: f32,
    /// Whether what is mirrored has the colour of the paint.
    pub is_metal: bool,
    /// The corners of the box around it, scene frame.
    pub low: Vec3A,
    pub high: Vec3A,
    /// The name of its paint, or of its commonest colour.
    pub colour: Option<String>,
    /// How it was laid down.
    pub pose: &'static str,
}

/// A ball of light.
pub struct Light {
    pub at: Vec3A,
    pub radius: f32,
    /// Light that it sends, linear.
    pub power: Vec3A,
}

/// Where the picture is taken from.
pub struct Camera {
    pub eye: Vec3A,
    pub forward: Vec3A,
    pub right: Vec3A,
    pub up: Vec3A,
    /// Half the picture's height at distance one.
    pub tan_half: f32,
}

/// A scene.
pub struct Scene<'l> {
    pub instances: Vec<Instance<'l>>,
    pub lights: Vec<Light>,
    /// Light from all around: from below and from above.
    pub sky: [Vec3A; 2],
    pub camera: Camera,
    /// How many instances at the end are objects.
    pub objects: usize,
}

/// Shapes that scenes share: tables and boxes.
pub struct Furniture {
    table: Mesh,
    ground: Mesh,
    wall: Mesh,
    board: Mesh,
}

impl Furniture {
    pub fn new() -> Furniture {
        Furniture {
            table: Mesh::cuboid(vec3a(-0.5, -0.5, -0.03), vec3a(0.5, 0.5, 0.0)),
            ground: Mesh::cuboid(vec3a(-6.0, -6.0, -0.1), vec3a(6.0, 6.0, 0.0)),
            wall: Mesh::cuboid(vec3a(-6.0, 0.0, 0.0), vec3a(6.0, 0.1, 3.5)),
            board: Mesh::cuboid(vec3a(-0.5, -0.5, -0.5), vec3a(0.5, 0.5, 0.5)),
        }
    }
}

const METAL: [&str; 26] = [
    "fork", "spoon", "knife", "kitchen knife", "can", "wrench", "pliers", "key", "whisk", "ladle", "pot", "pan",
    "frying pan", "can opener", "scissors", "tweezers", "padlock", "coin", "hammer", "saw", "allen key", "paper clip",
    "chain", "trophy", "clamp", "corkscrew",
];

impl<'l> Instance<'l> {
    fn new(mesh: &'l Mesh, paint: Paint<'l>, turn: Mat3A, scale: f32, at: Vec3A) -> Instance<'l> {
        let mut instance = Instance {
            mesh,
            model: None,
            paint,
            turn,
            back: turn.inverse(),
            scale,
            at,
            mirror: 0.0,
            roughness: 0.5,
            is_metal: false,
            low: Vec3A::ZERO,
            high: Vec3A::ZERO,
            colour: None,
            pose: "upright",
        };
        instance.fit();
        instance
    }

    /// A board of the given sides, its centre at a place.
    fn board(mesh: &'l Mesh, paint: Paint<'l>, size: Vec3A, at: Vec3A) -> Instance<'l> {
        // the stretch is in the matrix: normals of a box stay right because its sides are straight
        Instance::new(mesh, paint, Mat3A::from_cols(Vec3A::X * size.x, Vec3A::Y * size.y, Vec3A::Z * size.z), 1.0, at)
    }

    fn point(&self, own: Vec3A) -> Vec3A {
        self.turn * own * self.scale + self.at
    }

    fn fit(&mut self) {
        let (low, high) = self.mesh.points.iter().fold((Vec3A::MAX, Vec3A::MIN), |(low, high), own| {
            let point = self.point(*own);
            (low.min(point), high.max(point))
        });
        (self.low, self.high) = (low, high);
    }
}

/// Heights of what stands on a surface, in cells.
struct Heights {
    cells: Vec<f32>,
    side: usize,
    cell: f32,
}

impl Heights {
    fn new(extent: f32) -> Heights {
        let cell = 0.006;
        let side = (extent / cell) as usize;
        Heights { cells: vec![0.0; side * side], side, cell }
    }

    fn index(&self, point: Vec3A) -> Option<usize> {
        let place = |value: f32| {
            let at = value / self.cell + self.side as f32 / 2.0;
            (at >= 0.0 && at < self.side as f32).then_some(at as usize)
        };
        Some(place(point.y)? * self.side + place(point.x)?)
    }

    /// Bottom and top of an object over each cell that it covers, from points on its triangles.
    fn cover(&self, points: &[Vec3A]) -> Option<Vec<(usize, f32, f32)>> {
        let mut covered: std::collections::HashMap<usize, (f32, f32)> = std::collections::HashMap::new();
        for three in points.chunks_exact(3) {
            let longest =
                (three[1] - three[0]).length().max((three[2] - three[0]).length()).max((three[2] - three[1]).length());
            let steps = ((longest / self.cell) as usize).clamp(1, 60);
            for i in 0..=steps {
                for j in 0..=steps - i {
                    let (a, b) = (i as f32 / steps as f32, j as f32 / steps as f32);
                    let point = three[0] + (three[1] - three[0]) * a + (three[2] - three[0]) * b;
                    let known = covered.entry(self.index(point)?).or_insert((point.z, point.z));
                    *known = (known.0.min(point.z), known.1.max(point.z));
                }
            }
        }
        Some(covered.into_iter().map(|(cell, (low, high))| (cell, low, high)).collect())
    }
}

fn between(rng: &mut Pcg64, low: f32, high: f32) -> f32 {
    rng.random_range(low..high)
}

fn tint(rng: &mut Pcg64, most: f32) -> Vec3A {
    Vec3A::from_array(std::array::from_fn(|_| 1.0 + between(rng, -most, most)))
}

fn surface<'l>(library: &'l Library, rng: &mut Pcg64) -> Paint<'l> {
    if rng.random_bool(0.18) {
        let colour = hsv(between(rng, 0.0, 360.0), between(rng, 0.0, 0.5), between(rng, 0.15, 0.95));
        return Paint::Plain(linear(colour));
    }
    match library.surfaces.choose(rng) {
        Some(surface) => Paint::Picture(surface, tint(rng, 0.15) * between(rng, 0.7, 1.15)),
        None => Paint::Plain(Vec3A::splat(0.4)),
    }
}

/// A turn that lays or stands an object.
fn pose(model: &Model, rng: &mut Pcg64) -> (Mat3A, &'static str) {
    let yaw = Mat3A::from_rotation_z(between(rng, 0.0, std::f32::consts::TAU));
    let quarter = std::f32::consts::FRAC_PI_2;
    let longest = model.size.max_element();
    let draw: f32 = rng.random_range(0.0..1.0);
    // what stands on an edge in the library usually lies
    let is_thin = model.size.min_element() < 0.3 * longest && model.size.z > 0.5 * longest;
    let lay = Mat3A::from_euler(
        EulerRot::XYZ,
        if model.size.y < model.size.x { quarter } else { 0.0 },
        if model.size.y < model.size.x { 0.0 } else { quarter },
        0.0,
    );
    match draw {
        _ if is_thin && draw < 0.5 => (yaw * lay, "lying"),
        d if d < 0.74 => (yaw, "upright"),
        d if d < 0.9 => (yaw * lay, "lying"),
        d if d < 0.95 => (yaw * Mat3A::from_rotation_x(2.0 * quarter), "upside down"),
        _ => {
            let any = Mat3A::from_euler(EulerRot::XYZ, between(rng, -3.1, 3.1), between(rng, -3.1, 3.1), 0.0);
            (yaw * any, "tilted")
        }
    }
}

fn camera(rng: &mut Pcg64, target: Vec3A, spread: f32, from_above: bool) -> Camera {
    let tilt = match from_above {
        true => between(rng, 62.0, 89.0),
        false => between(rng, 14.0, 70.0),
    }
    .to_radians();
    let (turn, tan_half) = (between(rng, 0.0, std::f32::consts::TAU), between(rng, 0.36, 0.62));
    let distance = spread / tan_half * between(rng, 0.55, 1.25);
    let away = vec3a(turn.cos() * tilt.cos(), turn.sin() * tilt.cos(), tilt.sin());
    let eye = target + away * distance;
    let aim = target + vec3a(between(rng, -0.15, 0.15), between(rng, -0.15, 0.15), 0.0) * spread;
    let forward = (aim - eye).normalize();
    let right = forward.cross(Vec3A::Z).normalize_or(Vec3A::X);
    let up = right.cross(forward);
    let roll = between(rng, -0.08, 0.08);
    Camera {
        eye,
        forward,
        right: right * roll.cos() + up * roll.sin(),
        up: up * roll.cos() - right * roll.sin(),
        tan_half,
    }
}

impl<'l> Scene<'l> {
    /// Draws a scene.
    pub fn sample(library: &'l Library, furniture: &'l Furniture, rng: &mut Pcg64) -> Scene<'l> {
        let kind: f32 = rng.random_range(0.0..1.0);
        let (in_box, in_shelf) = (kind < 0.14, (0.14..0.24).contains(&kind));
        let spread = match (in_box, in_shelf) {
            (true, _) => between(rng, 0.14, 0.24),
            (_, true) => between(rng, 0.22, 0.4),
            _ => between(rng, 0.16, 0.42),
        };
        let mut instances = Vec::new();
        // the room
        let drop = if rng.random_bool(0.25) { 0.0 } else { between(rng, 0.4, 0.9) };
        instances.push(Instance::new(
            &furniture.ground,
            surface(library, rng),
            Mat3A::IDENTITY,
            1.0,
            vec3a(0.0, 0.0, -drop - 0.035),
        ));
        for turn in 0..4 {
            let turn = Mat3A::from_rotation_z(turn as f32 * std::f32::consts::FRAC_PI_2);
            let at = turn * vec3a(0.0, between(rng, 1.6, 3.5), 0.0) - Vec3A::Z * drop;
            instances.push(Instance::new(&furniture.wall, surface(library, rng), turn, 1.0, at));
        }
        let size = vec3a(spread * between(rng, 2.4, 5.0), spread * between(rng, 2.4, 5.0), 0.03);
        let mut table =
            Instance::board(&furniture.table, surface(library, rng), vec3a(size.x, size.y, 1.0), Vec3A::ZERO);
        (table.mirror, table.roughness) =
            if rng.random_bool(0.3) { (between(rng, 0.02, 0.15), between(rng, 0.05, 0.4)) } else { (0.0, 0.5) };
        instances.push(table);
        if in_box || in_shelf {
            let colour = surface(library, rng);
            let thick = between(rng, 0.004, 0.02);
            let tall = if in_box { between(rng, 0.06, 0.2) } else { between(rng, 0.25, 0.45) };
            let (wide, deep) = (spread * 2.1, if in_box { spread * 2.1 } else { spread * 1.3 });
            let plain = match colour {
                Paint::Plain(colour) => colour,
                _ => linear(hsv(between(rng, 0.0, 360.0), between(rng, 0.0, 0.7), between(rng, 0.2, 0.95))),
            };
            let mut add = |size: Vec3A, at: Vec3A| {
                instances.push(Instance::board(&furniture.board, Paint::Plain(plain), size, at))
            };
            add(vec3a(wide, thick, tall), vec3a(0.0, deep / 2.0, tall / 2.0));
            add(vec3a(thick, deep, tall), vec3a(wide / 2.0, 0.0, tall / 2.0));
            add(vec3a(thick, deep, tall), vec3a(-wide / 2.0, 0.0, tall / 2.0));
            match in_box {
                true => add(vec3a(wide, thick, tall), vec3a(0.0, -deep / 2.0, tall / 2.0)),
                false => add(vec3a(wide, deep, thick), vec3a(0.0, 0.0, tall)),
            }
        }
        // the objects
        let few = rng.random_bool(0.5);
        let wanted = if few { rng.random_range(1..7) } else { rng.random_range(5..18) };
        let mut heights = Heights::new(2.4);
        let stacks = rng.random_bool(0.25);
        let names: Vec<&String> = library.nouns.keys().collect();
        // several of one kind make hard negatives
        let theme: Vec<&String> = (0..rng.random_range(1..4)).filter_map(|_| names.choose(rng).copied()).collect();
        let mut objects = 0;
        for _ in 0..wanted * 4 {
            if objects == wanted {
                break;
            }
            let noun = if rng.random_bool(0.25) { theme.choose(rng).copied() } else { names.choose(rng).copied() };
            let Some(model) = noun.and_then(|noun| library.nouns[noun].choose(rng)) else { continue };
            let longest = model.size.max_element();
            // furniture is a toy on a table
            let scale = if longest > 0.55 { between(rng, 0.12, 0.35) / longest } else { between(rng, 0.85, 1.2) };
            if longest * scale > spread * 1.6 || longest * scale < 0.012 {
                continue;
            }
            let (turn, posed) = pose(model, rng);
            let reach = if in_box || in_shelf { spread * 0.75 } else { spread };
            let place =
                vec3a(between(rng, -reach, reach), between(rng, -reach, reach) * if in_shelf { 0.5 } else { 1.0 }, 0.0);
            let (paint, colour) = match model.is_paintable {
                true if model.name.starts_with("made_") && rng.random_bool(0.2) => match library.surfaces.choose(rng) {
                    Some(surface) => (Paint::Picture(surface, tint(rng, 0.1)), None),
                    None => (Paint::Plain(Vec3A::splat(0.4)), None),
                },
                true => {
                    let paints = paints();
                    let (name, [h, s, v]) = paints[rng.random_range(0..paints.len())];
                    let colour = hsv(between(rng, h.0, h.1), between(rng, s.0, s.1), between(rng, v.0, v.1));
                    (Paint::Plain(linear(colour)), Some(name.to_string()))
                }
                false => (Paint::Own(tint(rng, 0.06)), model.colour.clone()),
            };
            let mut instance = Instance::new(&model.mesh, paint, turn, scale, place);
            let points: Vec<Vec3A> = model.mesh.points.iter().map(|point| instance.point(*point)).collect();
            let Some(cover) = heights.cover(&points) else { continue };
            let rest = cover.iter().map(|(cell, low, _)| heights.cells[*cell] - low).fold(f32::MIN, f32::max);
            let on_others = cover
                .iter()
                .any(|(cell, low, _)| heights.cells[*cell] > 0.0 && heights.cells[*cell] - low >= rest - 0.004);
            if on_others && !(stacks && rng.random_bool(0.5)) {
                continue;
            }
            cover.iter().for_each(|(cell, _, high)| heights.cells[*cell] = heights.cells[*cell].max(high + rest));
            instance.at.z += rest;
            instance.fit();
            instance.model = Some(model);
            instance.colour = colour;
            instance.pose = posed;
            instance.is_metal = METAL.contains(&model.noun.as_str()) && rng.random_bool(0.7);
            (instance.mirror, instance.roughness) = match instance.is_metal {
                true => (between(rng, 0.4, 0.85), between(rng, 0.12, 0.5)),
                false if rng.random_bool(0.65) => (between(rng, 0.02, 0.1), between(rng, 0.03, 0.5)),
                false => (0.0, 0.5),
            };
            instances.push(instance);
            objects += 1;
        }
        // lights
        let warmth = |rng: &mut Pcg64| {
            let warm = between(rng, -0.18, 0.25);
            vec3a(1.0 + warm, 1.0, 1.0 - warm)
        };
        let lights = (0..rng.random_range(1..4)).map(|_| {
            let (turn, far) = (between(rng, 0.0, std::f32::consts::TAU), between(rng, 0.2, 1.8));
            let at = vec3a(turn.cos() * far, turn.sin() * far, between(rng, 0.7, 2.2));
            let power = warmth(rng) * between(rng, 0.3, 1.6) * at.length_squared();
            Light { at, radius: between(rng, 0.03, 0.4), power }
        });
        let lights: Vec<Light> = lights.collect();
        let ambient = between(rng, 0.15, 0.9);
        let sky = [warmth(rng) * ambient * 0.5, warmth(rng) * ambient];
        let target = vec3a(0.0, 0.0, between(rng, 0.0, 0.08));
        let from_above = in_box || (!in_shelf && rng.random_bool(0.2));
        let mut camera = self::camera(rng, target, spread, from_above);
        if in_shelf {
            // from its open side
            let turn = between(rng, -2.2, -0.95);
            let eye = target
                + vec3a(turn.cos(), turn.sin(), between(rng, 0.1, 0.6))
                    * (spread / camera.tan_half * between(rng, 0.9, 1.4));
            let forward = (target + vec3a(0.0, 0.0, 0.08) - eye).normalize();
            let right = forward.cross(Vec3A::Z).normalize();
            (camera.eye, camera.forward, camera.right, camera.up) = (eye, forward, right, right.cross(forward));
        }
        Scene { instances, lights, sky, camera, objects }
    }

    /// The place of a pixel's ray: direction of unit length.
    pub fn direction(&self, place: Vec2, aspect: f32) -> Vec3A {
        let Camera { forward, right, up, tan_half, .. } = &self.camera;
        (*forward + *right * (place.x * tan_half * aspect) + *up * (place.y * tan_half)).normalize()
    }
}
