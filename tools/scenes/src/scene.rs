//! A scene: coloured objects on a table, a camera, a light, and the look of the picture.
//!
//! Everything is drawn from one seeded generator, so a scene number names the same scene everywhere.

use crate::shape::{Category, Shape};
use crate::vector::{v, V3};
use rand::seq::IndexedRandom;
use rand::Rng;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    Red,
    Green,
    Blue,
    Yellow,
    Orange,
    Purple,
    Pink,
    Brown,
    White,
    Black,
    Gray,
}

impl Colour {
    pub const ALL: [Colour; 11] = [
        Colour::Red,
        Colour::Green,
        Colour::Blue,
        Colour::Yellow,
        Colour::Orange,
        Colour::Purple,
        Colour::Pink,
        Colour::Brown,
        Colour::White,
        Colour::Black,
        Colour::Gray,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Colour::Red => "red",
            Colour::Green => "green",
            Colour::Blue => "blue",
            Colour::Yellow => "yellow",
            Colour::Orange => "orange",
            Colour::Purple => "purple",
            Colour::Pink => "pink",
            Colour::Brown => "brown",
            Colour::White => "white",
            Colour::Black => "black",
            Colour::Gray => "gray",
        }
    }

    /// A paint that people call by this name, as sRGB in 0..1.
    fn paint(self, rng: &mut impl Rng) -> V3 {
        // hue in degrees, saturation, value: ranges that stay clear of the neighbours' names
        let (h, s, val) = match self {
            Colour::Red => ((-9.0, 7.0), (0.75, 1.0), (0.55, 1.0)),
            Colour::Green => ((88.0, 158.0), (0.5, 1.0), (0.3, 1.0)),
            Colour::Blue => ((203.0, 248.0), (0.55, 1.0), (0.4, 1.0)),
            Colour::Yellow => ((48.0, 61.0), (0.65, 1.0), (0.8, 1.0)),
            Colour::Orange => ((20.0, 36.0), (0.82, 1.0), (0.85, 1.0)),
            Colour::Purple => ((264.0, 302.0), (0.45, 1.0), (0.35, 0.8)),
            Colour::Pink => ((316.0, 350.0), (0.22, 0.62), (0.88, 1.0)),
            Colour::Brown => ((14.0, 34.0), (0.5, 0.9), (0.25, 0.56)),
            Colour::White => ((0.0, 360.0), (0.0, 0.05), (0.9, 1.0)),
            Colour::Black => ((0.0, 360.0), (0.0, 0.25), (0.01, 0.12)),
            Colour::Gray => ((0.0, 360.0), (0.0, 0.07), (0.34, 0.66)),
        };
        let mut u = |r: (f32, f32)| rng.random_range(r.0..r.1);
        let (hue, sat, value) = (u(h), u(s), u(val));
        hsv(hue, sat, value)
    }
}

fn hsv(hue: f32, sat: f32, value: f32) -> V3 {
    let channel = |n: f32| {
        let k = (n + hue / 60.0).rem_euclid(6.0);
        value - value * sat * k.min(4.0 - k).clamp(0.0, 1.0)
    };
    v(channel(5.0), channel(3.0), channel(1.0))
}

/// sRGB 0..1 to linear light.
pub fn linear(c: V3) -> V3 {
    v(c.x.powf(2.2), c.y.powf(2.2), c.z.powf(2.2))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    Small,
    Medium,
    Large,
}

#[derive(Clone, Debug)]
pub struct Object {
    pub shape: Shape,
    pub colour: Colour,
    pub size: Size,
    /// Scene units for one unit of the shape's own frame.
    pub scale: f32,
    /// How much longer than its shape the object is along each axis of its own frame.
    pub stretch: V3,
    pub at: V3,
    pub yaw: f32,
    /// Linear light reflected by the paint.
    pub albedo: V3,
    pub shine: f32,
    pub gloss: f32,
    /// Strength and frequency of a faint pattern on the paint.
    pub pattern: (f32, f32),
    pub metal_lid: bool,
    /// A printed band around the object, between two heights of its own frame, in linear light.
    pub band: Option<(f32, f32, V3)>,
}

impl Object {
    /// Scene point to the object's own frame.
    pub fn own_frame(&self, q: V3) -> V3 {
        let d = q - self.at;
        let (s, c) = self.yaw.sin_cos();
        let turned = v(c * d.x - s * d.z, d.y, s * d.x + c * d.z) * (1.0 / self.scale);
        v(turned.x / self.stretch.x, turned.y / self.stretch.y, turned.z / self.stretch.z)
    }

