//! Phrases that may tell one object from others of its kind: by its look first, then by place, order, relation and size.

use referseg_grounding::{EncodedFrame, ThingName};
use referseg_image::Rect;
use referseg_language::Description;

/// Probability from which on a thing's name is used to speak of it.
const SURE: f32 = 0.5;

/// An object among its rivals.
pub struct Object<'a> {
    /// What it is called.
    pub name: Option<&'a ThingName>,
    pub rect: Rect,
}

fn middle(rect: &Rect) -> [f32; 2] {
    [rect.x as f32 + rect.width as f32 / 2.0, rect.y as f32 + rect.height as f32 / 2.0]
}

const ORDINALS: [&str; 8] = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];

/// Phrases for the object at `at` among `objects`, the best first. `said` is how it was spoken of.
pub fn phrases(
    said: &Description,
    objects: &[Object],
    at: usize,
    frame: &EncodedFrame,
    names: &[ThingName],
) -> Vec<String> {
    let object = &objects[at];
    let noun = said.noun.clone().unwrap_or_else(|| "object".into());
    let with = |more: Option<&str>| {
        let attributes = more.into_iter().chain(said.attributes.iter().map(String::as_str));
        let words: Vec<&str> = attributes.chain([noun.as_str()]).collect();
        format!("the {}", words.join(" "))
    };
    let look = with(None);
    let mut phrases = Vec::new();
    if let Some(name) = object.name.filter(|name| !said.attributes.contains(&name.colour)) {
        phrases.push(with(Some(&name.colour)));
    }
    if objects.len() == 1 {
        phrases.push(look);
        return phrases;
    }
    let x = |object: &Object| middle(&object.rect)[0];
    let rank = objects.iter().filter(|other| x(other) < x(object)).count();
    let place = match (rank, objects.len() - 1 - rank) {
        (0, _) => Some("on the left"),
        (_, 0) => Some("on the right"),
        (before, behind) if before == behind => Some("in the middle"),
        _ => None,
    };
    phrases.extend(place.map(|place| format!("{look} {place}")));
    let depth = |object: &Object| object.rect.y + object.rect.height;
    if objects.iter().all(|other| depth(other) <= depth(object)) {
        phrases.push(format!("{look} in front"));
    } else if objects.iter().all(|other| depth(other) >= depth(object)) {
        phrases.push(format!("{look} at the back"));
    }
    phrases.extend(match (rank, objects.len() - 1 - rank) {
        (0, _) => Some(with(Some("leftmost"))),
        (_, 0) => Some(with(Some("rightmost"))),
        _ => ORDINALS.get(rank).map(|ordinal| format!("{} from the left", with(Some(ordinal)))),
    });
    // next to what stands closest and has a name of its own
    let distance = |name: &ThingName| {
        let rect = frame.proposals[name.proposal].mask.bounding_box().unwrap_or_default();
        let ([ax, ay], [bx, by]) = (middle(&rect), middle(&object.rect));
        (ax - bx).hypot(ay - by)
    };
    let unique = |name: &&ThingName| {
        name.noun_probability >= SURE && names.iter().filter(|other| other.noun == name.noun).count() == 1
    };
    let others = names.iter().filter(unique).filter(|name| name.noun != noun);
    if let Some(near) = others.min_by(|a, b| distance(a).total_cmp(&distance(b))) {
        phrases.push(format!("{look} next to the {}", near.noun));
        phrases.push(format!("{look} nearest to the {}", near.noun));
    }
    let area = |object: &Object| object.rect.width * object.rect.height;
    if objects.iter().all(|other| area(other) <= area(object)) {
        phrases.push(with(Some("largest")));
    } else if objects.iter().all(|other| area(other) >= area(object)) {
        phrases.push(with(Some("smallest")));
    }
    phrases
}
