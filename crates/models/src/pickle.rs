//! Pickles: PyTorch's zipped checkpoints, read as data; their code is never run.
//!
//! candle's reader trusts the file: it panics on malformed tuples and allocates what a header claims. Both are caught
//! here before a damaged or hostile file costs the process.

use candle_core::{Error, Result, Tensor};
use referseg_files::catch_panic::caught;
use referseg_files::pickle_size;
use std::io::BufReader;
use std::path::Path;

/// Where a training checkpoint keeps its tensors, beside the state of the training.
const KEYS: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// Bytes of all tensors for each byte of the file: some checkpoints name a few of their tensors twice.
const MOST_SHARED: u64 = 4;

/// Most objects and bytes of text of a pickle, together. The largest checkpoint that was met, with the state of its training, has 200,000.
const MOST_OBJECTS: u64 = 4_000_000;

/// Refuses a file of PyTorch whose pickle would take more memory than any checkpoint's.
fn check_size(path: &Path) -> Result<()> {
    let mut archive = zip::ZipArchive::new(BufReader::new(std::fs::File::open(path)?))?;
    for place in 0..archive.len() {
        let entry = archive.by_index(place)?;
        let is_pickle = entry.name().is_ok_and(|name| name.ends_with("data.pkl"));
        if is_pickle {
            pickle_size::check(&mut BufReader::new(entry), MOST_OBJECTS).map_err(Error::Msg)?;
        }
    }
    Ok(())
}

/// The tensors of a file by their names: those at its top, or under one of [`KEYS`].
///
/// # Errors
/// When the file is not such a pickle, or claims tensors that it can't hold.
pub fn read(path: &Path) -> Result<Vec<(String, Tensor)>> {
    caught(|| {
        check_size(path)?;
        for key in std::iter::once(None).chain(KEYS.map(Some)) {
            let found = read_at(path, key)?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        candle_core::bail!("no tensors at its top or under {}", KEYS.join(", "))
    })
    .unwrap_or_else(|_| Err(Error::Msg("malformed pickle".into())))
}

fn read_at(path: &Path, key: Option<&str>) -> Result<Vec<(String, Tensor)>> {
    let length = std::fs::metadata(path)?.len();
    // a key that is not there is an error of this function
    let found = match candle_core::pickle::read_pth_tensor_info(path, false, key) {
        Err(_) if key.is_some() => return Ok(Vec::new()),
        found => found?,
    };
    let mut sum = 0u64;
    for tensor in &found {
        // stored without compression, so no tensor is larger than the file
        let count = tensor.layout.shape().dims().iter().try_fold(1u64, |all, side| all.checked_mul(*side as u64));
        let bytes = count.and_then(|count| count.checked_mul(tensor.dtype.size_in_bytes() as u64));
        if bytes.is_none_or(|bytes| bytes > length) {
            let (name, shape) = (&tensor.name, tensor.layout.shape());
            candle_core::bail!("tensor {name:?} claims the shape {shape:?}, larger than the file of {length} bytes");
        }
        sum = sum.saturating_add(bytes.unwrap_or_default());
    }
    // tensors may share their data, but not all of them
    if sum > length.saturating_mul(MOST_SHARED) {
        candle_core::bail!("its tensors claim {sum} bytes, the file has {length}");
    }
    match found.is_empty() {
        true => Ok(Vec::new()),
        false => candle_core::pickle::read_all_with_key(path, key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> Result<Vec<(String, Tensor)>> {
        read(&Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/data/pickles").join(name))
    }

    #[test]
    fn broken_and_hostile_files_are_errors_and_cost_no_memory() {
        let whole = fixture("whole.pth").unwrap();
        assert_eq!((whole[0].0.as_str(), whole[0].1.dims()), ("weight", &[2, 3][..]));
        let said = fixture("huge_shape.pth").unwrap_err().to_string();
        assert!(said.contains("claims the shape [2147483647, 3], larger than the file"), "{said}");
        assert!(fixture("short_tuple.pth").is_err());
    }

    #[test]
    fn real_checkpoints_pass() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("tests/data/pickles");
        for name in ["whole.pth", "training.pth"] {
            check_size(&folder.join(name)).unwrap();
        }
    }
}
