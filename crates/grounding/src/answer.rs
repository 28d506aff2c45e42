//! Answering: the proposals of a frame scored for a command, and what that decides.

use super::decision::{best_first, decide, decide_guided, joined};
use super::destination::{find_destination, Moved};
use super::encoded::{EncodedCommand, EncodedFrame};
use super::scorer::{Scored, Scorer};
use super::terms;
use referseg_answer::{Answer, DestinationSpot, FoundThing, ScoredProposal, StageTimes, Status};
use referseg_config::{AnswerSettings, Guidance};
use referseg_files::Result;
use std::time::{Duration, Instant};

/// The margin of a thing beside which nothing else was proposed.
const WITHOUT_RIVAL: f32 = 1.0;

/// Proposals with their terms that an answer lists.
const LEADING: usize = 2;

/// Scores the proposals of a frame for a command and decides. Where the text has several readings, the likeliest that finds something is taken.
///
/// # Errors
/// When the device fails.
pub fn answer(
    scorer: &Scorer,
    frame: &EncodedFrame,
    command: &EncodedCommand,
    thresholds: &AnswerSettings,
) -> Result<Answer> {
    let mut likeliest = answer_reading(scorer, frame, command, thresholds)?;
    // without guidance the reading decides nothing
    let is_open = likeliest.status != Status::Found && scorer.config.guidance_in_force() == Guidance::Full;
    for other in command.others.iter().filter(|_| is_open) {
        let mut answer = answer_reading(scorer, frame, other, thresholds)?;
        answer.times.scoring += likeliest.times.scoring;
        if answer.status == Status::Found {
            let instead = format!("read as \"{}\"; as \"{}\" {}", answer.reading, likeliest.reading, likeliest.reason);
            answer.reason = joined([instead, answer.reason]);
            return Ok(answer);
        }
        likeliest.times.scoring = answer.times.scoring;
        let also = format!("the command may also mean \"{}\": {}", answer.reading, answer.reason);
        likeliest.reason = joined([likeliest.reason, also]);
    }
    Ok(likeliest)
}

/// As [`answer`], for one reading of the text.
fn answer_reading(
    scorer: &Scorer,
    frame: &EncodedFrame,
    command: &EncodedCommand,
    thresholds: &AnswerSettings,
) -> Result<Answer> {
    let began = Instant::now();
    let config = scorer.config;
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
        proposal: Some(*proposal),
        score: scores[*proposal],
        mask: frame.proposals[*proposal].mask.clone(),
        refined: false,
    });
    let best = decision.best;
    let moved = best.filter(|_| !decision.found.is_empty()).map(|best| best.index);
    let is_place = command.parsed.free_place;
    let moved = if is_place { Moved::Nothing } else { Moved::Proposal(moved) };
    let said = (&command.parsed, &command.scope.before[..]);
    let settings = (thresholds, &config.placement);
    let destination = guided.as_ref().and_then(|guided| find_destination(frame, said, guided, moved, settings));
    let frames = guided.iter().map(|guided| &guided.reference_frame);
    let frames = frames.chain(destination.iter().map(|destination| &destination.reference_frame));
    let reference_frame = frames.into_iter().find(|frame| !frame.is_empty()).cloned().unwrap_or_default();
    let answer = Answer {
        status: decision.status,
        reason: command.reason_with_cut(decision.reason),
        target: command.parsed.target.phrase.clone(),
        reading: command.parsed.reading(),
        roles: command.parsed.roles(),
        score: best.map_or(0.0, |best| best.score),
        margin: best.map_or(0.0, |best| best.margin.unwrap_or(WITHOUT_RIVAL)),
        best: best.map(|best| best.index),
        rivals: decision.rivals,
        found: found.collect(),
        destination,
        question: None,
        leading: leading.collect(),
        by_depth: guided.as_ref().is_some_and(|guided| guided.by_depth),
        reference_frame,
        scores,
        crops,
        times: StageTimes {
            proposals: frame.proposals_time,
            visual_features: frame.features_time + crops_time,
            text_features: command.time,
            scoring: began.elapsed().saturating_sub(crops_time),
            refinement: Duration::ZERO,
        },
    };
    Ok(if is_place { of_free_place(answer) } else { answer })
}

/// An answer whose target is the free place that its destination found: the region is what was found.
fn of_free_place(answer: Answer) -> Answer {
    let Some(destination) = &answer.destination else { return answer };
    let spot = destination.spot.as_ref();
    let region = |spot: &DestinationSpot| FoundThing {
        proposal: None,
        score: spot.fit,
        mask: spot.region.clone(),
        refined: false,
    };
    Answer {
        status: destination.status,
        reason: destination.reason.clone(),
        score: spot.map_or(0.0, |spot| spot.fit),
        margin: WITHOUT_RIVAL,
        best: None,
        rivals: Vec::new(),
        found: spot.map(region).into_iter().collect(),
        ..answer
    }
}
