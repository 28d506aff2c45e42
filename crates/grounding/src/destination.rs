//! Where the target shall go on a frame: the anchors of the command's destination among the things, and the free place that they mean.

use super::encoded::EncodedFrame;
use super::guidance::Guided;
use referseg_answer::{Anchor, DestinationSpot, FoundDestination, Status};
use referseg_config::{AnswerSettings, PlacementSettings};
use referseg_image::Mask;
use referseg_language::Destination;
use referseg_placement::{place, Room, Scene, Wanted};

/// What shall go to a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// The thing of a proposal; `None` for one that was not found.
    Proposal(Option<usize>),
    /// Nothing: the place itself is looked for.
    Nothing,
}

/// Finds the place for what is moved.
pub fn find_destination(
    frame: &EncodedFrame,
    said: &Destination,
    guided: &Guided,
    moved: Moved,
    (settings, room): (&AnswerSettings, &PlacementSettings),
) -> FoundDestination {
    let mut found = FoundDestination {
        status: Status::NotFound,
        reason: String::new(),
        phrase: said.phrase.clone(),
        relation: said.goal.word().to_string(),
        anchors: Vec::new(),
        spot: None,
    };
    let mut anchors: Vec<usize> = Vec::new();
    for (description, fit) in said.goal.anchors().iter().zip(&guided.destination) {
        // "between two of: the cups" has one description and two things
        let wanted = if said.goal.anchors().len() == 1 && said.goal.is_between() { 2 } else { 1 };
        let mut order: Vec<usize> = (0..fit.len())
            .filter(|i| Moved::Proposal(Some(guided.things[*i])) != moved && !anchors.contains(i))
            .collect();
        order.sort_by(|a, b| fit[*b].total_cmp(&fit[*a]));
        let best = order.first().map_or(0.0, |best| fit[*best]);
        let is_found = best >= settings.min_score && order.len() >= wanted;
        let close = order.iter().filter(|other| fit[**other] > best * (1.0 - settings.min_margin)).count();
        for number in 0..wanted {
            let thing = order.get(number).copied().filter(|_| is_found);
            let proposal = thing.map(|thing| guided.things[thing]);
            let rect = proposal.and_then(|proposal| frame.proposals[proposal].mask.bounding_box());
            found.anchors.push(Anchor { phrase: description.phrase.clone(), proposal, rect });
            anchors.extend(thing);
        }
        if found.reason.is_empty() && !is_found {
            found.reason =
                format!("no {}: the anchor of \"{}\" was not found (best {best:.2})", description.look(), said.phrase);
        } else if found.reason.is_empty() && close > wanted {
            found.status = Status::Ambiguous;
            found.reason = format!("{close} objects fit \"{}\" about equally well", description.reading());
        }
    }
    if moved == Moved::Proposal(None) {
        found.reason = "the object that shall go there was not found".into();
        return FoundDestination { status: Status::NotFound, ..found };
    }
    let is_ambiguous = found.status == Status::Ambiguous;
    if !found.reason.is_empty() && !is_ambiguous {
        return found;
    }
    let things: Vec<Mask> = guided.things.iter().map(|thing| frame.proposals[*thing].mask.clone()).collect();
    let moved = match moved {
        Moved::Proposal(moved) => {
            let position = guided.things.iter().position(|thing| Some(*thing) == moved);
            if position.is_none() {
                found.reason = "the object that shall go there is no thing of its own".into();
                return found;
            }
            position
        }
        Moved::Nothing => None,
    };
    let scene = Scene { frame: &frame.frame, things: &things, moved, depth: frame.depth.as_ref() };
    let room = Room { footprint: room.footprint, clearance: room.clearance };
    match place(&scene, &Wanted { goal: &said.goal, anchors: &anchors, distance: said.distance, room }) {
        Ok(spot) => {
            if said.distance.is_some() && !spot.is_metric && found.reason.is_empty() {
                found.reason = "the distance was not judged: that needs depth with a calibrated camera".into();
            }
            // with several that fit an anchor, the place for the best of them
            found.status = if is_ambiguous { Status::Ambiguous } else { Status::Found };
            found.spot = Some(DestinationSpot { point: spot.point, region: spot.region, fit: spot.fit });
        }
        Err(reason) => {
            found.status = Status::NotFound;
            found.reason = format!("{reason} ({})", said.phrase);
        }
    }
    found
}
