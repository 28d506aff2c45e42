//! The merge tree: patches merged pair by pair, most alike first, until one is left.
//!
//! Every merge on the way is a candidate. A thing shows as one that was made early (its inside is
//! even) and lasted long (its outside differs).

use super::candidate::Candidate;
use super::superpixels::{distance, Superpixels};
use fixedbitset::FixedBitSet;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

/// What decides how alike two parts are, for one tree.
#[derive(Clone, Copy, Debug)]
pub struct Affinity {
    /// Weight of lightness against hue: low values join the sides of a shaded thing.
    pub lightness: f32,
    /// Weight of the contrast along the contact against the distance of the mean colours, 0..1.
    pub contact: f32,
    /// Power of the smaller part's size: above 0 small parts join first.
    pub smallness: f32,
}

struct Merge {
    weight: f32,
    a: usize,
    b: usize,
}

impl PartialEq for Merge {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Merge {}
impl PartialOrd for Merge {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Merge {
    /// The heap gives the largest first: the smallest weight, then the oldest parts.
    fn cmp(&self, other: &Self) -> Ordering {
        let weight = other.weight.total_cmp(&self.weight);
        weight.then_with(|| (other.a, other.b).cmp(&(self.a, self.b)))
    }
}

struct Node {
    patches: FixedBitSet,
    area: f32,
    colour: [f32; 3],
    border: f32,
    /// Length and contrast of the contact with each neighbour.
    neighbours: HashMap<usize, (f32, f32)>,
    born: f32,
    died: f32,
    alive: bool,
}

fn weight(a: &Node, b: &Node, contrast: f32, affinity: Affinity) -> f32 {
    let colour = distance(a.colour, b.colour, affinity.lightness);
    let mixed = affinity.contact * contrast + (1.0 - affinity.contact) * colour;
    (mixed + 0.5) * a.area.min(b.area).powf(affinity.smallness)
}

/// All parts of the tree as candidates, scored by how long they lasted.
pub fn candidates(superpixels: &Superpixels, affinity: Affinity) -> Vec<Candidate> {
    let count = superpixels.patches.len();
    let mut nodes: Vec<Node> = (0..count)
        .map(|i| Node {
            patches: {
                let mut single = FixedBitSet::with_capacity(count);
                single.insert(i);
                single
            },
            area: superpixels.patches[i].area,
            colour: superpixels.patches[i].colour,
            border: superpixels.patches[i].border,
            neighbours: HashMap::new(),
            born: 0.0,
            died: f32::INFINITY,
            alive: true,
        })
        .collect();
    let mut heap = BinaryHeap::new();
    for contact in &superpixels.contacts {
        let (a, b) = (contact.a, contact.b);
        nodes[a].neighbours.insert(b, (contact.length, contact.contrast));
        nodes[b].neighbours.insert(a, (contact.length, contact.contrast));
        heap.push(Merge { weight: weight(&nodes[a], &nodes[b], contact.contrast, affinity), a, b });
    }
    while let Some(Merge { weight: at, a, b }) = heap.pop() {
        if !(nodes[a].alive && nodes[b].alive) {
            continue;
        }
        let merged = merge(&mut nodes, a, b, at);
        let new = nodes.len();
        let mut around: Vec<_> = merged.neighbours.iter().map(|(n, contact)| (*n, *contact)).collect();
        around.sort_by_key(|(neighbour, _)| *neighbour);
        for (neighbour, (length, contrast)) in around {
            let other = &mut nodes[neighbour];
            other.neighbours.remove(&a);
            other.neighbours.remove(&b);
            other.neighbours.insert(new, (length, contrast));
            heap.push(Merge { weight: weight(&merged, other, contrast, affinity), a: neighbour, b: new });
        }
        nodes.push(merged);
    }
    let candidate = |node: Node| Candidate {
        score: if node.died.is_finite() { 1.0 - node.born / node.died.max(1e-6) } else { 0.0 },
        area: node.area,
        border: node.border,
        patches: node.patches,
    };
    nodes.into_iter().map(candidate).collect()
}

/// Ends two nodes and makes the one that holds both.
fn merge(nodes: &mut [Node], a: usize, b: usize, at: f32) -> Node {
    let mut neighbours = std::mem::take(&mut nodes[a].neighbours);
    for (neighbour, (length, contrast)) in std::mem::take(&mut nodes[b].neighbours) {
        let entry = neighbours.entry(neighbour).or_insert((0.0, 0.0));
        let total = entry.0 + length;
        *entry = (total, (entry.0 * entry.1 + length * contrast) / total);
    }
    neighbours.remove(&a);
    neighbours.remove(&b);
    // weights may fall when parts grow alike: a merge is never born before its parts
    let born = at.max(nodes[a].born).max(nodes[b].born);
    for part in [a, b] {
        nodes[part].alive = false;
        nodes[part].died = born;
    }
    let (x, y) = (&nodes[a], &nodes[b]);
    let area = x.area + y.area;
    Node {
        patches: &x.patches | &y.patches,
        area,
        colour: std::array::from_fn(|c| (x.colour[c] * x.area + y.colour[c] * y.area) / area),
        border: x.border + y.border,
        neighbours,
        born,
        died: f32::INFINITY,
        alive: true,
    }
}
