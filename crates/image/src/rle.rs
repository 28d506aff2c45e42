//! `Rle`: COCO's run-length encoded masks and polygons, rasterised to the pixel as pycocotools does.
//!
//! Runs go down the columns, the first of pixels outside. hotcoco's mask module does the same, at the price of a dependency many times this file's size.

use super::Mask;

/// Polygons are walked at this many times the image's resolution.
const SCALE: f64 = 5.0;

/// Lengths of runs down the columns, the first outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rle {
    width: usize,
    height: usize,
    counts: Vec<u32>,
}

impl Rle {
    /// Run lengths of an image; what is missing at the end is outside.
    ///
    /// # Errors
    /// When they are longer than the image.
    pub fn new(width: usize, height: usize, counts: Vec<u32>) -> Result<Rle, String> {
        let sum: u64 = counts.iter().map(|count| u64::from(*count)).sum();
        if sum > (width * height) as u64 {
            return Err(format!("runs of {sum} pixels in an image of {width}x{height}"));
        }
        Ok(Rle { width, height, counts })
    }

    /// COCO's compressed string: six bits a character, differences to the last but one run.
    ///
    /// # Errors
    /// When it is cut, or has other characters, or is too long for the image.
    pub fn parse(width: usize, height: usize, text: &str) -> Result<Rle, String> {
        let mut counts: Vec<u32> = Vec::new();
        let mut bytes = text.bytes();
        while let Some(first) = bytes.next() {
            let (mut byte, mut value, mut shift) = (first, 0i64, 0);
            loop {
                let bits = i64::from(byte) - 48;
                if !(0..64).contains(&bits) || shift > 30 {
                    return Err(format!("no run length at {:?}", byte as char));
                }
                value |= (bits & 0x1f) << shift;
                shift += 5;
                if bits & 0x20 == 0 {
                    if bits & 0x10 != 0 {
                        value -= 1 << shift;
                    }
                    break;
                }
                byte = bytes.next().ok_or("cut in the middle of a run length")?;
            }
            if counts.len() > 2 {
                value += i64::from(counts[counts.len() - 2]);
            }
            counts.push(u32::try_from(value).map_err(|_| format!("a run of {value} pixels"))?);
        }
        Rle::new(width, height, counts)
    }

    /// The compressed string of these runs.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (index, count) in self.counts.iter().enumerate() {
            let before = if index > 2 { i64::from(self.counts[index - 2]) } else { 0 };
            let mut value = i64::from(*count) - before;
            loop {
                let bits = value & 0x1f;
                value >>= 5;
                let last = if bits & 0x10 != 0 { value == -1 } else { value == 0 };
                let byte = bits | if last { 0 } else { 0x20 };
                text.push(char::from(byte as u8 + 48));
                if last {
                    break;
                }
            }
        }
        text
    }

    /// The runs of a mask.
    pub fn of(mask: &Mask) -> Rle {
        let (width, height) = (mask.width(), mask.height());
        let mut counts = Vec::new();
        let (mut inside, mut count) = (false, 0);
        for pixel in 0..width * height {
            if mask.at(pixel / height, pixel % height) != inside {
                counts.push(count);
                (inside, count) = (!inside, 0);
            }
            count += 1;
        }
        counts.push(count);
        Rle { width, height, counts }
    }

    /// One polygon: x and y of each corner, in pixels.
    ///
    /// # Errors
    /// When it has less than three corners, an odd number of values, or one that is no number.
    pub fn of_polygon(width: usize, height: usize, corners: &[f64]) -> Result<Rle, String> {
        if corners.len() < 6 || !corners.len().is_multiple_of(2) {
            return Err(format!("a polygon of {} numbers; expected an even number of at least 6", corners.len()));
        }
        // annotations end at the image's edge; what is far outside makes edges of millions of points
        let limit = (4 * width.max(height)) as f64;
        if let Some(wrong) = corners.iter().find(|value| !value.is_finite() || value.abs() > limit) {
            return Err(format!(
                "a polygon with a corner at {wrong}; expected one in or near a {width}x{height} image"
            ));
        }
        let fine: Vec<(i64, i64)> =
            corners.chunks_exact(2).map(|c| ((SCALE * c[0] + 0.5) as i64, (SCALE * c[1] + 0.5) as i64)).collect();
        let mut outline = Vec::new();
        for (index, start) in fine.iter().enumerate() {
            walk(*start, fine[(index + 1) % fine.len()], &mut outline);
        }
        let mut crossings: Vec<u32> = outline.windows(2).filter_map(|pair| crossing(pair, width, height)).collect();
        crossings.push((width * height) as u32);
        crossings.sort_unstable();
        let mut last = 0;
        let lengths = crossings.into_iter().map(|at| at - std::mem::replace(&mut last, at));
        Ok(Rle { width, height, counts: joined(lengths) })
    }

    /// The pixels.
    pub fn mask(&self) -> Mask {
        let (width, height) = (self.width, self.height);
        let mut places = Vec::new();
        let mut pixel = 0;
        for (index, count) in self.counts.iter().enumerate() {
            if index % 2 == 1 {
                places.extend((pixel..pixel + *count as usize).map(|p| (p / height, p % height)));
            }
            pixel += *count as usize;
        }
        Mask::of_pixels(width, height, &places)
    }
}

