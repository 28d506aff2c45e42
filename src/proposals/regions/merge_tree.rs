//! The merge tree: patches joined pair by pair, most alike first, until one is left.
//!
//! Every joint on the way is a candidate. A thing shows as a joint that was made early (its inside is
//! even) and lasted long (its outside differs).

use super::superpixels::{distance, Superpixels};
use super::{Candidate, PatchSet};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

/// What "alike" means for one tree.
#[derive(Clone, Copy, Debug)]
pub struct Likeness {
    /// Weight of lightness against hue: low values join the sides of a shaded thing.
    pub lightness: f32,
    /// Weight of the contrast along the contact against the distance of the mean colours, 0..1.
    pub contact: f32,
    /// Power of the smaller part's size: above 0 small parts join first.
    pub smallness: f32,
}

struct Joint {
    weight: f32,
    a: usize,
    b: usize,
}

impl PartialEq for Joint {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Joint {}
impl PartialOrd for Joint {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Joint {
    /// The heap gives the largest first: the smallest weight, then the oldest parts.
    fn cmp(&self, other: &Self) -> Ordering {
        let weight = other.weight.total_cmp(&self.weight);
        weight.then_with(|| (other.a, other.b).cmp(&(self.a, self.b)))
    }
}

struct Node {
    patches: PatchSet,
    area: f32,
    colour: [f32; 3],
    border: f32,
    /// Length and contrast of the contact with each neighbour.
    neighbours: HashMap<usize, (f32, f32)>,
    born: f32,
    died: f32,
    alive: bool,
}

fn weight(a: &Node, b: &Node, contrast: f32, likeness: Likeness) -> f32 {
    let colour = distance(a.colour, b.colour, likeness.lightness);
    let mixed = likeness.contact * contrast + (1.0 - likeness.contact) * colour;
    (mixed + 0.5) * a.area.min(b.area).powf(likeness.smallness)
}

/// All parts of the tree as candidates, scored by how long they lasted.
pub fn candidates(cut: &Superpixels, likeness: Likeness) -> Vec<Candidate> {
    let count = cut.patches.len();
    let mut nodes: Vec<Node> = (0..count)
        .map(|i| Node {
            patches: PatchSet::single(count, i),
            area: cut.patches[i].area,
            colour: cut.patches[i].colour,
            border: cut.patches[i].border,
            neighbours: HashMap::new(),
            born: 0.0,
            died: f32::INFINITY,
            alive: true,
        })
        .collect();
    let mut heap = BinaryHeap::new();
    for contact in &cut.contacts {
        let (a, b) = (contact.a, contact.b);
        nodes[a].neighbours.insert(b, (contact.length, contact.contrast));
        nodes[b].neighbours.insert(a, (contact.length, contact.contrast));
        heap.push(Joint { weight: weight(&nodes[a], &nodes[b], contact.contrast, likeness), a, b });
    }
    while let Some(Joint { weight: at, a, b }) = heap.pop() {
        if !(nodes[a].alive && nodes[b].alive) {
            continue;
        }
        let joined = join(&mut nodes, a, b, at);
        let new = nodes.len();
        let mut around: Vec<_> = joined.neighbours.iter().map(|(n, contact)| (*n, *contact)).collect();
        around.sort_by_key(|(neighbour, _)| *neighbour);
        for (neighbour, (length, contrast)) in around {
            let other = &mut nodes[neighbour];
            other.neighbours.remove(&a);
            other.neighbours.remove(&b);
            other.neighbours.insert(new, (length, contrast));
            heap.push(Joint { weight: weight(&joined, other, contrast, likeness), a: neighbour, b: new });
        }
        nodes.push(joined);
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
fn join(nodes: &mut [Node], a: usize, b: usize, at: f32) -> Node {
    let mut neighbours = std::mem::take(&mut nodes[a].neighbours);
    for (neighbour, (length, contrast)) in std::mem::take(&mut nodes[b].neighbours) {
        let entry = neighbours.entry(neighbour).or_insert((0.0, 0.0));
        let total = entry.0 + length;
        *entry = (total, (entry.0 * entry.1 + length * contrast) / total);
    }
    neighbours.remove(&a);
    neighbours.remove(&b);
    // weights may fall when parts grow alike: a joint is never born before its parts
    let born = at.max(nodes[a].born).max(nodes[b].born);
    for part in [a, b] {
        nodes[part].alive = false;
        nodes[part].died = born;
    }
    let (x, y) = (&nodes[a], &nodes[b]);
    let area = x.area + y.area;
    Node {
        patches: x.patches.union(&y.patches),
        area,
        colour: std::array::from_fn(|c| (x.colour[c] * x.area + y.colour[c] * y.area) / area),
        border: x.border + y.border,
        neighbours,
        born,
        died: f32::INFINITY,
        alive: true,
    }
}
