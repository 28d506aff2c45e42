//! The middle of a mask: a place that is inside it, as far as any is from what is outside.

use super::mask::Mask;

/// The pixel of a mask that is furthest from what is outside (steps along rows and columns; beyond the image is outside),
/// of several the one nearest to the centroid: inside the thing also where the centroid is not, as of a ring. In image
/// pixels, at the pixel's middle.
pub fn inner_point(mask: &Mask) -> Option<[f32; 2]> {
    let (width, height) = (mask.width(), mask.height());
    let centroid = mask.centroid()?.map(|place| place as f32 - 0.5);
    // steps to the outside: from the upper left, then from the lower right; one row and column of outside around
    let stride = width + 2;
    let mut steps = vec![0u32; stride * (height + 2)];
    let at = |(column, row): (usize, usize)| (row + 1) * stride + column + 1;
    let inside: Vec<usize> = mask.inside().map(at).collect();
    for &place in &inside {
        steps[place] = 1 + steps[place - 1].min(steps[place - stride]);
    }
    for &place in inside.iter().rev() {
        steps[place] = steps[place].min(1 + steps[place + 1].min(steps[place + stride]));
    }
    let away = |(column, row): (usize, usize)| (column as f32 - centroid[0]).hypot(row as f32 - centroid[1]);
    let deepest = mask.inside().min_by(|a, b| {
        let deeper = steps[at(*b)].cmp(&steps[at(*a)]);
        deeper.then_with(|| away(*a).total_cmp(&away(*b)))
    });
    deepest.map(|(column, row)| [column as f32 + 0.5, row as f32 + 0.5])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_of_a_ring_lies_on_the_ring_and_that_of_a_block_in_its_middle() {
        let block = Mask::from_fn(20, 10, |x, y| (2..9).contains(&x) && (1..8).contains(&y));
        assert_eq!(inner_point(&block), Some([5.5, 4.5]));
        let ring = Mask::from_fn(40, 40, |x, y| {
            let away = (x as f32 - 20.0).hypot(y as f32 - 20.0);
            (8.0..16.0).contains(&away)
        });
        let [x, y] = inner_point(&ring).unwrap();
        let away = (x - 20.5).hypot(y - 20.5);
        assert!((10.0..14.0).contains(&away), "{away} from the middle");
        assert_eq!(inner_point(&Mask::from_fn(3, 3, |_, _| false)), None);
    }

    #[test]
    fn a_mask_at_the_images_edge_has_its_centre_off_the_edge() {
        let all = Mask::from_fn(9, 5, |_, _| true);
        assert_eq!(inner_point(&all), Some([4.5, 2.5]));
    }
}