/// All fine points of an edge, in the order from its start to its end, but computed from its lower end.
fn walk((xs, ys): (i64, i64), (xe, ye): (i64, i64), outline: &mut Vec<(i64, i64)>) {
    let (dx, dy) = ((xe - xs).abs(), (ye - ys).abs());
    let flipped = (dx >= dy && xs > xe) || (dx < dy && ys > ye);
    let ((xs, ys), (xe, ye)) = if flipped { ((xe, ye), (xs, ys)) } else { ((xs, ys), (xe, ye)) };
    let long = dx.max(dy);
    for step in 0..=long {
        let t = if flipped { long - step } else { step };
        outline.push(if dx >= dy {
            let slope = (ye - ys) as f64 / dx.max(1) as f64;
            (xs + t, (ys as f64 + slope * t as f64 + 0.5) as i64)
        } else {
            let slope = (xe - xs) as f64 / dy as f64;
            ((xs as f64 + slope * t as f64 + 0.5) as i64, ys + t)
        });
    }
}

/// Where the outline enters or leaves a column of pixels between two fine points, as a pixel's number.
fn crossing(pair: &[(i64, i64)], width: usize, height: usize) -> Option<u32> {
    let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
    if x0 == x1 {
        return None;
    }
    let x = if x1 < x0 { x1 } else { x1 - 1 };
    let x = (x as f64 + 0.5) / SCALE - 0.5;
    if x.floor() != x || x < 0.0 || x > width as f64 - 1.0 {
        return None;
    }
    let y = ((y0.min(y1) as f64 + 0.5) / SCALE - 0.5).clamp(0.0, height as f64).ceil();
    Some((x as usize * height + y as usize) as u32)
}

/// Rle without empty ones in the middle: two crossings at one pixel join what is around them.
fn joined(lengths: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut counts: Vec<u32> = Vec::new();
    let mut lengths = lengths.peekable();
    if let Some(first) = lengths.next() {
        counts.push(first);
    }
    while let Some(length) = lengths.next() {
        if length > 0 {
            counts.push(length);
        } else if let (Some(next), Some(last)) = (lengths.next(), counts.last_mut()) {
            *last += next;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Golden {
        size: [usize; 2],
        polygon: Vec<f64>,
        counts: String,
        area: usize,
    }

    /// `tools/fixtures/coco_masks.py` made them with pycocotools.
    #[test]
    fn polygons_and_runs_equal_pycocotools() {
        let golden =
            std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/data/coco_masks.jsonl");
        let golden = std::fs::read_to_string(golden).unwrap();
        assert!(golden.lines().count() >= 200);
        for line in golden.lines() {
            let Golden { size: [height, width], polygon, counts, area } = serde_json::from_str(line).unwrap();
            let runs = Rle::of_polygon(width, height, &polygon).unwrap();
            assert_eq!(runs.text(), counts, "{polygon:?}");
            assert_eq!(runs.mask().area(), area);
            let parsed = Rle::parse(width, height, &counts).unwrap();
            assert_eq!(parsed.mask(), runs.mask());
            assert_eq!(Rle::of(&parsed.mask()).mask(), runs.mask());
        }
    }

    #[test]
    fn what_is_no_mask_is_refused() {
        assert!(Rle::of_polygon(9, 9, &[1.0, 2.0, 3.0, 4.0]).unwrap_err().contains("4 numbers"));
        assert!(Rle::of_polygon(9, 9, &[1.0, 2.0, 3.0, 4.0, 5.0, f64::NAN]).unwrap_err().contains("NaN"));
        let far = [0.0, 0.0, 1e6, 0.0, 0.0, 1e6];
        assert!(Rle::of_polygon(9, 9, &far).unwrap_err().contains("a corner at 1000000"));
        assert!(Rle::parse(2, 2, "zz").unwrap_err().contains("no run length"));
        assert!(Rle::parse(2, 2, "o").unwrap_err().contains("cut"));
        assert!(Rle::new(2, 2, vec![1, 4]).unwrap_err().contains("runs of 5 pixels"));
    }
}
