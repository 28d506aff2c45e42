//! One pre-norm transformer block on the rows of some sequences.

use super::elementwise::{add_scaled, add_to_rows, gelu, gelu_tanh, layer_norm, quick_gelu, softmax};
use super::product::{product, product_of_rows, Onto, Rows};
use super::weights::{Affine, Norm};

/// What stands between the two layers of the MLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x * sigmoid(1.702 x)`: OpenAI's checkpoints.
    QuickGelu,
    /// The exact GELU: most LAION checkpoints.
    Gelu,
    /// GELU by a hyperbolic tangent: SigLIP.
    #[serde(rename = "gelu_pytorch_tanh", alias = "gelu_new")]
    GeluTanh,
}

/// A block's weights.
pub struct BlockWeights<'a> {
    /// Before the attention.
    pub norm1: Norm<'a>,
    /// Queries.
    pub q: Affine<'a>,
    /// Keys.
    pub k: Affine<'a>,
    /// Values.
    pub v: Affine<'a>,
    /// After the attention.
    pub out: Affine<'a>,
    /// Attention heads.
    pub heads: usize,
    /// Before the MLP.
    pub norm2: Norm<'a>,
    /// To the hidden width.
    pub fc1: Affine<'a>,
    /// Back.
    pub fc2: Affine<'a>,
    /// Between them.
    pub activation: Activation,
}

/// What a row sees of its sequence.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Attention {
    /// All of it.
    All,
    /// Itself and what stands before it.
    Causal,
}

/// Tokens of all zeros that each sequence has beside its rows: they are alike, so they are computed once and counted.
pub struct Absent {
    key: Vec<f32>,
    value: Vec<f32>,
}

impl Absent {
    /// The key and the value of a token of zeros in this block.
    pub fn of(block: &BlockWeights) -> Absent {
        let width = block.norm1.gain.len();
        // the norm of zeros is the bias
        let normed = &block.norm1.bias[..];
        Absent { key: through(&block.k, normed, width, 1), value: through(&block.v, normed, width, 1) }
    }
}

/// Room for intermediate rows, kept from block to block.
#[derive(Default)]
pub struct Scratch {
    normed: Vec<f32>,
    queries: Vec<f32>,
    keys_values: Vec<f32>,
    attended: Vec<f32>,
    hidden: Vec<f32>,
    logits: Vec<f32>,
}

/// The first `count` values of a buffer that grows as needed.
fn room(buffer: &mut Vec<f32>, count: usize) -> &mut [f32] {
    if buffer.len() < count {
        buffer.resize(count, 0.0);
    }
    &mut buffer[..count]
}

/// `out = layer(x)` for rows of `inputs` values; rows of `out` are `stride` apart.
pub fn linear(layer: &Affine, x: &[f32], inputs: usize, out: &mut [f32], stride: usize, threads: usize) {
    let (rows, outputs) = (x.len() / inputs, layer.outputs(inputs));
    let onto = match &layer.bias {
        Some(bias) => {
            for row in out.chunks_mut(stride).take(rows) {
                row[..outputs].copy_from_slice(bias);
            }
            Onto::Sum
        }
        None => Onto::Nothing,
    };
    let left = Rows { values: x, stride: inputs };
    let right = Rows { values: &layer.weight, stride: inputs };
    product((out, stride), left, right, (rows, outputs, inputs), onto, threads);
}

/// `layer(x)` for rows of `inputs` values.
pub fn through(layer: &Affine, x: &[f32], inputs: usize, threads: usize) -> Vec<f32> {
    let outputs = layer.outputs(inputs);
    let mut out = vec![0.0; x.len() / inputs * outputs];
    linear(layer, x, inputs, &mut out, outputs, threads);
    out
}

/// `x += layer(y)`.
pub fn add_linear(layer: &Affine, y: &[f32], inputs: usize, x: &mut [f32], threads: usize) {
    let (rows, outputs) = (y.len() / inputs, layer.outputs(inputs));
    if let Some(bias) = &layer.bias {
        add_to_rows(x, bias);
    }
    let left = Rows { values: y, stride: inputs };
    let right = Rows { values: &layer.weight, stride: inputs };
    product((x, outputs), left, right, (rows, outputs, inputs), Onto::Sum, threads);
}

/// The sequences that a block works on.
pub struct Sequences<'a> {
    /// Rows of each.
    pub lengths: &'a [usize],
    /// For each, how many tokens of zeros it has beside them; with what these are in this block.
    pub absent: Option<(&'a [usize], &'a Absent)>,
    /// What its rows see.
    pub attention: Attention,
    /// Threads for the products.
    pub threads: usize,
}

