//! `Superpixels`: a frame segmented into a few hundred patches of even colour, and which of them touch.
//!
//! Graph-based segmentation (Felzenszwalb and Huttenlocher, IJCV 2004) on an image brought down to a
//! fixed working size, so that the cost does not depend on the camera. Patches grow along the edges by weight, one after the other; what is
//! found of each pixel and each edge alone is found on all threads.

use rayon::prelude::*;
use referseg_files::Result;
use referseg_image::resample::{resize, Filter};
use referseg_image::Frame;

/// Longer side of the working image, pixels.
const WORKING_SIDE: usize = 400;
/// The method's k: how readily patches grow, in units of colour distance times pixels.
const GROWTH: f32 = 60.0;
/// Patches below this many working pixels are merged into their neighbour.
const SMALLEST: u32 = 16;
/// Steps of edge weight for each unit of colour, for sorting by counting.
const STEPS: f32 = 8.0;

/// Pixels that are too few to be shared out.
const ALONE: usize = 4096;

/// Opponent colour: lightness, red against green, yellow against blue, each about 0..255.
pub type Colour = [f32; 3];

/// One patch.
#[derive(Clone, Debug)]
pub struct Superpixel {
    /// Working pixels.
    pub area: f32,
    /// Mean colour.
    pub colour: Colour,
    /// Working pixels on the edge of the image.
    pub border: f32,
}

/// Two patches that touch.
#[derive(Clone, Copy, Debug)]
pub struct Contact {
    pub a: usize,
    pub b: usize,
    /// Pairs of pixels along the contact.
    pub length: f32,
    /// Mean colour distance across it.
    pub contrast: f32,
}

/// A frame's patches and their contacts.
pub struct Superpixels {
    /// Working size.
    pub width: usize,
    pub height: usize,
    /// Patch of each working pixel, row-major.
    pub labels: Vec<u32>,
    pub patches: Vec<Superpixel>,
    pub contacts: Vec<Contact>,
}

/// Distance of colours; `lightness` weighs the first channel.
pub fn distance(a: Colour, b: Colour, lightness: f32) -> f32 {
    let [l, r, y] = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    (lightness * lightness * l * l + r * r + y * y).sqrt()
}

fn opponent(rgb: &[u8]) -> Colour {
    let [r, g, b] = [f32::from(rgb[0]), f32::from(rgb[1]), f32::from(rgb[2])];
    [(r + g + b) / 3.0, r - g, (r + g) / 2.0 - b]
}

/// 3x3 binomial smoothing against sensor noise.
fn smoothed(colours: &[Colour], width: usize, height: usize) -> Vec<Colour> {
    let pass = |source: &[Colour], step: usize, place: fn(usize, usize) -> usize, limit: usize| {
        let one = |(i, here): (usize, &Colour)| {
            let at = place(i, width);
            let before = if at > 0 { source[i - step] } else { *here };
            let after = if at + 1 < limit { source[i + step] } else { *here };
            std::array::from_fn(|c| (before[c] + 2.0 * here[c] + after[c]) / 4.0)
        };
        source.par_iter().enumerate().with_min_len(ALONE).map(one).collect::<Vec<Colour>>()
    };
    let across = pass(colours, 1, |i, width| i % width, width);
    pass(&across, width, |i, width| i / width, height)
}

struct Forest {
    parent: Vec<u32>,
    area: Vec<u32>,
    /// Largest weight inside plus the allowance for growth.
    bound: Vec<f32>,
}

impl Forest {
    fn root(&mut self, mut i: u32) -> u32 {
        while self.parent[i as usize] != i {
            let up = self.parent[self.parent[i as usize] as usize];
            self.parent[i as usize] = up;
            i = up;
        }
        i
    }

    fn join(&mut self, a: u32, b: u32, weight: f32) {
        let (a, b) = if self.area[a as usize] >= self.area[b as usize] { (a, b) } else { (b, a) };
        self.parent[b as usize] = a;
        self.area[a as usize] += self.area[b as usize];
        self.bound[a as usize] = weight + GROWTH / self.area[a as usize] as f32;
    }
}

impl Superpixels {
    /// Segments a frame.
    ///
    /// # Errors
    /// When the frame can't be resized.
    pub fn segment(frame: &Frame) -> Result<Superpixels> {
        let longer = frame.width().max(frame.height());
        let scale = (WORKING_SIDE as f32 / longer as f32).min(1.0);
        let size = |side: usize| ((side as f32 * scale).round() as usize).max(1);
        let (width, height) = (size(frame.width()), size(frame.height()));
        let working = resize(frame, width, height, Filter::Bilinear)?;
        let colours: Vec<Colour> = working.rgb().par_chunks_exact(3).with_min_len(ALONE).map(opponent).collect();
        let colours = smoothed(&colours, width, height);
        let roots = segment(&colours, width, height);
        Ok(Superpixels::describe(width, height, roots, &colours))
    }

