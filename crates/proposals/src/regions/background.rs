//! The background: what is reached from the image's edge without meeting another colour.
//!
//! What it leaves over, in pieces that hang together, are candidates. Things with several colours, or
//! with sides in light and shade, come out whole here although no affinity merges them.

use super::candidate::Candidate;
use super::superpixels::{Colour, Superpixels};
use rayon::prelude::*;

/// Colour distances at which a patch still counts as background, ascending.
const TOLERANCES: [f32; 7] = [6.0, 10.0, 15.0, 21.0, 28.0, 38.0, 52.0];
/// Part of the image's edge that a colour must hold to be a background colour.
const EDGE_SHARE: f32 = 0.02;

/// Distance of a patch from a background colour. A shadow keeps the hue and loses light, so with
/// `shadows` a loss of light costs little when the colour is dimmed evenly.
fn distance(patch: Colour, ground: Colour, shadows: bool) -> f32 {
    let plain = super::superpixels::distance(patch, ground, 1.0);
    let dimmed = patch[0] / ground[0].max(1.0);
    if !shadows || !(0.35..1.0).contains(&dimmed) {
        return plain;
    }
    let even = ground.map(|channel| channel * dimmed);
    let hue = super::superpixels::distance(patch, even, 0.0);
    plain.min(1.3 * hue + 0.12 * (ground[0] - patch[0]))
}

/// The pieces left by the background at each tolerance, with and without shadows.
pub fn candidates(superpixels: &Superpixels) -> Vec<Candidate> {
    let count = superpixels.patches.len();
    let mut around = vec![Vec::new(); count];
    for contact in &superpixels.contacts {
        around[contact.a].push(contact.b);
        around[contact.b].push(contact.a);
    }
    let edge = 2.0 * (superpixels.width + superpixels.height) as f32;
    let seeds: Vec<usize> = (0..count).filter(|i| superpixels.patches[*i].border >= EDGE_SHARE * edge).collect();
    let floods: Vec<(bool, f32)> =
        [false, true].into_iter().flat_map(|shadows| TOLERANCES.map(|tolerance| (shadows, tolerance))).collect();
    let pieces = |(shadows, tolerance)| {
        let ground = flood(superpixels, &around, &seeds, tolerance, shadows);
        pieces(superpixels, &around, &ground)
    };
    let found: Vec<_> = floods.into_par_iter().map(pieces).collect();
    found.into_iter().flatten().collect()
}

/// Which patches are background: each is near the patch it was reached from, or near a seed.
fn flood(
    superpixels: &Superpixels,
    around: &[Vec<usize>],
    seeds: &[usize],
    tolerance: f32,
    shadows: bool,
) -> Vec<bool> {
    let mut ground = vec![false; around.len()];
    let mut open: Vec<usize> = seeds.to_vec();
    for seed in seeds {
        ground[*seed] = true;
    }
    let colour = |i: usize| superpixels.patches[i].colour;
    while let Some(from) = open.pop() {
        for &next in &around[from] {
            if ground[next] {
                continue;
            }
            let step = distance(colour(next), colour(from), false) < 0.6 * tolerance;
            let seeded = || seeds.iter().any(|s| distance(colour(next), colour(*s), shadows) < tolerance);
            if step && seeds.iter().any(|s| distance(colour(next), colour(*s), shadows) < 2.0 * tolerance) || seeded() {
                ground[next] = true;
                open.push(next);
            }
        }
    }
    ground
}

/// Connected pieces of what is not ground.
fn pieces(superpixels: &Superpixels, around: &[Vec<usize>], ground: &[bool]) -> Vec<Candidate> {
    let mut seen = ground.to_vec();
    let mut found = Vec::new();
    for start in 0..seen.len() {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        let mut piece = Candidate::empty(seen.len());
        let mut open = vec![start];
        while let Some(patch) = open.pop() {
            piece.add(patch, &superpixels.patches[patch]);
            for &next in &around[patch] {
                if !seen[next] {
                    seen[next] = true;
                    open.push(next);
                }
            }
        }
        found.push(piece);
    }
    found
}
