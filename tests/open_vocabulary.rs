//! Commands with an open vocabulary: a model that is not ours and knows words that no list of ours has.
//!
//! The model stands in for a CLIP with real weights, which no test can download. A word is a direction of its feature space; a picture's
//! feature is the sum of the words of the thing in it, which the model recognizes by its exact colour, as CLIP would by its looks. So it tells
//! apart any nouns and looks, and has no closed list of them.

use candle_core::{DType, Device, Tensor};
use referseg::answer::{Answer, Status};
use referseg::config::{Config, Layer};
use referseg::files::fingerprint::{FileDigest, Fingerprint};
use referseg::grounding::{EncodedFrame, Segmenter};
use referseg::image::resample::{Filter, Normalization};
use referseg::image::{Frame, LabelImage};
use referseg::language::Command;
use referseg::models::{MaskedEncoder, ModelFamily, Preprocessing, TextCut};
use referseg::proposals::{FrameInput, Labels};
use referseg::Result;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Side of the model's pictures, pixels, and of its grid, cells.
const SIDE: usize = 64;
const GRID: usize = 16;
const WIDTH: usize = 512;
/// Words without a direction: they say nothing of a thing's looks.
const SILENT: [&str; 7] = ["a", "an", "the", "of", "photo", "thing", "object"];

/// A thing of the scene: its colour, by which the model recognizes it, its box (left, top, side, pixels), and the words that are true of it.
struct Thing {
    rgb: [u8; 3],
    at: (usize, usize, usize),
    words: &'static str,
}

/// From left to right two flurbs, a samovar and a vase; nobody has taught our lists a flurb, a samovar, chartreuse, mauve or paisley.
const SCENE: [Thing; 4] = [
    Thing { rgb: [180, 220, 40], at: (20, 100, 40), words: "flurb chartreuse" },
    Thing { rgb: [210, 40, 40], at: (120, 100, 40), words: "flurb red" },
    Thing { rgb: [190, 130, 200], at: (200, 95, 50), words: "samovar mauve" },
    Thing { rgb: [90, 90, 200], at: (280, 110, 30), words: "vase paisley" },
];

struct WordModel {
    preprocessing: Preprocessing,
    digest: FileDigest,
    file: PathBuf,
}

/// A direction of the feature space for a word in the singular: numbers from a seed that the letters give.
fn direction(word: &str) -> Vec<f32> {
    let mut state =
        word.trim_end_matches('s').bytes().fold(7u64, |state, byte| state.wrapping_mul(31) + u64::from(byte));
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    (0..WIDTH).map(|_| next()).collect()
}

fn feature(words: &str) -> Vec<f32> {
    let mut sum = vec![1e-3; WIDTH];
    let letters = |c: char| !c.is_alphanumeric();
    for word in words.split(letters).filter(|word| !word.is_empty() && !SILENT.contains(word)) {
        sum.iter_mut().zip(direction(word)).for_each(|(sum, value)| *sum += value);
    }
    sum
}

/// The feature of what a picture `[3, s, s]` shows at a pixel.
fn seen_at(image: &[f32], x: usize, y: usize) -> Vec<f32> {
    let colour: [f32; 3] = std::array::from_fn(|channel| image[(channel * SIDE + y) * SIDE + x] * 255.0);
    let distance = |thing: &&Thing| -> i64 {
        thing.rgb.iter().zip(colour).map(|(a, b)| ((f32::from(*a) - b).powi(2)) as i64).sum()
    };
    feature(SCENE.iter().min_by_key(distance).map_or("", |thing| thing.words))
}

impl MaskedEncoder for WordModel {
    fn encode_shared(&self, _: usize, pixels: &Tensor) -> Result<Tensor> {
        Ok(pixels.clone())
    }

