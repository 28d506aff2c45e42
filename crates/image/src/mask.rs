//! `Mask`: which pixels of an image belong to one region, as bits over the region's bounding box.
//!
//! Memory is that of the box, one bit a pixel: hundreds of masks of a large image stay small. Columns are stored in
//! words of 64 that begin at multiples of 64 image columns, so that any two masks of one image line up.

use super::rect::Rect;
use std::ops::Range;

/// Columns in a word.
pub const WORD: usize = 64;

/// A binary image. Two masks are equal when they have the same size and the same pixels inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    width: usize,
    height: usize,
    /// Tight around the pixels inside; empty without any.
    rect: Rect,
    /// The word of the image's row in which `rect` begins.
    first_word: usize,
    words_per_row: usize,
    /// `rect.height * words_per_row` words.
    bits: Vec<u64>,
    area: usize,
}

impl Mask {
    /// A mask of `width * height` row-major pixels.
    ///
    /// # Panics
    /// If `inside` has another length.
    pub fn new(width: usize, height: usize, inside: &[bool]) -> Mask {
        assert_eq!(inside.len(), width * height, "a mask has one value for each pixel");
        Mask::from_fn(width, height, |x, y| inside[y * width + x])
    }

    /// A mask drawn with `#` for the pixels inside, a text for each row; for tests and examples.
    ///
    /// # Panics
    /// If there is no row, or the rows have different lengths.
    pub fn drawn(rows: &[&str]) -> Mask {
        let inside: Vec<bool> = rows.iter().flat_map(|row| row.chars().map(|c| c == '#')).collect();
        Mask::new(rows[0].len(), rows.len(), &inside)
    }

    /// A mask without a pixel inside.
    pub fn empty(width: usize, height: usize) -> Mask {
        Mask::from_rows(width, height, |_, _| {})
    }

    /// The mask of the pixels (column, row) for which `inside` says so; it is asked in row-major order.
    pub fn from_fn(width: usize, height: usize, mut inside: impl FnMut(usize, usize) -> bool) -> Mask {
        Mask::from_rows(width, height, |y, row| {
            for x in 0..width {
                row[x / WORD] |= u64::from(inside(x, y)) << (x % WORD);
            }
        })
    }

    /// The mask of a rectangle's pixels, as far as they lie in the image.
    pub fn of_rect(width: usize, height: usize, rect: Rect) -> Mask {
        Mask::in_rect(width, height, rect, |_, _| true)
    }

    /// The pixels of a rectangle of the image for which `inside` is true; columns and rows are those of the image. Only the rectangle is
    /// looked at.
    pub fn in_rect(width: usize, height: usize, rect: Rect, inside: impl Fn(usize, usize) -> bool) -> Mask {
        let words = width.div_ceil(WORD);
        let (right, bottom) = (rect.right().min(width), rect.bottom().min(height));
        let mut bits = vec![0u64; words * bottom.saturating_sub(rect.y)];
        for y in rect.y..bottom {
            let row = &mut bits[(y - rect.y) * words..][..words];
            for x in (rect.x..right).filter(|x| inside(*x, y)) {
                row[x / WORD] |= 1 << (x % WORD);
            }
        }
        // rows without pixels at both ends
        let is_empty = |row: &[u64]| row.iter().all(|word| *word == 0);
        let first = bits.chunks_exact(words.max(1)).position(|row| !is_empty(row));
        let last = bits.chunks_exact(words.max(1)).rposition(|row| !is_empty(row));
        let (Some(first), Some(last)) = (first, last) else { return Mask::empty(width, height) };
        Mask::trimmed(width, height, rect.y + first, bits[first * words..(last + 1) * words].to_vec())
    }

    /// The mask of these pixels (column, row), which lie inside the image.
    pub fn of_pixels(width: usize, height: usize, pixels: &[(usize, usize)]) -> Mask {
        let rows = pixels.iter().map(|(_, y)| *y);
        let (Some(top), Some(bottom)) = (rows.clone().min(), rows.max()) else { return Mask::empty(width, height) };
        let words = width.div_ceil(WORD);
        let mut bits = vec![0u64; words * (bottom - top + 1)];
        for (x, y) in pixels {
            bits[(y - top) * words + x / WORD] |= 1 << (x % WORD);
        }
        Mask::trimmed(width, height, top, bits)
    }

