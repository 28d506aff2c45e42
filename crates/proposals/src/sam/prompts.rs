//! The box of a mask as Segment Anything is asked with it.

use referseg_image::{Mask, Rect};

/// Left, top, right and bottom edge of a mask, image pixels.
pub fn corners(mask: &Mask) -> Option<[f32; 4]> {
    let Rect { x, y, width, height } = mask.bounding_box()?;
    Some([x, y, x + width, y + height].map(|edge| edge as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_box_of_all_is_the_whole_image() {
        assert_eq!(corners(&Mask::from_fn(9, 5, |_, _| true)), Some([0.0, 0.0, 9.0, 5.0]));
        assert_eq!(corners(&Mask::empty(9, 5)), None);
    }
}
