//! What the resolver makes of things on one row.

use super::*;
use crate::guidance::layout::RobotPlaces;
use crate::guidance::vocabulary::OwnWords;
use referseg_config::WordSettings;
use referseg_language::{CommandParser, ParsedCommand, ParserKind};

fn parse(text: &str) -> ParsedCommand {
    CommandParser::open(ParserKind::Rules, "".as_ref()).unwrap().parse(text)
}

/// Things on one row, 0.15 apart from the left, each "noun colour"; the model distinguishes the words with certainty.
struct Row(Vec<(&'static str, &'static str)>);

fn words() -> WordSettings {
    let texts = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    WordSettings {
        template: "{}".into(),
        closed: true,
        nouns: texts(&["mug", "box", "plate"]),
        colours: texts(&["red", "green", "blue"]),
        nothing: texts(&["background"]),
        synonyms: std::collections::BTreeMap::default(),
    }
}

impl Row {
    /// The things that a text means, by their probabilities.
    fn fits(&self, text: &str) -> Vec<f32> {
        self.fits_with(text, None)
    }

    /// As `fits`, with where each thing is for the robot, metres forward, left and up; and whether that was used.
    fn fits_for_robot(&self, text: &str, places: Vec<[f32; 3]>) -> (Vec<f32>, bool) {
        self.resolved(text, None, Some(RobotPlaces { frame_id: "base".into(), places }))
    }

    /// As `fits`, with the distance of each thing from the camera, metres.
    fn fits_with(&self, text: &str, depths: Option<Vec<f32>>) -> Vec<f32> {
        self.resolved(text, depths, None).0
    }

    fn resolved(&self, text: &str, depths: Option<Vec<f32>>, robot: Option<RobotPlaces>) -> (Vec<f32>, bool) {
        let words = words();
        let row = |(noun, colour): &(&str, &str)| {
            let is = |word: &String| f32::from(u8::from(word == noun || word == colour));
            words.nouns.iter().chain(&words.colours).chain(&words.nothing).map(is).collect()
        };
        let own = OwnWords::none();
        let appearance =
            Appearance::new(self.0.iter().map(row).collect(), &words, &own, 12.0, &vec![false; self.0.len()]);
        let outline = |k: usize| {
            let (x, y) = (0.1 + 0.15 * k as f32, 0.4);
            Outline {
                x,
                y,
                left: x - 0.05,
                right: x + 0.05,
                top: y - 0.05,
                bottom: y + 0.05,
                area: 0.01,
                brightness: 0.5,
            }
        };
        let mut layout = Layout::of_outlines((0..self.0.len()).map(outline).collect(), 0.75);
        layout.depths = depths;
        layout.robot = robot;
        let things: Vec<usize> = (0..self.0.len()).collect();
        let parsed = parse(text);
        let resolver = Resolver {
            things: &things,
            appearance: &appearance,
            layout: &layout,
            by_depth: Cell::default(),
            from_robot: parsed.from_robot,
            by_robot: Cell::default(),
            looks: RefCell::default(),
        };
        let fit = resolver.resolve(&parsed.target, &parsed.withdrawn, 1).fit;
        (fit, resolver.by_robot.get())
    }

    fn best(&self, text: &str) -> usize {
        let fits = self.fits(text);
        let best = (0..fits.len()).max_by(|a, b| fits[*a].total_cmp(&fits[*b])).unwrap();
        assert!(fits[best] > 0.25, "{text}: {fits:?}");
        let second = (0..fits.len()).filter(|k| *k != best).map(|k| fits[k]).fold(0.0, f32::max);
        assert!(second < 0.5 * fits[best], "{text}: {fits:?}");
        best
    }
}

#[test]
fn orders_count_the_things_that_fit() {
    let row = Row(vec![("mug", "red"), ("box", "red"), ("mug", "green"), ("mug", "blue"), ("plate", "red")]);
    assert_eq!(row.best("the second mug from the left"), 2);
    assert_eq!(row.best("the third mug from the left"), 3);
    assert_eq!(row.best("the second mug from the right"), 2);
    assert_eq!(row.best("the last mug from the left"), 3);
    assert_eq!(row.best("the leftmost mug"), 0);
    assert_eq!(row.best("the rightmost red thing"), 4);
    assert!(row.fits("the fourth mug from the left").iter().all(|fit| *fit < 0.05), "there are three");
}

