//! `Guided`: a command's meaning resolved on one frame.

use super::allowed::Allowed;
use super::appearance::Appearance;
use super::layout::Layout;
use super::resolve::{Reason, Resolved, Resolver};
use super::things::things;
use super::vocabulary::OwnWords;
use referseg_config::WordSettings;
use referseg_language::{Goal, ParsedCommand, Quantity};
use std::cell::{Cell, RefCell};

/// Probabilities below this count as this, so that logarithms stay finite.
const LEAST: f32 = 1e-9;

/// The things of a frame and how surely each is meant.
pub struct Guided {
    /// For each proposal, whether its features are numbers.
    numbers: Vec<bool>,
    /// The proposals that stand for themselves.
    pub things: Vec<usize>,
    /// The target over the things.
    pub resolved: Resolved,
    /// For each anchor of the destination, how surely each thing is it.
    pub destination: Vec<Vec<f32>>,
    /// Whether a distance or a height was judged by depth.
    pub by_depth: bool,
    /// The robot's frame, when a place was judged in it; else empty.
    pub reference_frame: String,
    /// For each description in the command, how surely each proposal looks like it, 0..1.
    pub looks: Vec<Vec<f32>>,
    /// How surely each proposal is a thing, 0..1.
    pub likely: Vec<f32>,
}

/// How many of an order's first are meant: "the three largest".
fn wanted(parsed: &ParsedCommand) -> usize {
    match parsed.quantity {
        Quantity::Exactly(count) | Quantity::Some(count) => count,
        Quantity::One | Quantity::Any | Quantity::All | Quantity::AllBut(_) => 1,
    }
}

impl Guided {
    /// Resolves a command on a frame, of whose proposals `similarities` are those of [`WordBank::similarities`].
    ///
    /// [`WordBank::similarities`]: super::WordBank::similarities
    pub fn new(
        similarities: Vec<Vec<f32>>,
        layout: &Layout,
        parsed: &ParsedCommand,
        own_words: &OwnWords,
        words: &WordSettings,
        logit_scale: f32,
        allowed: Option<&Allowed>,
    ) -> Guided {
        let appearance = Appearance::new(similarities, words, own_words, logit_scale, &layout.given);
        let numbers: Vec<bool> = (0..layout.outlines.len()).map(|i| !appearance.thing(i).is_nan()).collect();
        let things = things(numbers.len(), &appearance, layout);
        let likely = (0..numbers.len()).map(|i| appearance.thing(i)).collect();
        let (by_depth, looks) = (Cell::new(false), RefCell::new(Vec::new()));
        let (from_robot, by_robot) = (parsed.from_robot, Cell::new(false));
        let resolver =
            Resolver { things: &things, appearance: &appearance, layout, by_depth, from_robot, by_robot, looks };
        let resolved = resolver.resolve_allowed(&parsed.target, &parsed.withdrawn, wanted(parsed), allowed);
        let goal = parsed.destination.as_ref().map(|said| &said.goal);
        let anchors = goal.map_or(&[][..], Goal::anchors);
        let destination = anchors.iter().map(|anchor| resolver.resolve(anchor, &[], 1).fit).collect();
        let (by_depth, looks) = (resolver.by_depth.get(), resolver.looks.take());
        let robot = layout.robot.as_ref().filter(|_| resolver.by_robot.get());
        let reference_frame = robot.map_or_else(String::new, |robot| robot.frame_id.clone());
        Guided { numbers, things, resolved, destination, by_depth, reference_frame, looks, likely }
    }

    /// Proposals in the frame.
    pub fn proposals(&self) -> usize {
        self.numbers.len()
    }

    /// For each proposal the logarithm of the product of one reason's factors; the least there is where a proposal
    /// stands for no thing, no number where its features are none.
    pub fn log_product(&self, reason: Reason) -> Vec<f32> {
        let mut logs: Vec<f32> =
            self.numbers.iter().map(|number| if *number { LEAST.ln() } else { f32::NAN }).collect();
        for (thing, value) in self.things.iter().zip(self.resolved.product(reason)) {
            logs[*thing] = value.max(LEAST).ln();
        }
        logs
    }
}
