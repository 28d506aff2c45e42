//! `Segmenter`: the whole method, in the order of its stages.
//!
//! Text changes rarely and frames constantly, so both are encoded apart: an [`EncodedCommand`] is computed once
//! for each command, an [`EncodedFrame`] once for each frame, and an [`Answer`] from both costs only the scoring.

use super::answer;
use super::encoded::{EncodedCommand, EncodedFrame, ProposedFrame, Scope};
use super::guidance::{Layout, OwnWords, WordBanks};
use super::mask_sources::MaskSources;
use super::method::{check_guidance, check_method, supported_methods};
use super::naming::{thing_names, ThingName};
use super::reconfigure::{ConfigPreparer, PreparedConfig};
use super::scorer::Scorer;
use super::stage::StageFingerprints;
use super::terms;
use super::text_features::TextFeatures;
use super::visual_features::{encode_places, FeatureKind, VisualFeatures};
use referseg_answer::Answer;
use referseg_camera::DepthImage;
use referseg_config::{
    AnswerSettings, Config, Crops, Guidance, Method, Refine, TextSettings, VisualSettings, WordSettings,
};
use referseg_files::fingerprint::{FileDigest, Fingerprint};
use referseg_files::Result;
use referseg_image::Frame;
use referseg_language::{Command, CommandParser, ParsedCommand, SpatialWords};
use referseg_models::device;
use referseg_models::{self, Compute, ModelFamily};
use referseg_proposals::{self, FrameInput, Proposal, ProposalGenerator};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Raised when visual features of the same proposals come out otherwise.
const VISUAL_VERSION: u32 = 2;
/// Raised when features of the same image's places come out otherwise.
const PLACES_VERSION: u32 = 1;
/// Raised when text features of the same text come out otherwise.
const TEXT_VERSION: u32 = 3;

/// A loaded model with its settings.
pub struct Segmenter {
    config: Config,
    compute: Compute,
    family: Arc<dyn ModelFamily>,
    parser: CommandParser,
    /// The words that descriptions are judged against; encoded when they are first needed.
    banks: WordBanks,
    masks: MaskSources,
}

impl Segmenter {
    /// Loads everything that the settings name.
    ///
    /// # Errors
    /// When the device, a model file or a label image can't be used.
    pub fn open(config: Config) -> Result<Segmenter> {
        referseg_proposals::check(&config.proposals)?;
        device::use_threads(config.threads)?;
        let compute = Compute { device: device::open(&config.device)?, dtype: config.dtype };
        let family = referseg_models::load(&config.model, &compute)?;
        Segmenter::on(config, compute, family)
    }

    /// With a model of the caller's instead of the one that the settings name.
    ///
    /// # Errors
    /// As [`Segmenter::open`], but for the model's files.
    pub fn with_family(config: Config, family: Arc<dyn ModelFamily>) -> Result<Segmenter> {
        referseg_proposals::check(&config.proposals)?;
        let compute = Compute { device: device::open(&config.device)?, dtype: config.dtype };
        Segmenter::on(config, compute, family)
    }

    fn on(config: Config, compute: Compute, family: Arc<dyn ModelFamily>) -> Result<Segmenter> {
        check_method(config.method, &*family)?;
        check_guidance(&config, &*family)?;
        Ok(Segmenter {
            parser: CommandParser::open(config.text.parser, &config.text.parser_model)?,
            masks: MaskSources::open(&config, &compute)?,
            compute,
            family,
            banks: WordBanks::default(),
            config,
        })
    }

    /// The settings in effect.
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

    /// Applies prepared settings. What needs other weights of proposals frees the old ones first.
    ///
    /// # Errors
    /// When new weights can't be loaded; the settings and weights before are in effect again.
    pub fn apply(&mut self, prepared: PreparedConfig) -> Result<()> {
        let PreparedConfig { config, parser } = prepared;
        self.masks.change(&self.config, &config, &self.compute)?;
        if let Some(parser) = parser {
            self.parser = parser;
        }
        if self.config.words != config.words {
            self.banks = WordBanks::default();
        }
        self.config = config;
        Ok(())
    }

    /// Puts another proposal generator in the place of the configured one.
    pub fn set_generator(&mut self, generator: Box<dyn ProposalGenerator>) {
        self.masks.set_generator(generator);
    }

