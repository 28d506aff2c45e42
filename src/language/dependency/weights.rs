//! The parser's weights: flat tensors by name.

use std::collections::HashMap;

/// Flat f32 tensors by name, their lengths checked when they are loaded.
pub struct Weights(pub HashMap<String, Vec<f32>>);

impl Weights {
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