    /// Asks for every row as words of bits, the lowest bit leftmost; bits behind the last column must stay 0.
    pub fn from_rows(width: usize, height: usize, mut fill: impl FnMut(usize, &mut [u64])) -> Mask {
        let words = width.div_ceil(WORD);
        let (mut bits, mut top, mut last) = (Vec::new(), 0, 0);
        let mut row = vec![0u64; words];
        for y in 0..height {
            row.fill(0);
            fill(y, &mut row);
            let any = row.iter().any(|word| *word != 0);
            if any && bits.is_empty() {
                top = y;
            }
            if any || !bits.is_empty() {
                bits.extend_from_slice(&row);
            }
            if any {
                last = bits.len();
            }
        }
        bits.truncate(last);
        Mask::trimmed(width, height, top, bits)
    }

    /// Cuts whole rows of words, from the row `top` on, down to the words that hold pixels.
    fn trimmed(width: usize, height: usize, top: usize, bits: Vec<u64>) -> Mask {
        let words = width.div_ceil(WORD).max(1);
        let rows = bits.len() / words;
        let mut columns = vec![0u64; words];
        let mut area = 0;
        for row in bits.chunks_exact(words) {
            for (all, word) in columns.iter_mut().zip(row) {
                *all |= word;
                area += word.count_ones() as usize;
            }
        }
        let first = columns.iter().position(|word| *word != 0);
        let last = columns.iter().rposition(|word| *word != 0);
        let (Some(first), Some(last)) = (first, last) else {
            let rect = Rect::default();
            return Mask { width, height, rect, first_word: 0, words_per_row: 0, bits: Vec::new(), area: 0 };
        };
        let left = first * WORD + columns[first].trailing_zeros() as usize;
        let right = (last + 1) * WORD - columns[last].leading_zeros() as usize;
        let rect = Rect { x: left, y: top, width: right - left, height: rows };
        let bits: Vec<u64> = bits.chunks_exact(words).flat_map(|row| &row[first..=last]).copied().collect();
        Mask { width, height, rect, first_word: first, words_per_row: last + 1 - first, bits, area }
    }

    /// Columns of the image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of the image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Pixels inside.
    pub fn area(&self) -> usize {
        self.area
    }

    /// The tight box; `None` for an empty mask.
    pub fn bounding_box(&self) -> Option<Rect> {
        (self.area > 0).then_some(self.rect)
    }

    /// Bytes that the pixels take.
    pub fn bytes(&self) -> usize {
        self.bits.len() * 8
    }

    /// The words of an image row, if the box has that row.
    fn row(&self, y: usize) -> &[u64] {
        match y.checked_sub(self.rect.y) {
            Some(row) if row < self.rect.height => &self.bits[row * self.words_per_row..][..self.words_per_row],
            _ => &[],
        }
    }

    /// Whether the pixel is inside.
    pub fn at(&self, column: usize, row: usize) -> bool {
        let word = (column / WORD).checked_sub(self.first_word);
        let word = word.and_then(|word| self.row(row).get(word)).copied().unwrap_or_default();
        word >> (column % WORD) & 1 == 1
    }

