//! `Segmenter`: the whole method, in the order of its stages.
//!
//! Text changes rarely and frames constantly, so both are encoded apart: a [`Query`] is computed once
//! for each command, a [`Scene`] once for each frame, and an [`Answer`] from both costs only the scoring.

use crate::clip::{Clip, Tokenizer, VisionEncoder};
use crate::command::Command;
use crate::config::{AnswerSettings, Config, Method, ResNetNorms};
use crate::device;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::heat;
use crate::mask::{BoundingBox, Mask};
use crate::noun_phrase::Extractor;
use crate::proposals::{self, Proposal, ProposeMasks};
use crate::scoring::{self, Status};
use crate::text_features::TextFeatures;
use crate::visual_features::{self, VisualFeatures};
use candle_core::Device;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A loaded model with its settings.
pub struct Segmenter {
    config: Config,
    device: Device,
    clip: Arc<Clip>,
    tokenizer: Tokenizer,
    extractor: Extractor,
    proposer: Box<dyn ProposeMasks>,
}

/// What a segmenter is at work on, in the order of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// No frame to work on yet.
    Waiting,
    /// The camera's bytes become pixels.
    Decoding,
    /// Regions are proposed.
    Proposals,
    /// The proposals are encoded.
    Features,
    /// The command is encoded and the proposals are scored.
    Scoring,
}

/// What can judge and prepare other settings while the segmenter is at work elsewhere.
#[derive(Clone)]
pub struct Fitter {
    device: Device,
    clip: Arc<Clip>,
}

/// Other settings with what had to be opened for them, ready to be put in force between two frames.
pub struct Change {
    config: Config,
    proposer: Option<Box<dyn ProposeMasks>>,
    extractor: Option<Extractor>,
}

impl Fitter {
    /// Checks settings against the loaded model and opens what they name newly.
    ///
    /// # Errors
    /// When the method does not fit the model, a file can't be used, or another model or device is named.
    pub fn prepare(&self, current: &Config, config: Config) -> Result<Change> {
        if (&current.model, &current.device) != (&config.model, &config.device) {
            return Err(Error::config("model, device", "are loaded once; expected those in force"));
        }
        visual_features::check(config.method, &self.clip.vision)?;
        let proposes = current.proposals != config.proposals;
        let proposer = proposes.then(|| proposals::open(&config.proposals, &self.device)).transpose()?;
        let parser = |config: &Config| (config.text.parser, config.text.parser_model.clone());
        let parses = parser(current) != parser(&config);
        let extractor = parses.then(|| Extractor::open(&config.text)).transpose()?;
        Ok(Change { config, proposer, extractor })
    }
}

/// What a change makes worthless of what was encoded before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale {
    /// Encoded frames.
    pub scenes: bool,
    /// Encoded commands.
    pub queries: bool,
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

impl Scene {
    /// A scene whose proposals and features were computed before; features are absent without proposals.
    pub fn of(proposals: Vec<Proposal>, features: Option<VisualFeatures>) -> Scene {
        Scene { proposals, features, proposals_time: Duration::ZERO, features_time: Duration::ZERO }
    }
}

