//! SOLOv2 without classes: masks of all objects of a picture in one pass (Wang et al. 2020, *SOLOv2: Dynamic and Fast Instance
//! Segmentation*), as FreeSOLO (Wang et al., CVPR 2022) trains it and *Global-Local CLIP* takes its proposals from.
//!
//! `network` computes category scores, kernels and mask features; `selection` makes masks of them; `model` puts them together.

mod config;
mod model;
mod network;
mod selection;
#[cfg(test)]
mod tests;

pub use config::SoloConfig;
pub use model::{SoloMask, SoloModel};
