//! `LabelImage`: an image whose pixel values name regions; 0 is no region.

use super::mask::Mask;
use super::raw_image::{plain_name, RawImage};
use super::size_limit::check_size;
use referseg_files::{Error, Result};
use std::collections::BTreeMap;
use std::io::{BufRead, Seek};
use std::path::Path;

/// Region values of every pixel, row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelImage {
    width: usize,
    height: usize,
    values: Vec<u32>,
}

impl LabelImage {
    /// A label image of `width * height` values.
    ///
    /// # Errors
    /// When there are more or fewer values.
    pub fn new(width: usize, height: usize, values: Vec<u32>) -> Result<LabelImage> {
        if values.len() != width * height {
            let fact = format!("{} labels for {width}x{height} pixels", values.len());
            return Err(Error::Proposals(fact));
        }
        Ok(LabelImage { width, height, values })
    }

    /// Reads a grey PNG (1 to 16 bits) or a palette PNG (1 to 8 bits). The stored numbers are the values: palette
    /// indices are not turned into colours and low bit depths are not stretched.
    ///
    /// # Errors
    /// When the file can't be read, is too large, or its pixels are colours.
    pub fn open(path: &Path) -> Result<LabelImage> {
        let file = std::fs::File::open(path).map_err(Error::file(path))?;
        LabelImage::decode(std::io::BufReader::new(file), &format!("{path:?}"))
    }

    /// As [`LabelImage::open`], of a PNG's bytes; `subject` is what messages call them.
    ///
    /// # Errors
    /// Those of [`LabelImage::open`].
    pub fn decode(bytes: impl BufRead + Seek, subject: &str) -> Result<LabelImage> {
        let unreadable = |cause: png::DecodingError| {
            Error::Proposals(format!("{subject} is not a readable PNG label image: {cause}"))
        };
        let mut decoder = png::Decoder::new(bytes);
        decoder.set_transformations(png::Transformations::IDENTITY);
        let mut reader = decoder.read_info().map_err(unreadable)?;
        let (width, height) = (reader.info().width as usize, reader.info().height as usize);
        check_size(width as u64, height as u64).map_err(|error| error.about(subject))?;
        let (colour, depth) = reader.output_color_type();
        if !matches!(colour, png::ColorType::Grayscale | png::ColorType::Indexed) {
            let fact = format!("{subject} is a {colour:?} image; expected a grey or palette PNG, one value a region");
            return Err(Error::Proposals(fact));
        }
        let Some(length) = reader.output_buffer_size() else {
            return Err(Error::Proposals(format!("{subject} does not fit memory")));
        };
        // as a whole: the rows of an interlaced file are parts of several
        let mut packed = vec![0; length];
        let line = reader.next_frame(&mut packed).map_err(unreadable)?.line_size;
        let rows = packed.chunks_exact(line.max(1)).take(height);
        LabelImage::new(width, height, rows.flat_map(|row| unpacked(row, depth, width)).collect())
    }