    /// A lower bound of the distance, which is exact where nothing is stretched.
    pub fn distance(&self, q: V3) -> f32 {
        let least = self.stretch.x.min(self.stretch.y).min(self.stretch.z);
        self.shape.distance(self.own_frame(q)) * (self.scale * least)
    }

    /// Height above the table, scene units.
    pub fn height(&self) -> f32 {
        self.shape.height() * self.scale * self.stretch.y
    }

    /// Centre of the bounding sphere, scene frame.
    pub fn centre(&self) -> V3 {
        let c = self.shape.centre.filter(self.stretch) * self.scale;
        let (s, co) = self.yaw.sin_cos();
        self.at + v(co * c.x + s * c.z, c.y, -s * c.x + co * c.z)
    }

    pub fn radius(&self) -> f32 {
        self.shape.radius * self.scale * self.stretch.x.max(self.stretch.y).max(self.stretch.z)
    }
}

#[derive(Clone, Debug)]
pub struct Camera {
    pub eye: V3,
    pub forward: V3,
    pub right: V3,
    pub up: V3,
    /// Half the picture's height at distance one.
    pub tan_half: f32,
}

impl Camera {
    pub fn looking_at(eye: V3, target: V3, roll: f32, tan_half: f32) -> Camera {
        let forward = (target - eye).normalised();
        let right = forward.cross(v(0.0, 1.0, 0.0)).normalised();
        let up = right.cross(forward);
        let (s, c) = roll.sin_cos();
        Camera { eye, forward, right: right * c + up * s, up: up * c - right * s, tan_half }
    }

    /// Column and row in units of the picture's size (0..1), and the depth along the view.
    pub fn project(&self, q: V3, aspect: f32) -> (f32, f32, f32) {
        let d = q - self.eye;
        let depth = d.dot(self.forward).max(1e-3);
        let x = d.dot(self.right) / (depth * self.tan_half * aspect);
        let y = d.dot(self.up) / (depth * self.tan_half);
        (0.5 + 0.5 * x, 0.5 - 0.5 * y, depth)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pattern {
    Plain,
    Checker,
    Wood,
    Speckle,
    Stripes,
    Grid,
}

#[derive(Clone, Debug)]
pub struct Look {
    pub table: Pattern,
    pub table_colours: (V3, V3),
    pub table_scale: f32,
    pub table_turn: f32,
    /// Half extents of a table with an edge; beyond it lies `floor`.
    pub table_half: Option<(f32, f32)>,
    pub floor: V3,
    pub sky: (V3, V3),
    pub light: V3,
    pub light_colour: V3,
    pub ambient: f32,
    /// 0 for none, else sharpness of the cast shadows.
    pub shadow: f32,
    pub occlusion: bool,
    pub specular: bool,
    pub exposure: f32,
    pub gamma: f32,
    pub noise: f32,
    pub blur: f32,
    pub vignette: f32,
    pub tint: V3,
}

/// How far looks, shapes and cameras go from the ordinary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Variety {
    /// What the shipped splits for evaluation were drawn with
    Narrow,
    /// Also stretched shapes, printed bands, odd light and cameras: for training, so that other renderers are recognised
    Wide,
}

#[derive(Clone, Debug)]
pub struct Scene {
    pub objects: Vec<Object>,
    pub camera: Camera,
    pub look: Look,
    /// Width over height of the picture.
    pub aspect: f32,
}

impl Look {
    pub fn sample(rng: &mut impl Rng) -> Look {
        let kind = rng.random_range(0.0..1.0f32);
        // photograph-like, plain rasteriser, nearly unlit
        let (plain, flat) = (kind > 0.6, kind > 0.88);
        let mut u = |lo: f32, hi: f32| rng.random_range(lo..hi);
        let azimuth = u(0.0, std::f32::consts::TAU);
        let elevation = u(0.5, 1.45);
        let tone = |a: f32, b: f32, c: f32| linear(v(a, b, c));
        // table and floor: mostly natural and muted, sometimes strong, sometimes near white or black
        let mut surface = || {
            let style = u(0.0, 1.0);
            let c = if style < 0.45 {
                hsv(u(15.0, 48.0), u(0.05, 0.5), u(0.3, 0.95))
            } else if style < 0.75 {
                hsv(u(0.0, 360.0), u(0.0, 0.12), u(0.15, 1.0))
            } else {
                hsv(u(0.0, 360.0), u(0.1, 0.6), u(0.2, 0.9))
            };
            linear(c)
        };
        let (a, other, floor) = (surface(), surface(), surface());
        let contrast = u(0.08, 0.6);
        let tables = [
            Pattern::Plain,
            Pattern::Plain,
            Pattern::Plain,
            Pattern::Wood,
            Pattern::Wood,
            Pattern::Speckle,
            Pattern::Checker,
            Pattern::Stripes,
            Pattern::Grid,
        ];
        let sky = (u(0.2, 1.0), u(0.2, 1.0));
        let warmth = u(-0.12, 0.12);
        let table_half = (u(0.0, 1.0) < 0.3).then(|| (u(1.7, 2.8), u(1.4, 2.4)));
        let shadow = match (flat, plain) {
            (true, _) => 0.0,
            (_, true) => {
                if u(0.0, 1.0) < 0.5 {
                    0.0
                } else {
                    u(20.0, 80.0)
                }
            }
            _ => u(3.0, 30.0),
        };
        Look {
            table_colours: (a, a.mix(other, contrast)),
            table_scale: u(0.15, 1.2),
            table_turn: u(0.0, 3.2),
            table_half,
            floor,
            sky: (tone(sky.0, sky.0, sky.0 * 1.02), tone(sky.1, sky.1, sky.1)),
            light: v(azimuth.cos() * elevation.cos(), elevation.sin(), azimuth.sin() * elevation.cos()),
            light_colour: v(1.0 + warmth, 1.0, 1.0 - warmth),
            ambient: if flat {
                u(0.75, 0.95)
            } else if plain {
                u(0.3, 0.65)
            } else {
                u(0.2, 0.6)
            },
            shadow,
            occlusion: !plain,
            specular: !flat,
            exposure: u(0.8, 1.25),
            gamma: if plain { u(0.75, 1.1) } else { u(0.9, 1.12) },
            noise: if plain { u(0.0, 0.012) } else { u(0.0, 0.035) },
            blur: if u(0.0, 1.0) < 0.5 { 0.0 } else { u(0.2, 0.9) },
            vignette: if plain { 0.0 } else { u(0.0, 0.35) },
            tint: v(u(0.94, 1.06), 1.0, u(0.94, 1.06)),
            table: *tables.choose(rng).expect("the list is not empty"),
        }
    }
}

impl Scene {
    /// Draws objects, camera and look. `None` when the objects found no place in view; draw again.
    pub fn sample(rng: &mut impl Rng, aspect: f32, variety: Variety) -> Option<Scene> {
        let odd_camera = variety == Variety::Wide && rng.random_bool(0.5);
        let mut scene = Scene::narrow(rng, aspect, odd_camera)?;
        if variety == Variety::Wide {
            scene.vary(rng);
        }
        Some(scene)
    }