#[test]
fn relations_hold_to_anchors_that_are_expressions_themselves() {
    let row = Row(vec![("mug", "red"), ("box", "red"), ("mug", "green"), ("box", "blue"), ("mug", "blue")]);
    assert_eq!(row.best("the mug left of the red box"), 0);
    assert_eq!(row.best("the mug right of the blue box"), 4);
    assert_eq!(row.best("the mug between the boxes"), 2);
    assert_eq!(row.best("the mug between the red box and the blue box"), 2);
    assert_eq!(row.best("the box right of the mug that is right of the red box"), 3);
    assert_eq!(row.best("the mug farthest from the blue mug"), 0);
    assert!(row.fits("the mug left of the plate").iter().all(|fit| *fit < 0.1), "there is no plate");
}

#[test]
fn what_is_excluded_is_not_meant() {
    let row = Row(vec![("mug", "red"), ("mug", "green"), ("box", "red"), ("box", "green")]);
    for text in [
        "the mug that is not red",
        "the mug, but not the red one",
        "any mug except the red one",
        "pick up the red mug, no wait, the green one",
        "don't take the red mug, take the green one",
        "not the red mug, the other one",
        "the mug not on the left",
    ] {
        assert_eq!(row.best(text), 1, "{text}");
        assert!(row.fits(text)[0] < 0.1, "{text}");
    }
}

#[test]
fn likeness_is_judged_by_what_the_anchor_looks_like() {
    let row = Row(vec![("mug", "red"), ("mug", "green"), ("box", "green"), ("box", "red"), ("plate", "green")]);
    assert_eq!(row.best("the mug of the same colour as the plate"), 1);
    assert_eq!(row.best("the box of another colour than the plate"), 3);
}

#[test]
fn a_place_that_only_decorates_does_not_hurt() {
    let row = Row(vec![("mug", "red"), ("box", "red"), ("plate", "green")]);
    let plain = row.fits("the mug")[0];
    let decorated = row.fits("the mug on the left")[0];
    assert!(decorated > 0.85 * plain, "{decorated} of {plain}");
}

#[test]
fn with_depth_the_nearest_is_the_nearest_and_not_the_lowest_in_the_picture() {
    let row = Row(vec![("mug", "red"), ("mug", "green"), ("box", "red"), ("mug", "blue")]);
    let by_depth = |text: &str| {
        let fits = row.fits_with(text, Some(vec![1.2, 0.6, 0.9, 1.6]));
        (0..4).max_by(|a, b| fits[*a].total_cmp(&fits[*b])).unwrap()
    };
    assert_eq!(by_depth("the mug closest to us"), 1);
    assert_eq!(by_depth("the farthest mug"), 3);
    assert_eq!(by_depth("the second closest mug"), 0);
    assert_eq!(by_depth("the mug in front of the box"), 1);
    assert_eq!(by_depth("the tallest mug"), 3);
}

/// Three mugs and a box; the camera looks back at the robot, so that left and right, near and far are the other way round for it. The second mug
/// stands on a shelf.
#[test]
fn words_that_mean_the_robot_are_judged_in_its_frame_and_others_in_the_picture() {
    let row = Row(vec![("mug", "red"), ("mug", "green"), ("mug", "blue"), ("box", "red")]);
    let places = vec![[0.5, -0.3, 0.1], [0.9, -0.1, 0.6], [0.7, 0.1, 0.1], [0.9, -0.1, 0.3]];
    let best = |text: &str| {
        let (fits, by_robot) = row.fits_for_robot(text, places.clone());
        let best = (0..fits.len()).max_by(|a, b| fits[*a].total_cmp(&fits[*b])).unwrap();
        (best, by_robot)
    };
    assert_eq!(best("the mug on the left"), (0, false), "the picture's");
    for text in ["the mug on your left", "the mug to your left", "the leftmost mug from your side"] {
        assert_eq!(best(text), (2, true), "{text}");
    }
    assert_eq!(best("the mug on your right"), (0, true));
    assert_eq!(best("the mug closest to you"), (0, true));
    assert_eq!(best("the mug farthest from you"), (1, true));
    assert_eq!(best("the mug above the box"), (1, true));
    assert_eq!(best("the topmost mug"), (1, true));
    assert!(best("the mug below the box").1);
    assert_eq!(best("the mug to the left of the box"), (2, false), "the picture's: nobody's left was said");
    assert_eq!(best("give me the red mug"), (0, false));
}