    /// Reads a label image as ROS carries it: mono8 (also 8UC1), mono16 (also 16UC1) or 32SC1, negative values counting as 0; or rgb8 or
    /// bgr8, where each colour but black is an object.
    ///
    /// # Errors
    /// When the encoding is another, or the step or length does not fit the size.
    pub fn read(image: &RawImage) -> Result<LabelImage> {
        let (width, height, step) = (image.width as usize, image.height as usize, image.step as usize);
        check_size(image.width.into(), image.height.into())?;
        let (size, is_bgr) = match plain_name(image.encoding).to_ascii_lowercase().as_str() {
            "mono8" | "8uc1" => (1, false),
            "mono16" | "16uc1" => (2, false),
            "32sc1" => (4, false),
            "rgb8" => (3, false),
            "bgr8" | "8uc3" => (3, true),
            _ => {
                let shown: String = image.encoding.chars().take(40).collect();
                let fact = format!(
                    "unsupported encoding {shown:?} of a label image; supported: mono8, mono16, 32SC1, and rgb8 or bgr8 with a colour for each \
                     object"
                );
                return Err(Error::Proposals(fact));
            }
        };
        // rows without padding, which some drivers write
        let step = if step == 0 { width * size } else { step };
        let needed = (step as u64) * (height as u64 - 1) + (width * size) as u64;
        if step < width * size || (image.data.len() as u64) < needed {
            let fact = format!("{width}x{height} {} with step {step} and {} bytes", image.encoding, image.data.len());
            return Err(Error::Proposals(format!(
                "label image {fact}; expected rows of {} bytes or more",
                width * size
            )));
        }
        let big = image.big_endian;
        let value = |bytes: &[u8]| match *bytes {
            [value] => u32::from(value),
            [a, b] if big => u32::from(u16::from_be_bytes([a, b])),
            [a, b] => u32::from(u16::from_le_bytes([a, b])),
            [b, g, r] if is_bgr => of_colour([r, g, b]),
            [r, g, b] => of_colour([r, g, b]),
            [a, b, c, d] => {
                let bytes = [a, b, c, d];
                let value = if big { i32::from_be_bytes(bytes) } else { i32::from_le_bytes(bytes) };
                u32::try_from(value).unwrap_or(0)
            }
            _ => 0,
        };
        let rows = image.data.chunks(step).take(height);
        let values = rows.flat_map(|row| row[..width * size].chunks_exact(size).map(value)).collect();
        LabelImage::new(width, height, values)
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The value of each pixel, row by row.
    pub fn values(&self) -> &[u32] {
        &self.values
    }

    /// How many different values other than 0 there are.
    pub fn regions(&self) -> usize {
        let mut seen: Vec<u32> = self.values.iter().copied().filter(|value| *value != 0).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    }

    /// Each value but 0 with its mask, in ascending order.
    pub fn masks(&self) -> Vec<(u32, Mask)> {
        let mut pixels: BTreeMap<u32, Vec<(usize, usize)>> = BTreeMap::new();
        for (pixel, value) in self.values.iter().enumerate().filter(|(_, value)| **value != 0) {
            pixels.entry(*value).or_default().push((pixel % self.width, pixel / self.width));
        }
        pixels.into_iter().map(|(value, places)| (value, Mask::of_pixels(self.width, self.height, &places))).collect()
    }

    /// The mask of one value; empty when no pixel has it.
    pub fn mask(&self, value: u32) -> Mask {
        Mask::from_fn(self.width, self.height, |x, y| self.values[y * self.width + x] == value)
    }
}

/// The number of a colour, as COCO's panoptic annotations count them.
fn of_colour([r, g, b]: [u8; 3]) -> u32 {
    u32::from(r) + 256 * u32::from(g) + 65_536 * u32::from(b)
}

/// A PNG row's samples as numbers.
fn unpacked(row: &[u8], depth: png::BitDepth, width: usize) -> Vec<u32> {
    let bits = match depth {
        png::BitDepth::Sixteen => {
            let samples = row.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])));
            return samples.take(width).collect();
        }
        png::BitDepth::One => 1,
        png::BitDepth::Two => 2,
        png::BitDepth::Four => 4,
        png::BitDepth::Eight => 8,
    };
    let sample = |x: usize| {
        let bit = x * bits;
        let shift = 8 - bits - bit % 8; // the first pixel stands in the highest bits
        u32::from(row[bit / 8] >> shift) & ((1 << bits) - 1)
    };
    (0..width).map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interlaced_files_are_read_as_others() {
        // 5x3 pixels of 2 bits in Adam7, made with Python's zlib; the value is (column + row) % 4
        let hex = "89504e470d0a1a0a0000000d494844520000000500000003020000000143eab2130000001549444154789c6360008206860e8602860b0c390e00104702f5036d967d0000000049454e44ae426082";
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        let labels = LabelImage::decode(std::io::Cursor::new(bytes), "interlaced").unwrap();
        let expected: Vec<u32> = (0..15).map(|at| (at % 5 + at / 5) % 4).collect();
        assert_eq!((labels.width(), labels.height(), labels.values()), (5, 3, &expected[..]));
    }

    #[test]
    fn each_value_but_zero_has_a_mask() {
        let labels = LabelImage::new(3, 1, vec![7, 0, 300]).unwrap();
        let masks = labels.masks();
        assert_eq!(masks.iter().map(|(value, _)| *value).collect::<Vec<_>>(), [7, 300]);
        assert_eq!(masks[1].1.to_pixels(), [false, false, true]);
        assert_eq!(labels.mask(7).to_pixels(), [true, false, false]);
        assert_eq!(labels.regions(), 2);
    }

    /// Five pixels a row, so that rows end inside a byte.
    #[test]
    fn palette_and_low_bit_pngs_keep_their_numbers() {
        let values: Vec<u32> = vec![0, 1, 2, 3, 1, 3, 3, 0, 2, 1];
        for (colour, depth, bits) in [
            (png::ColorType::Indexed, png::BitDepth::Two, 2),
            (png::ColorType::Indexed, png::BitDepth::Four, 4),
            (png::ColorType::Indexed, png::BitDepth::Eight, 8),
            (png::ColorType::Grayscale, png::BitDepth::Two, 2),
            (png::ColorType::Grayscale, png::BitDepth::Four, 4),
            (png::ColorType::Grayscale, png::BitDepth::Sixteen, 16),
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            let mut encoder = png::Encoder::new(file.reopen().unwrap(), 5, 2);
            encoder.set_color(colour);
            encoder.set_depth(depth);
            if colour == png::ColorType::Indexed {
                encoder.set_palette([9, 8, 7].repeat(4));
            }
            let row = |row: &[u32]| {
                let mut bytes = vec![0u8; (5 * bits as usize).div_ceil(8)];
                for (x, value) in row.iter().enumerate() {
                    for bit in (0..bits).filter(|bit| value >> (bits - 1 - bit) & 1 == 1) {
                        let at = x * bits as usize + bit as usize;
                        bytes[at / 8] |= 0x80 >> (at % 8);
                    }
                }
                bytes
            };
            let data: Vec<u8> = values.chunks(5).flat_map(row).collect();
            encoder.write_header().unwrap().write_image_data(&data).unwrap();
            assert_eq!(LabelImage::open(file.path()).unwrap().values, values, "{colour:?} {depth:?}");
        }
    }

    #[test]
    fn colours_are_no_labels() {
        let file = tempfile::Builder::new().suffix(".png").tempfile().unwrap();
        image::RgbImage::new(2, 2).save(file.path()).unwrap();
        let refused = LabelImage::open(file.path()).unwrap_err().to_string();
        assert!(refused.contains("expected a grey or palette PNG"), "{refused}");
    }
}
