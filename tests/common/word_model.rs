//! A model that is not ours and knows words that no list of ours has, with a scene for it.
//!
//! The model stands in for a CLIP with real weights, which no test can download. A word is a direction of its feature space; a picture's
//! feature is the sum of the words of the thing in it, which the model recognizes by its exact colour, as CLIP would by its looks. So it tells
//! apart any nouns and looks, and has no closed list of them.

use candle_core::{DType, Device, Tensor};
use referseg::answer::Answer;
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
pub fn scene(closed: bool) -> (Segmenter, EncodedFrame) {
    scene_with(closed, |_, left| Some(left))
}

/// The scene, where each thing, by its number, stands at another column than it did; `None` for nowhere.
pub fn scene_with(closed: bool, column: impl Fn(usize, usize) -> Option<usize>) -> (Segmenter, EncodedFrame) {
    let (width, height) = (340, 240);
    let (mut rgb, mut labels) = (vec![128u8; width * height * 3], vec![0u32; width * height]);
    for (number, Thing { rgb: colour, at: (left, top, side), .. }) in SCENE.iter().enumerate() {
        let Some(left) = column(number, *left) else { continue };
        for place in (*top..top + side).flat_map(|y| (left..left + side).map(move |x| y * width + x)) {
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

pub fn answer((segmenter, frame): &(Segmenter, EncodedFrame), text: &str) -> Answer {
    let command = segmenter.encode_command(&Command::parse(text).unwrap()).unwrap();
    segmenter.answer(frame, &command).unwrap()
}
