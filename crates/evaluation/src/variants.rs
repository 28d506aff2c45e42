//! `Variants`: the rows of a table as the segmenter can answer them, sharing generators, parsers and features.

use referseg_config::{Config, TextSettings};
use referseg_files::fingerprint::{of_texts, Fingerprint};
use referseg_files::Result;
use referseg_grounding::{check_guidance, check_method, EncodedCommand, FeatureKind, Segmenter};
use referseg_language::{Command, CommandParser};
use referseg_proposals::{self, FrameInput, Proposal, ProposalGenerator};

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
    /// Parsing and text features, terms.
    rest: [Fingerprint; 2],
}

impl Keys {
    /// All of it in one hash.
    pub fn hash(&self) -> String {
        let [text, terms] = &self.rest;
        of_texts(&[self.proposals.text(), self.visual.text(), text.text(), terms.text()])[..16].into()
    }
}

/// The settings that a text's features depend on: the weight mixes features and makes none.
pub fn unweighted(text: &TextSettings) -> TextSettings {
    TextSettings { sentence_weight: 0.0, ..text.clone() }
}

/// The generators, parsers and keys of all rows.
pub struct Variants {
    /// One for each set of weights; reconfigured for the row at hand.
    generators: Vec<Box<dyn ProposalGenerator>>,
    /// For each row, its generator; none with true masks.
    generator_of: Vec<Option<usize>>,
    /// For each way to read a text.
    parsers: Vec<(TextSettings, CommandParser, Fingerprint)>,
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
        let mut parsers: Vec<(TextSettings, CommandParser, Fingerprint)> = Vec::new();
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
            let settings = unweighted(&config.text);
            if !parsers.iter().any(|(known, ..)| *known == settings) {
                let opened = CommandParser::open(settings.parser, &settings.parser_model)?;
                let fingerprint = segmenter.text_fingerprint(&opened, &settings);
                parsers.push((settings.clone(), opened, fingerprint));
            }
            let text = parsers.iter().find(|(known, ..)| *known == settings).map(|(.., known)| known.clone());
            let kind = FeatureKind::shareable(config);
            keys.push(Keys {
                visual: segmenter.visual_fingerprint(config, kind, &of_proposals),
                proposals: of_proposals,
                kind,
                rest: [text.unwrap_or_else(|| Fingerprint::of("no text", 1, &[])), segmenter.terms_fingerprint(config)],
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

    /// The encoded expression for every way to read it, as [`unweighted`] settings; none when it has no words.
    ///
    /// # Errors
    /// When it can't be encoded.
    pub fn encode(&self, segmenter: &Segmenter, text: &str) -> Result<Vec<(TextSettings, EncodedCommand)>> {
        let Ok(command) = Command::parse(text) else { return Ok(Vec::new()) };
        let encode = |(settings, parser, fingerprint): &(TextSettings, CommandParser, Fingerprint)| {
            let parsed = parser.parse(command.text());
            let spatial = parser.spatial_words(&parsed);
            let encoded = segmenter.encode_parsed(parsed, spatial, settings, fingerprint.clone())?;
            Ok((settings.clone(), encoded))
        };
        self.parsers.iter().map(encode).collect()
    }
}