    /// Goes further from the ordinary, in half of what can be varied.
    fn vary(&mut self, rng: &mut impl Rng) {
        for object in &mut self.objects {
            if rng.random_bool(0.5) {
                let slack = match object.shape.category {
                    Category::Ball => 0.04,
                    Category::Cube => 0.06,
                    Category::Ring | Category::Wrench | Category::Hammer | Category::Banana => 0.16,
                    _ => 0.22,
                };
                let upright = rng.random_range(-slack..slack);
                // round things stay nearly round: both sides stretch alike
                let side = 1.0 - upright / 2.0;
                let skew = rng.random_range(-0.3..0.3) * slack;
                object.stretch = v(side + skew, 1.0 + upright, side - skew);
            }
            let printed = matches!(
                object.shape.category,
                Category::Can | Category::Bottle | Category::Mug | Category::Cup | Category::Box | Category::Cube
            );
            if printed && rng.random_bool(0.2) {
                let (low, part) = (rng.random_range(0.1..0.7), rng.random_range(0.06..0.25));
                let height = object.shape.height();
                let ink = Colour::ALL.choose(rng).expect("there are colours").paint(rng);
                object.band = Some((low * height, (low + part) * height, linear(ink)));
            }
            if rng.random_bool(0.2) {
                object.pattern = (rng.random_range(0.1..0.4), rng.random_range(2.0..24.0));
            }
        }
        let look = &mut self.look;
        if rng.random_bool(0.4) {
            look.ambient = rng.random_range(0.12..1.0);
            look.exposure = rng.random_range(0.65..1.4);
        }
        if rng.random_bool(0.3) {
            let warmth = rng.random_range(-0.2..0.2);
            look.light_colour = v(1.0 + warmth, 1.0, 1.0 - warmth);
            look.tint = v(rng.random_range(0.9..1.1), 1.0, rng.random_range(0.9..1.1));
        }
        if rng.random_bool(0.3) {
            // a plain rasteriser: hard or no shadows, nothing darkens where things touch
            look.occlusion = false;
            look.shadow = if rng.random_bool(0.5) { 0.0 } else { 200.0 };
            (look.noise, look.blur, look.vignette) = (0.0, 0.0, 0.0);
        }
        if rng.random_bool(0.2) {
            let bright = rng.random_range(0.85..1.0);
            look.table = Pattern::Plain;
            look.table_colours.0 = linear(v(bright, bright, bright));
        }
        look.blur = if rng.random_bool(0.2) { rng.random_range(0.5..2.5) } else { look.blur };
    }

