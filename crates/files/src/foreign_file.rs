//! `ForeignFile`: a file that is not what its name says, recognised by its first bytes: what a download or a checkout left
//! in the place of weights, a recording or a picture.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes that are looked at.
const LOOKED_AT: u64 = 512;

/// What stands in a file's place, with the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignFile {
    /// The text that Git keeps in the place of a large file.
    LfsPointer,
    /// A web page: of a login, an error, or the file's own description.
    WebPage,
    /// Nothing.
    Empty,
    /// HEIC or AVIF, as phones take pictures.
    Heif,
    /// JPEG 2000.
    Jpeg2000,
    /// GIF.
    Gif,
    /// PDF.
    Pdf,
    /// A film: MP4, QuickTime, Matroska or AVI.
    Film,
    /// A packet of H.264 or H.265.
    VideoPacket,
    /// An archive: zip, gzip, xz, bzip2 or tar.
    Archive,
}

impl ForeignFile {
    /// Looks at a file; `None` when it is none of these, or can't be read.
    pub fn recognise(path: &Path) -> Option<ForeignFile> {
        let mut start = Vec::new();
        File::open(path).ok()?.take(LOOKED_AT).read_to_end(&mut start).ok()?;
        ForeignFile::of(&start)
    }

    /// Looks at the first bytes of a file.
    pub fn of(start: &[u8]) -> Option<ForeignFile> {
        let start = &start[..start.len().min(LOOKED_AT as usize)];
        let text = String::from_utf8_lossy(start).trim_start().to_lowercase();
        if start.is_empty() {
            Some(ForeignFile::Empty)
        } else if text.starts_with("version https://git-lfs.github.com/spec/") {
            Some(ForeignFile::LfsPointer)
        } else if ["<!doctype html", "<html"].iter().any(|opening| text.starts_with(opening)) {
            Some(ForeignFile::WebPage)
        } else {
            by_magic(start)
        }
    }

    /// What it is and what helps.
    pub fn fact(self) -> &'static str {
        match self {
            ForeignFile::LfsPointer => {
                "a Git LFS pointer, not the file itself; run `git lfs install && git lfs pull` where it was cloned"
            }
            ForeignFile::WebPage => {
                "a web page, not the file itself; download it again by the link of the file (on a hub: resolve, not \
                 blob), logged in if it asks for that"
            }
            ForeignFile::Empty => "an empty file; download it again",
            ForeignFile::Heif => "HEIC or AVIF; convert it to JPEG or PNG (`heif-convert`, or the phone's export)",
            ForeignFile::Jpeg2000 => "JPEG 2000; convert it to PNG (`opj_decompress`)",
            ForeignFile::Gif => "a GIF; convert it to PNG (`convert a.gif[0] a.png`)",
            ForeignFile::Pdf => "a PDF; convert its page to PNG (`pdftoppm -png`)",
            ForeignFile::Film => "a film; take its frames out as pictures (`ffmpeg -i FILM frame_%06d.png`)",
            ForeignFile::VideoPacket => {
                "a packet of H.264 or H.265 video, which can't be read alone; publish or record raw, JPEG or PNG images \
                 (image_transport's `republish` decodes ffmpeg_image_transport's)"
            }
            ForeignFile::Archive => "an archive (zip, gzip, xz, bzip2 or tar); unpack it first",
        }
    }
}

/// By the signatures of formats.
fn by_magic(start: &[u8]) -> Option<ForeignFile> {
    // ISO base media files (ISO 14496-12): the brand tells pictures from films
    if start.get(4..8) == Some(b"ftyp") {
        let brand = start.get(8..12).unwrap_or_default();
        let is_picture = [b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"];
        let is_picture = is_picture.iter().any(|known| *known == brand);
        return Some(if is_picture { ForeignFile::Heif } else { ForeignFile::Film });
    }
    if start.get(257..262) == Some(b"ustar") {
        return Some(ForeignFile::Archive);
    }
    let known: [(&[u8], ForeignFile); 13] = [
        (b"\0\0\0\x0cjP  ", ForeignFile::Jpeg2000),
        (b"\xff\x4f\xff\x51", ForeignFile::Jpeg2000),
        (b"GIF87a", ForeignFile::Gif),
        (b"GIF89a", ForeignFile::Gif),
        (b"%PDF-", ForeignFile::Pdf),
        (b"\x1a\x45\xdf\xa3", ForeignFile::Film),
        // Annex B of H.264 and H.265: a start code before each unit
        (b"\0\0\0\x01", ForeignFile::VideoPacket),
        (b"\0\0\x01", ForeignFile::VideoPacket),
        (b"PK\x03\x04", ForeignFile::Archive),
        (b"\x1f\x8b", ForeignFile::Archive),
        (b"\xfd7zXZ\0", ForeignFile::Archive),
        (b"BZh", ForeignFile::Archive),
        (b"7z\xbc\xaf\x27\x1c", ForeignFile::Archive),
    ];
    let is_avi = start.starts_with(b"RIFF") && start.get(8..12) == Some(b"AVI ");
    let by_start = known.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, foreign)| *foreign);
    by_start.or(is_avi.then_some(ForeignFile::Film))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_files_place_is_recognised() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 605157884\n";
        assert_eq!(ForeignFile::of(pointer), Some(ForeignFile::LfsPointer));
        assert_eq!(ForeignFile::of(b"\n<!DOCTYPE html>\n<html lang=en>"), Some(ForeignFile::WebPage));
        assert_eq!(ForeignFile::of(b"<HTML><body>404"), Some(ForeignFile::WebPage));
        assert_eq!(ForeignFile::of(b""), Some(ForeignFile::Empty));
        assert_eq!(ForeignFile::of(b"\0\0\0\x18ftypheic"), Some(ForeignFile::Heif));
        assert_eq!(ForeignFile::of(b"\0\0\0\x18ftypmp42"), Some(ForeignFile::Film));
        assert_eq!(ForeignFile::of(b"\0\0\0\x01\x67"), Some(ForeignFile::VideoPacket));
        assert_eq!(ForeignFile::of(b"%PDF-1.7"), Some(ForeignFile::Pdf));
        let tar = [&[b'a'; 257][..], b"ustar"].concat();
        assert_eq!(ForeignFile::of(&tar), Some(ForeignFile::Archive));
        assert_eq!(ForeignFile::of(b"RIFF\0\0\0\0WEBP"), None);
        assert_eq!(ForeignFile::of(b"\x89MCAP0\r\n"), None);
        assert_eq!(ForeignFile::of(b"version: 1\n"), None);
        assert_eq!(ForeignFile::recognise(Path::new("/nowhere")), None);
    }
}
