//! Films: one thing of a scene followed over many pictures while the camera or the things move.

use crate::render::{self, Picture};
use crate::scene::{Camera, Object, Scene};
use crate::vector::{v, V3};
use clap::ValueEnum;
use rand::seq::IndexedRandom;
use rand::Rng;
use serde::Serialize;

/// What happens in a film.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Motion {
    /// The camera swings around the table and comes nearer.
    Camera,
    /// The thing slides over the table and turns, the camera stands.
    Object,
    /// Another thing passes in front of it.
    Occlusion,
    /// The camera turns away until the thing is out of the picture, and back.
    Exit,
}

/// All of them, in the order in which films take turns.
pub const MOTIONS: [Motion; 4] = [Motion::Camera, Motion::Object, Motion::Occlusion, Motion::Exit];

/// A film: how each of its pictures is made.
pub struct Film {
    scene: Scene,
    start: Camera,
    motion: Motion,
    /// Index of the thing that is followed.
    pub followed: usize,
    /// Where the thing, or what passes in front of it, goes; scene units from its place.
    way: V3,
    side: f32,
}

/// Slow at both ends, 0..1.
fn eased(part: f32) -> f32 {
    part * part * (3.0 - 2.0 * part)
}

impl Film {
    /// A film of a scene; `None` where the scene does not suit the motion.
    pub fn new(mut scene: Scene, picture: &Picture, motion: Motion, rng: &mut impl Rng) -> Option<Film> {
        let pixels = (picture.width * picture.height) as u32;
        let mut areas = vec![0u32; scene.objects.len()];
        picture.ids.iter().filter(|id| **id > 0).for_each(|id| areas[usize::from(*id) - 1] += 1);
        // large enough to be seen, and whole
        let suits =
            |index: &usize| areas[*index] > pixels / 150 && areas[*index] * 10 > picture.amodal_area[*index] * 9;
        let followed = *(0..scene.objects.len()).filter(suits).collect::<Vec<_>>().choose(rng)?;
        let side = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
        let start = scene.camera.clone();
        let sideways = v(start.right.x, 0.0, start.right.z).normalised();
        let way = match motion {
            Motion::Object => sideways * (side * 1.1) + v(-start.forward.x, 0.0, -start.forward.z).normalised() * 0.5,
            Motion::Occlusion => sideways * (side * 5.0),
            _ => v(0.0, 0.0, 0.0),
        };
        if motion == Motion::Occlusion {
            // another thing, between the camera and the one that is followed, begins beside the picture
            let thing = scene.objects[followed].clone();
            let towards = v(start.eye.x - thing.at.x, 0.0, start.eye.z - thing.at.z).normalised();
            let others: Vec<usize> = (0..scene.objects.len()).filter(|index| *index != followed).collect();
            let mut passing: Object = scene.objects[*others.choose(rng)?].clone();
            passing.at = thing.at + towards * (thing.radius() + passing.radius() + 0.15) - way * 0.5;
            scene.objects.push(passing);
        }
        Some(Film { scene, start, motion, followed, way, side })
    }

    /// The picture at a part of the film, 0..1.
    pub fn picture(&self, part: f32, width: usize, height: usize, rays: usize, rng: &mut impl Rng) -> Picture {
        let mut scene = self.scene.clone();
        let target = self.start.eye + self.start.forward * ((0.15 - self.start.eye.y) / self.start.forward.y);
        let turned = |angle: f32, distance: f32| {
            let (s, c) = angle.sin_cos();
            let d = (self.start.eye - target) * distance;
            target + v(c * d.x + s * d.z, d.y, c * d.z - s * d.x)
        };
        match self.motion {
            Motion::Camera => {
                let eye = turned(0.4 * self.side * eased(part), 1.0 - 0.2 * eased(part));
                scene.camera = Camera::looking_at(eye, target, 0.1 * self.side * eased(part), self.start.tan_half);
            }
            Motion::Object => {
                let thing = &mut scene.objects[self.followed];
                thing.at = thing.at + self.way * eased(part);
                thing.yaw += 0.5 * self.side * eased(part);
            }
            Motion::Occlusion => {
                if let Some(passing) = scene.objects.last_mut() {
                    passing.at = passing.at + self.way * part;
                }
            }
            Motion::Exit => {
                // there and back
                let away = eased(1.0 - (2.0 * part - 1.0).abs());
                let aside = self.start.right * (self.side * 4.0 * away);
                scene.camera = Camera::looking_at(self.start.eye, target + aside, 0.0, self.start.tan_half);
            }
        }
        render::render(&scene, width, height, rays, rng)
    }
}
