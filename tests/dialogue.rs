//! Asking back: questions, candidates whose phrases hold, and conversations about them.

#[path = "common/word_model.rs"]
mod word_model;

use referseg::answer::{Answer, Question, Status};
use referseg::dialogue::{ask_back, Conversation};
use referseg::grounding::{EncodedFrame, Segmenter};
use referseg::language::Command;
use word_model::{answer, scene, scene_with};

/// The question after a command.
fn question(scene: &(Segmenter, EncodedFrame), text: &str) -> Option<Question> {
    let (segmenter, frame) = scene;
    let command = segmenter.encode_command(&Command::parse(text).unwrap()).unwrap();
    let answer = segmenter.answer(frame, &command).unwrap();
    ask_back(segmenter, frame, &command, &answer).unwrap()
}

/// The answers to the texts of one conversation.
fn conversation(scene: &(Segmenter, EncodedFrame), texts: &[&str]) -> Vec<Answer> {
    let (segmenter, frame) = scene;
    let mut conversation = Conversation::default();
    let mut answers = Vec::new();
    for text in texts {
        let command = conversation.hear(segmenter, &Command::parse(text).unwrap()).unwrap();
        let mut answer = segmenter.answer(frame, &command).unwrap();
        answer.question = ask_back(segmenter, frame, &command, &answer).unwrap();
        conversation.answered(segmenter, frame, &answer);
        answers.push(answer);
    }
    answers
}

/// Status and best of the last text's answer.
fn last(scene: &(Segmenter, EncodedFrame), texts: &[&str]) -> (Status, Option<usize>) {
    let answers = conversation(scene, texts);
    let last = answers.last().unwrap();
    (last.status, last.best)
}

#[test]
fn an_ambiguous_command_is_asked_about_with_a_phrase_for_each_candidate() {
    let scene = scene(false);
    let question = question(&scene, "pick up the flurb").unwrap();
    assert!(question.text.starts_with("Do you mean the "), "{}", question.text);
    let proposals: Vec<usize> = question.candidates.iter().map(|candidate| candidate.proposal).collect();
    assert_eq!(proposals, [0, 1], "both flurbs, from left to right");
    for candidate in &question.candidates {
        assert!(question.text.contains(&candidate.phrase), "{}", question.text);
        let again = answer(&scene, &candidate.phrase);
        assert_eq!((again.status, again.best), (Status::Found, Some(candidate.proposal)), "{}", candidate.phrase);
    }
}

#[test]
fn something_close_is_offered_when_a_look_or_an_anchor_is_missing() {
    let scene = scene(false);
    let missing = question(&scene, "the red samovar").unwrap();
    assert_eq!(missing.text, "There is no red samovar. Do you mean the samovar?");
    assert_eq!(missing.candidates.len(), 1);
    let missing = question(&scene, "the vase next to the zarf").unwrap();
    assert_eq!(missing.text, "There is no vase next to the zarf. Do you mean the vase?");
    assert_eq!(last(&scene, &["the red samovar", "yes"]), (Status::Found, Some(2)));
}

#[test]
fn nothing_is_asked_where_nothing_is_open() {
    let scene = scene(false);
    for text in ["the samovar", "the trombone", "don't touch the flurb", "hello", "the flurb, cancel that"] {
        assert_eq!(question(&scene, text), None, "{text}");
    }
}

#[test]
fn what_is_said_next_is_heard_in_the_light_of_what_was_asked() {
    let scene = scene(false);
    for (follow_up, thing) in [
        ("the left one", 0),
        ("right", 1),
        ("the red one please", 1),
        ("no, the chartreuse one", 0),
        ("the second", 1),
        ("next to the samovar", 1),
        ("not the red one", 0),
        ("the samovar", 2),
    ] {
        assert_eq!(last(&scene, &["the flurb", follow_up]), (Status::Found, Some(thing)), "{follow_up}");
    }
}

#[test]
fn the_other_one_and_no_speak_of_what_was_shown() {
    let scene = scene(false);
    assert_eq!(last(&scene, &["the flurb", "the left one", "the other one"]), (Status::Found, Some(1)));
    assert_eq!(
        last(&scene, &["the flurb", "the left one", "no, the other one", "the other one"]),
        (Status::Found, Some(0))
    );
    let first = conversation(&scene, &["the flurb"])[0].best;
    assert_eq!(last(&scene, &["the flurb", "yes"]), (Status::Found, first));
    let (status, second) = last(&scene, &["the flurb", "no, not that"]);
    assert_eq!(status, Status::Found);
    assert_ne!(second, first);
}

#[test]
fn a_new_command_ends_what_was_talked_about() {
    let scene = scene(false);
    assert_eq!(
        last(&scene, &["the flurb", "the vase", "the left one"]),
        (Status::Found, Some(3)),
        "the vase is the topic now"
    );
    let (segmenter, frame) = &scene;
    let mut conversation = Conversation::default();
    assert_eq!(conversation.state(), "");
    let command = conversation.hear(segmenter, &Command::parse("the flurb").unwrap()).unwrap();
    let answer = segmenter.answer(frame, &command).unwrap();
    conversation.answered(segmenter, frame, &answer);
    assert!(conversation.state().contains("flurb"), "{}", conversation.state());
}

#[test]
fn back_is_where_an_object_was_found_before_it_was_moved_or_taken() {
    let scenes = [
        scene(false),
        scene_with(false, |number, left| if number == 2 { Some(60) } else { Some(left) }),
        scene_with(false, |number, left| (number != 2).then_some(left)),
        scene_with(false, |number, left| match number {
            2 => None,
            3 => Some(210),
            _ => Some(left),
        }),
    ];
    let say = |conversation: &mut Conversation, (segmenter, frame): &(Segmenter, EncodedFrame), text: &str| {
        let command = conversation.hear(segmenter, &Command::parse(text).unwrap()).unwrap();
        let answer = segmenter.answer(frame, &command).unwrap();
        conversation.answered(segmenter, frame, &answer);
        answer
    };
    let back = |scene: &(Segmenter, EncodedFrame), first: &str, text: &str| {
        let mut conversation = Conversation::default();
        say(&mut conversation, &scenes[0], first);
        let destination = say(&mut conversation, scene, text).destination.expect(text);
        (destination.status, destination.spot.map(|spot| spot.point), destination.reason)
    };
    for text in ["put it back", "put the samovar back where it was"] {
        for (scene, what) in [(&scenes[1], "moved"), (&scenes[2], "taken")] {
            let (status, point, reason) = back(scene, "pick up the samovar", text);
            assert_eq!((status, point), (Status::Found, Some([225.0, 135.0])), "{text}, {what}: {reason}");
        }
        let (status, _, reason) = back(&scenes[0], "pick up the samovar", text);
        assert!(status == Status::NotFound && reason.contains("stands where it was"), "{reason}");
        let (status, _, reason) = back(&scenes[3], "pick up the samovar", text);
        assert!(status == Status::NotFound && reason.contains("something else"), "{reason}");
    }
    let (status, _, reason) = back(&scenes[0], "the vase", "put the samovar back");
    assert!(status == Status::NotFound && reason.contains("is not known"), "{reason}");
}
