//! `Segmenter`: the whole method, in the order of its stages.
//!
//! Text changes rarely and frames constantly, so both are encoded apart: an [`EncodedCommand`] is computed once
//! for each command, an [`EncodedFrame`] once for each frame, and an [`Answer`] from both costs only the scoring.

use super::decision::{best_first, decide, decide_guided};
use super::encoded::{EncodedCommand, EncodedFrame, ProposedFrame};
use super::guidance::{Layout, OwnWords, WordBank};
use super::method::{check_guidance, check_method, supported_methods};
use super::reconfigure::{ConfigPreparer, PreparedConfig};
use super::scorer::{Scored, Scorer};
use super::stage::StageFingerprints;
use super::terms;
use super::text_features::TextFeatures;
use super::visual_features::{encode_places, FeatureKind, VisualFeatures};
use crate::answer::{Answer, FoundThing, ScoredProposal, StageTimes};
use crate::camera::DepthImage;
use crate::config::{AnswerSettings, Config, Crops, Method, TextSettings, VisualSettings};
use crate::device;
use crate::error::{Error, Result};
use crate::fingerprint::{FileDigest, Fingerprint};
use crate::image::Frame;
use crate::language::{Command, CommandParser, ParsedCommand, SpatialWords};
use crate::models::{self, Compute, ModelFamily};
use crate::proposals::{self, FrameInput, Proposal, ProposalGenerator};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

/// Raised when visual features of the same proposals come out otherwise.
const VISUAL_VERSION: u32 = 2;
/// Raised when features of the same image's places come out otherwise.
const PLACES_VERSION: u32 = 1;
/// Raised when text features of the same text come out otherwise.
const TEXT_VERSION: u32 = 3;

/// Proposals with their terms that an answer lists.
const LEADING: usize = 2;

/// A loaded model with its settings.
pub struct Segmenter {
    config: Config,
    compute: Compute,
    family: Arc<dyn ModelFamily>,
    parser: CommandParser,
    /// The words that descriptions are judged against; encoded when they are first needed.
    bank: OnceLock<WordBank>,
    /// Absent only after a change of weights failed and the old ones could not be loaded again either.
    generator: Mutex<Option<Box<dyn ProposalGenerator>>>,
}

impl Segmenter {
    /// Loads everything that the settings name.
    ///
    /// # Errors
    /// When the device, a model file or a label image can't be used.
    pub fn open(config: Config) -> Result<Segmenter> {
        proposals::check(&config.proposals)?;
        device::use_threads(config.threads)?;
        let compute = Compute { device: device::open(&config.device)?, dtype: config.dtype };
        let family = models::load(&config.model, &compute)?;
        check_method(config.method, &*family)?;
        check_guidance(&config, &*family)?;
        Ok(Segmenter {
            parser: CommandParser::open(&config.text)?,
            generator: Mutex::new(Some(proposals::open(&config.proposals, &compute)?)),
            compute,
            family,
            bank: OnceLock::new(),
            config,
        })
    }

    /// The settings in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The model.
    pub fn family(&self) -> &dyn ModelFamily {
        &*self.family
    }

    /// Where models compute.
    pub fn compute(&self) -> &Compute {
        &self.compute
    }

    /// The name of the device that computes.
    pub fn device_name(&self) -> String {
        device::name(&self.compute.device)
    }

