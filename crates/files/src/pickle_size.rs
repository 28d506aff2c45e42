//! How much memory a pickle takes when it is read, found out without reading it.
//!
//! Readers make room for a text as long as it claims to be (up to 4 GB) and copy an object each time it is named again, so that 60 bytes
//! can stand for 2^20 objects; nested ones cost a reader's stack. This walks the same instructions (Python's Lib/pickletools.py) with sizes
//! in place of objects.

use std::collections::HashMap;
use std::io::{BufRead, Read};

/// Longest line of an instruction that ends with one, bytes: a name of a class, a number, a text of protocol 0.
const LONGEST_LINE: u64 = 1 << 20;

/// How deep objects may lie in each other.
const DEEPEST: u32 = 200;

type Result<T> = std::result::Result<T, String>;

/// An object with its parts.
#[derive(Clone, Copy)]
struct Object {
    /// Objects and bytes of text, together.
    size: u64,
    depth: u32,
}

/// What stands on the stack.
#[derive(Clone, Copy)]
enum Place {
    Mark,
    Of(Object),
}

/// The stack, and what is remembered under numbers.
struct Sizes {
    stack: Vec<Place>,
    memo: HashMap<u64, Object>,
    /// All that is held, and the most that may be.
    sum: u64,
    most: u64,
}

const LEAF: Object = Object { size: 1, depth: 1 };

impl Sizes {
    fn push(&mut self, object: Object) -> Result<()> {
        self.sum = self.sum.saturating_add(object.size);
        self.stack.push(Place::Of(object));
        if object.depth > DEEPEST {
            return Err(format!("its objects lie more than {DEEPEST} deep in each other"));
        }
        self.check()
    }

    fn text(&mut self, length: u64) -> Result<()> {
        self.push(Object { size: length + 1, depth: 1 })
    }

    fn check(&self) -> Result<()> {
        match self.sum > self.most {
            true => Err(format!("it holds more than {} objects and bytes of text", self.most)),
            false => Ok(()),
        }
    }

    /// Takes so many objects off; gives them as one.
    fn pop(&mut self, count: usize) -> Result<Object> {
        let mut all = Object { size: 0, depth: 0 };
        for _ in 0..count {
            match self.stack.pop() {
                Some(Place::Of(object)) => {
                    all.size = all.size.saturating_add(object.size);
                    all.depth = all.depth.max(object.depth);
                }
                _ => return Err("its instructions take more than there is".into()),
            }
        }
        self.sum = self.sum.saturating_sub(all.size);
        Ok(all)
    }

    /// Takes all objects above the last mark off, and the mark.
    fn pop_to_mark(&mut self) -> Result<Object> {
        let mark = self.stack.iter().rposition(|place| matches!(place, Place::Mark));
        let mark = mark.ok_or("its instructions end a list that does not begin")?;
        let all = self.pop(self.stack.len() - mark - 1)?;
        self.stack.pop();
        Ok(all)
    }

    /// Puts an object of these parts on the stack.
    fn wrap(&mut self, parts: Object) -> Result<()> {
        self.push(Object { size: parts.size.saturating_add(1), depth: parts.depth + 1 })
    }

    /// Adds parts to the object on top.
    fn add(&mut self, parts: Object) -> Result<()> {
        let Object { size, depth } = self.pop(1)?;
        self.push(Object { size: size.saturating_add(parts.size), depth: depth.max(parts.depth + 1) })
    }

    fn remember(&mut self, number: u64) -> Result<()> {
        if let Some(Place::Of(object)) = self.stack.last() {
            self.sum = self.sum.saturating_add(object.size);
            self.memo.insert(number, *object);
        }
        self.check()
    }

    fn recall(&mut self, number: u64) -> Result<()> {
        // one that is not there is the reader's to refuse
        self.push(self.memo.get(&number).copied().unwrap_or(LEAF))
    }
}

fn bytes<const N: usize>(from: &mut impl Read) -> Result<[u8; N]> {
    let mut read = [0; N];
    from.read_exact(&mut read).map_err(|cause| cause.to_string())?;
    Ok(read)
}

