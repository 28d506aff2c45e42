//! Gaussian blur of 15x15 pixels, byte for byte as OpenCV does it with `GaussianBlur(image, (15, 15), 0)`.

use super::frame::Frame;
use referseg_files::Result;

/// OpenCV's fixed-point weights for 15 pixels and the sigma that follows, 0.3 * ((15 - 1) / 2 - 1) + 0.8 = 2.6; of 256.
const WEIGHTS: [u32; 15] = [1, 3, 6, 12, 20, 30, 36, 40, 36, 30, 20, 12, 6, 3, 1];
const RADIUS: usize = WEIGHTS.len() / 2;

/// For each of `length` pixels the pixels that its weights fall on, mirrored at the border without repeating the edge.
fn neighbours(length: usize) -> Vec<[usize; 15]> {
    let mirrored = |place: isize| {
        let period = (2 * length - 2).max(1) as isize;
        let place = place.rem_euclid(period) as usize;
        if place < length {
            place
        } else {
            period as usize - place
        }
    };
    let around = |at: usize| std::array::from_fn(|tap| mirrored(at as isize + tap as isize - RADIUS as isize));
    (0..length).map(around).collect()
}

/// The blurred image.
///
/// # Errors
/// Never for a valid frame.
pub fn blur(frame: &Frame) -> Result<Frame> {
    let (width, height, rgb) = (frame.width(), frame.height(), frame.rgb());
    let (across, down) = (neighbours(width), neighbours(height));
    let row_bytes = width * 3;
    let mut rows = Vec::with_capacity(rgb.len());
    for row in rgb.chunks_exact(row_bytes) {
        for taps in &across {
            for channel in 0..3 {
                let weighted = taps.iter().zip(WEIGHTS).map(|(x, weight)| weight * u32::from(row[x * 3 + channel]));
                rows.push(weighted.sum::<u32>());
            }
        }
    }
    let mut blurred = Vec::with_capacity(rgb.len());
    for taps in &down {
        let lines = taps.map(|y| &rows[y * row_bytes..][..row_bytes]);
        for at in 0..row_bytes {
            let sum: u32 = lines.iter().zip(WEIGHTS).map(|(line, weight)| weight * line[at]).sum();
            blurred.push(((sum + (1 << 15)) >> 16) as u8);
        }
    }
    Frame::new(width, height, blurred)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_image_stays_and_a_dot_spreads_by_the_weights() {
        for (width, height) in [(1, 1), (2, 3), (9, 4)] {
            let plain = Frame::new(width, height, vec![77; width * height * 3]).unwrap();
            assert_eq!(blur(&plain).unwrap().rgb(), plain.rgb(), "{width}x{height}");
        }
        let mut rgb = vec![0; 31 * 31 * 3];
        rgb[(15 * 31 + 15) * 3] = 255;
        let dot = blur(&Frame::new(31, 31, rgb).unwrap()).unwrap();
        // 255 * 40 * 40 / 65536 and 255 * 40 * 1 / 65536
        assert_eq!((dot.pixel(15, 15), dot.pixel(15, 8)), ([6, 0, 0], [0, 0, 0]));
        assert_eq!(dot.pixel(17, 15), [5, 0, 0], "255 * 40 * 30 / 65536 is 4.7");
    }
}
