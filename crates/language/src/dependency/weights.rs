//! The parser's weights: flat tensors by name.

use referseg_files::{Error, Result};
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;
use std::path::Path;

/// Flat f32 tensors by name, their lengths checked when they are loaded.
pub struct Weights(pub HashMap<String, Vec<f32>>);

impl Weights {
    /// Loads the tensors of these names and lengths from a safetensors file.
    ///
    /// # Errors
    /// When the file can't be read, or a tensor is absent or has another type or length.
    pub fn load(path: &Path, lengths: &[(String, usize)]) -> Result<Weights> {
        let unreadable =
            |cause: String| Error::model(path, format!("not readable: {cause}; tools/export_spacy.py makes it"));
        let bytes = std::fs::read(path).map_err(|cause| unreadable(cause.to_string()))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|cause| unreadable(cause.to_string()))?;
        let mut weights = HashMap::new();
        for (name, length) in lengths {
            let tensor = tensors.tensor(name).map_err(|_| Error::model(path, format!("tensor {name:?} is absent")))?;
            if tensor.dtype() != Dtype::F32 || tensor.shape().iter().product::<usize>() != *length {
                let fact = format!(
                    "tensor {name:?} is {:?} {:?}; expected {length} F32 numbers",
                    tensor.dtype(),
                    tensor.shape()
                );
                return Err(Error::model(path, fact));
            }
            let numbers =
                tensor.data().chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
            weights.insert(name.clone(), numbers.collect());
        }
        Ok(Weights(weights))
    }

    /// A tensor that [`lengths`] lists.
    pub fn get(&self, name: &str) -> &[f32] {
        self.0.get(name).map(Vec::as_slice).expect("every tensor of `LENGTHS` was loaded")
    }
}

/// Every tensor's name and length.
pub fn lengths(tags: usize, moves: usize) -> Vec<(String, usize)> {
    let mut all: Vec<(String, usize)> = Vec::new();
    for (column, rows) in [5000, 1000, 2500, 2500, 50, 50].into_iter().enumerate() {
        all.push((format!("embed.{column}"), rows * 96));
    }
    for (layer, inputs) in [576, 288, 288, 288, 288].into_iter().enumerate() {
        for (part, length) in [("weight", 288 * inputs), ("bias", 288), ("gain", 96), ("shift", 96)] {
            all.push((format!("layer.{layer}.{part}"), length));
        }
    }
    let rest = [
        ("tagger.weight", tags * 96),
        ("tagger.bias", tags),
        ("parser.token.weight", 64 * 96),
        ("parser.token.bias", 64),
        ("parser.state.weight", 8 * 128 * 64),
        ("parser.state.bias", 128),
        ("parser.state.pad", 8 * 128),
        ("parser.move.weight", moves * 64),
        ("parser.move.bias", moves),
    ];
    all.extend(rest.map(|(name, length)| (name.to_string(), length)));
    all
}
