//! The decision: the best proposals by their scores, the margin, and the status that follows, with its reason.

use super::guidance::{look_up, unknown_looks, Guided, NounIs};
use referseg_answer::Status;
use referseg_config::{AnswerSettings, WordSettings};
use referseg_language::{is_colour, ParsedCommand, Quantity};
use referseg_proposals::Proposal;

/// The best proposal and its margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestProposal {
    /// Index of the proposal.
    pub index: usize,
    /// Its score.
    pub score: f32,
    /// Its margin over the best proposal of another thing; `None` when there is no other thing.
    pub margin: Option<f32>,
}

/// Part of the smaller of two proposals that must be shared for both to count as one thing.
const SAME_THING: f32 = 0.6;

/// Probability below which an anchor counts as missing.
const MISSING: f32 = 0.2;

/// The proposals by their scores `[n]`, best first, ties in their order; scores that are no numbers are left out.
pub fn best_first(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).filter(|i| !scores[*i].is_nan()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    order
}

/// The proposal with the highest score, ties to the first; `None` without proposals. Scores that are no
/// numbers are never best. A proposal that mostly overlaps the best is the same thing seen otherwise (a
/// part, a rim, a shadow included), not a rival.
pub fn best_proposal(scores: &[f32], proposals: &[Proposal]) -> Option<BestProposal> {
    let order = best_first(scores);
    let (&index, others) = order.split_first()?;
    let area = |i: usize| proposals[i].mask.area();
    let rival = others.iter().find(|other| {
        let shared = proposals[index].mask.intersection(&proposals[**other].mask);
        (shared as f32) < SAME_THING * area(index).min(area(**other)) as f32
    });
    let margin = rival.map(|rival| scores[index] - scores[*rival]);
    Some(BestProposal { index, score: scores[index], margin })
}

/// What the thresholds make of the best proposal, where so many are meant. How many things fit is not known here: whether a number
/// that was asked for is reached is decided with all scores.
pub fn status_by_thresholds(best: BestProposal, quantity: Quantity, settings: &AnswerSettings) -> Status {
    let is_rivalled = best.margin.is_some_and(|margin| margin < settings.min_margin);
    match quantity {
        _ if best.score < settings.min_score => Status::NotFound,
        Quantity::One if is_rivalled => Status::Ambiguous,
        _ => Status::Found,
    }
}

/// The status of the best of `proposals` proposals and the reason for it, in words.
fn decide_status(best: Option<BestProposal>, proposals: usize, settings: &AnswerSettings) -> (Status, String) {
    let Some(best) = best else {
        if proposals == 0 {
            return (Status::NotFound, "no proposals in this frame".into());
        }
        let reason = format!(
            "all {proposals} scores are NaN; the model's weights are damaged, or their dtype does not suit this device"
        );
        return (Status::Error, reason);
    };
    let status = status_by_thresholds(best, Quantity::One, settings);
    let reason = match status {
        Status::NotFound => {
            format!("best score {:.3} is below answer.min_score {:.3}", best.score, settings.min_score)
        }
        Status::Ambiguous => format!(
            "another thing scores nearly as well: margin {:.4} is below answer.min_margin {:.4}",
            best.margin.unwrap_or_default(),
            settings.min_margin
        ),
        _ => String::new(),
    };
    (status, reason)
}

/// Two reasons in one line; either may be empty.
pub fn joined(reasons: [String; 2]) -> String {
    reasons.into_iter().filter(|reason| !reason.is_empty()).collect::<Vec<_>>().join("; ")
}

/// What was decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The status; never `Error` but for scores that are no numbers.
    pub status: Status,
    /// Why it is not `Found`, and what was not understood.
    pub reason: String,
    /// The best proposal, whatever the status.
    pub best: Option<BestProposal>,
    /// The proposals that are shown.
    pub found: Vec<usize>,
    /// Where the status is `Ambiguous`, the proposals that may be meant, best first.
    pub rivals: Vec<usize>,
}

impl Decision {
    /// Nothing is found if the model itself thinks the best less probable than the settings ask for.
    pub fn doubted(self, probability: Option<f32>, settings: &AnswerSettings) -> Decision {
        let shown = matches!(self.status, Status::Found | Status::Ambiguous);
        match probability {
            Some(probability) if shown && probability < settings.min_probability => {
                let doubt = format!(
                    "the model gives the best a probability of {probability:.5}, below answer.min_probability {}",
                    settings.min_probability
                );
                let reason = joined([doubt, self.reason]);
                Decision { status: Status::NotFound, reason, found: Vec::new(), rivals: Vec::new(), ..self }
            }
            _ => self,
        }
    }
}

