//! `PlaceHeat`: where an image is like a phrase, by the features of its places, and how well a proposal covers that
//! (HybridGL's spatial coherence on GEM's heat map; constants from the authors' program).

use referseg_files::Result;
use referseg_image::resample::{bilinear, resize_plane, Filter};
use referseg_image::{Mask, Rect};
use referseg_language::{BoxRelation, Direction};

/// How much heat outside a proposal counts against it: `b` in (2 - b) * inside - b * outside.
fn outside_weight(relation: BoxRelation) -> f64 {
    match relation {
        BoxRelation::Big => 1.95,
        BoxRelation::Small => 1.5,
        _ => 1.8,
    }
}

/// A heat map of an image, in pixels, brought to 0..1.
pub struct PlaceHeat {
    width: usize,
    heat: Vec<f32>,
    /// Of all pixels: asked for once a proposal.
    sum: f64,
}

/// Brings a map to 0..1; an even one becomes 0.
fn unit(mut map: Vec<f32>) -> Vec<f32> {
    let (low, high) = map.iter().fold((f32::MAX, f32::MIN), |(low, high), value| (low.min(*value), high.max(*value)));
    let range = if high > low { high - low } else { 1.0 };
    map.iter_mut().for_each(|value| *value = (*value - low) / range);
    map
}

/// Values from `from` to `to`, both included.
fn line(from: f32, to: f32, count: usize) -> impl Iterator<Item = f32> {
    let step = if count > 1 { (to - from) / (count - 1) as f32 } else { 0.0 };
    (0..count).map(move |index| from + step * index as f32)
}

/// The factor of each pixel of an image for a direction, by column or by row.
fn ramp(direction: Direction, width: usize, height: usize) -> impl Fn(usize, usize) -> f32 {
    let (by_column, values): (bool, Vec<f32>) = match direction {
        Direction::None => (true, vec![1.0; width]),
        Direction::Left => (true, line(1.0, 0.0, width).collect()),
        Direction::Right => (true, line(0.0, 1.0, width).collect()),
        Direction::Middle => (true, line(0.0, 1.0, width / 2).chain(line(1.0, 0.0, width - width / 2)).collect()),
        Direction::Up => (false, line(1.0, 0.0, height).collect()),
        Direction::Down => (false, line(0.0, 1.0, height).collect()),
    };
    move |x, y| values[if by_column { x } else { y }]
}

impl PlaceHeat {
    fn new(width: usize, heat: Vec<f32>) -> PlaceHeat {
        let sum = heat.iter().map(|value| f64::from(*value)).sum();
        PlaceHeat { width, heat, sum }
    }

    /// Brings similarities of places, `[g * g]`, to an image by way of a square of `side` pixels, as the authors do: plainly
    /// enlarged to the square, brought to 0..1, resized with antialiasing, and again brought to 0..1.
    ///
    /// # Errors
    /// Never for a square grid.
    pub fn enlarged(similarities: &[f32], side: usize, (width, height): (usize, usize)) -> Result<PlaceHeat> {
        let grid = (similarities.len() as f64).sqrt() as usize;
        let square = unit(bilinear(Rect::whole(grid, grid), side, side, |x, y| similarities[y * grid + x]));
        let heat = unit(resize_plane(&square, (side, side), (width, height), Filter::Bilinear)?);
        Ok(PlaceHeat::new(width, heat))
    }

    /// The map, row by row.
    pub fn values(&self) -> &[f32] {
        &self.heat
    }

    /// The map under the ramp of a direction, divided by its mean.
    #[must_use]
    pub fn directed(&self, direction: Direction) -> PlaceHeat {
        let factor = ramp(direction, self.width, self.heat.len() / self.width.max(1));
        let factors = self.heat.iter().enumerate().map(|(at, heat)| heat * factor(at % self.width, at / self.width));
        let mut heat: Vec<f32> = factors.collect();
        let mean = (heat.iter().map(|value| f64::from(*value)).sum::<f64>() / heat.len().max(1) as f64) as f32;
        if mean > 0.0 {
            heat.iter_mut().for_each(|value| *value /= mean);
        }
        PlaceHeat::new(self.width, heat)
    }

    /// How well a mask covers the heat, of a map that was [directed](PlaceHeat::directed): the mean inside against the mean
    /// outside. A mask of the whole image leaves nothing outside.
    pub fn coherence(&self, mask: &Mask, relation: BoxRelation) -> f32 {
        let b = outside_weight(relation);
        let inside: f64 = mask.inside().map(|(x, y)| f64::from(self.heat[y * self.width + x])).sum();
        let (area, rest) = (mask.area().max(1), (self.heat.len() - mask.area()).max(1));
        ((2.0 - b) * inside / area as f64 - b * (self.sum - inside) / rest as f64) as f32
    }
}
