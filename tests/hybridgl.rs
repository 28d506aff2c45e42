//! Parity with the authors' program of HybridGL (Liu and Li, CVPR 2025), step by step.
//!
//! Reads every folder below `../shared/parity` and in `REFERSEG_PARITY_DIRS` (colon-separated) whose `meta.json` says
//! `"kind": "hybridgl"`; the folder's `README.md` tells the format and the tolerances. `tests/hybridgl_parts.rs` needs no such
//! folder.

mod common;

use candle_core::{DType, Device, Tensor};
use common::{json, parity_folders, safetensors, Tensors};
use referseg::config::{Config, Layer};
use referseg::grounding::hybridgl::{holds, HybridGuidance, HybridPictures, PlaceHeat};
use referseg::grounding::softmax;
use referseg::image::{bilinear_on_grid, Frame, Mask, Rect};
use referseg::language::{BoxRelation, Direction, SpatialWords};
use referseg::models::clip::{Clip, Towers, VisionTransformer};
use referseg::models::tensor_math::{cosine_similarities, dot_products, l2_normalize};
use referseg::models::Compute;
use referseg::models::HybridReadout;
use referseg::models::{HybridEncoder, ModelFamily, PlaceEncoder};
use serde_json::Value;
use std::path::{Path, PathBuf};

const RELATIONS: [(&str, BoxRelation); 8] = [
    ("none", BoxRelation::None),
    ("left", BoxRelation::Left),
    ("right", BoxRelation::Right),
    ("up", BoxRelation::Up),
    ("down", BoxRelation::Down),
    ("big", BoxRelation::Big),
    ("small", BoxRelation::Small),
    ("within", BoxRelation::Within),
];

const DIRECTIONS: [(&str, Direction); 6] = [
    ("none", Direction::None),
    ("left", Direction::Left),
    ("right", Direction::Right),
    ("middle", Direction::Middle),
    ("up", Direction::Up),
    ("down", Direction::Down),
];

fn named<T: Copy>(table: &[(&str, T)], name: &Value) -> T {
    table.iter().find(|(known, _)| Some(*known) == name.as_str()).unwrap_or_else(|| panic!("{name}")).1
}

/// The paper's settings of pixels, which are the authors' here too.
fn paper() -> Config {
    Config::from_layers(&[Layer::value("test", "preset", "paper"), Layer::value("test", "model", "nowhere")]).unwrap()
}

/// One folder's fixture with what the steps need.
struct Fixture {
    name: String,
    meta: Value,
    input: Tensors,
    expected: Tensors,
    photo: Frame,
    masks: Vec<Mask>,
    towers: Towers<VisionTransformer>,
}