/// Decides by the scores alone: one thing is meant.
pub fn decide(scores: &[f32], proposals: &[Proposal], settings: &AnswerSettings) -> Decision {
    let best = best_proposal(scores, proposals);
    let (status, reason) = decide_status(best, proposals.len(), settings);
    let shown = matches!(status, Status::Found | Status::Ambiguous);
    let found = best.filter(|_| shown).map(|best| best.index).into_iter().collect();
    let close = |other: &usize| best.is_some_and(|best| best.score - scores[*other] < settings.min_margin);
    let rivals =
        if status == Status::Ambiguous { best_first(scores).into_iter().filter(close).collect() } else { Vec::new() };
    Decision { status, reason, best, found, rivals }
}

/// Decides with the command's meaning: as many as are meant, none that is excluded, and which part failed.
pub fn decide_guided(
    scores: &[f32],
    guided: &Guided,
    parsed: &ParsedCommand,
    words: &WordSettings,
    settings: &AnswerSettings,
) -> Decision {
    let mut order = guided.things.clone();
    order.retain(|thing| !scores[*thing].is_nan());
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    let best = order.first().map(|first| BestProposal {
        index: *first,
        score: scores[*first],
        // as a part of the best: what is half as likely is no rival, however sure the best is
        margin: order.get(1).map(|second| 1.0 - scores[*second] / scores[*first].max(f32::MIN_POSITIVE)),
    });
    let (status, mut reasons, found) = match best {
        None => {
            let (status, reason) = decide_status(None, guided.proposals(), settings);
            (status, vec![reason], Vec::new())
        }
        Some(best) => guided_status(best, &order, scores, guided, parsed, words, settings),
    };
    let unknown = unknown_looks(parsed, words);
    if !unknown.is_empty() {
        let words: Vec<String> = unknown.iter().map(|word| format!("\"{word}\"")).collect();
        reasons.push(format!("not in this model's vocabulary: {}", words.join(", ")));
    }
    // a colour that cannot be judged may be the one thing that tells what is meant from what is not
    let (status, found) = match unknown.iter().any(|word| is_colour(word)) && status != Status::Error {
        true => (Status::NotFound, Vec::new()),
        false => (status, found),
    };
    if !parsed.not_understood.is_empty() {
        let words: Vec<String> = parsed.not_understood.iter().map(|word| format!("\"{word}\"")).collect();
        reasons.push(format!("not understood: {}", words.join(", ")));
    }
    if !parsed.also_named.is_empty() {
        let others: Vec<&str> = parsed.also_named.iter().map(|other| other.phrase.as_str()).collect();
        reasons.push(format!("only the first item was searched for; also named: {}", others.join(", ")));
    }
    reasons.retain(|reason| !reason.is_empty());
    let rivals = match best {
        Some(best) if status == Status::Ambiguous => rivals(best, &order, scores, parsed, settings),
        _ => Vec::new(),
    };
    Decision { status, reason: reasons.join("; "), best, found, rivals }
}

/// The things that may be meant, best first, where several are: those that fit about as well as the best.
fn rivals(
    best: BestProposal,
    order: &[usize],
    scores: &[f32],
    parsed: &ParsedCommand,
    settings: &AnswerSettings,
) -> Vec<usize> {
    // as `guided_status` counts them
    let level = match parsed.quantity {
        Quantity::Exactly(_) => settings.min_score.max(best.score / 2.0),
        _ => best.score * (1.0 - settings.min_margin),
    };
    let close: Vec<usize> = order.iter().copied().filter(|thing| scores[*thing] > level).collect();
    if close.len() < 2 {
        return order.iter().copied().take(2).collect();
    }
    close
}

fn guided_status(
    best: BestProposal,
    order: &[usize],
    scores: &[f32],
    guided: &Guided,
    parsed: &ParsedCommand,
    words: &WordSettings,
    settings: &AnswerSettings,
) -> (Status, Vec<String>, Vec<usize>) {
    let look = parsed.target.look();
    if parsed.taken_back {
        return (Status::NotFound, vec!["the command was taken back".into()], Vec::new());
    }
    if parsed.names_nothing {
        let reason = format!("\"{}\" names no object; say what to find, such as \"the red mug\"", parsed.text.trim());
        return (Status::Error, vec![reason], Vec::new());
    }
    if parsed.forbidden {
        let reason = format!("the command forbids \"{}\" and names nothing else", parsed.target.phrase);
        return (Status::NotFound, vec![reason], Vec::new());
    }
    let status = status_by_thresholds(best, parsed.quantity, settings);
    if status == Status::NotFound {
        return (status, vec![failed(guided, parsed, words, settings)], Vec::new());
    }
    // those whose fit can't be distinguished from the best
    let level = settings.min_score.max(best.score / 2.0);
    let fitting: Vec<usize> = order.iter().copied().filter(|thing| scores[*thing] >= level).collect();
    let several =
        |count: usize| format!("{count} {} \"{look}\"", if count == 1 { "object fits" } else { "objects fit" });
    match parsed.quantity {
        Quantity::One if status == Status::Ambiguous => {
            let close = |thing: &&usize| scores[**thing] > best.score * (1.0 - settings.min_margin);
            let rivals = order.iter().filter(close).count().max(2);
            let reason = format!("{rivals} objects fit \"{}\" about equally well", parsed.target.reading());
            (status, vec![reason], vec![best.index])
        }
        Quantity::One | Quantity::Any => (Status::Found, Vec::new(), vec![best.index]),
        Quantity::All => (Status::Found, Vec::new(), fitting),
        Quantity::AllBut(count) if fitting.len() <= count => {
            let reason = format!("{}, of which {count} shall be left", several(fitting.len()));
            (Status::NotFound, vec![reason], Vec::new())
        }
        Quantity::AllBut(count) => (Status::Found, Vec::new(), fitting[..fitting.len() - count].to_vec()),
        Quantity::Exactly(count) | Quantity::Some(count) if fitting.len() < count => {
            let reason = format!("{}, but {count} were requested", several(fitting.len()));
            (Status::NotFound, vec![reason], Vec::new())
        }
        Quantity::Exactly(count) if fitting.len() > count => {
            let reason = format!("{}, but {count} were requested", several(fitting.len()));
            (Status::Ambiguous, vec![reason], fitting[..count].to_vec())
        }
        Quantity::Exactly(count) | Quantity::Some(count) => (Status::Found, Vec::new(), fitting[..count].to_vec()),
    }
}