/// What became of a query on a scene.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The outcome.
    pub status: Status,
    /// Why it is not `Found`; empty when it is.
    pub reason: String,
    /// Score of the best proposal, a cosine similarity in -1..1 (but for heat maps and `resnet_norms: paper`,
    /// which have scales of their own); 0 without proposals.
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
        visual_features::check(config.method, &clip.vision)?;
        let (vocabulary, context) = (clip.text.vocabulary(), clip.text.context());
        Ok(Segmenter {
            tokenizer: Tokenizer::load(&config.model, vocabulary, context)?,
            extractor: Extractor::open(&config.text)?,
            proposer: proposals::open(&config.proposals, &device)?,
            device,
            clip: Arc::new(clip),
            config,
        })
    }

    /// The settings in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What prepares a [`Change`].
    pub fn fitter(&self) -> Fitter {
        Fitter { device: self.device.clone(), clip: self.clip.clone() }
    }

    /// Puts prepared settings in force.
    pub fn apply(&mut self, change: Change) -> Stale {
        let Change { config, proposer, extractor } = change;
        let (old, new) = (&self.config, &config);
        let scenes = (old.method, &old.visual, &old.proposals) != (new.method, &new.visual, &new.proposals);
        let queries = extractor.is_some();
        if let Some(proposer) = proposer {
            self.proposer = proposer;
        }
        if let Some(extractor) = extractor {
            self.extractor = extractor;
        }
        self.config = config;
        Stale { scenes, queries }
    }

    /// Puts other settings in force: method, weights, preprocessing, thresholds. What names files or devices was
    /// opened already and changes nothing.
    ///
    /// # Errors
    /// When the method does not fit the model; the settings stay as they were.
    pub fn set_config(&mut self, config: Config) -> Result<()> {
        visual_features::check(config.method, &self.clip.vision)?;
        self.config = config;
        Ok(())
    }

    /// The methods that the model can do.
    pub fn methods(&self) -> Vec<Method> {
        let all = Method::NAMES.iter().map(|(_, method)| *method);
        all.filter(|method| visual_features::check(*method, &self.clip.vision).is_ok()).collect()
    }

    /// The device that computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The file that the model's weights came from.
    pub fn weights_file(&self) -> &Path {
        &self.clip.weights_file
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
        self.query_for(command.text(), &self.target(command))
    }

    /// The noun phrase of the thing that a command means.
    pub fn target(&self, command: &Command) -> String {
        self.extractor.target(command.text())
    }

    /// Encodes a sentence with a noun phrase found elsewhere.
    ///
    /// # Errors
    /// As [`Segmenter::query`].
    pub fn query_for(&self, sentence: &str, target: &str) -> Result<Query> {
        let began = Instant::now();
        let (encoder, tokenizer, unit) = (&self.clip.text, &self.tokenizer, self.resnet());
        let features = TextFeatures::encode(sentence, target, encoder, tokenizer, unit, &self.device)?;
        Ok(Query { text: sentence.into(), target: target.into(), features, time: began.elapsed() })
    }

    /// Encodes a frame: proposals, their global and local features.
    ///
    /// # Errors
    /// When the proposals do not fit the frame or the device fails.
    pub fn scene(&mut self, frame: &Frame) -> Result<Scene> {
        let all_of_it = self.scene_while(frame, |_| true)?;
        all_of_it.ok_or_else(|| Error::Image("given up before it was encoded, this is a bug".into()))
    }

    /// As [`Segmenter::scene`], but asks `go_on` before each stage; `None` when it said no.
    ///
    /// # Errors
    /// As [`Segmenter::scene`].
    pub fn scene_while(&mut self, frame: &Frame, mut go_on: impl FnMut(Stage) -> bool) -> Result<Option<Scene>> {
        if !go_on(Stage::Proposals) {
            return Ok(None);
        }
        let began = Instant::now();
        let proposals = self.proposer.propose(frame)?;
        let proposed = Instant::now();
        if !go_on(Stage::Features) {
            return Ok(None);
        }
        let features = (!proposals.is_empty()).then(|| self.visual_features(frame, &proposals)).transpose()?;
        Ok(Some(Scene { proposals, features, proposals_time: proposed - began, features_time: proposed.elapsed() }))
    }

    /// Mixes the features by their weights and scores the proposals of a scene against a query.
    ///
    /// # Errors
    /// When the device fails.
    pub fn answer(&self, scene: &Scene, query: &Query) -> Result<Answer> {
        self.answer_by(scene, query, &self.config.answer)
    }

    /// As [`Segmenter::answer`], with thresholds of the caller's.
    ///
    /// # Errors
    /// When the device fails.
    pub fn answer_by(&self, scene: &Scene, query: &Query, settings: &AnswerSettings) -> Result<Answer> {
        let began = Instant::now();
        let scores = match &scene.features {
            Some(features) => self.scores(features, &scene.proposals, query)?,
            None => Vec::new(),
        };
        let best = scoring::best(&scores, &scene.proposals);
        let (status, reason) = scoring::judge(best, settings);
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

    /// Encodes proposals of a frame by the method in force. `proposals` is not empty.
    ///
    /// # Errors
    /// When the method does not fit the model or the device fails.
    pub fn visual_features(&self, frame: &Frame, proposals: &[Proposal]) -> Result<VisualFeatures> {
        VisualFeatures::encode(frame, proposals, &self.clip.vision, &self.config, &self.device)
    }

    fn resnet(&self) -> bool {
        matches!(self.clip.vision, VisionEncoder::ResNet(_))
    }

    /// How well each proposal fits a query, by the method in force.
    fn scores(&self, features: &VisualFeatures, proposals: &[Proposal], query: &Query) -> Result<Vec<f32>> {
        let Config { method, visual, text, .. } = &self.config;
        // the paper's baselines know no noun phrase
        let sentence_weight = if *method == Method::GlobalLocal { text.sentence_weight } else { 1.0 };
        let words = query.features.mixed(sentence_weight)?;
        if let (VisualFeatures::Map(map), VisionEncoder::ResNet(encoder)) = (features, &self.clip.vision) {
            return Ok(match method {
                Method::GradCam => {
                    heat::inside(&heat::grad_cam(encoder, map, &words, self.clip.logit_scale)?, false, proposals)
                }
                _ => heat::inside(&heat::score_map(encoder, map, &words)?, true, proposals),
            });
        }
        let global_weight = if *method == Method::Cropping { 0.0 } else { visual.global_weight };
        let seen = features.mixed(global_weight)?;
        let as_long_as_they_come = self.resnet() && visual.resnet_norms == ResNetNorms::Paper;
        Ok(match as_long_as_they_come {
            true => scoring::products(&seen, &words)?,
            false => scoring::similarities(&seen, &words)?,
        })
    }
}
