//! Answers and readings as JSON objects: what `referseg segment --json` and `referseg parse` print, and what Python's package gives.

use crate::answer::{Anchor, Answer, Candidate, FoundDestination, FoundThing, ScoredProposal, Status};
use crate::camera::surface_pose;
use crate::grounding::EncodedFrame;
use crate::image::Mask;
use crate::language::ParsedCommand;
use crate::Result;
use serde_json::{json, Map, Value};
use std::time::Duration;

/// One answer as the JSON object of docs/command_line.md; all keys are there whatever the status.
pub fn describe(text: &str, frame: &EncodedFrame, answered: &Result<Answer>) -> Value {
    let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
    let mut times = json!({"proposals": ms(frame.proposals_time), "visual_features": ms(frame.features_time)});
    match answered {
        Ok(answer) => {
            let question = answer.question.as_ref();
            let candidates = question.map_or(&[][..], |question| &question.candidates);
            times["text_features"] = json!(ms(answer.times.text_features));
            times["scoring"] = json!(ms(answer.times.scoring));
            times["refinement"] = json!(ms(answer.times.refinement));
            json!({
                "status": answer.status,
                "reason": answer.reason,
                "text": text,
                "target": answer.target,
                "reading": answer.reading,
                "roles": answer.roles,
                "score": answer.score,
                "margin": answer.margin,
                "box": answer.shown().map(|(_, rect)| rect),
                "proposals": frame.proposals.len(),
                "proposal": answer.best,
                "label": answer.best.and_then(|best| frame.proposals[best].label),
                "destination": answer.destination.as_ref().map(|found| destination(found, answer, frame)),
                "question": question.map(|question| &question.text),
                "candidates": candidates.iter().map(|one| candidate(one, frame)).collect::<Vec<_>>(),
                "things": answer.found.iter().map(thing).collect::<Vec<_>>(),
                "terms": answer.leading.iter().map(terms).collect::<Vec<_>>(),
                "times_ms": times,
            })
        }
        Err(error) => json!({
            "status": Status::Error,
            "reason": error.to_string(),
            "text": text,
            "target": "",
            "reading": "",
            "roles": null,
            "score": 0.0,
            "margin": 0.0,
            "box": null,
            "proposals": frame.proposals.len(),
            "proposal": null,
            "label": null,
            "destination": null,
            "question": null,
            "candidates": [],
            "things": [],
            "terms": [],
            "times_ms": times,
        }),
    }
}

/// How a command was read: what `referseg parse` prints.
pub fn reading(text: &str, parsed: &ParsedCommand) -> Value {
    json!({
        "text": text,
        "target": parsed.target.phrase,
        "reading": parsed.reading(),
        "roles": serde_json::to_value(parsed.roles()).unwrap_or_default(),
        "meaning": serde_json::to_value(parsed).unwrap_or_default(),
    })
}

/// One of the things found.
fn thing(thing: &FoundThing) -> Value {
    json!({"proposal": thing.proposal, "score": thing.score, "box": thing.mask.bounding_box(), "refined": thing.refined})
}

/// One of the objects that a question is about.
fn candidate(candidate: &Candidate, frame: &EncodedFrame) -> Value {
    let label = frame.proposals[candidate.proposal].label;
    let Candidate { proposal, rect, score, phrase, .. } = candidate;
    json!({"phrase": phrase, "proposal": proposal, "label": label, "score": score, "box": rect})
}

/// Where the target shall go.
fn destination(found: &FoundDestination, answer: &Answer, frame: &EncodedFrame) -> Value {
    let anchor = |anchor: &Anchor| json!({"phrase": anchor.phrase, "proposal": anchor.proposal, "box": anchor.rect});
    let spot = found.spot.as_ref();
    let nothing = Mask::empty(frame.frame.width(), frame.frame.height());
    let moved = answer.moved().unwrap_or(&nothing);
    // in the camera's optical frame, metres; null without depth and its camera
    let pose = spot
        .zip(frame.depth.as_ref())
        .and_then(|(spot, depth)| surface_pose(spot.point, moved, depth, depth.camera()?).ok());
    json!({
        "status": found.status,
        "reason": found.reason,
        "phrase": found.phrase,
        "relation": found.relation,
        "anchors": found.anchors.iter().map(anchor).collect::<Vec<_>>(),
        "point": spot.map(|spot| json!({"x": spot.point[0], "y": spot.point[1]})),
        "box": spot.and_then(|spot| spot.region.bounding_box()),
        "fit": spot.map(|spot| spot.fit),
        "position": pose.map(|pose| json!({"x": pose.position[0], "y": pose.position[1], "z": pose.position[2]})),
        "orientation": pose.map(|pose| pose.orientation),
    })
}

/// A proposal's score and the terms that it is made of.
fn terms(scored: &ScoredProposal) -> Value {
    let terms: Map<String, Value> = scored.terms.iter().map(|(name, value)| (name.to_string(), json!(value))).collect();
    json!({"proposal": scored.proposal, "score": scored.score, "terms": terms})
}
