//! Runs: a mask's rows as stretches of pixels, and the 8-connected components that they form. What is large costs no more than what
//! is small: time and memory go with the number of runs, not of pixels.

use super::mask::{Mask, WORD};
use std::ops::Range;

/// A stretch of pixels of one row, and the component that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    row: usize,
    columns: Range<usize>,
    /// Index of a run of the same component; its own when it stands for all of them.
    same_as: usize,
}

/// The 8-connected components of a mask's pixels, or of those outside it, in reading order of their first pixels.
pub struct Components {
    size: (usize, usize),
    runs: Vec<Run>,
    /// The component of each run.
    of_run: Vec<usize>,
    areas: Vec<usize>,
}

impl Components {
    /// The components inside a mask.
    pub fn inside(mask: &Mask) -> Components {
        Components::of((mask.width(), mask.height()), |y| mask.runs(y))
    }

    /// The components of the pixels of the image that are outside a mask.
    pub fn outside(mask: &Mask) -> Components {
        let width = mask.width();
        Components::of((width, mask.height()), |y| {
            let runs = mask.runs(y);
            let starts = std::iter::once(0).chain(runs.iter().map(|run| run.end));
            let ends = runs.iter().map(|run| run.start).chain([width]);
            starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| start..end).collect()
        })
    }

    fn of(size: (usize, usize), of_row: impl Fn(usize) -> Vec<Range<usize>>) -> Components {
        let mut runs: Vec<Run> = Vec::new();
        let mut above = 0..0;
        for row in 0..size.1 {
            let first = runs.len();
            let mut at = above.start;
            for columns in of_row(row) {
                let index = runs.len();
                runs.push(Run { row, columns: columns.clone(), same_as: index });
                // corners connect; a run above may reach over several of this row
                while at < above.end && runs[at].columns.end < columns.start {
                    at += 1;
                }
                let mut over = at;
                while over < above.end && runs[over].columns.start <= columns.end {
                    join(&mut runs, over, index);
                    over += 1;
                }
            }
            above = first..runs.len();
        }
        let mut number = vec![usize::MAX; runs.len()];
        let mut areas = Vec::new();
        let of_run = (0..runs.len()).map(|index| {
            let root = root(&mut runs, index);
            if number[root] == usize::MAX {
                number[root] = areas.len();
                areas.push(0);
            }
            areas[number[root]] += runs[index].columns.len();
            number[root]
        });
        let of_run = of_run.collect();
        Components { size, runs, of_run, areas }
    }

    /// How many pixels each component has.
    pub fn areas(&self) -> &[usize] {
        &self.areas
    }

    /// The mask of the components for which `keeps` is true.
    pub fn mask(&self, keeps: impl Fn(usize) -> bool) -> Mask {
        let mut kept = self.runs.iter().zip(&self.of_run).filter(|(_, component)| keeps(**component)).peekable();
        Mask::from_rows(self.size.0, self.size.1, |y, words| {
            while let Some((run, _)) = kept.next_if(|(run, _)| run.row == y) {
                fill(words, run.columns.clone());
            }
        })
    }
}

/// The run that stands for the component of a run; what was passed is led there directly.
fn root(runs: &mut [Run], mut index: usize) -> usize {
    while runs[index].same_as != index {
        runs[index].same_as = runs[runs[index].same_as].same_as;
        index = runs[index].same_as;
    }
    index
}

fn join(runs: &mut [Run], a: usize, b: usize) {
    let (a, b) = (root(runs, a), root(runs, b));
    runs[a.max(b)].same_as = a.min(b);
}

/// Sets the bits of some columns in a row of words.
fn fill(words: &mut [u64], columns: Range<usize>) {
    let Some(last) = columns.end.checked_sub(1).filter(|last| *last >= columns.start) else { return };
    let (first_word, last_word) = (columns.start / WORD, last / WORD);
    for (word, bits) in words.iter_mut().enumerate().take(last_word + 1).skip(first_word) {
        let from = if word == first_word { columns.start % WORD } else { 0 };
        let to = if word == last_word { last % WORD } else { WORD - 1 };
        *bits |= (u64::MAX << from) & (u64::MAX >> (WORD - 1 - to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_connect_and_components_are_numbered_in_reading_order() {
        let mask = Mask::drawn(&["#.#..#", ".#...#", "......", "##...."]);
        let found = Components::inside(&mask);
        assert_eq!(found.areas(), [3, 2, 2]);
        assert_eq!(found.mask(|component| component != 1), Mask::drawn(&["#.#...", ".#....", "......", "##...."]));
        assert_eq!(found.mask(|_| true), mask);
        assert_eq!(Components::outside(&mask).areas(), [17]);
        assert!(Components::inside(&Mask::empty(70, 2)).areas().is_empty());
    }

    #[test]
    fn a_run_that_joins_two_components_makes_them_one() {
        assert_eq!(Components::inside(&Mask::drawn(&["#.#.#", "#...#", "#####"])).areas(), [9, 1]);
        let wide = Mask::from_fn(200, 3, |x, y| y == 1 || x % 2 == 0);
        assert_eq!(Components::inside(&wide).areas(), [400]);
        assert_eq!(Components::inside(&wide).mask(|_| true), wide);
    }
}
