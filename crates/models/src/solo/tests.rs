//! Parity with the authors' code on random weights, step by step: `../shared/parity_solo` (its README has the tolerances), and the folders
//! named in REFERSEG_SOLO_DIRS.

use super::model::SoloModel;
use super::network::Network;
use super::selection::{candidates, matrix_nms, select, sorted};
use crate::compute::Compute;
use candle_core::{DType, Device, Tensor};
use referseg_image::{Frame, Mask};
use std::collections::HashMap;
use std::path::PathBuf;

fn folders() -> Vec<PathBuf> {
    let named = std::env::var("REFERSEG_SOLO_DIRS").unwrap_or_default();
    let named = named.split(':').filter(|name| !name.is_empty()).map(PathBuf::from);
    let shared = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/parity_solo"));
    let all: Vec<PathBuf> =
        named.chain([shared]).filter(|folder| folder.join("reference.safetensors").is_file()).collect();
    if all.is_empty() {
        eprintln!("NOT RUN: ../shared/parity_solo is absent: parity of SOLO with the authors' code is not tested");
    }
    all
}

struct Reference(HashMap<String, Tensor>);

impl Reference {
    fn numbers(&self, name: &str) -> Vec<f32> {
        let tensor = self.0.get(name).unwrap_or_else(|| panic!("no {name}"));
        tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    fn indices(&self, name: &str) -> Vec<usize> {
        let tensor = &self.0[name];
        let values: Vec<i64> = tensor.to_dtype(DType::I64).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        values.into_iter().map(|value| value as usize).collect()
    }

    /// Largest difference, as a part of the largest value.
    fn difference(&self, name: &str, found: &Tensor) -> f32 {
        let expected = self.numbers(name);
        let found: Vec<f32> = found.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(found.len(), expected.len(), "{name}");
        let largest = expected.iter().fold(0f32, |most, value| most.max(value.abs()));
        found.iter().zip(&expected).fold(0f32, |most, (a, b)| most.max((a - b).abs())) / largest
    }
}

#[test]
fn solo_computes_what_the_authors_code_computes() {
    for folder in folders() {
        let reference = candle_core::safetensors::load(folder.join("reference.safetensors"), &Device::Cpu).unwrap();
        let reference = Reference(reference);
        let frame = image::open(folder.join("picture.png")).unwrap().to_rgb8();
        let frame = Frame::new(frame.width() as usize, frame.height() as usize, frame.into_raw()).unwrap();
        let names: Vec<_> = ["model.safetensors", "model.pth"]
            .map(|name| folder.join(name))
            .into_iter()
            .filter(|f| f.is_file())
            .collect();
        assert!(!names.is_empty());
        for name in names {
            let model = SoloModel::open(&name, &Compute::on_cpu()).unwrap();
            let near = |name: &str, found: &Tensor, tolerance: f32| {
                let difference = reference.difference(name, found);
                assert!(difference <= tolerance, "{name}: {difference}");
            };
            // resizing rounds now and then to the other of two levels
            let (pixels, expected) = (
                model.pixels(&frame).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap(),
                reference.numbers("pixels"),
            );
            let apart: Vec<f32> =
                pixels.iter().zip(&expected).map(|(a, b)| (a - b).abs()).filter(|apart| *apart > 1e-5).collect();
            assert!(
                apart.iter().all(|apart| *apart < 0.018) && apart.len() * 50 < expected.len(),
                "{} pixels",
                apart.len()
            );
            let stages = model.network().backbone(&reference.0["pixels"]).unwrap();
            let pyramid = model.network().pyramid(&stages).unwrap();
            for (at, stage) in stages.iter().enumerate() {
                near(&format!("c{}", at + 2), stage, 1e-4);
            }
            for (at, level) in pyramid.iter().enumerate() {
                near(&format!("p{}", at + 2), level, 1e-4);
            }
            let levels = Network::levels(&pyramid).unwrap();
            near("level0", &levels[0], 1e-4);
            near("level4", &levels[4], 1e-4);
            let outputs = model.network().forward(&reference.0["pixels"], &model.config.grids).unwrap();
            near("mask_features", &outputs.mask_features, 1e-4);
            for level in 0..5 {
                near(&format!("cate_logits.{level}"), &outputs.categories[level], 1e-4);
                near(&format!("kernel.{level}"), &outputs.kernels[level], 1e-4);
            }
            let found = candidates(&outputs, &model.config).unwrap();
            assert_eq!(found.iter().map(|one| one.cell).collect::<Vec<_>>(), reference.indices("cand.cell"));
            assert_eq!(found.iter().map(|one| one.label).collect::<Vec<_>>(), reference.indices("cand.label"));
            for (one, score) in found.iter().zip(reference.numbers("cand.score")) {
                assert!((one.score - score).abs() < 1e-5, "{} {score}", one.score);
            }
            let sorted = sorted(&outputs, &found, &model.config).unwrap();
            assert_eq!(sorted.iter().map(|one| one.index).collect::<Vec<_>>(), reference.indices("sorted.index"));
            let factors = matrix_nms(&sorted, model.config.nms_sigma);
            let suppressed = sorted.iter().zip(&factors).map(|(one, factor)| one.score * factor);
            for (score, expected) in suppressed.zip(reference.numbers("sorted.score_nms")) {
                assert!((score - expected).abs() < 1e-4, "{score} {expected}");
            }
            let last = select(&outputs, &model.config).unwrap();
            assert_eq!(last.iter().map(|one| one.index).collect::<Vec<_>>(), reference.indices("final.index"));
            for (one, score) in last.iter().zip(reference.numbers("final.score")) {
                assert!((one.score - score).abs() < 1e-4);
            }
            let proposed = model.propose_on(&reference.0["pixels"], (frame.width(), frame.height())).unwrap();
            let masks = reference.numbers("final.masks");
            let size = frame.width() * frame.height();
            assert_eq!(proposed.len(), masks.len() / size);
            let wrong: usize = proposed
                .iter()
                .zip(masks.chunks_exact(size))
                .map(|(one, expected)| {
                    let expected =
                        Mask::from_fn(frame.width(), frame.height(), |x, y| expected[y * frame.width() + x] > 0.5);
                    one.mask.area() + expected.area() - 2 * one.mask.intersection(&expected)
                })
                .sum();
            assert!(wrong * 10_000 <= masks.len(), "{wrong} pixels of {}", masks.len());
        }
    }
}

#[test]
fn a_solo_that_is_none_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.safetensors");
    let tensor = Tensor::zeros((2, 2), DType::F32, &Device::Cpu).unwrap();
    candle_core::safetensors::save(&HashMap::from([("weight", tensor)]), &path).unwrap();
    let refused = SoloModel::open(&path, &Compute::on_cpu()).err().unwrap().to_string();
    assert!(refused.contains("backbone.bottom_up.stem.conv1.weight"), "{refused}");
}