    /// What each stage's results depend on now.
    pub fn fingerprints(&self) -> StageFingerprints {
        let proposals = self.masks.proposals_fingerprint();
        let kind = FeatureKind::needed(&self.config);
        let visual = self.visual_fingerprint(&self.config, kind, &proposals);
        StageFingerprints {
            visual: match self.config.needs_heat() {
                true => Fingerprint::of("visual and places", PLACES_VERSION, &[visual.text()]),
                false => visual,
            },
            text: self.text_fingerprint(&self.parser, &self.config.text),
            terms: self.terms_fingerprint(&self.config),
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
        match config.refine {
            Refine::Sam => Fingerprint::of(
                "terms and refined",
                1,
                &[terms::fingerprint(config).text(), &self.masks.refined(config)],
            ),
            Refine::None => terms::fingerprint(config),
        }
    }

    /// Loads what other settings than those in effect refine with.
    ///
    /// # Errors
    /// When its weights can't be used.
    pub fn open_refiner(&mut self, config: &Config) -> Result<()> {
        self.masks.open_refiner(config, &self.compute)
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
        self.encode_meaning(self.parse(command))
    }

    /// The spatial words of a parsed command that HybridGL evaluates.
    pub fn spatial_words(&self, parsed: &ParsedCommand) -> SpatialWords {
        self.parser.spatial_words(parsed)
    }

    /// The meaning of a command whose target is named beside the text.
    pub fn parse_with_target(&self, command: &Command, target: &str) -> ParsedCommand {
        self.parser.with_target(command.text(), target)
    }

    /// Encodes a command that was parsed before, in the wordings of `text`, to be judged against `words`. `fingerprint` is [`Segmenter::text_fingerprint`] of its parser.
    ///
    /// # Errors
    /// As [`Segmenter::encode_command`].
    pub fn encode_parsed(
        &self,
        parsed: ParsedCommand,
        spatial: SpatialWords,
        text: &TextSettings,
        words: &WordSettings,
        fingerprint: Fingerprint,
    ) -> Result<EncodedCommand> {
        let began = Instant::now();
        let features = TextFeatures::encode(&parsed.text, &parsed.target.phrase, &text.templates, &*self.family)?;
        let own_words = OwnWords::encode(&parsed, words, &*self.family)?;
        let (hybrid, cut) = (OnceLock::new(), self.family.text_cut(&parsed.text));
        let (others, scope, time) = (Vec::new(), Scope::default(), Duration::ZERO);
        let mut command =
            EncodedCommand { parsed, others, scope, features, own_words, spatial, cut, hybrid, fingerprint, time };
        let others = command.parsed.other_readings.iter();
        let others = others.map(|other| self.with_meaning(&command, other.parsed.clone(), words));
        command.others = others.collect::<Result<_>>()?;
        command.time = began.elapsed();
        Ok(command)
    }

    /// A command with another meaning, for guidance full, which does not use the features of the text: they stay as they are.
    fn with_meaning(
        &self,
        command: &EncodedCommand,
        parsed: ParsedCommand,
        words: &WordSettings,
    ) -> Result<EncodedCommand> {
        Ok(EncodedCommand {
            own_words: OwnWords::encode(&parsed, words, &*self.family)?,
            parsed,
            others: Vec::new(),
            scope: Scope::default(),
            features: command.features.clone(),
            spatial: command.spatial.clone(),
            cut: command.cut,
            hybrid: OnceLock::new(),
            fingerprint: command.fingerprint.clone(),
            time: Duration::ZERO,
        })
    }

    /// Encodes a meaning that comes from elsewhere than a text alone, such as a conversation.
    ///
    /// # Errors
    /// As [`Segmenter::encode_command`].
    pub fn encode_meaning(&self, parsed: ParsedCommand) -> Result<EncodedCommand> {
        let (spatial, text) = (self.spatial_words(&parsed), &self.config.text);
        self.encode_parsed(parsed, spatial, text, &self.config.words, self.text_fingerprint(&self.parser, text))
    }

    /// The answer to another meaning than `command`'s, for guidance full.
    ///
    /// # Errors
    /// As [`Segmenter::answer`].
    pub fn answer_meaning(
        &self,
        frame: &EncodedFrame,
        command: &EncodedCommand,
        parsed: ParsedCommand,
        thresholds: &AnswerSettings,
    ) -> Result<Answer> {
        let command = self.with_meaning(command, parsed, &self.config.words)?;
        answer::answer(&self.scorer(&self.config), frame, &command, thresholds)
    }

    /// Whether the meaning of commands decides (guidance full), with this method.
    pub fn has_full_guidance(&self) -> bool {
        self.config.guidance_in_force() == Guidance::Full
    }

    /// What the things of a frame are called, by the words of the bank.
    ///
    /// # Errors
    /// When the device fails.
    pub fn thing_names(&self, frame: &EncodedFrame) -> Result<Vec<ThingName>> {
        thing_names(&self.scorer(&self.config), frame)
    }

    fn scorer<'a>(&'a self, config: &'a Config) -> Scorer<'a> {
        Scorer { config, family: &*self.family, banks: &self.banks, device: &self.compute.device }
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
        Ok(ProposedFrame { proposals: self.masks.propose(input)?, fingerprint, time: began.elapsed() })
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
        let layout = Layout::of(&proposals, frame, depth);
        let features_time = began.elapsed();
        let (frame, view) = (frame.clone(), OnceLock::new());
        Ok(EncodedFrame {
            layout,
            proposals,
            features,
            places,
            frame,
            depth: depth.cloned(),
            view,
            fingerprint,
            proposals_time,
            features_time,
        })
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

    /// As [`Segmenter::answer`], under other settings of scoring than those in effect.
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
        let mut answer = answer::answer(&self.scorer(config), frame, command, thresholds)?;
        if config.refine == Refine::Sam {
            let began = Instant::now();
            for thing in &mut answer.found {
                if let Some(refined) = self.masks.refiner()?.refined(&frame.frame, &frame.view, &thing.mask, config)? {
                    (thing.mask, thing.refined) = (refined, true);
                }
            }
            answer.times.refinement = began.elapsed();
        }
        Ok(answer)
    }
}
