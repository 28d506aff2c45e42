//! The markers of a JPEG's scans (ITU-T T.81, B.1.1.3): whether the file goes on to its end, and no other marker stands within its pixels.
//!
//! Decoders fill what damage leaves with grey, and half a picture is none to answer on.

/// Markers.
const SCAN: u8 = 0xda;
const END: u8 = 0xd9;
const RESTART_INTERVAL: u8 = 0xdd;
const FIRST_RESTART: u8 = 0xd0;
const LAST_RESTART: u8 = 0xd7;

/// The next marker at or after a place, and the place behind it; fill bytes before it are passed over.
fn next_marker(jpeg: &[u8], from: usize) -> Option<(u8, usize)> {
    let mut at = from;
    loop {
        at += jpeg.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        at += jpeg.get(at..)?.iter().position(|byte| *byte != 0xff)?;
        match jpeg.get(at)? {
            0 => {} // a stuffed byte
            marker => return Some((*marker, at + 1)),
        }
    }
}

/// What is wrong with the scans of a JPEG, if anything.
pub fn damage(jpeg: &[u8]) -> Option<String> {
    let (mut at, mut restarts, mut scans) = (2, false, 0);
    // within a scan, the number of the restart marker that comes next
    let mut next_restart = None;
    loop {
        let Some((marker, behind)) = next_marker(jpeg, at) else {
            return Some("the JPEG is cut: its end is missing".into());
        };
        at = behind;
        match (marker, next_restart) {
            (END, _) if scans > 0 => return None,
            (FIRST_RESTART..=LAST_RESTART, Some(number)) if restarts && marker == FIRST_RESTART + number => {
                next_restart = Some((number + 1) % 8);
                continue;
            }
            // tables, comments and the next scan
            (0xc0..=0xcf | SCAN..=0xef | 0xfe, _) => {}
            _ => return Some(format!("the JPEG is damaged: marker {marker:#04x} within its pixels, near byte {at}")),
        }
        let Some([high, low, rest @ ..]) = jpeg.get(at..) else { continue };
        if marker == RESTART_INTERVAL {
            restarts = rest.iter().take(2).any(|byte| *byte != 0);
        }
        next_restart = (marker == SCAN).then_some(0);
        scans += usize::from(marker == SCAN);
        at += usize::from(u16::from_be_bytes([*high, *low])).max(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(interval: u8, scan: &[u8]) -> Vec<u8> {
        let head = [0xff, 0xd8, 0xff, RESTART_INTERVAL, 0, 4, 0, interval, 0xff, SCAN, 0, 3, 1];
        [&head[..], scan].concat()
    }

    #[test]
    fn restarts_in_their_order_are_whole_and_other_markers_are_damage() {
        let damage = |interval, scan: &[u8]| damage(&file(interval, scan));
        assert_eq!(damage(4, &[1, 0xff, 0, 2, 0xff, 0xd0, 3, 0xff, 0xff, 0xd1, 4, 0xff, END, 9]), None);
        assert_eq!(damage(0, &[1, 0xff, 0xd9]), None);
        for (interval, scan, words) in [
            (4, &[1, 0xff, 0xd1, 2, 0xff, END][..], "0xd1"),
            (0, &[1, 0xff, 0xd0, 2, 0xff, END], "0xd0"),
            (4, &[1, 0xff, 0x3c, 2, 0xff, END], "0x3c"),
            (4, &[1, 2, 3], "its end is missing"),
            (4, &[1, 2, 0xff], "its end is missing"),
        ] {
            assert!(damage(interval, scan).is_some_and(|fact| fact.contains(words)), "{words}");
        }
    }

    #[test]
    fn any_bytes_end() {
        for length in 0..40 {
            let bytes: Vec<u8> = (0..length).map(|at| [0xff, 0xda, 0, 1, 0xd9, 0xff, 0xe0][at * 5 % 7]).collect();
            let _ = damage(&bytes);
        }
    }
}
