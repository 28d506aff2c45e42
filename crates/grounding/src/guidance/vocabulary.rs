//! `WordBank`: the words that descriptions are judged against, as features, and a command's own words beside them.
//!
//! "Is it a mug?" is asked as "is it a mug rather than a box, a ball, ... or no thing at all?": a softmax over the bank.
//! It needs no threshold on a cosine, whose level differs from model to model.

use candle_core::{DType, Tensor};
use referseg_config::WordSettings;
use referseg_files::Result;
use referseg_language::{Constraint, Description, Order, ParsedCommand};
use referseg_models::tensor_math::l2_normalize;
use referseg_models::ModelFamily;
use std::sync::{Arc, Mutex, PoisonError};

/// Words for a thing of which nothing is said.
const THING: &str = "thing";

/// The bank's words as unit features: nouns, colours, and what is no thing, in this order.
pub struct WordBank {
    features: Tensor,
}

/// The banks of all settings that were used, each encoded when it is first needed: the rows of a table may have other words.
#[derive(Default)]
pub struct WordBanks(Mutex<Vec<(WordSettings, Arc<WordBank>)>>);

impl WordBanks {
    /// The bank of these settings.
    ///
    /// # Errors
    /// When the vocabulary can't express a word or the device fails.
    pub fn of(&self, settings: &WordSettings, family: &dyn ModelFamily) -> Result<Arc<WordBank>> {
        let mut banks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bank)) = banks.iter().find(|(known, _)| known == settings) {
            return Ok(bank.clone());
        }
        let bank = Arc::new(WordBank::encode(settings, family)?);
        banks.push((settings.clone(), bank.clone()));
        Ok(bank)
    }
}

/// A command's words that are not in the bank, as unit features, in the order of `texts`.
pub struct OwnWords {
    /// What was encoded, without the template.
    pub texts: Vec<String>,
    features: Option<Tensor>,
}

fn templated(settings: &WordSettings, word: &str) -> String {
    settings.template.replace("{}", word)
}

fn colour_text(colour: &str) -> String {
    format!("{colour} {THING}")
}

impl WordBank {
    /// Encodes the bank.
    ///
    /// # Errors
    /// When the model can't encode a word or the device fails.
    pub fn encode(settings: &WordSettings, family: &dyn ModelFamily) -> Result<WordBank> {
        let colours: Vec<String> = settings.colours.iter().map(|colour| colour_text(colour)).collect();
        let words = settings.nouns.iter().chain(&colours).chain(&settings.nothing);
        let texts: Vec<String> = words.map(|word| templated(settings, word)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(WordBank { features: l2_normalize(&family.encode_texts(&texts)?)? })
    }

    /// The mean of the nouns' unit features, `[d]`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn mean_noun(&self, settings: &WordSettings) -> Result<Tensor> {
        Ok(self.features.narrow(0, 0, settings.nouns.len())?.mean(0)?)
    }

    /// Cosine similarities of `visual` features `[n, d]` with the bank's words and a command's own: `[n]` rows, the bank
    /// first.
    ///
    /// # Errors
    /// When the device fails.
    pub fn similarities(&self, visual: &Tensor, own: &OwnWords) -> Result<Vec<Vec<f32>>> {
        let words = match &own.features {
            Some(own) => Tensor::cat(&[&self.features, own], 0)?,
            None => self.features.clone(),
        };
        Ok(l2_normalize(visual)?.matmul(&words.t()?)?.to_dtype(DType::F32)?.to_vec2()?)
    }
}

