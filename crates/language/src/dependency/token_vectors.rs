//! Token vectors: spaCy's hashed word features through its window encoder (`tok2vec`).

use super::tokenizer::Token;
use super::weights::Weights;
use std::collections::HashMap;

const WIDTH: usize = 96;
/// Zero rows on each side of a sentence; they evolve with the layers, as in spaCy.
const PADDING: usize = 4;
/// thinc's LayerNorm.
const EPSILON: f32 = 1e-8;

/// What turns strings into spaCy's 64-bit ids.
pub struct Strings {
    /// Strings with small reserved ids.
    pub symbols: HashMap<String, u64>,
    /// Norm by the id of the string.
    pub norms: HashMap<u64, String>,
}

impl Strings {
    pub fn id(&self, text: &str) -> u64 {
        match text {
            "" => 0,
            _ => self.symbols.get(text).copied().unwrap_or_else(|| murmur64(text.as_bytes(), 1)),
        }
    }

    fn norm(&self, token: &Token) -> u64 {
        match &token.norm {
            Some(norm) => self.id(norm),
            None => match self.norms.get(&self.id(&token.text)) {
                Some(norm) => self.id(norm),
                None => self.id(&token.text.to_lowercase()),
            },
        }
    }

    /// The six features of a token: norm, prefix, suffix, shape, followed by space, is space.
    fn features(&self, token: &Token) -> [u64; 6] {
        let chars: Vec<char> = token.text.chars().collect();
        let prefix: String = chars.iter().take(1).collect();
        let suffix: String = chars[chars.len().saturating_sub(3)..].iter().collect();
        [self.norm(token), self.id(&prefix), self.id(&suffix), self.id(&shape(&chars)), u64::from(token.space), 0]
    }
}

/// X for upper case, x for other letters, d for digits, else the character; runs are cut after four.
fn shape(chars: &[char]) -> String {
    if chars.len() >= 100 {
        return "LONG".into();
    }
    let (mut out, mut last, mut run) = (String::new(), '\0', 0);
    for c in chars {
        let kind = match c {
            c if c.is_alphabetic() => {
                if c.is_uppercase() {
                    'X'
                } else {
                    'x'
                }
            }
            c if c.is_numeric() => 'd',
            c => *c,
        };
        run = if kind == last { run + 1 } else { 0 };
        last = kind;
        if run < 4 {
            out.push(kind);
        }
    }
    out
}

/// MurmurHash64A, with which spaCy names strings.
fn murmur64(bytes: &[u8], seed: u64) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    let mut h = seed ^ (bytes.len() as u64).wrapping_mul(M);
    let mut blocks = bytes.chunks_exact(8);
    for block in &mut blocks {
        let mut k = u64::from_le_bytes(block.try_into().unwrap_or_default()).wrapping_mul(M);
        k = (k ^ (k >> 47)).wrapping_mul(M);
        h = (h ^ k).wrapping_mul(M);
    }
    let tail = blocks.remainder();
    if !tail.is_empty() {
        let k = tail.iter().rev().fold(0u64, |k, byte| k << 8 | u64::from(*byte));
        h = (h ^ k).wrapping_mul(M);
    }
    h = (h ^ (h >> 47)).wrapping_mul(M);
    h ^ (h >> 47)
}

/// The four table rows of an id, before the modulus: MurmurHash3 (x86, 128 bits) of 8 bytes as thinc has it.
fn rows(id: u64, seed: u32) -> [u32; 4] {
    let mix = |mut h: u64| {
        h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        h ^ (h >> 33)
    };
    let mut h1 = id.wrapping_mul(0x87c3_7b91_1142_53d5).rotate_left(31).wrapping_mul(0x4cf5_ad43_2745_937f);
    h1 ^= u64::from(seed) ^ 8;
    let mut h2 = u64::from(seed) ^ 8;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    (h1, h2) = (mix(h1), mix(h2));
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    [h1 as u32, (h1 >> 32) as u32, h2 as u32, (h2 >> 32) as u32]
}

/// Maxout over three pieces, then layer normalisation: layer `index` on a row of `inputs` values.
fn layer(weights: &Weights, index: usize, input: &[f32]) -> Vec<f32> {
    let [weight, bias] = ["weight", "bias"].map(|name| weights.get(&format!("layer.{index}.{name}")));
    let [gain, shift] = ["gain", "shift"].map(|name| weights.get(&format!("layer.{index}.{name}")));
    let piece = |row: usize| bias[row] + dot(&weight[row * input.len()..(row + 1) * input.len()], input);
    let best = |unit: usize| (0..3).map(|p| piece(unit * 3 + p)).fold(f32::NEG_INFINITY, f32::max);
    let out: Vec<f32> = (0..WIDTH).map(best).collect();
    let mean = out.iter().sum::<f32>() / WIDTH as f32;
    let variance = out.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / WIDTH as f32;
    let scale = 1.0 / (variance + EPSILON).sqrt();
    (0..WIDTH).map(|i| (out[i] - mean) * scale * gain[i] + shift[i]).collect()
}

pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    // eight sums at a time, which the compiler turns into vector instructions
    let mut sums = [0.0f32; 8];
    let (left, right) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = left.remainder().iter().zip(right.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in left.zip(right) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// One vector of 96 for each token.
pub fn vectors(tokens: &[Token], strings: &Strings, weights: &Weights) -> Vec<Vec<f32>> {
    let embed = |token: &Token| {
        let mut row = Vec::with_capacity(6 * WIDTH);
        for (column, id) in strings.features(token).into_iter().enumerate() {
            let table = weights.get(&format!("embed.{column}"));
            let count = table.len() / WIDTH;
            let mut sum = [0.0f32; WIDTH];
            for key in rows(id, 8 + column as u32) {
                let start = key as usize % count * WIDTH;
                sum.iter_mut().zip(&table[start..start + WIDTH]).for_each(|(s, v)| *s += v);
            }
            row.extend(sum);
        }
        layer(weights, 0, &row)
    };
    let mut x = vec![vec![0.0f32; WIDTH]; PADDING];
    x.extend(tokens.iter().map(embed));
    x.extend(vec![vec![0.0f32; WIDTH]; PADDING]);
    let nothing = vec![0.0f32; WIDTH];
    for index in 1..=4 {
        let at = |i: Option<usize>| i.and_then(|i| x.get(i)).unwrap_or(&nothing);
        let window = |i: usize| [at(i.checked_sub(1)).as_slice(), &x[i], at(Some(i + 1))].concat();
        let out: Vec<Vec<f32>> = (0..x.len()).map(|i| layer(weights, index, &window(i))).collect();
        for (row, add) in x.iter_mut().zip(out) {
            row.iter_mut().zip(add).for_each(|(v, a)| *v += a);
        }
    }
    x.drain(PADDING..PADDING + tokens.len()).collect()
}