impl BlockWeights<'_> {
    /// Takes the rows `x`, `[sum of lengths, w]`, through the block, in place.
    pub fn forward(&self, x: &mut [f32], sequences: &Sequences, scratch: &mut Scratch) {
        self.attend_all(x, sequences, scratch);
        self.mlp(x, sequences.threads, scratch);
    }

    /// As [`BlockWeights::forward`] for one row of each sequence alone, `[sequences, w]`: what the last block is read at.
    pub fn forward_one(&self, x: &[f32], at: &[usize], sequences: &Sequences, scratch: &mut Scratch) -> Vec<f32> {
        let width = self.norm1.gain.len();
        let mut start = 0;
        let mut read = Vec::with_capacity(at.len() * width);
        for (at, length) in at.iter().zip(sequences.lengths) {
            read.extend_from_slice(&x[(start + at) * width..][..width]);
            start += length;
        }
        self.keys_and_values(x, sequences.threads, scratch);
        let normed = room(&mut scratch.normed, read.len());
        layer_norm(&read, &self.norm1.gain, &self.norm1.bias, self.norm1.epsilon, normed);
        let queries = room(&mut scratch.queries, read.len());
        linear(&self.q, normed, width, queries, width, sequences.threads);
        room(&mut scratch.attended, read.len());
        let (mut start, mut logits) = (0, std::mem::take(&mut scratch.logits));
        for (index, (length, at)) in sequences.lengths.iter().zip(at).enumerate() {
            let part = Part { index, rows: start..start + length, queries: index..index + 1, first: *at };
            self.attend(&part, sequences, scratch, &mut logits);
            start += length;
        }
        scratch.logits = logits;
        add_linear(&self.out, &scratch.attended[..read.len()], width, &mut read, sequences.threads);
        self.mlp(&mut read, sequences.threads, scratch);
        read
    }

    /// The norm of `x` and its keys and values, side by side.
    fn keys_and_values(&self, x: &[f32], threads: usize, scratch: &mut Scratch) {
        let width = self.norm1.gain.len();
        let normed = room(&mut scratch.normed, x.len());
        layer_norm(x, &self.norm1.gain, &self.norm1.bias, self.norm1.epsilon, normed);
        let both = room(&mut scratch.keys_values, 2 * x.len());
        linear(&self.k, normed, width, both, 2 * width, threads);
        linear(&self.v, normed, width, &mut both[width..], 2 * width, threads);
    }

    /// Attention of all rows, added to them.
    fn attend_all(&self, x: &mut [f32], sequences: &Sequences, scratch: &mut Scratch) {
        let width = self.norm1.gain.len();
        self.keys_and_values(x, sequences.threads, scratch);
        let queries = room(&mut scratch.queries, x.len());
        linear(&self.q, &scratch.normed[..x.len()], width, queries, width, sequences.threads);
        room(&mut scratch.attended, x.len());
        let (mut start, mut logits) = (0, std::mem::take(&mut scratch.logits));
        for (index, length) in sequences.lengths.iter().enumerate() {
            let part = Part { index, rows: start..start + length, queries: start..start + length, first: 0 };
            self.attend(&part, sequences, scratch, &mut logits);
            start += length;
        }
        scratch.logits = logits;
        add_linear(&self.out, &scratch.attended[..x.len()], width, x, sequences.threads);
    }

    /// Attention of one sequence, head by head, into `scratch.attended`.
    fn attend(&self, part: &Part, sequences: &Sequences, scratch: &mut Scratch, logits: &mut Vec<f32>) {
        let width = self.norm1.gain.len();
        let depth = width / self.heads;
        let scale = (depth as f32).powf(-0.5);
        let (rows, queries) = (part.rows.len(), part.queries.len());
        let count = sequences.absent.map_or(0, |(counts, _)| counts[part.index]);
        let columns = rows + usize::from(count > 0);
        let absent = sequences.absent.map(|(_, absent)| absent).filter(|_| count > 0);
        let logits = room(logits, queries * columns);
        for head in 0..self.heads {
            let q = Rows { values: &scratch.queries[part.queries.start * width + head * depth..], stride: width };
            let at = part.rows.start * 2 * width + head * depth;
            let k = Rows { values: &scratch.keys_values[at..], stride: 2 * width };
            let v = Rows { values: &scratch.keys_values[at + width..], stride: 2 * width };
            product((logits, columns), q, k, (queries, rows, depth), Onto::Nothing, sequences.threads);
            if let Some(absent) = absent {
                let key = Rows { values: &absent.key[head * depth..], stride: width };
                product((&mut logits[rows..], columns), q, key, (queries, 1, depth), Onto::Nothing, 1);
                // so many alike weigh as one whose logit is higher by the logarithm of their number
                let more = (count as f32).ln() / scale;
                logits.iter_mut().skip(rows).step_by(columns).for_each(|logit| *logit += more);
            }
            for (row, logits) in logits.chunks_exact_mut(columns).enumerate() {
                if sequences.attention == Attention::Causal {
                    logits[part.first + row + 1..rows].fill(f32::NEG_INFINITY);
                }
                softmax(logits, scale);
            }
            let attended = &mut scratch.attended[part.queries.start * width + head * depth..];
            let weights = Rows { values: logits, stride: columns };
            product_of_rows((attended, width), weights, v, (queries, depth, rows), Onto::Nothing, sequences.threads);
            if let Some(absent) = absent {
                let value = &absent.value[head * depth..][..depth];
                for (row, logits) in logits.chunks_exact(columns).enumerate() {
                    add_scaled(&mut attended[row * width..][..depth], value, logits[rows]);
                }
            }
        }
    }

    /// The MLP of all rows, added to them.
    fn mlp(&self, x: &mut [f32], threads: usize, scratch: &mut Scratch) {
        let width = self.norm2.gain.len();
        let hidden_width = self.fc1.outputs(width);
        let normed = room(&mut scratch.normed, x.len());
        layer_norm(x, &self.norm2.gain, &self.norm2.bias, self.norm2.epsilon, normed);
        let hidden = room(&mut scratch.hidden, x.len() / width * hidden_width);
        linear(&self.fc1, normed, width, hidden, hidden_width, threads);
        match self.activation {
            Activation::QuickGelu => quick_gelu(hidden),
            Activation::Gelu => gelu(hidden),
            Activation::GeluTanh => gelu_tanh(hidden),
        }
        add_linear(&self.fc2, hidden, hidden_width, x, threads);
    }
}

/// One sequence's rows among all, and the rows of `queries` that look at them, of which the first is row `first` of the
/// sequence.
struct Part {
    index: usize,
    rows: std::ops::Range<usize>,
    queries: std::ops::Range<usize>,
    first: usize,
}
