//! `Segmenter`: the whole method, in the order of its stages.
//!
//! Text changes rarely and frames constantly, so both are encoded apart: a [`Query`] is computed once
//! for each command, a [`Scene`] once for each frame, and an [`Answer`] from both costs only the scoring.

use crate::clip::{Clip, Tokenizer};
use crate::command::Command;
use crate::config::Config;
use crate::device;
use crate::error::Result;
use crate::frame::Frame;
use crate::mask::{BoundingBox, Mask};
use crate::noun_phrase::Extractor;
use crate::proposals::{self, Proposal, ProposeMasks};
use crate::scoring::{self, Status};
use crate::text_features::TextFeatures;
use crate::visual_features::VisualFeatures;
use candle_core::Device;
use std::time::{Duration, Instant};

/// A loaded model with its settings.
pub struct Segmenter {
    config: Config,
    device: Device,
    clip: Clip,
    tokenizer: Tokenizer,
    extractor: Extractor,
    proposer: Box<dyn ProposeMasks>,
}

/// An encoded command.
pub struct Query {
    /// The command's text.
    pub text: String,
    /// The noun phrase of the target.
    pub target: String,
    features: TextFeatures,
    /// How long the encoding took.
    pub time: Duration,
}

/// An encoded frame.
pub struct Scene {
    /// What was proposed.
    pub proposals: Vec<Proposal>,
    /// Absent without proposals.
    features: Option<VisualFeatures>,
    /// How long the proposals took.
    pub proposals_time: Duration,
    /// How long the visual features took.
    pub features_time: Duration,
}

/// What became of a query on a scene.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The outcome.
    pub status: Status,
    /// Why it is not `Found`; empty when it is.
    pub reason: String,
    /// Cosine similarity of the best proposal, -1..1; 0 without proposals.
    pub score: f32,
    /// Lead over the best other thing; the score itself when there is no other.
    pub margin: f32,
    /// The best proposal's index, whatever the status.
    pub best: Option<usize>,
    /// All scores, one for each proposal.
    pub scores: Vec<f32>,
    /// How long the scoring took.
    pub time: Duration,
}

impl Answer {
    /// The mask and box of the thing meant, in image pixels; `None` when nothing was found. When several
    /// things fit, it is the best of them.
    pub fn mask<'a>(&self, scene: &'a Scene) -> Option<(&'a Mask, BoundingBox)> {
        let shown = matches!(self.status, Status::Found | Status::Ambiguous);
        let best = self.best.filter(|_| shown)?;
        let mask = &scene.proposals[best].mask;
        Some((mask, mask.bounding_box()?))
    }
}

impl Segmenter {
    /// Loads everything that the settings name.
    ///
    /// # Errors
    /// When the device, a model file or a label image can't be used.
    pub fn open(config: Config) -> Result<Segmenter> {
        let device = device::open(&config.device)?;
        let clip = Clip::load(&config.model, &device)?;
        let (vocabulary, context) = (clip.text.vocabulary(), clip.text.context());
        Ok(Segmenter {
            tokenizer: Tokenizer::load(&config.model, vocabulary, context)?,
            extractor: Extractor::open(&config.text)?,
            proposer: proposals::open(&config.proposals)?,
            device,
            clip,
            config,
        })
    }

    /// The settings in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The settings, to change thresholds and weights between two frames. What names files or devices was
    /// opened already and changes nothing.
    pub fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    /// The name of the device that computes.
    pub fn device_name(&self) -> String {
        device::name(&self.device)
    }

    /// Puts another proposal generator in the place of the configured one.
    pub fn set_proposer(&mut self, proposer: Box<dyn ProposeMasks>) {
        self.proposer = proposer;
    }

    /// Encodes a command: target noun phrase, sentence and phrase features.
    ///
    /// # Errors
    /// When the vocabulary can't express it or the device fails.
    pub fn query(&self, command: &Command) -> Result<Query> {
        let target = self.extractor.target(command.text());
        self.query_for(command.text(), &target)
    }

    /// Encodes a sentence with a noun phrase found elsewhere.
    ///
    /// # Errors
    /// As [`Segmenter::query`].
    pub fn query_for(&self, sentence: &str, target: &str) -> Result<Query> {
        let began = Instant::now();
        let features = TextFeatures::encode(sentence, target, &self.clip.text, &self.tokenizer, &self.device)?;
        Ok(Query { text: sentence.into(), target: target.into(), features, time: began.elapsed() })
    }

    /// Encodes a frame: proposals, their global and local features.
    ///
    /// # Errors
    /// When the proposals do not fit the frame or the device fails.
    pub fn scene(&mut self, frame: &Frame) -> Result<Scene> {
        let began = Instant::now();
        let proposals = self.proposer.propose(frame)?;
        let proposed = Instant::now();
        let settings = &self.config.visual;
        let features = (!proposals.is_empty())
            .then(|| VisualFeatures::encode(frame, &proposals, &self.clip.vision, settings, &self.device))
            .transpose()?;
        Ok(Scene { proposals, features, proposals_time: proposed - began, features_time: proposed.elapsed() })
    }

    /// Mixes the features by their weights and scores the proposals of a scene against a query.
    ///
    /// # Errors
    /// When the device fails.
    pub fn answer(&self, scene: &Scene, query: &Query) -> Result<Answer> {
        let began = Instant::now();
        let scores = match &scene.features {
            Some(features) => scoring::similarities(
                &features.mixed(self.config.visual.global_weight)?,
                &query.features.mixed(self.config.text.sentence_weight)?,
            )?,
            None => Vec::new(),
        };
        let best = scoring::best(&scores, &scene.proposals);
        let (status, reason) = scoring::judge(best, &self.config.answer);
        Ok(Answer {
            status,
            reason,
            score: best.map_or(0.0, |best| best.score),
            margin: best.map_or(0.0, |best| best.margin.unwrap_or(best.score)),
            best: best.map(|best| best.index),
            scores,
            time: began.elapsed(),
        })
    }
}
