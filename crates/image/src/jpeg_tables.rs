//! The Huffman tables of JPEG (ITU-T T.81, annex K.3), which UVC cameras leave out of their MJPEG frames.

use std::borrow::Cow;

const DHT: u8 = 0xc4;
const SCAN: u8 = 0xda;
/// Counts of codes by length, 1 to 16 bits, of the DC coefficients of brightness and colour; the values are 0 to 11.
const DC: [[u8; 16]; 2] =
    [[0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]];
/// The same of the AC coefficients, and their values before those that follow in order.
const AC: [([u8; 16], &[u8]); 2] = [
    (
        [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d],
        &[
            0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71,
            0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72,
            0x82,
        ],
    ),
    (
        [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77],
        &[
            0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22,
            0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1,
            0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1,
        ],
    ),
];

/// All values of an AC table: those with short codes first, then the others by their size.
fn ac_values(first: &[u8]) -> Vec<u8> {
    let rest =
        (0..16u8).flat_map(|run| (1..=10u8).map(move |size| run << 4 | size)).filter(|value| !first.contains(value));
    first.iter().copied().chain(rest).collect()
}

/// The segment with all four tables.
fn segment() -> Vec<u8> {
    let mut tables = Vec::new();
    for (class, counts) in DC.iter().enumerate() {
        tables.push(class as u8);
        tables.extend(counts);
        tables.extend(0..12u8);
    }
    for (class, (counts, first)) in AC.iter().enumerate() {
        tables.push(0x10 | class as u8);
        tables.extend(counts);
        tables.extend(ac_values(first));
    }
    let mut segment = vec![0xff, DHT];
    segment.extend((tables.len() as u16 + 2).to_be_bytes());
    segment.extend(tables);
    segment
}

/// A JPEG with the standard tables before its first scan, if it has none; else the same bytes.
pub fn with_tables(jpeg: &[u8]) -> Cow<'_, [u8]> {
    let mut at = 2;
    while let Some([0xff, marker, rest @ ..]) = jpeg.get(at..) {
        match *marker {
            0xff => at += 1, // fill bytes
            DHT => return Cow::Borrowed(jpeg),
            SCAN => return Cow::Owned([&jpeg[..at], &segment(), &jpeg[at..]].concat()),
            _ => match rest {
                [high, low, ..] => at += 2 + usize::from(u16::from_be_bytes([*high, *low])),
                _ => return Cow::Borrowed(jpeg),
            },
        }
    }
    Cow::Borrowed(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::jpeg::JpegEncoder;
    use image::{ExtendedColorType, ImageFormat};

    #[test]
    fn a_frame_without_tables_shows_what_it_shows_with_them() {
        let pixels: Vec<u8> = (0..64 * 48 * 3).map(|at| (at * 7 % 251) as u8).collect();
        let mut whole = Vec::new();
        JpegEncoder::new_with_quality(&mut whole, 80).encode(&pixels, 64, 48, ExtendedColorType::Rgb8).unwrap();
        assert!(matches!(with_tables(&whole), Cow::Borrowed(_)));
        // the encoder writes the standard tables, in segments of their own
        let (mut bare, mut at) = (whole[..2].to_vec(), 2);
        while whole[at + 1] != SCAN {
            let end = at + 2 + usize::from(u16::from_be_bytes([whole[at + 2], whole[at + 3]]));
            if whole[at + 1] != DHT {
                bare.extend(&whole[at..end]);
            }
            at = end;
        }
        bare.extend(&whole[at..]);
        assert!(bare.len() < whole.len());
        let shown = |jpeg: &[u8]| image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).unwrap().into_rgb8();
        assert_eq!(shown(&with_tables(&bare)), shown(&whole));
    }
}
