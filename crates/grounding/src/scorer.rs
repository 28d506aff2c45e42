//! `Scorer`: the scores of a frame's proposals for a command, with as few crops encoded as settings allow.

use super::crop_choice::{Claim, CropChoice};
use super::encoded::{EncodedCommand, EncodedFrame};
use super::guidance::{Guided, OwnWords, WordBank, WordBanks, SAME_THING};
use super::local_features::CropEncoder;
use super::terms::{self, TermInput, TermScores};
use super::visual_features::{FeatureWeights, VisualFeatures};
use candle_core::Tensor;
use referseg_config::{AnswerSettings, Config, Crops, Guidance};
use referseg_files::Result;
use referseg_models::device::Device;
use referseg_models::ModelFamily;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Probabilities below this count as this, so that logarithms stay finite.
const LEAST: f32 = 1e-9;
/// How far behind the likeliest a proposal may be, as a logarithm, and still be counted, ordered or refer to: a
/// fiftieth. Chosen with the constants of `crop_choice.rs` on the development set of docs/evaluation.md.
const REACH: f32 = 3.9;

/// The same for similarities, as a logit, beyond the margin that makes an answer ambiguous.
const SIMILARITY_REACH: f32 = 1.0;

/// What scores are made with.
pub struct Scorer<'a> {
    /// The settings of scoring.
    pub config: &'a Config,
    /// The model that made the features.
    pub family: &'a dyn ModelFamily,
    /// The words that descriptions are judged against.
    pub banks: &'a WordBanks,
    /// Where the model is.
    pub device: &'a Device,
}

/// The scores of a frame for a command.
pub struct Scored {
    /// The command's meaning on the frame, with guidance that asks for it.
    pub guided: Option<Guided>,
    /// All scores.
    pub terms: TermScores,
    /// Proposals whose crops the scores rest on; all of them where crops are not chosen.
    pub crops: usize,
    /// How long crops were encoded.
    pub crops_time: Duration,
}

impl Scorer<'_> {
    /// Scores all proposals. Which crops it rests on depends on the frame, the command and the thresholds alone, never on
    /// what was asked before.
    ///
    /// # Errors
    /// When the device fails.
    pub fn score(&self, frame: &EncodedFrame, command: &EncodedCommand, thresholds: &AnswerSettings) -> Result<Scored> {
        let n = frame.proposals.len();
        let Some(features) = frame.features.as_ref().filter(|_| n > 0) else {
            let terms = TermScores { total: Vec::new(), terms: Vec::new() };
            return Ok(Scored { guided: None, terms, crops: 0, crops_time: Duration::ZERO });
        };
        let (encoder, weights) = (self.crop_encoder(frame), self.weights());
        let adaptive =
            self.config.crops_in_force() == Crops::Adaptive && matches!(features, VisualFeatures::Both { .. });
        let mut crops: Vec<usize> = if adaptive { Vec::new() } else { (0..n).collect() };
        let mut choice = CropChoice::new(n);
        let mut crops_time = Duration::ZERO;
        loop {
            let began = Instant::now();
            let seen = match features {
                VisualFeatures::Map(_) => None,
                _ => Some(features.mixed(weights, &crops, &encoder)?),
            };
            crops_time += began.elapsed();
            let guided = seen.as_ref().map(|seen| self.guided(frame, command, seen)).transpose()?.flatten();
            let bank = (self.config.terms.generic != 0.0).then(|| self.bank()).transpose()?;
            let input = TermInput {
                frame,
                command,
                config: self.config,
                family: self.family,
                seen: seen.as_ref(),
                guided: guided.as_ref(),
                bank: bank.as_deref(),
            };
            let terms = terms::scores(&input)?;
            let next = match adaptive {
                true => choice.next(self.claims(frame, guided.as_ref(), &terms, thresholds)),
                false => Vec::new(),
            };
            if next.is_empty() {
                return Ok(Scored { guided, terms, crops: crops.len(), crops_time });
            }
            crops.extend(next);
        }
    }

    /// The command's meaning on a frame, where the settings ask for it.
    fn guided(&self, frame: &EncodedFrame, command: &EncodedCommand, seen: &Tensor) -> Result<Option<Guided>> {
        if self.config.guidance_in_force() != Guidance::Full {
            return Ok(None);
        }
        let bank = self.bank()?;
        let EncodedCommand { parsed, own_words, .. } = command;
        let similarities = bank.similarities(seen, own_words)?;
        let scale = self.family.logit_scale();
        let (words, allowed) = (&self.config.words, command.scope.on(&frame.proposals));
        Ok(Some(Guided::new(similarities, &frame.layout, parsed, own_words, words, scale, allowed.as_ref())))
    }

    /// Cosine similarities of all proposals with the bank's words; `None` for an empty frame, or a model without a feature for each.
    ///
    /// # Errors
    /// When the device fails.
    pub fn bank_similarities(&self, frame: &EncodedFrame) -> Result<Option<Vec<Vec<f32>>>> {
        let Some(features) = frame.features.as_ref().filter(|features| !matches!(features, VisualFeatures::Map(_)))
        else {
            return Ok(None);
        };
        let encoder = self.crop_encoder(frame);
        let all: Vec<usize> = (0..frame.proposals.len()).collect();
        let seen = features.mixed(self.weights(), &all, &encoder)?;
        Ok(Some(self.bank()?.similarities(&seen, &OwnWords::none())?))
    }

    fn crop_encoder<'f>(&'f self, frame: &'f EncodedFrame) -> CropEncoder<'f> {
        let batch = self.config.visual.batch;
        CropEncoder { proposals: &frame.proposals, family: self.family, batch, device: self.device }
    }

    fn weights(&self) -> FeatureWeights {
        FeatureWeights { global: self.config.global_weight_in_force(), blurred: self.config.visual.blurred_weight }
    }

    /// The words that descriptions are judged against.
    fn bank(&self) -> Result<Arc<WordBank>> {
        self.banks.of(&self.config.words, self.family)
    }

    /// What the proposals compete for.
    fn claims(
        &self,
        frame: &EncodedFrame,
        guided: Option<&Guided>,
        terms: &TermScores,
        thresholds: &AnswerSettings,
    ) -> Vec<Claim> {
        let Some(guided) = guided else {
            let scale = self.family.logit_scale();
            let logits = terms.total.iter().map(|score| score * scale).collect();
            return vec![Claim { logits, reach: thresholds.min_margin * scale + SIMILARITY_REACH }];
        };
        let claim = |looks: &Vec<f32>| {
            let n = looks.len();
            let log = |value: f32| value.max(LEAST).ln();
            // a proposal that may stand for a thing in the place of another claims what that one claims
            let logit = |i: usize| {
                let others = (0..n).filter(|j| *j != i && frame.layout.shared(i, *j) >= SAME_THING);
                let instead = others.map(|j| log(looks[j]) + (log(guided.likely[i]) - log(guided.likely[j])).min(0.0));
                instead.fold(log(looks[i]), f32::max)
            };
            Claim { logits: (0..n).map(logit).collect(), reach: REACH }
        };
        guided.looks.iter().map(claim).collect()
    }
}
