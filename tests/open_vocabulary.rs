//! Commands with an open vocabulary: a model that is not ours and knows words that no list of ours has (`common/word_model.rs`).

#[path = "common/word_model.rs"]
mod word_model;

use referseg::answer::Status;
use referseg::grounding::{EncodedFrame, Segmenter};
use word_model::{answer, scene};

/// The numbers of the things found; none unless the status is FOUND.
fn found(scene: &(Segmenter, EncodedFrame), text: &str) -> Vec<usize> {
    let answer = answer(scene, text);
    let mut found: Vec<usize> = answer.found.iter().filter_map(|thing| thing.proposal).collect();
    found.sort_unstable();
    if answer.status == Status::Found {
        found
    } else {
        Vec::new()
    }
}

#[test]
fn nouns_that_no_list_has_are_found_and_told_apart() {
    let scene = scene(false);
    for (text, thing) in [
        ("the samovar", 2),
        ("pick up the samovar", 2),
        ("yeet the samovar into the bin", 2),
        ("the vase", 3),
        ("could you hand me that flurb on the left", 0),
    ] {
        assert_eq!(found(&scene, text), [thing], "{text}: {}", answer(&scene, text).reason);
    }
}

#[test]
fn colours_and_looks_that_no_list_has_tell_things_apart() {
    let scene = scene(false);
    for (text, thing) in [
        ("the chartreuse flurb", 0),
        ("the red flurb", 1),
        ("the mauve samovar", 2),
        ("the paisley vase", 3),
        ("something chartreuse", 0),
    ] {
        let answer = answer(&scene, text);
        assert_eq!(found(&scene, text), [thing], "{text}: {}", answer.reason);
        assert!(!answer.reason.contains("vocabulary"), "{text}: {}", answer.reason);
    }
}

#[test]
fn what_is_absent_is_not_found_whatever_its_word() {
    let scene = scene(false);
    for text in ["the trombone", "the zarf", "the mug", "the mauve flurb", "the red samovar", "the flurb on the zarf"] {
        let answer = answer(&scene, text);
        assert_eq!(answer.status, Status::NotFound, "{text}: {:?} {}", answer.scores, answer.reason);
        assert!(!answer.reason.is_empty(), "{text}");
    }
}

#[test]
fn two_of_an_unknown_kind_are_ambiguous_until_a_place_an_order_or_a_relation_decides() {
    let scene = scene(false);
    assert_eq!(answer(&scene, "the flurb").status, Status::Ambiguous);
    for (text, thing) in [
        ("the leftmost flurb", 0),
        ("the second flurb from the left", 1),
        ("the flurb nearest to the samovar", 1),
        ("the flurb that is not chartreuse", 1),
        ("the flurb next to the samovar", 1),
        ("the flurb, not the red one", 0),
    ] {
        assert_eq!(found(&scene, text), [thing], "{text}: {}", answer(&scene, text).reason);
    }
    assert_eq!(found(&scene, "all the flurbs"), [0, 1]);
    assert_eq!(found(&scene, "both flurbs"), [0, 1]);
}

#[test]
fn what_the_picture_can_measure_is_compared() {
    let scene = scene(false);
    for (text, thing) in [
        ("the brightest flurb", 0),
        ("the darker flurb", 1),
        ("the redder flurb", 1),
        ("the widest object", 2),
        ("the flurb darker than the chartreuse flurb", 1),
    ] {
        assert_eq!(found(&scene, text), [thing], "{text}: {}", answer(&scene, text).reason);
    }
}

#[test]
fn either_of_two_will_do_and_parts_of_a_number_are_counted() {
    let scene = scene(false);
    assert_eq!(found(&scene, "the trombone or the samovar"), [2]);
    assert_eq!(found(&scene, "the vase or the trombone"), [3]);
    assert_eq!(found(&scene, "a red or a chartreuse flurb").len(), 1, "either of both");
    assert_eq!(found(&scene, "all but one of the flurbs").len(), 1);
    assert_eq!(found(&scene, "two of the flurbs"), [0, 1]);
    assert_eq!(answer(&scene, "three of the flurbs").status, Status::NotFound);
    assert_eq!(found(&scene, "neither the red nor the mauve flurb"), [0]);
}

#[test]
fn of_two_readings_the_one_that_the_picture_bears_out_is_taken() {
    let scene = scene(false);
    // which flurb, or where to? There are two flurbs, of which one is next to the samovar
    let decided = answer(&scene, "move the flurb next to the samovar");
    assert_eq!((decided.status, decided.best), (Status::Found, Some(1)), "{}", decided.reason);
    assert!(decided.reason.contains("read as"), "{}", decided.reason);
    // there is one vase, which is not next to a flurb: it shall go there
    let decided = answer(&scene, "move the vase next to the samovar");
    assert_eq!((decided.status, decided.best), (Status::Found, Some(3)), "{}", decided.reason);
    assert!(decided.reason.is_empty(), "{}", decided.reason);
    assert!(decided.destination.is_some());
    // neither: both readings are in the reason
    let open = answer(&scene, "move the flurb next to the vase");
    assert_ne!(open.status, Status::Found);
    assert!(open.reason.contains("may also mean"), "{}", open.reason);
}

#[test]
fn a_closed_vocabulary_refuses_the_same_words_by_name() {
    let scene = scene(true);
    let answer = answer(&scene, "the samovar");
    assert_eq!(answer.status, Status::NotFound);
    assert!(answer.reason.contains("samovar"), "{}", answer.reason);
}

#[test]
fn a_free_place_is_found_itself_and_is_no_thing() {
    let scene = scene(false);
    let free = answer(&scene, "point out the free space between the samovar and the vase");
    assert_eq!(free.status, Status::Found, "{}", free.reason);
    assert_eq!((free.best, free.found.len(), free.found[0].proposal), (None, 1, None));
    assert!(free.moved().is_none() && answer(&scene, "put the samovar next to the vase").moved().is_some());
    let destination = free.destination.as_ref().unwrap();
    let point = destination.spot.as_ref().unwrap().point;
    let anchor = |number: usize| destination.anchors[number].rect.unwrap();
    let (left, right) = if anchor(0).x < anchor(1).x { (anchor(0), anchor(1)) } else { (anchor(1), anchor(0)) };
    assert!(point[0] > left.x as f32 && point[0] < right.right() as f32, "{point:?}");
    let (_, segmented) = &scene;
    assert!(segmented.proposals.iter().all(|proposal| !proposal.mask.at(point[0] as usize, point[1] as usize)));
    let absent = answer(&scene, "the empty space next to the trombone");
    assert_eq!(absent.status, Status::NotFound);
    assert!(absent.reason.contains("trombone") && absent.found.is_empty(), "{}", absent.reason);
    assert!(!answer(&scene, "the samovar").found.is_empty());
}
