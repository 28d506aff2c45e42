//! `Conversation`: what was asked and answered last, and what a text means in the light of it.

use referseg_answer::{Answer, Candidate, Status};
use referseg_files::Result;
use referseg_grounding::{EncodedCommand, EncodedFrame, Scope, Segmenter};
use referseg_image::Mask;
use referseg_language::{follow_up, Command, FollowUp, ParsedCommand};

/// Masks that are kept of objects that may be meant.
const MOST_AMONG: usize = 32;
/// Places that are kept of objects that were found: "put it back".
const MOST_PLACES: usize = 8;

/// The command that a conversation is about, and what its last answer showed.
#[derive(Clone, Debug)]
struct Topic {
    /// The command as far as it was understood when several objects were left.
    meant: ParsedCommand,
    /// The objects that the last question was about, from left to right.
    candidates: Vec<Candidate>,
    /// The objects that may be meant by more that is said: the candidates, or where none were asked about all that fitted at all.
    among: Vec<Mask>,
    /// What the last answer showed.
    shown: Option<Mask>,
    /// What was shown before and denied.
    denied: Vec<Mask>,
    is_found: bool,
}

/// The state of a conversation: one command, the masks of at most 16 candidates and 32 others, what was shown, and where the last 8
/// objects stood when they were found.
#[derive(Clone, Debug, Default)]
pub struct Conversation {
    topic: Option<Topic>,
    heard: Option<Heard>,
    /// Where objects stood when they were found, the latest last: what each was called, and its mask.
    places: Vec<(Option<String>, Mask)>,
}

/// The command heard last.
#[derive(Clone, Debug)]
struct Heard {
    /// What was talked about before it.
    before: Option<Topic>,
    /// What later follow-ups add to; `None` to leave it as it is.
    meant: Option<ParsedCommand>,
    denied: Vec<Mask>,
}

impl Conversation {
    /// What a text means now.
    ///
    /// # Errors
    /// As [`Segmenter::encode_command`].
    pub fn hear(&mut self, segmenter: &Segmenter, command: &Command) -> Result<EncodedCommand> {
        let Some(topic) = &self.topic else { return self.begin(segmenter, command) };
        let only = topic.among.clone();
        let shown: Vec<Mask> = topic.shown.iter().cloned().collect();
        let (parsed, scope, denied, is_narrowed) = match follow_up(command.text(), &topic.meant) {
            FollowUp::New(_) | FollowUp::Ended => return self.begin(segmenter, command),
            FollowUp::Refined(parsed) => (parsed, Scope { only, ..Scope::default() }, Vec::new(), true),
            FollowUp::Another(parsed) => {
                let is_same = parsed.target.noun == topic.meant.target.noun;
                let except: Vec<Mask> = match topic.is_found {
                    true => shown,
                    false => topic.denied.iter().cloned().chain(shown).collect(),
                };
                let only = if is_same { only } else { Vec::new() };
                (parsed, Scope { only, except: except.clone(), before: Vec::new() }, except, false)
            }
            FollowUp::Confirmed => {
                // one suggestion is meant by its own phrase: it is not all that was asked for
                let parsed = match &topic.candidates[..] {
                    [only] => segmenter.parse(&Command::parse(&only.phrase)?),
                    _ => topic.meant.clone(),
                };
                let meant = match &topic.candidates[..] {
                    [only] => vec![only.mask.clone()],
                    _ => shown,
                };
                (parsed, Scope { only: meant, ..Scope::default() }, Vec::new(), false)
            }
        };
        let before = self.topic.clone();
        self.heard = Some(Heard { before, meant: is_narrowed.then(|| parsed.clone()), denied });
        let mut encoded = segmenter.encode_meaning(parsed)?;
        encoded.scope = scope;
        encoded.scope.before = self.before(&encoded.parsed);
        Ok(encoded)
    }

    /// Where what a command means stood before, the latest first.
    fn before(&self, parsed: &ParsedCommand) -> Vec<Mask> {
        let is_meant = |noun: &Option<String>| parsed.target.noun.is_none() || *noun == parsed.target.noun;
        self.places.iter().rev().filter(|(noun, _)| is_meant(noun)).map(|(_, mask)| mask.clone()).collect()
    }

    fn begin(&mut self, segmenter: &Segmenter, command: &Command) -> Result<EncodedCommand> {
        self.topic = None;
        let mut encoded = segmenter.encode_command(command)?;
        encoded.scope.before = self.before(&encoded.parsed);
        self.heard = Some(Heard { before: None, meant: Some(encoded.parsed.clone()), denied: Vec::new() });
        Ok(encoded)
    }

    /// Takes note of an answer to the command heard last; of further ones on later frames, the last counts.
    pub fn answered(&mut self, segmenter: &Segmenter, frame: &EncodedFrame, answer: &Answer) {
        let Some(heard) = &self.heard else { return };
        let is_found = answer.status == Status::Found;
        // once an object is found, "the other one" is one of those that were left before
        let before = heard.before.clone();
        let meant = match (heard.meant.clone(), &before) {
            (Some(meant), None) => meant,
            (Some(meant), Some(_)) if answer.status == Status::Ambiguous => meant,
            (_, Some(before)) => before.meant.clone(),
            (None, None) => return,
        };
        let denied = heard.denied.clone();
        let (candidates, among) = match (&answer.question, before) {
            (Some(question), _) => {
                let masks = question.candidates.iter().map(|candidate| candidate.mask.clone()).collect();
                (question.candidates.clone(), masks)
            }
            (None, Some(before)) => (before.candidates, before.among),
            (None, None) => {
                // who then says "the left one" means one of several: less likely ones among them
                let least = segmenter.config().answer.min_score / 2.0;
                let fits = |i: &usize| answer.scores[*i] >= least;
                let fitting = (0..answer.scores.len()).filter(fits).take(MOST_AMONG);
                (Vec::new(), fitting.map(|i| frame.proposals[i].mask.clone()).collect())
            }
        };
        let shown = answer.best.filter(|_| is_found || answer.status == Status::Ambiguous);
        let shown = shown.map(|best| frame.proposals[best].mask.clone());
        if let Some(mask) = shown.as_ref().filter(|_| is_found) {
            let noun = meant.target.noun.clone();
            // as long as it stands there, its place is one
            if self.places.last().is_none_or(|(last, place)| *last != noun || place.iou(mask) < 0.5) {
                self.places.push((noun, mask.clone()));
                self.places.drain(..self.places.len().saturating_sub(MOST_PLACES));
            }
        }
        self.topic = Some(Topic { meant, candidates, among, shown, denied, is_found });
    }

    /// The state in one line; empty when there is none.
    pub fn state(&self) -> String {
        let Some(topic) = &self.topic else { return String::new() };
        let candidates: Vec<&str> = topic.candidates.iter().map(|candidate| candidate.phrase.as_str()).collect();
        let candidates = if candidates.is_empty() { "none".into() } else { candidates.join(", ") };
        let (denied, places) = (topic.denied.len(), self.places.len());
        format!("{}; candidates: {candidates}; {denied} denied; {places} places", topic.meant.reading())
    }
}