    fn narrow(rng: &mut impl Rng, aspect: f32, odd_camera: bool) -> Option<Scene> {
        let elevation = if odd_camera { rng.random_range(0.25..1.52f32) } else { rng.random_range(0.42..1.35f32) };
        #[allow(clippy::approx_constant)] // the shipped splits were drawn with this bound
        let azimuth = rng.random_range(-3.14..3.14f32);
        let distance = if odd_camera { rng.random_range(3.0..9.0f32) } else { rng.random_range(3.6..6.5f32) };
        let tan_half = rng.random_range(1.25..1.9f32) / distance;
        let target = v(rng.random_range(-0.2..0.2), 0.15, rng.random_range(-0.2..0.2));
        let eye =
            target + v(azimuth.sin() * elevation.cos(), elevation.sin(), azimuth.cos() * elevation.cos()) * distance;
        let roll = if odd_camera { rng.random_range(-0.2..0.2) } else { rng.random_range(-0.06..0.06) };
        let camera = Camera::looking_at(eye, target, roll, tan_half);

        let count = *[2, 3, 3, 4, 4, 5, 5, 6, 6, 7].choose(rng)?;
        // more than half of the scenes draw from few categories and colours: hard negatives
        let few = rng.random_bool(0.55);
        let categories: Vec<_> = Category::ALL.choose_multiple(rng, if few { 2 } else { 15 }).copied().collect();
        let colours: Vec<_> = Colour::ALL.choose_multiple(rng, if few { 3 } else { 11 }).copied().collect();
        let global_scale = rng.random_range(0.8..1.15f32);
        let mut objects: Vec<Object> = Vec::new();
        for _ in 0..count {
            let category = *categories.choose(rng)?;
            let size = *[Size::Small, Size::Medium, Size::Medium, Size::Large].choose(rng)?;
            let scale = global_scale
                * match size {
                    Size::Small => rng.random_range(0.48..0.58),
                    Size::Medium => rng.random_range(0.72..0.88),
                    Size::Large => rng.random_range(1.12..1.3),
                };
            let colour = *colours.choose(rng)?;
            let shape = Shape::sample(category, rng);
            let reach = scale * shape.radius * 0.86;
            let gap = rng.random_range(-0.06..0.25f32);
            let spot = (0..60).find_map(|_| {
                let at = v(rng.random_range(-2.2..2.2), 0.0, rng.random_range(-2.2..2.2));
                let (x, y, _) = camera.project(at + v(0.0, 0.25, 0.0), aspect);
                let in_view = (0.08..0.92).contains(&x) && (0.1..0.9).contains(&y);
                let free = objects.iter().all(|o| {
                    let between = (o.at - at).length() - o.radius() * 0.86 - reach;
                    between > gap
                });
                (in_view && free).then_some(at)
            })?;
            let glossy = rng.random_bool(0.4);
            objects.push(Object {
                albedo: linear(colour.paint(rng)),
                at: spot,
                yaw: rng.random_range(0.0..std::f32::consts::TAU),
                shine: if glossy { rng.random_range(0.2..0.7) } else { rng.random_range(0.0..0.2) },
                gloss: rng.random_range(8.0..80.0),
                pattern: if rng.random_bool(0.25) {
                    (rng.random_range(0.05..0.25), rng.random_range(3.0..16.0))
                } else {
                    (0.0, 1.0)
                },
                metal_lid: rng.random_bool(0.25),
                stretch: v(1.0, 1.0, 1.0),
                band: None,
                shape,
                colour,
                size,
                scale,
            });
        }
        let look = Look::sample(rng);
        Some(Scene { objects, camera, look, aspect })
    }
}
