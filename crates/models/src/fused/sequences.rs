//! Sequences through all blocks: shared out among threads, and on each thread in parts that stay in its cache.

use super::block::{Absent, Attention, BlockWeights, Scratch, Sequences};
use rayon::prelude::*;

/// Rows that one thread takes through a block at a time: enough for the products, few enough for the cache.
const ROWS: usize = 512;

/// What is wanted of the last block.
#[derive(Clone, Copy)]
pub enum Readout<'a> {
    /// All rows.
    All,
    /// This row of each sequence.
    One(&'a [usize]),
}

/// What the sequences are.
pub struct Batch<'a> {
    /// Rows of each.
    pub lengths: &'a [usize],
    /// For each row a factor that it is multiplied by before every block, and for each sequence a number of tokens of zeros
    /// beside its rows.
    pub kept: Option<(&'a [f32], &'a [usize])>,
    /// What rows see.
    pub attention: Attention,
}

/// Takes rows `x`, `[sum of lengths, w]`, through the blocks; returns `[sum of lengths, w]` or `[sequences, w]`.
pub fn run(blocks: &[BlockWeights], x: Vec<f32>, batch: &Batch, readout: Readout) -> Vec<f32> {
    let Some(width) = blocks.first().map(|block| block.norm1.gain.len()) else { return x };
    let absent: Vec<Option<Absent>> =
        blocks.iter().map(|block| batch.kept.is_some().then(|| Absent::of(block))).collect();
    let threads = rayon::current_num_threads();
    let parts = shares(batch.lengths, batch.lengths.iter().sum::<usize>().div_ceil(threads));
    // a lone sequence is not shared out: its products are
    let inner = if parts.len() == 1 { threads } else { 1 };
    let mut rest = &x[..];
    let mut work = Vec::new();
    for sequences in parts {
        let rows: usize = batch.lengths[sequences.clone()].iter().sum();
        let (mine, others) = rest.split_at(rows * width);
        rest = others;
        work.push((sequences, mine));
    }
    let one = |(sequences, x): (std::ops::Range<usize>, &[f32])| {
        let first: usize = batch.lengths[..sequences.start].iter().sum();
        let rows = first..first + x.len() / width;
        let kept = batch.kept.map(|(factors, counts)| (&factors[rows], &counts[sequences.clone()]));
        let at = match readout {
            Readout::All => None,
            Readout::One(at) => Some(&at[sequences.clone()]),
        };
        let share = Share { lengths: &batch.lengths[sequences], kept, attention: batch.attention, at, threads: inner };
        share.run(blocks, &absent, x.to_vec())
    };
    let done: Vec<Vec<f32>> = match work.len() {
        1 => work.into_iter().map(one).collect(),
        _ => work.into_par_iter().map(one).collect(),
    };
    done.concat()
}

/// Cuts a list of lengths into runs of about `rows` rows each.
fn shares(lengths: &[usize], rows: usize) -> Vec<std::ops::Range<usize>> {
    let (mut found, mut start, mut sum) = (Vec::new(), 0, 0);
    for (index, length) in lengths.iter().enumerate() {
        sum += length;
        if sum >= rows || index + 1 == lengths.len() {
            found.push(start..index + 1);
            (start, sum) = (index + 1, 0);
        }
    }
    found
}

/// The sequences of one thread.
struct Share<'a> {
    lengths: &'a [usize],
    kept: Option<(&'a [f32], &'a [usize])>,
    attention: Attention,
    at: Option<&'a [usize]>,
    threads: usize,
}

impl Share<'_> {
    fn run(&self, blocks: &[BlockWeights], absent: &[Option<Absent>], mut x: Vec<f32>) -> Vec<f32> {
        let Some(width) = blocks.first().map(|block| block.norm1.gain.len()) else { return x };
        let mut scratch = Scratch::default();
        let parts = shares(self.lengths, if self.threads == 1 { ROWS } else { usize::MAX });
        let mut read = Vec::new();
        for (index, (block, absent)) in blocks.iter().zip(absent).enumerate() {
            if let Some((factors, _)) = self.kept {
                for (row, factor) in x.chunks_exact_mut(width).zip(factors) {
                    if *factor != 1.0 {
                        row.iter_mut().for_each(|value| *value *= factor);
                    }
                }
            }
            let mut start = 0;
            for part in &parts {
                let lengths = &self.lengths[part.clone()];
                let rows: usize = lengths.iter().sum();
                let counts = self.kept.map(|(_, counts)| &counts[part.clone()]);
                let absent = counts.zip(absent.as_ref());
                let sequences = Sequences { lengths, absent, attention: self.attention, threads: self.threads };
                let x = &mut x[start * width..][..rows * width];
                start += rows;
                match self.at.filter(|_| index + 1 == blocks.len()) {
                    Some(at) => read.extend(block.forward_one(x, &at[part.clone()], &sequences, &mut scratch)),
                    None => block.forward(x, &sequences, &mut scratch),
                }
            }
        }
        if self.at.is_some() {
            read
        } else {
            x
        }
    }
}
