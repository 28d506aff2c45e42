//! `Variants`: the rows of a table as the segmenter can answer them, sharing generators, parsers and features.

use referseg_config::{Config, TextSettings, WordSettings};
use referseg_files::fingerprint::{of_texts, Fingerprint};
use referseg_files::Result;
use referseg_grounding::{check_guidance, check_method, EncodedCommand, FeatureKind, Segmenter};
use referseg_language::{Command, CommandParser};
use referseg_proposals::{self, FrameInput, Proposal, ProposalGenerator};
use std::path::PathBuf;

/// A row of the table: a name and the settings behind it.
pub struct Variant {
    /// As the table shows it.
    pub name: String,
    /// Its settings; the model and the device are the same in all rows.
    pub config: Config,
}

/// What a row's answers depend on, stage by stage.
pub struct Keys {
    /// Mask proposals.
    pub proposals: Fingerprint,
    /// The features that rows of other weights share.
    pub visual: Fingerprint,
    /// Which features these are.
    pub kind: FeatureKind,
    /// Parsing and text features, and every setting of the row.
    rest: [String; 2],
}

impl Keys {
    /// All of it in one hash.
    pub fn hash(&self) -> String {
        let [text, settings] = &self.rest;
        of_texts(&[self.proposals.text(), self.visual.text(), text, settings])[..16].into()
    }
}

/// What an encoded text depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct TextSetup {
    /// Without the weight, which mixes features and makes none.
    text: TextSettings,
    words: WordSettings,
}

impl TextSetup {
    /// Of a row's settings.
    pub fn of(config: &Config) -> TextSetup {
        TextSetup { text: TextSettings { sentence_weight: 0.0, ..config.text.clone() }, words: config.words.clone() }
    }
}

/// Every setting that answers may depend on, as text. Where files lie, the device and its threads do not count: weights have fingerprints of
/// their contents.
fn settings(config: &Config) -> String {
    let mut config = config.clone();
    config.model = PathBuf::new();
    config.proposals.sam.model = PathBuf::new();
    config.proposals.solo.model = PathBuf::new();
    config.text.parser_model = PathBuf::new();
    (config.device, config.threads) = (String::new(), 0);
    format!("{config:?}")
}

/// The generators, parsers and keys of all rows.
pub struct Variants {
    /// One for each set of weights; reconfigured for the row at hand.
    generators: Vec<Box<dyn ProposalGenerator>>,
    /// For each row, its generator; none with true masks.
    generator_of: Vec<Option<usize>>,
    /// For each way to read a text.
    parsers: Vec<(TextSetup, CommandParser, Fingerprint)>,
    /// For each row.
    pub keys: Vec<Keys>,
}

impl Variants {
    /// Opens what the rows need. With `truth` the targets are the proposals and no generator is opened.
    ///
    /// # Errors
    /// When a generator or parser can't be opened, or a row asks what the model can't do.
    pub fn open(rows: &[Variant], truth: bool, segmenter: &Segmenter) -> Result<Variants> {
        let mut generators: Vec<Box<dyn ProposalGenerator>> = Vec::new();
        let mut generator_of = Vec::new();
        let mut parsers: Vec<(TextSetup, CommandParser, Fingerprint)> = Vec::new();
        let mut keys = Vec::new();
        for Variant { config, .. } in rows {
            check_method(config.method, segmenter.family())?;
            check_guidance(config, segmenter.family())?;
            let settings = &config.proposals;
            let (generator, of_proposals) = if truth {
                (None, Fingerprint::of("truth", 1, &[]))
            } else {
                let known = generators.iter_mut().position(|generator| generator.reconfigure(settings));
                let index = match known {
                    Some(index) => index,
                    None => {
                        generators.push(referseg_proposals::open(settings, segmenter.compute())?);
                        generators.len() - 1
                    }
                };
                (Some(index), generators[index].fingerprint())
            };
            generator_of.push(generator);
            let setup = TextSetup::of(config);
            if !parsers.iter().any(|(known, ..)| *known == setup) {
                let opened = CommandParser::open(setup.text.parser, &setup.text.parser_model)?;
                let fingerprint = segmenter.text_fingerprint(&opened, &setup.text);
                parsers.push((setup.clone(), opened, fingerprint));
            }
            let text = parsers.iter().find(|(known, ..)| *known == setup).map(|(.., known)| known.text().to_string());
            let kind = FeatureKind::shareable(config);
            keys.push(Keys {
                visual: segmenter.visual_fingerprint(config, kind, &of_proposals),
                proposals: of_proposals,
                kind,
                rest: [text.unwrap_or_default(), self::settings(config)],
            });
        }
        Ok(Variants { generators, generator_of, parsers, keys })
    }

    /// A row's proposals; `None` when they are the true masks.
    ///
    /// # Errors
    /// When the generator fails.
    pub fn propose(&mut self, row: usize, config: &Config, input: &FrameInput) -> Result<Option<Vec<Proposal>>> {
        let Some(index) = self.generator_of[row] else { return Ok(None) };
        let generator = &mut self.generators[index];
        generator.reconfigure(&config.proposals); // it took these settings on when it was opened
        generator.propose(input).map(Some)
    }

    /// The encoded expression for every way to read it; none when it has no words.
    ///
    /// # Errors
    /// When it can't be encoded.
    pub fn encode(&self, segmenter: &Segmenter, text: &str) -> Result<Vec<(TextSetup, EncodedCommand)>> {
        let Ok(command) = Command::parse(text) else { return Ok(Vec::new()) };
        let encode = |(setup, parser, fingerprint): &(TextSetup, CommandParser, Fingerprint)| {
            let parsed = parser.parse(command.text());
            let spatial = parser.spatial_words(&parsed);
            let encoded = segmenter.encode_parsed(parsed, spatial, &setup.text, &setup.words, fingerprint.clone())?;
            Ok((setup.clone(), encoded))
        };
        self.parsers.iter().map(encode).collect()
    }
}
