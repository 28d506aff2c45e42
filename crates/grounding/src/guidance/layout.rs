//! `Layout`: where the proposals of a frame are, how large, and how they overlap.
//!
//! Lengths are in parts of the image's width, right and down from its top left corner, so that they do not depend on the
//! resolution and are alike along both axes.

use referseg_camera::{check_aligned, DepthImage};
use referseg_image::{Frame, Mask, Rect};
use referseg_proposals::Proposal;

/// Where one proposal is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outline {
    /// Centroid of its pixels.
    pub x: f32,
    /// Centroid of its pixels.
    pub y: f32,
    /// Bounding box.
    pub left: f32,
    /// Bounding box.
    pub right: f32,
    /// Bounding box.
    pub top: f32,
    /// Bounding box.
    pub bottom: f32,
    /// Pixels, in parts of the width's square.
    pub area: f32,
    /// Mean luma of its pixels, 0..1 (Rec. 709 weights on the encoded levels).
    pub brightness: f32,
}

impl Outline {
    /// Distance of the centroids.
    pub fn distance(&self, other: &Outline) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// Distance of the boxes; 0 where they touch.
    pub fn gap(&self, other: &Outline) -> f32 {
        let dx = (other.left - self.right).max(self.left - other.right).max(0.0);
        let dy = (other.top - self.bottom).max(self.top - other.bottom).max(0.0);
        dx.hypot(dy)
    }

    /// Height of the box.
    pub fn height(&self) -> f32 {
        self.bottom - self.top
    }

    /// Part of this box that lies inside another, 0..1.
    pub fn inside(&self, other: &Outline) -> f32 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        let own = (self.right - self.left) * (self.bottom - self.top);
        width.max(0.0) * height.max(0.0) / own.max(1e-9)
    }
}

/// The proposals' places and overlaps.
pub struct Layout {
    /// One for each proposal.
    pub outlines: Vec<Outline>,
    /// Height of the image.
    pub height: f32,
    /// Median distance of each proposal's surface from the camera, metres; `None` without depth, or when one is unknown.
    pub depths: Option<Vec<f32>>,
    /// Where each proposal's surface is in the robot's frame; `None` where the camera's place in it, or a depth, is not known.
    pub robot: Option<RobotPlaces>,
    /// Whether each proposal came from outside, as a label or a detection: that it is a thing is then certain.
    pub given: Vec<bool>,
    /// For each pair, the part of the smaller one that both share; row-major `[n, n]`.
    shared: Vec<f32>,
}

impl Layout {
    /// Measures proposals of one frame.
    pub fn of(proposals: &[Proposal], frame: &Frame, depth: Option<&DepthImage>) -> Layout {
        let n = proposals.len();
        let (width, height) = proposals.first().map_or((1, 1), |first| (first.mask.width(), first.mask.height()));
        let outlines = proposals.iter().map(|proposal| outline(proposal, frame, width as f32)).collect();
        let boxes: Vec<Rect> =
            proposals.iter().map(|proposal| proposal.mask.bounding_box().unwrap_or_default()).collect();
        let mut shared = vec![0.0; n * n];
        for i in 0..n {
            shared[i * n + i] = 1.0;
            for j in 0..i {
                let (a, b) = (boxes[i], boxes[j]);
                let apart = a.right() <= b.x || b.right() <= a.x || a.bottom() <= b.y || b.bottom() <= a.y;
                if apart {
                    continue;
                }
                let (a, b) = (&proposals[i].mask, &proposals[j].mask);
                let part = a.intersection(b) as f32 / a.area().min(b.area()).max(1) as f32;
                (shared[i * n + j], shared[j * n + i]) = (part, part);
            }
        }
        let depths = depth.and_then(|depth| proposals.iter().map(|one| median_depth(&one.mask, depth)).collect());
        let robot = depth.and_then(|depth| RobotPlaces::of(proposals, depth));
        let given = proposals.iter().map(|one| one.label.is_some() || one.class.is_some()).collect();
        Layout { outlines, height: height as f32 / width as f32, depths, robot, given, shared }
    }