/// Which part of what was said fits nothing.
fn failed(guided: &Guided, parsed: &ParsedCommand, words: &WordSettings, settings: &AnswerSettings) -> String {
    let most = |values: &[f32]| values.iter().copied().fold(0.0, f32::max);
    let target = &parsed.target;
    if let Some(noun) = target.noun.as_deref().filter(|noun| look_up(noun, words) == NounIs::Unknown) {
        return format!("the word \"{noun}\" is not in this model's vocabulary");
    }
    let factors = &guided.resolved.factors;
    let Some((description, others)) = factors.split_first() else { return String::new() };
    let looks = most(&description.values);
    if looks < settings.min_score {
        return format!(
            "no {}: the best is {looks:.2}, below answer.min_score {:.2}",
            target.look(),
            settings.min_score
        );
    }
    for factor in others {
        if let Some((anchor, best)) = factor.anchor.as_ref().filter(|(_, best)| *best < settings.min_score.max(MISSING))
        {
            return format!("no {anchor}: the anchor of \"{}\" was not found (best {best:.2})", factor.words);
        }
    }
    let mut fit = description.values.clone();
    for factor in others {
        fit.iter_mut().zip(&factor.values).for_each(|(fit, value)| *fit *= value);
        let best = most(&fit);
        if best < settings.min_score {
            let look = target.look();
            return match factor.words.starts_with("not ") {
                true => format!("every {look} was excluded by \"{}\" (best {best:.2})", factor.words),
                false => format!("no {look} is {} (best {best:.2})", factor.words),
            };
        }
    }
    format!("nothing fits all of \"{}\" well enough (best {:.2})", target.reading(), most(&fit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use referseg_image::Mask;

    fn proposals(rows: &[&str]) -> Vec<Proposal> {
        rows.iter().map(|row| Proposal::of_mask(Mask::drawn(&[row]))).collect()
    }

    #[test]
    fn the_margin_is_over_another_thing_not_over_a_part_of_the_best() {
        let found = best_proposal(&[0.5, 0.49, 0.2], &proposals(&["####..", "##....", "....##"])).unwrap();
        assert_eq!(found.index, 0);
        assert!((found.margin.unwrap() - 0.3).abs() < 1e-6);
    }

    #[test]
    fn nan_is_never_best_and_ties_go_to_the_first() {
        let three = proposals(&["#..", ".#.", "..#"]);
        assert_eq!(best_proposal(&[f32::NAN, 0.1, 0.1], &three).unwrap().index, 1);
        assert_eq!(best_proposal(&[f32::NAN; 3], &three), None);
        assert_eq!(best_proposal(&[], &[]), None);
    }

    #[test]
    fn the_status_follows_from_score_and_margin() {
        let settings = AnswerSettings { min_score: 0.3, min_margin: 0.1, min_probability: 0.2 };
        let status = |score, margin| decide_status(Some(BestProposal { index: 0, score, margin }), 2, &settings).0;
        assert_eq!(status(0.5, Some(0.2)), Status::Found);
        assert_eq!(status(0.5, None), Status::Found);
        assert_eq!(status(0.5, Some(0.05)), Status::Ambiguous);
        assert_eq!(status(0.2, Some(0.2)), Status::NotFound);
        let (status, reason) = decide_status(None, 0, &settings);
        assert_eq!((status, reason.as_str()), (Status::NotFound, "no proposals in this frame"));
        let (status, reason) = decide_status(best_proposal(&[f32::NAN], &proposals(&["#."])), 1, &settings);
        assert_eq!(status, Status::Error);
        assert!(reason.contains("all 1 scores are NaN"), "{reason}");
    }
}
