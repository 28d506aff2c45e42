//! `ParquetImages`: images out of parquet files, read forward.
//!
//! A row group can only be decoded from its start, so the place of the last image is kept: images in order cost one pass
//! over the file, not one pass each.

use super::parquet_file::{field, open_file, projection, wrong, IMAGE};
use parquet::record::reader::RowIter;
use parquet::record::Field;
use referseg_files::catch_panic::caught;
use referseg_files::Result;
use std::path::{Path, PathBuf};

/// The file that was read last, and where in it.
#[derive(Default)]
pub struct ParquetImages {
    open: Option<OpenFile>,
    /// Rows decoded so far, skipped ones included.
    decoded: usize,
}

struct OpenFile {
    path: PathBuf,
    rows: RowIter<'static>,
    next: usize,
}

impl ParquetImages {
    /// The bytes of the image in a row.
    ///
    /// # Errors
    /// When the file or the row can't be read.
    pub fn bytes(&mut self, file: &Path, row: usize) -> Result<Vec<u8>> {
        let ahead = |open: &OpenFile| open.path == file && open.next <= row;
        let mut open = match self.open.take().filter(ahead) {
            Some(open) => open,
            None => {
                let reader = open_file(file)?;
                let only = projection(&reader, file, |name| name == IMAGE)?;
                let rows = reader.into_iter().project(Some(only)).map_err(|cause| wrong(file, cause))?;
                OpenFile { path: file.into(), rows, next: 0 }
            }
        };
        self.decoded += row - open.next + 1;
        let found =
            caught(|| open.rows.nth(row - open.next)).map_err(|_| wrong(file, "damaged: the decoder failed"))?;
        let found = found.ok_or_else(|| wrong(file, format!("no row {row}")))?;
        let found = found.map_err(|cause| wrong(file, cause))?;
        open.next = row + 1;
        self.open = Some(open);
        let Some(Field::Group(image)) = field(&found, IMAGE) else {
            return Err(wrong(file, format!("row {row} has no column {IMAGE} with bytes")));
        };
        match field(image, "bytes") {
            Some(Field::Bytes(bytes)) => Ok(bytes.data().to_vec()),
            _ => Err(wrong(file, format!("row {row} has no {IMAGE}.bytes"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_in_order_are_decoded_once() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .join("tests/data/datasets/hub/RefCOCOplus/data/val-00000-of-00001.parquet");
        let mut images = ParquetImages::default();
        let first = images.bytes(&file, 0).unwrap();
        images.bytes(&file, 1).unwrap();
        assert_eq!(images.decoded, 2);
        assert_eq!(images.bytes(&file, 0).unwrap(), first, "and again from the start");
        assert!(images.bytes(&file, 99).unwrap_err().to_string().contains("no row 99"));
    }
}