    /// The columns inside of one row, from left to right.
    pub fn columns(&self, row: usize) -> impl Iterator<Item = usize> + '_ {
        self.row(row).iter().enumerate().flat_map(move |(index, word)| {
            let (mut left, start) = (*word, (self.first_word + index) * WORD);
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                (left != 0).then(|| {
                    left &= left - 1;
                    start + bit
                })
            })
        })
    }

    /// The stretches of columns inside of one row, from left to right; no two touch.
    pub fn runs(&self, row: usize) -> Vec<Range<usize>> {
        let words = self.row(row);
        let end = words.len() * WORD;
        // the first bit from `at` on that is (or is not) set
        let next = |at: usize, set: bool| {
            let mut from = at % WORD;
            for (index, word) in words.iter().enumerate().skip(at / WORD) {
                let left = (if set { *word } else { !*word }) & (u64::MAX << from);
                if left != 0 {
                    return index * WORD + left.trailing_zeros() as usize;
                }
                from = 0;
            }
            end
        };
        let offset = self.first_word * WORD;
        let mut found = Vec::new();
        let mut start = next(0, true);
        while start < end {
            let stop = next(start, false);
            found.push(offset + start..offset + stop);
            start = next(stop, true);
        }
        found
    }

    /// The pixels inside, (column, row), in row-major order.
    pub fn inside(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (self.rect.y..self.rect.bottom()).flat_map(move |y| self.columns(y).map(move |x| (x, y)))
    }

    /// Row-major pixels.
    pub fn to_pixels(&self) -> Vec<bool> {
        let mut pixels = vec![false; self.width * self.height];
        self.inside().for_each(|(x, y)| pixels[y * self.width + x] = true);
        pixels
    }

    /// One byte a pixel, row-major: `value` inside and 0 outside, as `sensor_msgs/Image` mono8.
    pub fn to_mono8(&self, value: u8) -> Vec<u8> {
        let mut bytes = vec![0; self.width * self.height];
        self.inside().for_each(|(x, y)| bytes[y * self.width + x] = value);
        bytes
    }

    /// As [`Mask::to_mono8`], of the pixels of a rectangle alone, which lies in the image.
    pub fn to_mono8_in(&self, rect: Rect, value: u8) -> Vec<u8> {
        let mut bytes = vec![0; rect.width * rect.height];
        for row in 0..rect.height {
            let columns = self.columns(rect.y + row).filter(|x| (rect.x..rect.right()).contains(x));
            columns.for_each(|x| bytes[row * rect.width + x - rect.x] = value);
        }
        bytes
    }

    /// Whether a pixel inside lies in a rectangle of the image.
    pub fn touches(&self, rect: Rect) -> bool {
        (rect.y..rect.bottom().min(self.height))
            .any(|row| self.columns(row).any(|x| (rect.x..rect.right()).contains(&x)))
    }

    /// Pixels inside both. The masks are of one size.
    pub fn intersection(&self, other: &Mask) -> usize {
        debug_assert_eq!((self.width, self.height), (other.width, other.height));
        let first = self.first_word.max(other.first_word);
        let last = (self.first_word + self.words_per_row).min(other.first_word + other.words_per_row);
        let (top, bottom) = (self.rect.y.max(other.rect.y), self.rect.bottom().min(other.rect.bottom()));
        if first >= last || top >= bottom {
            return 0;
        }
        let part = |mask: &Mask, y: usize| {
            let start = (y - mask.rect.y) * mask.words_per_row + first - mask.first_word;
            start..start + last - first
        };
        let shared = |y: usize| -> usize {
            let (ours, theirs) = (&self.bits[part(self, y)], &other.bits[part(other, y)]);
            ours.iter().zip(theirs).map(|(a, b)| (a & b).count_ones() as usize).sum()
        };
        (top..bottom).map(shared).sum()
    }

    /// Intersection over union; 0 when both are empty.
    pub fn iou(&self, other: &Mask) -> f32 {
        let both = self.intersection(other);
        let either = self.area + other.area - both;
        if either == 0 {
            0.0
        } else {
            both as f32 / either as f32
        }
    }

    /// The mean of the middles of the pixels inside, image pixels; `None` for an empty mask.
    pub fn centroid(&self) -> Option<[f64; 2]> {
        let (mut columns, mut rows) = (0, 0);
        for y in self.rect.y..self.rect.bottom() {
            for (word, place) in self.row(y).iter().zip(self.first_word..) {
                let inside = word.count_ones() as usize;
                columns += inside * place * WORD + sum_of_places(*word);
                rows += inside * y;
            }
        }
        let area = self.area as f64;
        // half pixels, whole in f64
        (self.area > 0).then(|| [columns, rows].map(|sum| (sum as f64 + area / 2.0) / area))
    }

    /// The pixels inside either. The masks are of one size.
    pub fn union(&self, other: &Mask) -> Mask {
        Mask::from_rows(self.width, self.height, |y, row| {
            for mask in [self, other] {
                for (index, word) in mask.row(y).iter().enumerate() {
                    row[mask.first_word + index] |= word;
                }
            }
        })
    }

    /// The pixels that are further than `rim` rows and columns from all outside, the image's edge not counted.
    pub fn eroded(&self, rim: usize) -> Mask {
        let Rect { x: left, y: top, width, height } = self.rect;
        // along rows, then along columns: a square is both. Outside the box but inside the image nothing is inside
        let kept = |line: &dyn Fn(usize) -> bool, start: usize, length: usize, limit: usize, at: usize| {
            let (from, to) = ((start + at).saturating_sub(rim), (start + at + rim).min(limit - 1));
            from >= start && to < start + length && (from - start..=to - start).all(line)
        };
        let mut rows = vec![false; width * height];
        for (x, y) in self.inside() {
            let (x, y) = (x - left, y - top);
            rows[y * width + x] = kept(&|x| self.at(left + x, top + y), left, width, self.width, x);
        }
        let inside =
            |x: usize, y: usize| rows[y * width + x] && kept(&|y| rows[y * width + x], top, height, self.height, y);
        let places = (0..width * height).filter(|i| inside(i % width, i / width));
        let places: Vec<_> = places.map(|i| (left + i % width, top + i / width)).collect();
        Mask::of_pixels(self.width, self.height, &places)
    }
}

