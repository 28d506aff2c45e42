//! How much memory a pickle takes when it is read, found out without reading it.
//!
//! candle's reader makes room for a text as long as it claims to be (up to 4 GB) and copies an object each time it is named again, so
//! that 60 bytes can stand for 2^20 objects. This walks the same instructions with sizes in place of objects.

use candle_core::{bail, Result};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Most objects and bytes of text, together. The largest checkpoint that was met, with the state of its training, has 200,000.
const MOST: u64 = 4_000_000;

/// Longest name of a class, bytes.
const LONGEST_NAME: u64 = 1000;

/// What stands on the stack: a mark, or an object with its parts.
enum Size {
    Mark,
    Of(u64),
}

/// The stack, and what is remembered under numbers.
#[derive(Default)]
struct Sizes {
    stack: Vec<Size>,
    memo: HashMap<u32, u64>,
    /// All that is held.
    sum: u64,
}

impl Sizes {
    fn push(&mut self, size: u64) -> Result<()> {
        self.sum = self.sum.saturating_add(size);
        self.stack.push(Size::Of(size));
        self.check()
    }

    fn check(&self) -> Result<()> {
        if self.sum > MOST {
            bail!("it holds more than {MOST} objects and bytes of text");
        }
        Ok(())
    }

    /// Takes so many objects off; gives their sizes together.
    fn pop(&mut self, count: usize) -> Result<u64> {
        let mut all = 0;
        for _ in 0..count {
            match self.stack.pop() {
                Some(Size::Of(size)) => all += size,
                _ => bail!("its instructions take more than there is"),
            }
        }
        self.sum = self.sum.saturating_sub(all);
        Ok(all)
    }

    /// Takes all objects above the last mark off, and the mark.
    fn pop_to_mark(&mut self) -> Result<u64> {
        let Some(mark) = self.stack.iter().rposition(|size| matches!(size, Size::Mark)) else {
            bail!("its instructions end a list that does not begin");
        };
        let all = self.pop(self.stack.len() - mark - 1)?;
        self.stack.pop();
        Ok(all)
    }

    /// Adds to the object on top.
    fn add(&mut self, size: u64) -> Result<()> {
        let all = self.pop(1)? + size;
        self.push(all)
    }

    fn remember(&mut self, number: u32) -> Result<()> {
        if let Some(Size::Of(size)) = self.stack.last() {
            self.sum = self.sum.saturating_add(*size);
            self.memo.insert(number, *size);
        }
        self.check()
    }

    fn recall(&mut self, number: u32) -> Result<()> {
        // one that is not there is candle's to refuse
        let size = self.memo.get(&number).copied().unwrap_or(1);
        self.push(size)
    }
}

fn bytes<const N: usize>(from: &mut impl Read) -> Result<[u8; N]> {
    let mut read = [0; N];
    from.read_exact(&mut read)?;
    Ok(read)
}

fn pass(from: &mut impl Read, count: u64) -> Result<()> {
    if std::io::copy(&mut from.take(count), &mut std::io::sink())? < count {
        bail!("it is cut within a text of {count} bytes");
    }
    Ok(())
}

/// Walks a pickle to its end.
fn walk(from: &mut impl BufRead) -> Result<()> {
    let mut sizes = Sizes::default();
    loop {
        let [instruction] = bytes(from)?;
        match instruction {
            b'.' => return Ok(()),
            0x80 => pass(from, 1)?,
            b'c' => {
                let mut name = Vec::new();
                for _ in 0..2 {
                    from.take(LONGEST_NAME).read_until(b'\n', &mut name)?;
                }
                sizes.push(name.len() as u64 + 1)?;
            }
            b'X' => {
                let length = u64::from(u32::from_le_bytes(bytes(from)?));
                pass(from, length)?;
                sizes.push(length + 1)?;
            }
            0x8a => {
                let [length] = bytes(from)?;
                pass(from, length.into())?;
                sizes.push(1)?;
            }
            b'K' | b'M' | b'J' | b'G' => {
                pass(
                    from,
                    match instruction {
                        b'K' => 1,
                        b'M' => 2,
                        b'J' => 4,
                        _ => 8,
                    },
                )?;
                sizes.push(1)?;
            }
            b')' | b'N' | b'}' | b'd' | b']' | 0x88 | 0x89 => sizes.push(1)?,
            b'(' => sizes.stack.push(Size::Mark),
            b'q' => {
                let [number] = bytes(from)?;
                sizes.remember(number.into())?;
            }
            b'r' => sizes.remember(u32::from_le_bytes(bytes(from)?))?,
            b'h' => {
                let [number] = bytes(from)?;
                sizes.recall(number.into())?;
            }
            b'j' => sizes.recall(u32::from_le_bytes(bytes(from)?))?,
            b't' => {
                let parts = sizes.pop_to_mark()?;
                sizes.push(parts + 1)?;
            }
            0x85..=0x87 => {
                let parts = sizes.pop(usize::from(instruction) - 0x84)?;
                sizes.push(parts + 1)?;
            }
            b'R' | b'b' | 0x81 => {
                let parts = sizes.pop(2)?;
                sizes.push(parts + 1)?;
            }
            b'u' | b'e' => {
                let parts = sizes.pop_to_mark()?;
                sizes.add(parts)?;
            }
            b's' | b'a' => {
                let parts = sizes.pop(if instruction == b's' { 2 } else { 1 })?;
                sizes.add(parts)?;
            }
            b'Q' => {}
            // unknown to candle too, which says so
            _ => return Ok(()),
        }
    }
}

/// Refuses a file of PyTorch whose pickle would take more memory than any checkpoint's.
///
/// # Errors
/// When it would, or the file is no zip archive.
pub fn check(path: &Path) -> Result<()> {
    let mut archive = zip::ZipArchive::new(BufReader::new(std::fs::File::open(path)?))?;
    for place in 0..archive.len() {
        let entry = archive.by_index(place)?;
        let is_pickle = entry.name().is_ok_and(|name| name.ends_with("data.pkl"));
        if is_pickle {
            walk(&mut BufReader::new(entry))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_not_there_and_objects_named_again_and_again_are_refused() {
        assert!(walk(&mut &b"X\xff\xff\xff\x7fabc"[..]).unwrap_err().to_string().contains("cut within"));
        // a tuple of two, then a tuple of two of that, thirty times
        let mut doubled = b")q\0".to_vec();
        for number in 0..30u8 {
            doubled.extend([b'h', number, b'h', number, 0x86, b'q', number + 1]);
        }
        doubled.push(b'.');
        assert!(walk(&mut &doubled[..]).unwrap_err().to_string().contains("more than"));
        assert!(walk(&mut &b"t."[..]).is_err() && walk(&mut &b"R."[..]).is_err() && walk(&mut &b""[..]).is_err());
    }

    #[test]
    fn real_checkpoints_pass() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/data/pickles");
        for name in ["whole.pth", "training.pth"] {
            check(&folder.join(name)).unwrap();
        }
    }
}