    /// The name of the type that the model computes in.
    pub fn dtype_name(&self) -> &'static str {
        self.family.dtype().as_str()
    }

    /// The file that the model's weights came from.
    pub fn weights_file(&self) -> &Path {
        self.family.weights_file()
    }

    /// The SHA-256 of that file.
    pub fn weights_digest(&self) -> &FileDigest {
        self.family.weights_digest()
    }

    /// The methods that the model can do.
    pub fn methods(&self) -> Vec<Method> {
        supported_methods(&*self.family)
    }

    /// What judges other settings.
    pub fn preparer(&self) -> ConfigPreparer {
        ConfigPreparer { family: self.family.clone() }
    }

    /// Puts prepared settings in force. What needs other weights of proposals frees the old ones first.
    ///
    /// # Errors
    /// When new weights can't be loaded; the settings and weights before are in force again.
    pub fn apply(&mut self, prepared: PreparedConfig) -> Result<()> {
        let PreparedConfig { config, parser } = prepared;
        let generator = self.generator.get_mut().unwrap_or_else(PoisonError::into_inner);
        let fits = generator.as_mut().is_some_and(|generator| generator.reconfigure(&config.proposals));
        if !fits {
            *generator = None;
            match proposals::open(&config.proposals, &self.compute) {
                Ok(opened) => *generator = Some(opened),
                Err(error) => {
                    *generator = proposals::open(&self.config.proposals, &self.compute).ok();
                    return Err(error);
                }
            }
        }
        if let Some(parser) = parser {
            self.parser = parser;
        }
        if self.config.words != config.words {
            self.bank = OnceLock::new();
        }
        self.config = config;
        Ok(())
    }

    /// Puts another proposal generator in the place of the configured one.
    pub fn set_generator(&mut self, generator: Box<dyn ProposalGenerator>) {
        *self.generator() = Some(generator);
    }

    /// What each stage's results depend on now.
    pub fn fingerprints(&self) -> StageFingerprints {
        let generator = self.generator().as_ref().map(|generator| generator.fingerprint());
        let proposals = generator.unwrap_or_else(|| Fingerprint::of("no proposals", 1, &[]));
        let kind = FeatureKind::needed(&self.config);
        let visual = self.visual_fingerprint(&self.config, kind, &proposals);
        StageFingerprints {
            visual: match self.config.needs_heat() {
                true => Fingerprint::of("visual and places", PLACES_VERSION, &[visual.text()]),
                false => visual,
            },
            text: self.text_fingerprint(&self.parser, &self.config.text),
            terms: terms::fingerprint(&self.config),
            proposals,
        }
    }

    /// What visual features of this kind under these settings depend on beside the frame.
    pub fn visual_fingerprint(&self, config: &Config, kind: FeatureKind, proposals: &Fingerprint) -> Fingerprint {
        // the weight mixes features and makes none; which crops are encoded is decided when they are needed
        let (global_weight, blurred_weight, crops) = (0.0, 0.0, Crops::All);
        let settings = VisualSettings { global_weight, blurred_weight, crops, ..config.visual.clone() };
        let model = self.family.fingerprint();
        let hybrid = match kind {
            FeatureKind::Hybrid => format!(" {:?}", config.hybridgl),
            _ => String::new(),
        };
        let parts = [model.text(), proposals.text(), &format!("{kind:?} {settings:?}{hybrid}")];
        Fingerprint::of("visual", VISUAL_VERSION, &parts)
    }

    /// What text features by this parser in these wordings depend on beside the text.
    pub fn text_fingerprint(&self, parser: &CommandParser, text: &TextSettings) -> Fingerprint {
        let parts = [self.family.fingerprint(), parser.fingerprint().clone()];
        let words = format!("{:?} {:?}", self.config.words, text.templates);
        Fingerprint::of("text", TEXT_VERSION, &[parts[0].text(), parts[1].text(), &words])
    }

    /// What a score under these settings depends on beside the features.
    pub fn terms_fingerprint(&self, config: &Config) -> Fingerprint {
        terms::fingerprint(config)
    }

    /// The meaning of a command.
    pub fn parse(&self, command: &Command) -> ParsedCommand {
        self.parser.parse(command.text())
    }

    /// Parses and encodes a command.
    ///
    /// # Errors
    /// When the vocabulary can't express it or the device fails.
    pub fn encode_command(&self, command: &Command) -> Result<EncodedCommand> {
        let parsed = self.parse(command);
        let spatial = self.spatial_words(&parsed);
        let text = &self.config.text;
        self.encode_parsed(parsed, spatial, text, self.text_fingerprint(&self.parser, text))
    }

    /// What HybridGL hears of places in a parsed command.
    pub fn spatial_words(&self, parsed: &ParsedCommand) -> SpatialWords {
        self.parser.spatial_words(parsed)
    }

    /// The meaning of a command whose target is named beside the text.
    pub fn parse_with_target(&self, command: &Command, target: &str) -> ParsedCommand {
        self.parser.with_target(command.text(), target)
    }

    /// Encodes a command that was parsed before, in the wordings of `text`. `fingerprint` is [`Segmenter::text_fingerprint`] of its parser.
    ///
    /// # Errors
    /// As [`Segmenter::encode_command`].
    pub fn encode_parsed(
        &self,
        parsed: ParsedCommand,
        spatial: SpatialWords,
        text: &TextSettings,
        fingerprint: Fingerprint,
    ) -> Result<EncodedCommand> {
        let began = Instant::now();
        let features = TextFeatures::encode(&parsed.text, &parsed.target.phrase, &text.templates, &*self.family)?;
        let own_words = OwnWords::encode(&parsed, &self.config.words, &*self.family)?;
        let (hybrid, cut) = (OnceLock::new(), self.family.text_cut(&parsed.text));
        Ok(EncodedCommand { parsed, features, own_words, spatial, cut, hybrid, fingerprint, time: began.elapsed() })
    }

    /// Encodes a frame: proposals and their features.
    ///
    /// # Errors
    /// When the proposals do not fit the frame or the device fails.
    pub fn encode_frame(&self, input: &FrameInput) -> Result<EncodedFrame> {
        self.encode_proposed(input.frame, input.depth, self.propose(input)?)
    }

    /// A frame's proposals, the first half of [`Segmenter::encode_frame`]. One thread may propose for a frame while
    /// another encodes the one before.
    ///
    /// # Errors
    /// When the generator can't work on the frame.
    pub fn propose(&self, input: &FrameInput) -> Result<ProposedFrame> {
        let began = Instant::now();
        let fingerprint = self.fingerprints().visual;
        let mut generator = self.generator();
        let generator = generator.as_mut().ok_or_else(|| {
            Error::Proposals("no generator: its weights could not be loaded; set proposals again".into())
        })?;
        Ok(ProposedFrame { proposals: generator.propose(input)?, fingerprint, time: began.elapsed() })
    }

    /// The features of a frame's proposals, the second half of [`Segmenter::encode_frame`].
    ///
    /// # Errors
    /// When the method does not fit the model or the device fails.
    pub fn encode_proposed(
        &self,
        frame: &Frame,
        depth: Option<&DepthImage>,
        proposed: ProposedFrame,
    ) -> Result<EncodedFrame> {
        let began = Instant::now();
        let ProposedFrame { proposals, fingerprint, time: proposals_time } = proposed;
        let kind = FeatureKind::needed(&self.config);
        let encode = || self.encode_proposals(&self.config, kind, frame, &proposals);
        let features = (!proposals.is_empty()).then(encode).transpose()?;
        let heat = self.config.needs_heat() && !proposals.is_empty();
        let places = heat.then(|| self.encode_places(frame)).transpose()?;
        let layout = Layout::of(&proposals, depth);
        let features_time = began.elapsed();
        Ok(EncodedFrame { layout, proposals, features, places, fingerprint, proposals_time, features_time })
    }

    fn generator(&self) -> MutexGuard<'_, Option<Box<dyn ProposalGenerator>>> {
        // a generator that panicked keeps nothing that could be half changed
        self.generator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Encodes proposals of a frame under these settings. `proposals` is not empty.
    ///
    /// # Errors
    /// When the method does not fit the model or the device fails.
    pub fn encode_proposals(
        &self,
        config: &Config,
        kind: FeatureKind,
        frame: &Frame,
        proposals: &[Proposal],
    ) -> Result<VisualFeatures> {
        VisualFeatures::encode(frame, proposals, &*self.family, kind, config, &self.compute.device)
    }

    /// Features of an image's places, `[g * g, d]`, for the heat map of guidance hybridgl.
    ///
    /// # Errors
    /// When the model gives none or the device fails.
    pub fn encode_places(&self, frame: &Frame) -> Result<candle_core::Tensor> {
        encode_places(frame, &*self.family, &self.compute.device)
    }

    /// Scores the proposals of a frame for a command and decides.
    ///
    /// # Errors
    /// When the device fails.
    pub fn answer(&self, frame: &EncodedFrame, command: &EncodedCommand) -> Result<Answer> {
        self.answer_under(&self.config, frame, command, &self.config.answer)
    }

    /// As [`Segmenter::answer`], with thresholds of the caller's.
    ///
    /// # Errors
    /// As [`Segmenter::answer`].
    pub fn answer_with(
        &self,
        frame: &EncodedFrame,
        command: &EncodedCommand,
        thresholds: &AnswerSettings,
    ) -> Result<Answer> {
        self.answer_under(&self.config, frame, command, thresholds)
    }

    /// As [`Segmenter::answer`], under other settings of scoring than those in force.
    ///
    /// # Errors
    /// As [`Segmenter::answer`].
    pub fn answer_under(
        &self,
        config: &Config,
        frame: &EncodedFrame,
        command: &EncodedCommand,
        thresholds: &AnswerSettings,
    ) -> Result<Answer> {
        let began = Instant::now();
        let scorer = Scorer { config, family: &*self.family, bank: &self.bank, device: &self.compute.device };
        let Scored { guided, terms: scored, crops, crops_time } = scorer.score(frame, command, thresholds)?;
        let decision = match &guided {
            Some(guided) => decide_guided(&scored.total, guided, &command.parsed, &config.words, thresholds),
            None => decide(&scored.total, &frame.proposals, thresholds),
        };
        let best = decision.best.map(|best| best.index);
        let probability = scored.terms.iter().find(|(name, _)| *name == terms::PROBABILITY);
        let probability = probability.zip(best).map(|((_, values), best)| values[best]);
        let decision = decision.doubted(probability, thresholds);
        let scores = scored.total;
        let leading = best_first(&scores).into_iter().take(LEADING).map(|proposal| ScoredProposal {
            proposal,
            rect: frame.proposals[proposal].mask.bounding_box().unwrap_or_default(),
            score: scores[proposal],
            terms: scored.terms.iter().map(|(name, values)| (*name, values[proposal])).collect(),
        });
        let found = decision.found.iter().map(|proposal| FoundThing {
            proposal: *proposal,
            score: scores[*proposal],
            mask: frame.proposals[*proposal].mask.clone(),
        });
        let best = decision.best;
        Ok(Answer {
            status: decision.status,
            reason: command.reason_with_cut(decision.reason),
            target: command.parsed.target.phrase.clone(),
            reading: command.parsed.reading(),
            score: best.map_or(0.0, |best| best.score),
            margin: best.map_or(0.0, |best| best.margin.unwrap_or(best.score)),
            best: best.map(|best| best.index),
            found: found.collect(),
            leading: leading.collect(),
            by_depth: guided.as_ref().is_some_and(|guided| guided.by_depth),
            scores,
            crops,
            times: StageTimes {
                proposals: frame.proposals_time,
                visual_features: frame.features_time + crops_time,
                text_features: command.time,
                scoring: began.elapsed().saturating_sub(crops_time),
            },
        })
    }
}