/// A number of `N` bytes, little endian.
fn number<const N: usize>(from: &mut impl Read) -> Result<u64> {
    Ok(bytes::<N>(from)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn pass(from: &mut impl Read, count: u64) -> Result<()> {
    let passed = std::io::copy(&mut from.take(count), &mut std::io::sink()).map_err(|cause| cause.to_string())?;
    match passed < count {
        true => Err(format!("it is cut within a text of {count} bytes")),
        false => Ok(()),
    }
}

fn line(from: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    from.take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(|cause| cause.to_string())?;
    match line.pop() {
        Some(b'\n') => Ok(line),
        _ => Err("a line of it does not end".into()),
    }
}

/// The number of a place of the memo in protocol 0; one that is none is the reader's to refuse.
fn place(from: &mut impl BufRead) -> Result<u64> {
    Ok(String::from_utf8_lossy(&line(from)?).trim().parse().unwrap_or(u64::MAX))
}

/// Refuses a pickle that would take more memory than `most` objects and bytes of text, or whose objects lie too deep in each other.
///
/// # Errors
/// In words, when it would, or is cut.
pub fn check(from: &mut impl BufRead, most: u64) -> Result<()> {
    let mut sizes = Sizes { stack: Vec::new(), memo: HashMap::new(), sum: 0, most };
    loop {
        let [instruction] = bytes(from)?;
        match instruction {
            b'.' => return Ok(()),
            // protocol and frame
            0x80 => pass(from, 1)?,
            0x95 => pass(from, 8)?,
            b'c' => {
                let length = line(from)?.len() + line(from)?.len();
                sizes.text(length as u64)?;
            }
            b'S' | b'V' | b'I' | b'L' | b'F' => {
                let length = line(from)?.len();
                sizes.text(length as u64)?;
            }
            b'X' | b'T' | b'B' | b'U' | b'C' | 0x8a | 0x8b | 0x8c | 0x8d | 0x8e => {
                let length = match instruction {
                    b'X' | b'T' | b'B' | 0x8b => number::<4>(from)?,
                    0x8d | 0x8e => number::<8>(from)?,
                    _ => number::<1>(from)?,
                };
                pass(from, length)?;
                sizes.text(length)?;
            }
            b'K' | b'M' | b'J' | b'G' => {
                let length = match instruction {
                    b'K' => 1,
                    b'M' => 2,
                    b'J' => 4,
                    _ => 8,
                };
                pass(from, length)?;
                sizes.push(LEAF)?;
            }
            b')' | b'N' | b'}' | b']' | 0x88 | 0x89 | 0x8f => sizes.push(LEAF)?,
            b'(' => sizes.stack.push(Place::Mark),
            b'p' => {
                let place = place(from)?;
                sizes.remember(place)?;
            }
            b'q' => sizes.remember(number::<1>(from)?)?,
            b'r' => sizes.remember(number::<4>(from)?)?,
            0x94 => sizes.remember(sizes.memo.len() as u64)?,
            b'g' => {
                let place = place(from)?;
                sizes.recall(place)?;
            }
            b'h' => sizes.recall(number::<1>(from)?)?,
            b'j' => sizes.recall(number::<4>(from)?)?,
            b'0' => {
                sizes.stack.pop();
            }
            b'1' => {
                sizes.pop_to_mark()?;
            }
            b'2' => {
                let top = sizes.pop(1)?;
                sizes.push(top)?;
                sizes.push(top)?;
            }
            b't' | b'l' | b'd' | 0x91 => {
                let parts = sizes.pop_to_mark()?;
                sizes.wrap(parts)?;
            }
            0x85..=0x87 => {
                let parts = sizes.pop(usize::from(instruction) - 0x84)?;
                sizes.wrap(parts)?;
            }
            b'R' | b'b' | 0x81 | 0x93 => {
                let parts = sizes.pop(2)?;
                sizes.wrap(parts)?;
            }
            b'u' | b'e' | 0x90 => {
                let parts = sizes.pop_to_mark()?;
                sizes.add(parts)?;
            }
            b's' | b'a' => {
                let parts = sizes.pop(if instruction == b's' { 2 } else { 1 })?;
                sizes.add(parts)?;
            }
            b'Q' => {}
            // unknown to the readers too, which say so
            _ => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(pickle: &[u8]) -> String {
        check(&mut &pickle[..], 100_000).unwrap_err()
    }

    #[test]
    fn a_text_that_is_not_there_and_objects_named_again_and_again_are_refused() {
        assert!(refused(b"X\xff\xff\xff\x7fabc").contains("cut within"));
        // a tuple of two, then a tuple of two of that, thirty times
        let mut doubled = b")q\0".to_vec();
        for number in 0..30u8 {
            doubled.extend([b'h', number, b'h', number, 0x86, b'q', number + 1]);
        }
        doubled.push(b'.');
        assert!(refused(&doubled).contains("more than"));
        let in_protocol_0: String =
            (0..30).map(|n| format!("(g{n}\ng{n}\nlp{}\n", n + 1)).fold("(lp0\n".into(), |all, one| all + &one);
        assert!(refused(in_protocol_0.as_bytes()).contains("more than"));
        for cut in [&b"t."[..], b"R.", b"", b"S'a"] {
            refused(cut);
        }
    }

    #[test]
    fn objects_that_lie_too_deep_are_refused() {
        let nested = |count: usize| [vec![b']'; count], vec![b'a'; count - 1], vec![b'.']].concat();
        assert_eq!(check(&mut &nested(100)[..], 100_000), Ok(()));
        assert!(refused(&nested(1000)).contains("deep"));
    }
}
