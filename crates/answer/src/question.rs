//! `Question`: what to ask after an answer that found nothing for certain, with the candidates that it is about.

use referseg_image::{Mask, Rect};

/// An object that a command may mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Index of its proposal.
    pub proposal: usize,
    /// Its box, image pixels.
    pub rect: Rect,
    /// Its pixels.
    pub mask: Mask,
    /// Its score for the command.
    pub score: f32,
    /// A phrase that means it alone: asked on this frame, it is `Found` there. Empty where none was found.
    pub phrase: String,
}

/// What to ask.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// "Do you mean the red mug or the mug on the left?"
    pub text: String,
    /// The objects that it is about, from left to right.
    pub candidates: Vec<Candidate>,
}