    /// Outlines that do not overlap.
    #[cfg(test)]
    pub fn of_outlines(outlines: Vec<Outline>, height: f32) -> Layout {
        let n = outlines.len();
        let shared = (0..n * n).map(|k| f32::from(u8::from(k / n == k % n))).collect();
        Layout { outlines, height, depths: None, robot: None, given: vec![false; n], shared }
    }

    /// Part of the smaller of two proposals that both share, 0..1.
    pub fn shared(&self, i: usize, j: usize) -> f32 {
        self.shared[i * self.outlines.len() + j]
    }
}

/// A few hundred pixels of a mask, columns and rows of the depth image: enough for a median. `None` when that is of another view.
fn samples(mask: &Mask, depth: &DepthImage) -> Option<Vec<(usize, usize)>> {
    check_aligned(mask, depth).ok()?;
    let rect = mask.bounding_box()?;
    let step = (rect.area() / 400).isqrt().max(1);
    let mut pixels = Vec::new();
    for y in (rect.y..rect.bottom()).step_by(step) {
        for x in (rect.x..rect.right()).step_by(step).filter(|x| mask.at(*x, y)) {
            pixels.push((x * depth.width / mask.width(), y * depth.height / mask.height()));
        }
    }
    Some(pixels)
}

fn median(mut values: Vec<f32>) -> Option<f32> {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Median of the depth inside a mask; `None` when the depth image is of another view or unknown there.
fn median_depth(mask: &Mask, depth: &DepthImage) -> Option<f32> {
    median(samples(mask, depth)?.into_iter().filter_map(|(column, row)| depth.at(column, row)).collect())
}

/// Where things are for the robot rather than in the picture (REP 103: x forward, y left, z up).
#[derive(Clone, Debug, PartialEq)]
pub struct RobotPlaces {
    /// The robot's frame.
    pub frame_id: String,
    /// Metres forward, left and up, one for each proposal.
    pub places: Vec<[f32; 3]>,
}

impl RobotPlaces {
    fn of(proposals: &[Proposal], depth: &DepthImage) -> Option<RobotPlaces> {
        let frame_id = depth.robot_frame()?.to_string();
        let place = |proposal: &Proposal| {
            let pixels = samples(&proposal.mask, depth)?;
            let points: Vec<[f64; 3]> =
                pixels.into_iter().filter_map(|(column, row)| depth.robot_point(column, row)).collect();
            let axis = |axis: usize| median(points.iter().map(|point| point[axis] as f32).collect());
            Some([axis(0)?, axis(1)?, axis(2)?])
        };
        Some(RobotPlaces { frame_id, places: proposals.iter().map(place).collect::<Option<Vec<_>>>()? })
    }
}

fn outline(proposal: &Proposal, frame: &Frame, unit: f32) -> Outline {
    let rect = proposal.mask.bounding_box().unwrap_or_default();
    let [x, y] = proposal.mask.centroid().unwrap_or_default();
    let area = proposal.mask.area().max(1);
    let part = |pixels: usize| pixels as f32 / unit;
    Outline {
        x: x as f32 / unit,
        y: y as f32 / unit,
        left: part(rect.x),
        right: part(rect.right()),
        top: part(rect.y),
        bottom: part(rect.bottom()),
        area: area as f32 / (unit * unit),
        brightness: brightness(&proposal.mask, frame),
    }
}

/// Mean luma of a few hundred pixels of a mask, 0..1.
fn brightness(mask: &Mask, frame: &Frame) -> f32 {
    let rect = mask.bounding_box().unwrap_or_default();
    if rect.right() > frame.width() || rect.bottom() > frame.height() {
        return 0.0;
    }
    let step = (rect.area() / 400).isqrt().max(1);
    let (mut sum, mut count) = (0.0, 0);
    for y in (rect.y..rect.bottom()).step_by(step) {
        for x in (rect.x..rect.right()).step_by(step).filter(|x| mask.at(*x, y)) {
            let [red, green, blue] =
                [0, 1, 2].map(|channel| f32::from(frame.rgb()[(y * frame.width() + x) * 3 + channel]));
            sum += (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255.0;
            count += 1;
        }
    }
    sum / count.max(1) as f32
}