impl OwnWords {
    /// Encodes what a command says beside the bank's words.
    ///
    /// # Errors
    /// When the model can't encode a word or the device fails.
    pub fn encode(parsed: &ParsedCommand, settings: &WordSettings, family: &dyn ModelFamily) -> Result<OwnWords> {
        let mut texts = Vec::new();
        for description in descriptions(parsed) {
            for text in own_texts(description, settings) {
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
        }
        if texts.is_empty() {
            return Ok(OwnWords { texts, features: None });
        }
        let written: Vec<String> = texts.iter().map(|text| templated(settings, text)).collect();
        let written: Vec<&str> = written.iter().map(String::as_str).collect();
        let features = l2_normalize(&family.encode_texts(&written)?)?;
        Ok(OwnWords { texts, features: Some(features) })
    }

    /// No words beside the bank's.
    pub fn none() -> OwnWords {
        OwnWords { texts: Vec::new(), features: None }
    }

    /// Where a text stands in the rows of [`WordBank::similarities`].
    pub fn column(&self, text: &str, settings: &WordSettings) -> Option<usize> {
        let bank = settings.nouns.len() + settings.colours.len() + settings.nothing.len();
        self.texts.iter().position(|own| own == text).map(|at| bank + at)
    }
}

/// How a noun is judged.
#[derive(Debug, PartialEq)]
pub enum NounIs<'a> {
    /// One or more of the bank's nouns, by number.
    InBank(Vec<usize>),
    /// A word of the command's own.
    Own(&'a str),
    /// A colour of the bank by number, where the model does not know what else has this name: "the orange".
    Colour(usize),
    /// A word that the model does not know.
    Unknown,
}

/// Finds a noun in the bank: itself, its synonyms, and for closed vocabularies its last word.
pub fn look_up<'a>(noun: &'a str, settings: &WordSettings) -> NounIs<'a> {
    let number = |word: &str| settings.nouns.iter().position(|noun| noun.eq_ignore_ascii_case(word));
    if let Some(number) = number(noun) {
        return NounIs::InBank(vec![number]);
    }
    if let Some(others) = settings.synonyms.get(noun) {
        return NounIs::InBank(others.iter().filter_map(|other| number(other)).collect());
    }
    match (settings.closed, noun.rsplit_once(' ')) {
        (false, _) => NounIs::Own(noun),
        (true, Some((_, last))) => look_up(last, settings),
        (true, None) => colour_number(noun, settings).map_or(NounIs::Unknown, NounIs::Colour),
    }
}

/// The number of a colour in the bank.
pub fn colour_number(word: &str, settings: &WordSettings) -> Option<usize> {
    let word = if word == "grey" { "gray" } else { word };
    settings.colours.iter().position(|colour| colour == word || colour == "grey" && word == "gray")
}

/// Words of a command for looks that a closed vocabulary has no text for, in the order of the command: they have no effect.
pub fn unknown_looks(parsed: &ParsedCommand, settings: &WordSettings) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    if settings.closed {
        for description in descriptions(parsed) {
            let looks = description.attributes.iter().flat_map(|look| look.split(" or "));
            let looks = looks.filter(|word| colour_number(word, settings).is_none());
            // of a compound noun that the bank does not have only its last word is judged: "upside-down mug"
            let noun = description.noun.as_deref().filter(|noun| !settings.nouns.iter().any(|known| known == noun));
            let noun = noun.filter(|noun| !settings.synonyms.contains_key(*noun));
            let before = noun.and_then(|noun| noun.rsplit_once(' ')).map(|(before, _)| before);
            for word in looks.chain(before).chain(description.details.iter().map(String::as_str)) {
                if !found.iter().any(|known| known == word) {
                    found.push(word.to_string());
                }
            }
        }
    }
    found
}

/// The texts that judge what the bank can't: a noun, and pairs with and without an attribute or a detail.
fn own_texts(description: &Description, settings: &WordSettings) -> Vec<String> {
    let mut texts = Vec::new();
    if let Some(noun) = &description.noun {
        if let NounIs::Own(noun) = look_up(noun, settings) {
            texts.push(noun.to_string());
        }
    }
    let noun = description.noun.as_deref().unwrap_or(THING);
    if settings.closed {
        return texts;
    }
    let lacked = description.constraints.iter().filter_map(|constraint| match constraint {
        Constraint::Lacks(look) => Some(look),
        _ => None,
    });
    for attribute in description.attributes.iter().chain(lacked).flat_map(|look| look.split(" or ")) {
        if colour_number(attribute, settings).is_none() {
            texts.extend([format!("{attribute} {noun}"), noun.to_string()]);
        }
    }
    for detail in &description.details {
        texts.extend([format!("{noun} {detail}"), noun.to_string()]);
    }
    texts
}

/// All descriptions in a command, anchors and exclusions included.
fn descriptions(parsed: &ParsedCommand) -> Vec<&Description> {
    let goal = parsed.destination.iter().flat_map(|said| said.goal.anchors());
    let mut open: Vec<&Description> = std::iter::once(&parsed.target).chain(&parsed.withdrawn).chain(goal).collect();
    let mut found = Vec::new();
    while let Some(description) = open.pop() {
        found.push(description);
        open.extend(&description.alternatives);
        for constraint in &description.constraints {
            match constraint {
                Constraint::Relation { anchors, .. } => open.extend(anchors),
                Constraint::Except(other) | Constraint::Likeness { anchor: other, .. } => open.push(other),
                Constraint::Order { by: Order::NearestTo(anchor) | Order::FarthestFrom(anchor), .. } => {
                    open.push(anchor)
                }
                _ => {}
            }
        }
    }
    found
}
