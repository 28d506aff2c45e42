//! The transition system: spaCy's greedy arc-eager parser with its unshift move.

use super::token_vectors::dot;
use super::weights::Weights;

const HIDDEN: usize = 64;
const FEATURES: usize = 8;

/// One action of the parser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    Shift,
    Reduce,
    Left(String),
    Right(String),
    Break,
}

impl Move {
    /// From spaCy's names: S, D, L-label, R-label, B-label.
    pub fn parse(name: &str) -> Option<Move> {
        Some(match name.split_once('-') {
            None if name == "S" => Move::Shift,
            None if name == "D" => Move::Reduce,
            Some(("L", label)) => Move::Left(label.into()),
            Some(("R", label)) => Move::Right(label.into()),
            Some(("B", _)) => Move::Break,
            _ => return None,
        })
    }
}

struct State {
    length: usize,
    stack: Vec<usize>,
    /// Words put back before the buffer, the next one last.
    returned: Vec<usize>,
    next: usize,
    heads: Vec<Option<usize>>,
    labels: Vec<String>,
    /// Children on each side in the order of their arcs.
    left: Vec<Vec<usize>>,
    right: Vec<Vec<usize>>,
    unshiftable: Vec<bool>,
    starts: Vec<bool>,
}

impl State {
    fn new(length: usize) -> State {
        State {
            length,
            stack: Vec::new(),
            returned: Vec::new(),
            next: 0,
            heads: vec![None; length],
            labels: vec!["ROOT".into(); length],
            left: vec![Vec::new(); length],
            right: vec![Vec::new(); length],
            unshiftable: vec![false; length],
            starts: vec![false; length],
        }
    }

    fn on_stack(&self, i: usize) -> Option<usize> {
        self.stack.iter().rev().nth(i).copied()
    }

    fn in_buffer(&self, i: usize) -> Option<usize> {
        match self.returned.iter().rev().nth(i) {
            Some(word) => Some(*word),
            None => Some(self.next + i - self.returned.len()).filter(|word| *word < self.length),
        }
    }

    fn buffer_length(&self) -> usize {
        self.length - self.next + self.returned.len()
    }

    fn allows(&self, action: &Move) -> bool {
        let starts = self.in_buffer(0).is_some_and(|word| self.starts[word]);
        match action {
            Move::Shift => {
                self.stack.is_empty()
                    || self.buffer_length() >= 2 && !starts && !self.in_buffer(0).is_some_and(|w| self.unshiftable[w])
            }
            Move::Reduce => !self.stack.is_empty(),
            Move::Left(_) | Move::Right(_) => !self.stack.is_empty() && self.buffer_length() > 0 && !starts,
            Move::Break => match (self.in_buffer(0), self.in_buffer(1)) {
                (Some(first), Some(second)) => second == first + 1 && !self.starts[second],
                _ => false,
            },
        }
    }

    fn push(&mut self) {
        let word = self.returned.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        });
        self.stack.push(word);
    }

    fn arc(&mut self, head: usize, child: usize, label: &str) {
        if let Some(old) = self.heads[child] {
            let arcs = if old > child { &mut self.left[old] } else { &mut self.right[old] };
            // spaCy takes back only the newest arc of a head; an older one stays visible as a feature
            if arcs.last() == Some(&child) {
                arcs.pop();
            }
        }
        if head > child {
            self.left[head].push(child)
        } else {
            self.right[head].push(child)
        }
        self.heads[child] = Some(head);
        self.labels[child] = label.into();
    }

    fn apply(&mut self, action: &Move) {
        let (top, front) = (self.on_stack(0), self.in_buffer(0));
        match (action, top, front) {
            (Move::Shift, _, _) => self.push(),
            (Move::Reduce, Some(top), _) => {
                self.stack.pop();
                if self.heads[top].is_none() && !self.stack.is_empty() {
                    self.unshiftable[top] = true;
                    self.returned.push(top);
                }
            }
            (Move::Left(label), Some(top), Some(front)) => {
                self.arc(front, top, label);
                self.unshiftable[front] = false;
                self.stack.pop();
            }
            (Move::Right(label), Some(top), Some(front)) => {
                self.arc(top, front, label);
                self.push();
            }
            (Move::Break, _, _) => {
                if let Some(second) = self.in_buffer(1) {
                    self.starts[second] = true;
                }
            }
            _ => {}
        }
    }

    fn context(&self) -> [Option<usize>; FEATURES] {
        let (b0, s0) = (self.in_buffer(0), self.on_stack(0));
        let last = |arcs: &[Vec<usize>], head: Option<usize>| head.and_then(|head| arcs[head].last().copied());
        [
            b0,
            self.in_buffer(1),
            s0,
            self.on_stack(1),
            self.on_stack(2),
            last(&self.left, b0),
            last(&self.left, s0),
            last(&self.right, s0),
        ]
    }
}

/// Head (itself for a root) and label of each token; labels may still be decorated.
pub fn parse(vectors: &[Vec<f32>], moves: &[Move], weights: &Weights) -> (Vec<usize>, Vec<String>) {
    let [token_weight, token_bias] = ["weight", "bias"].map(|name| weights.get(&format!("parser.token.{name}")));
    let [state_weight, state_bias, pad] =
        ["weight", "bias", "pad"].map(|name| weights.get(&format!("parser.state.{name}")));
    let [move_weight, move_bias] = ["weight", "bias"].map(|name| weights.get(&format!("parser.move.{name}")));
    let reduced: Vec<Vec<f32>> = vectors
        .iter()
        .map(|v| {
            (0..HIDDEN).map(|unit| token_bias[unit] + dot(&token_weight[unit * v.len()..][..v.len()], v)).collect()
        })
        .collect();
    let mut state = State::new(vectors.len());
    while !(state.stack.is_empty() && state.buffer_length() == 0) {
        let mut sums = state_bias.to_vec(); // [hidden * 2 pieces]
        for (feature, word) in state.context().into_iter().enumerate() {
            for (row, sum) in sums.iter_mut().enumerate() {
                let at = feature * HIDDEN * 2 + row;
                *sum += match word {
                    Some(word) => dot(&state_weight[at * HIDDEN..][..HIDDEN], &reduced[word]),
                    None => pad[at],
                };
            }
        }
        let hidden: Vec<f32> = sums.chunks_exact(2).map(|pieces| pieces[0].max(pieces[1])).collect();
        let score = |i: usize| move_bias[i] + dot(&move_weight[i * HIDDEN..][..HIDDEN], &hidden);
        let allowed = (0..moves.len()).filter(|i| state.allows(&moves[*i])).map(|i| (i, score(i)));
        let best = allowed.reduce(|best, next| if next.1 > best.1 { next } else { best });
        let Some((best, _)) = best else { break };
        state.apply(&moves[best]);
    }
    let heads = state.heads.iter().enumerate().map(|(word, head)| head.unwrap_or(word)).collect();
    (heads, state.labels)
}
