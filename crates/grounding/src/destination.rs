//! Where the target shall go on a frame: the anchors of the command's destination among the things, and the free place that they mean.

use super::encoded::EncodedFrame;
use super::guidance::Guided;
use referseg_answer::{Anchor, DestinationSpot, FoundDestination, Status};
use referseg_config::{AnswerSettings, PlacementSettings};
use referseg_image::Mask;
use referseg_language::{Goal, ParsedCommand};
use referseg_placement::{back, place, Room, Scene, Wanted};

/// What shall go to a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// The thing of a proposal; `None` for one that was not found.
    Proposal(Option<usize>),
    /// Nothing: the place itself is looked for.
    Nothing,
}

/// Finds the place for what is moved; `None` for a command without a destination. `before`: where it stood before, the latest first.
pub fn find_destination(
    frame: &EncodedFrame,
    (parsed, before): (&ParsedCommand, &[Mask]),
    guided: &Guided,
    moved: Moved,
    (settings, room): (&AnswerSettings, &PlacementSettings),
) -> Option<FoundDestination> {
    let said = parsed.destination.as_ref()?;
    let mut found = FoundDestination {
        status: Status::NotFound,
        reason: String::new(),
        phrase: said.phrase.clone(),
        relation: said.goal.word().to_string(),
        anchors: Vec::new(),
        spot: None,
        reference_frame: String::new(),
    };
    let is_back = said.goal == Goal::Back;
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
    // what the robot holds may be out of sight and still go back
    let is_held = moved == Moved::Proposal(None) && is_back && !before.is_empty();
    if moved == Moved::Proposal(None) && !is_held {
        found.reason = "the object that shall go there was not found".into();
        return Some(FoundDestination { status: Status::NotFound, ..found });
    }
    let is_ambiguous = found.status == Status::Ambiguous;
    if !found.reason.is_empty() && !is_ambiguous {
        return Some(found);
    }
    let things: Vec<Mask> = guided.things.iter().map(|thing| frame.proposals[*thing].mask.clone()).collect();
    let moved = match moved {
        Moved::Proposal(moved) => {
            let position = guided.things.iter().position(|thing| Some(*thing) == moved);
            if position.is_none() && !is_held {
                found.reason = "the object that shall go there is no thing of its own".into();
                return Some(found);
            }
            position
        }
        Moved::Nothing => None,
    };
    let scene = Scene { frame: &frame.frame, things: &things, moved, depth: frame.depth.as_ref() };
    let room = Room { footprint: room.footprint, clearance: room.clearance };
    let (goal, distance, from_robot) = (&said.goal, said.distance, parsed.from_robot);
    let spot = match is_back {
        true => back(&scene, before),
        false => place(&scene, &Wanted { goal, anchors: &anchors, distance, from_robot, room }),
    };
    match spot {
        Ok(spot) => {
            if said.distance.is_some() && !spot.is_metric && found.reason.is_empty() {
                found.reason = "the distance was not judged: that needs depth with a calibrated camera".into();
            }
            let robot = frame.depth.as_ref().and_then(|depth| depth.robot_frame()).filter(|_| spot.is_robots);
            found.reference_frame = robot.unwrap_or_default().to_string();
            // with several that fit an anchor, the place for the best of them
            found.status = if is_ambiguous { Status::Ambiguous } else { Status::Found };
            found.spot = Some(DestinationSpot { point: spot.point, region: spot.region, fit: spot.fit });
        }
        Err(reason) => {
            found.status = Status::NotFound;
            found.reason = format!("{reason} ({})", said.phrase);
        }
    }
    Some(found)
}