/// The sum of the places of the bits that are set.
fn sum_of_places(word: u64) -> usize {
    /// The places whose number has a power of 2 in it: 1, 2, 4, ...
    const WITH: [u64; 6] = [
        0xaaaa_aaaa_aaaa_aaaa, 0xcccc_cccc_cccc_cccc, 0xf0f0_f0f0_f0f0_f0f0, 0xff00_ff00_ff00_ff00,
        0xffff_0000_ffff_0000, 0xffff_ffff_0000_0000,
    ];
    WITH.iter().enumerate().map(|(power, with)| ((word & with).count_ones() as usize) << power).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(rows: &[&str]) -> Mask {
        Mask::drawn(rows)
    }

    #[test]
    fn the_box_is_tight_and_half_open() {
        let mask = drawn(&["....", ".#..", "..#.", "...."]);
        assert_eq!(mask.bounding_box(), Some(Rect { x: 1, y: 1, width: 2, height: 2 }));
        assert_eq!(drawn(&["..", ".."]).bounding_box(), None);
        assert_eq!(drawn(&["##"]).bounding_box(), Some(Rect::whole(2, 1)));
    }

    #[test]
    fn the_centroid_is_the_mean_of_the_pixels_middles() {
        assert_eq!(Mask::empty(5, 5).centroid(), None);
        assert_eq!(drawn(&["....", ".##.", ".##."]).centroid(), Some([2.0, 2.0]));
        // rows of several words
        let scattered = Mask::from_fn(300, 20, |x, y| (x * 7 + y * 13) % 11 == 3 && x > 70);
        let mut sum = [0.0; 2];
        for (x, y) in scattered.inside() {
            sum = [sum[0] + x as f64 + 0.5, sum[1] + y as f64 + 0.5];
        }
        assert_eq!(scattered.centroid(), Some(sum.map(|sum| sum / scattered.area() as f64)));
    }

    #[test]
    fn iou_counts_shared_pixels() {
        let (a, b) = (drawn(&["##..", "##.."]), drawn(&[".##.", ".##."]));
        assert_eq!(a.iou(&b), 2.0 / 6.0);
        assert_eq!(a.iou(&a), 1.0);
        assert_eq!(drawn(&["."]).iou(&drawn(&["."])), 0.0);
    }

    #[test]
    fn erosion_takes_the_rim_but_not_at_the_images_edge() {
        let mask = drawn(&["####.", "####.", "####.", "....."]);
        assert_eq!(mask.eroded(1), drawn(&["###..", "###..", ".....", "....."]));
        assert_eq!(mask.eroded(2).area(), 2, "in the corner");
        assert_eq!(mask.eroded(9).area(), 0);
        assert_eq!(drawn(&["###", "###"]).eroded(9).area(), 6, "a mask of the whole image has no rim");
    }

    #[test]
    fn mono8_has_the_value_inside_and_0_outside() {
        assert_eq!(drawn(&[".#"]).to_mono8(255), [0, 255]);
    }

    /// Everything that is computed on bits, against the plain definition, on wide images with boxes anywhere.
    #[test]
    fn bits_say_the_same_as_pixels() {
        let mut state = 9u64;
        let mut random = move |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % limit
        };
        for _ in 0..200 {
            let (width, height) = (1 + random(200), 1 + random(9));
            let mut pixels = || -> Vec<bool> {
                let (left, right) = (random(width), random(width + 1));
                (0..width * height).map(|i| (left..right).contains(&(i % width)) && random(3) > 0).collect()
            };
            let (a, b) = (pixels(), pixels());
            let (first, second) = (Mask::new(width, height, &a), Mask::new(width, height, &b));
            assert_eq!(first.to_pixels(), a);
            assert_eq!(first.area(), a.iter().filter(|inside| **inside).count());
            assert_eq!(first.intersection(&second), a.iter().zip(&b).filter(|(a, b)| **a && **b).count());
            let either: Vec<bool> = a.iter().zip(&b).map(|(a, b)| *a || *b).collect();
            assert_eq!(first.union(&second), Mask::new(width, height, &either));
            let places: Vec<_> = first.inside().collect();
            assert_eq!(Mask::of_pixels(width, height, &places), first);
            assert!((0..width * height).all(|i| first.at(i % width, i / width) == a[i]));
        }
    }

    #[test]
    fn a_small_thing_in_a_large_image_takes_little_memory() {
        let mask = Mask::from_fn(4000, 3000, |x, y| (1000..1100).contains(&x) && (2000..2100).contains(&y));
        assert_eq!(mask.area(), 10_000);
        assert!(mask.bytes() <= 100 * 3 * 8, "{} bytes", mask.bytes());
    }
}
