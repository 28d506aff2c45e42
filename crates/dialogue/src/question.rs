//! Asking back: the question after an answer that found nothing for certain, with a phrase for each candidate.

use super::phrases::{phrases, Object};
use referseg_answer::{Answer, Candidate, Question, Status};
use referseg_config::AnswerSettings;
use referseg_files::Result;
use referseg_grounding::{EncodedCommand, EncodedFrame, Segmenter, ThingName};
use referseg_image::Rect;
use referseg_language::{Command, Constraint, Description, ParsedCommand, Quantity};

/// Candidates that a question names one by one; of more, the question asks for what divides them.
const MOST_NAMED: usize = 4;
/// Candidates that are listed at all.
const MOST_LISTED: usize = 16;

/// The frame, the command and the segmenter that a question is made with.
struct Asked<'a> {
    segmenter: &'a Segmenter,
    frame: &'a EncodedFrame,
    command: &'a EncodedCommand,
    names: Vec<ThingName>,
}

/// The question after an answer; `None` when it is `Found`, or nothing close is there. Needs guidance full.
///
/// # Errors
/// When the device fails.
pub fn ask_back(
    segmenter: &Segmenter,
    frame: &EncodedFrame,
    command: &EncodedCommand,
    answer: &Answer,
) -> Result<Option<Question>> {
    let parsed = &command.parsed;
    let is_asked = !parsed.forbidden && !parsed.taken_back && !parsed.names_nothing;
    let asks = matches!(answer.status, Status::Ambiguous | Status::NotFound) && is_asked;
    if !asks || !segmenter.has_full_guidance() {
        return Ok(None);
    }
    let asked = Asked { segmenter, frame, command, names: segmenter.thing_names(frame)? };
    if answer.status == Status::Ambiguous {
        let candidates = asked.candidates(&answer.rivals, &parsed.target, |proposal| answer.scores[proposal])?;
        return Ok(Some(Question { text: asked.which(&candidates, &parsed.target), candidates }));
    }
    asked.instead()
}

impl Asked<'_> {
    fn thresholds(&self) -> &AnswerSettings {
        &self.segmenter.config().answer
    }

    fn name(&self, proposal: usize) -> Option<&ThingName> {
        self.names.iter().find(|name| name.proposal == proposal)
    }

    /// The proposals as candidates from left to right, each with the first phrase that means it alone.
    fn candidates(
        &self,
        proposals: &[usize],
        said: &Description,
        score: impl Fn(usize) -> f32,
    ) -> Result<Vec<Candidate>> {
        let boxed = |proposal: &usize| Some((*proposal, self.frame.proposals[*proposal].mask.bounding_box()?));
        let mut placed: Vec<(usize, Rect)> = proposals.iter().filter_map(boxed).take(MOST_LISTED).collect();
        placed.sort_by_key(|(_, rect)| 2 * rect.x + rect.width);
        let objects: Vec<Object> =
            placed.iter().map(|(proposal, rect)| Object { name: self.name(*proposal), rect: *rect }).collect();
        let mut candidates = Vec::new();
        for (at, (proposal, rect)) in placed.iter().enumerate() {
            let mut phrase = String::new();
            for tried in phrases(said, &objects, at, self.frame, &self.names) {
                if self.means(&tried)? == Some(*proposal) {
                    phrase = tried;
                    break;
                }
            }
            let mask = self.frame.proposals[*proposal].mask.clone();
            candidates.push(Candidate { proposal: *proposal, rect: *rect, mask, score: score(*proposal), phrase });
        }
        Ok(candidates)
    }

    /// The proposal that a phrase alone means on this frame; `None` unless it is `Found`.
    fn means(&self, phrase: &str) -> Result<Option<usize>> {
        let parsed = self.segmenter.parse(&Command::parse(phrase)?);
        let answer = self.segmenter.answer_meaning(self.frame, self.command, parsed, self.thresholds())?;
        Ok(answer.best.filter(|_| answer.status == Status::Found))
    }

    /// Which of the candidates?
    fn which(&self, candidates: &[Candidate], said: &Description) -> String {
        let look = said.look();
        let phrases: Vec<&str> = candidates.iter().map(|candidate| candidate.phrase.as_str()).collect();
        if candidates.len() <= MOST_NAMED && phrases.iter().all(|phrase| !phrase.is_empty()) {
            return format!("Do you mean {}?", listed(&phrases));
        }
        let mut colours: Vec<&str> = Vec::new();
        for name in candidates.iter().filter_map(|candidate| self.name(candidate.proposal)) {
            if !colours.contains(&name.colour.as_str()) {
                colours.push(&name.colour);
            }
        }
        let (count, plural) = (candidates.len(), plural(&look));
        if colours.len() > 1 && said.attributes.is_empty() {
            return format!("I see {count} {plural}. Which colour: {}?", listed(&colours));
        }
        format!("I see {count} {plural}. Which one: on the left, in the middle or on the right?")
    }

    /// A question about what is close to a command that found nothing: without one of its looks, or without one of its relations.
    fn instead(&self) -> Result<Option<Question>> {
        let parsed = &self.command.parsed;
        for (relaxed, missing) in relaxed(parsed) {
            let answer = self.segmenter.answer_meaning(self.frame, self.command, relaxed.clone(), self.thresholds())?;
            let proposals: Vec<usize> = match answer.status {
                Status::Found => answer.best.into_iter().collect(),
                Status::Ambiguous if answer.rivals.len() <= MOST_NAMED => answer.rivals.clone(),
                _ => continue,
            };
            let candidates = self.candidates(&proposals, &relaxed.target, |proposal| answer.scores[proposal])?;
            let phrases: Vec<&str> = candidates.iter().map(|candidate| candidate.phrase.as_str()).collect();
            if phrases.is_empty() || phrases.iter().any(|phrase| phrase.is_empty()) {
                continue;
            }
            let text = format!("There is no {missing}. Do you mean {}?", listed(&phrases));
            return Ok(Some(Question { text, candidates }));
        }
        Ok(None)
    }
}

/// Commands that ask for less, the closest first, each with what is then missing.
fn relaxed(parsed: &ParsedCommand) -> Vec<(ParsedCommand, String)> {
    let mut found = Vec::new();
    let with = |target: Description| ParsedCommand {
        target,
        quantity: Quantity::One,
        other_readings: Vec::new(),
        ..parsed.clone()
    };
    let target = &parsed.target;
    for left_out in 0..target.attributes.len() {
        let mut less = target.clone();
        less.attributes.remove(left_out);
        found.push((with(less), target.look()));
    }
    for left_out in 0..target.constraints.len() {
        let mut less = target.clone();
        let dropped = less.constraints.remove(left_out);
        let missing = match &dropped {
            Constraint::Relation { .. } => format!("{} {}", target.look(), dropped.reading()),
            _ => continue, // a place or an order is not what is missing
        };
        found.push((with(less), missing));
    }
    if target.attributes.len() > 1 {
        let less = Description { attributes: Vec::new(), ..target.clone() };
        found.push((with(less), target.look()));
    }
    found
}

/// "a, b or c".
fn listed(items: &[&str]) -> String {
    match items {
        [] => String::new(),
        [only] => (*only).to_string(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A noun phrase in the plural.
fn plural(look: &str) -> String {
    match look {
        _ if look.ends_with(['s', 'x', 'z']) || look.ends_with("ch") || look.ends_with("sh") => format!("{look}es"),
        _ if look.ends_with("fe") => format!("{}ves", &look[..look.len() - 2]),
        _ if look.ends_with('f') => format!("{}ves", &look[..look.len() - 1]),
        _ => format!("{look}s"),
    }
}
