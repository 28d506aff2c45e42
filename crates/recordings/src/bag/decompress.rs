//! Decompression with limits: a few bytes may claim to be terabytes.

use super::message::MAX_LENGTH;
use super::storage::ZSTD;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// Disk space that is left free, bytes.
const RESERVE: u64 = 1 << 30;

/// What may be written into a folder for temporary files, bytes.
pub fn room(folder: &Path) -> u64 {
    fs4::available_space(folder).map_or(u64::MAX, |free| free.saturating_sub(RESERVE))
}

/// A message's bytes, decompressed if they are a zstd frame, and whether they were.
pub fn message(bytes: Vec<u8>) -> Result<(Vec<u8>, bool), String> {
    if !bytes.starts_with(&ZSTD) {
        return Ok((bytes, false));
    }
    let mut plain = Vec::new();
    let decoder = zstd::Decoder::new(bytes.as_slice()).map_err(|cause| cause.to_string())?;
    let read = decoder.take(MAX_LENGTH as u64 + 1).read_to_end(&mut plain).map_err(|cause| cause.to_string())?;
    if read > MAX_LENGTH {
        return Err(format!("a compressed message of more than {MAX_LENGTH} bytes"));
    }
    Ok((plain, true))
}

/// A file's contents in a temporary file, as far as they can be decompressed, and why that is not all.
pub fn file(compressed: File) -> Result<(NamedTempFile, Option<String>), String> {
    let mut plain = NamedTempFile::new().map_err(|cause| cause.to_string())?;
    let room = plain.path().parent().map_or(u64::MAX, room);
    let copy = || -> std::io::Result<u64> {
        let mut limited = zstd::Decoder::new(compressed)?.take(room.saturating_add(1));
        std::io::copy(&mut limited, &mut plain)
    };
    let problem = match copy() {
        Ok(written) if written > room => {
            Some(format!("does not fit the temporary folder, which has room for {room} bytes"))
        }
        Ok(_) => None,
        Err(cause) => Some(cause.to_string()),
    };
    plain.flush().map_err(|cause| cause.to_string())?;
    Ok((plain, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_refused_before_it_fills_memory() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        let block = vec![0u8; 1 << 20];
        (0..257).for_each(|_| encoder.write_all(&block).unwrap());
        let bomb = encoder.finish().unwrap();
        assert!(bomb.len() < 1 << 20);
        assert!(message(bomb).unwrap_err().contains("more than"));
    }

    #[test]
    fn plain_messages_stay_as_they_are() {
        assert_eq!(message(vec![0, 1, 0, 0, 7]).unwrap(), (vec![0, 1, 0, 0, 7], false));
        assert_eq!(
            message(zstd::encode_all(&b"\0\x01\0\0x"[..], 3).unwrap()).unwrap(),
            (b"\0\x01\0\0x".to_vec(), true)
        );
    }
}