fn rows(tensor: &Tensor) -> Vec<Vec<f32>> {
    tensor.to_dtype(DType::F32).unwrap().to_vec2().unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn frame(tensor: &Tensor) -> Frame {
    let (height, width, _) = tensor.dims3().unwrap();
    Frame::new(width, height, tensor.flatten_all().unwrap().to_vec1().unwrap()).unwrap()
}

/// Largest distance of two lists, relative to the expected one's length.
fn relative(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>().sqrt();
    norm(&mut found.iter().zip(expected).map(|(a, b)| a - b)) / norm(&mut expected.iter().copied()).max(1e-12)
}

fn absolute(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let gaps = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    gaps.fold(0.0, |most, gap| if gap.is_nan() || gap > most { gap } else { most })
    // f32::max drops NaN
}

impl Fixture {
    fn read(folder: &Path) -> Fixture {
        let input = safetensors(&folder.join("input.safetensors"));
        let (n, height, width) = input["proposals"].dims3().unwrap();
        let pixels: Vec<u8> = input["proposals"].flatten_all().unwrap().to_vec1().unwrap();
        let mask = |i: usize| Mask::from_fn(width, height, |x, y| pixels[(i * height + y) * width + x] != 0);
        let Clip::Transformer(towers) = Clip::load_towers(&folder.join("model"), &Compute::on_cpu()).unwrap() else {
            panic!("{folder:?} holds no vision transformer")
        };
        Fixture {
            name: folder.display().to_string(),
            meta: json(&folder.join("meta.json")),
            expected: safetensors(&folder.join("expected.safetensors")),
            photo: frame(&input["photo"]),
            masks: (0..n).map(mask).collect(),
            towers,
            input,
        }
    }

    fn sentences(&self) -> usize {
        self.meta["sentences"].as_array().unwrap().len()
    }

    /// Rows of a tensor whose relative error each must stay below `most`.
    fn close(&self, what: &str, found: &Tensor, most: f32) {
        let gaps = rows(found).iter().zip(rows(&self.expected[what])).map(|(a, b)| relative(a, &b)).collect::<Vec<_>>();
        let worst = gaps.into_iter().fold(0.0, |a: f32, b| if b.is_nan() || b > a { b } else { a });
        println!("{}: {what} largest relative error {worst:.2e}", self.name);
        assert!(worst <= most, "{}: {what}: relative error {worst:.2e}", self.name);
    }

    fn close_values(&self, what: &str, found: &[f32], expected: &[f32], most: f32) {
        let gap = absolute(found, expected);
        assert!(gap <= most, "{}: {what}: off by {gap:.2e}\n{found:?}\n{expected:?}", self.name);
    }

    fn text(&self, ids: &str) -> Tensor {
        self.towers.text.features(&self.input[ids].to_dtype(DType::U32).unwrap()).unwrap()
    }

    fn masks_on_grid(&self) -> Tensor {
        let grid = self.towers.vision.grid();
        let cells: Vec<f32> = self.masks.iter().flat_map(|mask| bilinear_on_grid(mask, grid)).collect();
        Tensor::from_vec(cells, (self.masks.len(), grid * grid), &Device::Cpu).unwrap()
    }

    fn features(&self, readout: HybridReadout) -> Tensor {
        let config = paper();
        let pictures = HybridPictures::new(&self.photo, self.towers.preprocessing(), &config).unwrap();
        let side = self.towers.vision.image_size();
        let stack =
            |pixels: Vec<f32>| Tensor::from_vec(pixels, (self.masks.len(), 3, side, side), &Device::Cpu).unwrap();
        let local = stack(self.masks.iter().flat_map(|mask| pictures.local(mask).unwrap()).collect());
        let global = stack(self.masks.iter().flat_map(|mask| pictures.global(mask).unwrap()).collect());
        let joined = self.towers.vision.depth() - self.meta["masking_block"].as_u64().unwrap() as usize;
        self.towers.encode_hybrid(readout, joined, [&local, &global], &self.masks_on_grid()).unwrap()
    }

    fn spatial(&self, sentence: usize) -> SpatialWords {
        let parse = &self.meta["parse"][sentence];
        let list = |value: &Value| value.as_array().unwrap().clone();
        let index = |value: &Value| value.as_u64().unwrap() as usize;
        let words: Vec<String> = list(&parse["tokens"]).iter().map(|w| w.as_str().unwrap().into()).collect();
        let heads: Vec<usize> = list(&parse["heads"]).iter().map(index).collect();
        let chunk = |chunk: &Value| {
            let range = index(&chunk[0])..index(&chunk[1]);
            (range.clone(), index(&chunk[2]), words[range].join(" "))
        };
        let chunks: Vec<_> = list(&parse["chunks"]).iter().map(chunk).collect();
        SpatialWords::of_parse(&words, &heads, &chunks, self.meta["noun_phrases"][sentence].as_str().unwrap())
    }

    /// The heat map of every sentence at the places of the image, `[t, g * g]`.
    fn heat(&self) -> Vec<Vec<f32>> {
        let preprocessing = self.towers.preprocessing();
        let pixels = frame(&self.input["gem_pixels"]);
        let side = self.towers.vision.image_size() * 2;
        assert_eq!(pixels.width(), side);
        let normal = preprocessing.normalization.planes(pixels.rgb());
        let pixels = Tensor::from_vec(normal, (1, 3, side, side), &Device::Cpu).unwrap();
        let places = l2_normalize(&PlaceEncoder::encode_places(&self.towers, &pixels).unwrap()).unwrap();
        let texts = l2_normalize(&self.text("gem_ids")).unwrap();
        (0..self.sentences()).map(|t| dot_products(&places, &texts.get(t).unwrap()).unwrap()).collect()
    }

    fn size(&self) -> (usize, usize) {
        (self.photo.width(), self.photo.height())
    }

    /// Every n-th row and column of an image's map.
    fn sampled(&self, map: &[f32]) -> Vec<f32> {
        let step = self.meta["sample_step"].as_u64().unwrap() as usize;
        let (width, height) = self.size();
        let row = |y: usize| (0..width).step_by(step).map(move |x| (x, y));
        (0..height).step_by(step).flat_map(row).map(|(x, y)| map[y * width + x]).collect()
    }
}

fn fixtures() -> Vec<Fixture> {
    let hybrid = |folder: &PathBuf| {
        let meta = folder.join("meta.json");
        meta.is_file() && json(&meta)["kind"] == "hybridgl"
    };
    parity_folders().iter().filter(|folder| hybrid(folder)).map(|folder| Fixture::read(folder)).collect()
}

#[test]
fn pictures_and_grid_masks_are_the_references() {
    for fixture in fixtures() {
        let config = paper();
        let pictures = HybridPictures::new(&fixture.photo, fixture.towers.preprocessing(), &config).unwrap();
        let blurred: Vec<u8> = fixture.expected["blurred"].flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(pictures.blurred().rgb(), blurred, "byte for byte");
        for (index, mask) in fixture.masks.iter().take(2).enumerate() {
            let global = flat(&fixture.expected["global_pixels"].get(index).unwrap());
            fixture.close_values("global picture", &pictures.global(mask).unwrap(), &global, 1e-5);
            let local = flat(&fixture.input["crops"].get(index).unwrap());
            fixture.close_values("local picture", &pictures.local(mask).unwrap(), &local, 1e-5);
        }
        let grid = fixture.expected["grid_masks"].flatten_from(1).unwrap();
        fixture.close_values("grid masks", &flat(&fixture.masks_on_grid()), &flat(&grid), 1e-6);
    }
}

#[test]
fn features_of_every_readout_and_of_the_texts_are_the_references() {
    for fixture in fixtures() {
        fixture.close("features_g2l", &fixture.features(HybridReadout::G2l), 1e-4);
        fixture.close("features_l2g", &fixture.features(HybridReadout::L2g), 1e-4);
        fixture.close("features_sum", &fixture.features(HybridReadout::Sum), 1e-4);
        fixture.close("sentence_features", &fixture.text("sentence_ids"), 1e-4);
        fixture.close("noun_features", &fixture.text("noun_ids"), 1e-4);
        fixture.close("gem_text_features", &l2_normalize(&fixture.text("gem_ids")).unwrap(), 1e-4);
    }
}

#[test]
fn the_heat_map_is_the_references() {
    for fixture in fixtures() {
        let grid = 2 * fixture.towers.vision.grid();
        fixture.close("gem_position", &fixture.towers.vision.positions_on(grid).unwrap(), 1e-4);
        let found = fixture.heat();
        let size = fixture.size();
        let side = 2 * fixture.towers.vision.image_size();
        for (t, raw) in found.iter().enumerate() {
            let of = |name: &str| flat(&fixture.expected[name].get(t).unwrap());
            let error = relative(raw, &of("heat_raw"));
            assert!(error <= 1e-4, "sentence {t}: heat {error:.2e}");
            let heat = PlaceHeat::enlarged(raw, side, size).unwrap();
            let error = relative(&fixture.sampled(heat.values()), &of("heat_unit"));
            assert!(error <= 1e-4, "sentence {t}: enlarged heat {error:.2e}");
            // the reference has no ramp of above and below
            let direction = match named(&DIRECTIONS, &fixture.meta["direction"][t]) {
                Direction::Up | Direction::Down => Direction::None,
                direction => direction,
            };
            let error = relative(&fixture.sampled(heat.directed(direction).values()), &of("heat"));
            assert!(error <= 1e-4, "sentence {t}: directed heat {error:.2e}");
        }
        let t = fixture.meta["sentence_of_kinds_and_directions"].as_u64().unwrap() as usize;
        let heat = PlaceHeat::enlarged(&found[t], side, size).unwrap();
        for (index, name) in fixture.meta["directions"].as_array().unwrap().iter().enumerate() {
            let directed = heat.directed(named(&DIRECTIONS, name));
            let expected = flat(&fixture.expected["heat_by_direction"].get(index).unwrap());
            let error = relative(&fixture.sampled(directed.values()), &expected);
            assert!(error <= 1e-4, "{name}: {error:.2e}");
            for (b, relation) in [BoxRelation::Small, BoxRelation::None, BoxRelation::Big].into_iter().enumerate() {
                let expected = fixture.expected["coherence_by_direction"].get(index).unwrap().get(b).unwrap();
                let found: Vec<f32> = fixture.masks.iter().map(|mask| directed.coherence(mask, relation)).collect();
                fixture.close_values("coherence", &found, &flat(&expected), 1e-3);
            }
        }
    }
}

#[test]
fn words_of_place_are_heard_as_the_reference_hears_them() {
    for fixture in fixtures() {
        for t in 0..fixture.sentences() {
            let (found, said) = (fixture.spatial(t), &fixture.meta["sentences"][t]);
            assert_eq!(found.published_relation, named(&RELATIONS, &fixture.meta["relation"][t]), "{said}");
            assert_eq!(found.relation, named(&RELATIONS, &fixture.meta["corrected_relation"][t]), "{said}");
            assert_eq!(found.direction, named(&DIRECTIONS, &fixture.meta["direction"][t]), "{said}");
            let others: Vec<&str> = found.others.iter().map(String::as_str).collect();
            assert_eq!(serde_json::json!(others), fixture.meta["other_nouns"][t], "{said}");
        }
    }
}

#[test]
fn scores_and_picks_are_the_references() {
    for fixture in fixtures() {
        let features = fixture.features(HybridReadout::G2l);
        let texts = ((fixture.text("sentence_ids") + fixture.text("noun_ids")).unwrap() * 0.5).unwrap();
        fixture.close("text_features", &texts, 1e-4);
        let other_features = fixture.text("other_ids");
        let owners: Vec<i64> = fixture.input["other_sentence"].to_vec1().unwrap();
        let heat = fixture.heat();
        let (scale, side) = (fixture.towers.logit_scale(), 2 * fixture.towers.vision.image_size());
        let probabilities = |text: &Tensor| {
            let cosines = cosine_similarities(&features, text).unwrap();
            softmax(cosines.iter().map(|cosine| cosine * scale))
        };
        let mut picks = 0;
        for (t, heat) in heat.iter().enumerate() {
            let of = |name: &str| flat(&fixture.expected[name].get(t).unwrap());
            let p = probabilities(&texts.get(t).unwrap());
            fixture.close_values("p", &p, &of("p"), 1e-3);
            let own: Vec<u32> = (0..owners.len() as u32).filter(|i| owners[*i as usize] == t as i64).collect();
            let others = (!own.is_empty()).then(|| {
                let rows = other_features.index_select(&Tensor::new(own.as_slice(), &Device::Cpu).unwrap(), 0).unwrap();
                let q = probabilities(&rows.mean(0).unwrap());
                fixture.close_values("p_neg", &q, &of("p_neg"), 1e-3);
                q
            });
            let spatial = fixture.spatial(t);
            let vertical = matches!(spatial.direction, Direction::Up | Direction::Down);
            let published = if vertical { Direction::None } else { spatial.direction };
            for (prefix, relation, direction) in
                [("", spatial.published_relation, published), ("corrected_", spatial.relation, spatial.direction)]
            {
                let guidance = HybridGuidance {
                    relation,
                    direction,
                    masks: fixture.masks.iter().collect(),
                    others: others.clone(),
                    heat: PlaceHeat::enlarged(heat, side, fixture.size()).unwrap(),
                };
                let found = guidance.scores(&p);
                let of = |name: &str| of(&format!("{prefix}{name}"));
                let ids = |indices: &[usize]| indices.iter().map(|i| *i as f32).collect::<Vec<_>>();
                assert_eq!(ids(&found.candidates), flat(&fixture.expected["top"].get(t).unwrap()), "sentence {t}");
                let sorted = |mut ids: Vec<f32>| {
                    ids.sort_by(f32::total_cmp);
                    ids.retain(|id| *id >= 0.0);
                    ids
                };
                let expected_anchors = sorted(flat(&fixture.expected["anchors"].get(t).unwrap()));
                assert_eq!(sorted(ids(&found.anchors)), expected_anchors, "sentence {t}");
                fixture.close_values("relation", &found.relation, &of("relation_softmax"), 1e-3);
                fixture.close_values("coherence", &found.coherence, &of("coherence"), 1e-3);
                fixture.close_values("total", &found.total, &of("final"), 1e-3);
                let ranked = found.ranked(&p);
                let best = (0..ranked.len()).rev().max_by(|a, b| ranked[*a].total_cmp(&ranked[*b])).unwrap();
                assert_eq!(best as f32, of("pick")[0], "{prefix} sentence {t}");
                picks += 1;
            }
        }
        println!("{}: {picks} picks", fixture.name);
    }
}

#[test]
fn every_relation_of_boxes_is_the_references() {
    for fixture in fixtures() {
        let t = fixture.meta["sentence_of_kinds_and_directions"].as_u64().unwrap() as usize;
        let (p, q) = (flat(&fixture.expected["p"].get(t).unwrap()), flat(&fixture.expected["p_neg"].get(t).unwrap()));
        let boxes: Vec<Rect> = fixture.masks.iter().map(|mask| mask.bounding_box().unwrap()).collect();
        for (index, kind) in fixture.meta["relation_kinds"].as_array().unwrap().iter().enumerate() {
            let relation = named(&RELATIONS, kind);
            let pair = |i: usize, j: usize| match relation {
                BoxRelation::None => p[i],
                _ => p[i] * q[j] * holds(relation, boxes[i], boxes[j]),
            };
            let n = boxes.len();
            let found: Vec<f32> = (0..n * n).map(|at| pair(at / n, at % n)).collect();
            fixture.close_values(
                &format!("{kind}"),
                &found,
                &flat(&fixture.expected["relation_pairs"].get(index).unwrap()),
                1e-5,
            );
        }
    }
}