    /// Numbers the patches and measures them and their contacts.
    fn describe(width: usize, height: usize, roots: Vec<u32>, colours: &[Colour]) -> Superpixels {
        let mut number = vec![u32::MAX; roots.len()];
        let mut patches: Vec<Superpixel> = Vec::new();
        let mut labels = Vec::with_capacity(roots.len());
        for (pixel, root) in roots.iter().enumerate() {
            let slot = &mut number[*root as usize];
            if *slot == u32::MAX {
                *slot = patches.len() as u32;
                patches.push(Superpixel { area: 0.0, colour: [0.0; 3], border: 0.0 });
            }
            let patch = &mut patches[*slot as usize];
            patch.area += 1.0;
            for (sum, value) in patch.colour.iter_mut().zip(colours[pixel]) {
                *sum += value;
            }
            let (x, y) = (pixel % width, pixel / width);
            let edge = x == 0 || y == 0 || x + 1 == width || y + 1 == height;
            patch.border += f32::from(u8::from(edge));
            labels.push(*slot);
        }
        for patch in &mut patches {
            patch.colour = patch.colour.map(|sum| sum / patch.area);
        }
        let meet = |i: usize, j: usize| {
            let (a, b) = (labels[i].min(labels[j]), labels[i].max(labels[j]));
            (a != b).then(|| (u64::from(a) << 32 | u64::from(b), distance(colours[i], colours[j], 1.0)))
        };
        let of_pixel = |i: usize| {
            let right = (i % width + 1 < width).then(|| meet(i, i + 1)).flatten();
            let below = (i + width < labels.len()).then(|| meet(i, i + width)).flatten();
            right.into_iter().chain(below)
        };
        let mut pairs: Vec<(u64, f32)> =
            (0..labels.len()).into_par_iter().with_min_len(ALONE).flat_map_iter(of_pixel).collect();
        // equal ones stay in their order, so that their sums are the same on any number of threads
        pairs.par_sort_by_key(|pair| pair.0);
        let contacts = pairs.chunk_by(|x, y| x.0 == y.0).map(|run| {
            let length = run.len() as f32;
            Contact {
                a: (run[0].0 >> 32) as usize,
                b: run[0].0 as u32 as usize,
                length,
                contrast: run.iter().map(|pair| pair.1).sum::<f32>() / length,
            }
        });
        let contacts = contacts.collect();
        Superpixels { width, height, labels, patches, contacts }
    }
}

/// The root pixel of each pixel's patch.
fn segment(colours: &[Colour], width: usize, height: usize) -> Vec<u32> {
    let edge = |i: usize, j: usize| {
        let weight = (distance(colours[i], colours[j], 1.0) * STEPS).min(f32::from(u16::MAX));
        (i as u32, j as u32, weight as u16)
    };
    let of_pixel = |i: usize| {
        let (x, y) = (i % width, i / width);
        let (has_right, has_below) = (x + 1 < width, y + 1 < height);
        let others = [
            has_right.then_some(i + 1),
            has_below.then_some(i + width),
            (has_below && has_right).then_some(i + width + 1),
            (has_below && x > 0).then_some(i + width - 1),
        ];
        others.into_iter().flatten().map(move |other| edge(i, other))
    };
    let edges = (0..colours.len()).into_par_iter().with_min_len(ALONE).flat_map_iter(of_pixel).collect();
    let edges = counted(edges);
    let n = colours.len();
    let mut forest = Forest { parent: (0..n as u32).collect(), area: vec![1; n], bound: vec![GROWTH; n] };
    for &(i, j, step) in &edges {
        let (a, b) = (forest.root(i), forest.root(j));
        let weight = f32::from(step) / STEPS;
        if a != b && weight <= forest.bound[a as usize].min(forest.bound[b as usize]) {
            forest.join(a, b, weight);
        }
    }
    for &(i, j, step) in &edges {
        let (a, b) = (forest.root(i), forest.root(j));
        if a != b && forest.area[a as usize].min(forest.area[b as usize]) < SMALLEST {
            forest.join(a, b, f32::from(step) / STEPS);
        }
    }
    (0..n as u32).map(|i| forest.root(i)).collect()
}

/// Sorted by weight, equal weights in their order.
fn counted(edges: Vec<(u32, u32, u16)>) -> Vec<(u32, u32, u16)> {
    let mut starts = vec![0usize; usize::from(u16::MAX) + 2];
    for edge in &edges {
        starts[usize::from(edge.2) + 1] += 1;
    }
    for i in 1..starts.len() {
        starts[i] += starts[i - 1];
    }
    let mut sorted = vec![(0, 0, 0); edges.len()];
    for edge in edges {
        let place = &mut starts[usize::from(edge.2)];
        sorted[*place] = edge;
        *place += 1;
    }
    sorted
}