    fn encode_masked(&self, _: usize, shared: &Tensor, masks: &Tensor) -> Result<Tensor> {
        let image = shared.flatten_all()?.to_vec1::<f32>()?;
        let masks = masks.to_vec2::<f32>()?;
        let features = masks.iter().flat_map(|mask| {
            let cell = (0..mask.len()).max_by(|a, b| mask[*a].total_cmp(&mask[*b])).unwrap_or(0);
            let cell_side = SIDE / GRID;
            seen_at(&image, cell % GRID * cell_side + cell_side / 2, cell / GRID * cell_side + cell_side / 2)
        });
        Ok(Tensor::from_vec(features.collect::<Vec<f32>>(), (masks.len(), WIDTH), &Device::Cpu)?)
    }
}

impl ModelFamily for WordModel {
    fn name(&self) -> &'static str {
        "model of words"
    }

    fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    fn logit_scale(&self) -> f32 {
        20.0
    }

    fn dtype(&self) -> DType {
        DType::F32
    }

    fn text_cut(&self, _: &str) -> Option<TextCut> {
        None
    }

    fn normalizes_before_mixing(&self) -> bool {
        false
    }

    fn grid(&self) -> usize {
        GRID
    }

    fn encode_images(&self, pixels: &Tensor) -> Result<Tensor> {
        let images = pixels.dim(0)?;
        let values = pixels.flatten_all()?.to_vec1::<f32>()?;
        let features = values.chunks(3 * SIDE * SIDE).flat_map(|image| seen_at(image, SIDE / 2, SIDE / 2));
        Ok(Tensor::from_vec(features.collect::<Vec<f32>>(), (images, WIDTH), &Device::Cpu)?)
    }

    fn encode_texts(&self, texts: &[&str]) -> Result<Tensor> {
        let features: Vec<f32> = texts.iter().flat_map(|text| feature(&text.to_lowercase())).collect();
        Ok(Tensor::from_vec(features, (texts.len(), WIDTH), &Device::Cpu)?)
    }

    fn masked_encoder(&self) -> Option<&dyn MaskedEncoder> {
        Some(self)
    }

    fn weights_file(&self) -> &Path {
        &self.file
    }

    fn weights_digest(&self) -> &FileDigest {
        &self.digest
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of("model of words", 1, &[])
    }
}

/// The scene, encoded by the model.
fn scene(closed: bool) -> (Segmenter, EncodedFrame) {
    let (width, height) = (340, 240);
    let (mut rgb, mut labels) = (vec![128u8; width * height * 3], vec![0u32; width * height]);
    for (number, Thing { rgb: colour, at: (left, top, side), .. }) in SCENE.iter().enumerate() {
        for place in (*top..top + side).flat_map(|y| (*left..left + side).map(move |x| y * width + x)) {
            rgb[place * 3..][..3].copy_from_slice(colour);
            labels[place] = number as u32 + 1;
        }
    }
    let frame = Frame::new(width, height, rgb).unwrap();
    let labels = Labels::new(LabelImage::new(width, height, labels).unwrap()).unwrap();
    let layers = [
        Layer::value("test", "words.closed", closed),
        Layer::value("test", "answer.min_score", 0.3),
        Layer::value("test", "answer.min_margin", 0.2),
    ];
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("LICENSE");
    let model = WordModel {
        preprocessing: Preprocessing {
            image_size: SIDE,
            normalization: Normalization { mean: [0.0; 3], std: [1.0; 3] },
            filter: Filter::Bilinear,
        },
        digest: FileDigest::start(vec![file.clone()]),
        file,
    };
    let mut segmenter = Segmenter::with_family(Config::from_layers(&layers).unwrap(), Arc::new(model)).unwrap();
    segmenter.set_generator(Box::new(labels));
    let encoded = segmenter.encode_frame(&FrameInput::single(&frame)).unwrap();
    (segmenter, encoded)
}

fn answer((segmenter, frame): &(Segmenter, EncodedFrame), text: &str) -> Answer {
    let command = segmenter.encode_command(&Command::parse(text).unwrap()).unwrap();
    segmenter.answer(frame, &command).unwrap()
}

/// The numbers of the things found; none unless the status is FOUND.
fn found(scene: &(Segmenter, EncodedFrame), text: &str) -> Vec<usize> {
    let answer = answer(scene, text);
    let mut found: Vec<usize> = answer.found.iter().map(|thing| thing.proposal).collect();
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
