//! `Cache`: proposals and features on disk, so that another method or weight need not compute them again.
//!
//! A file is named by what went into it: the image's bytes and the stage's fingerprint. It is written beside its place
//! and moved there, so a killed run leaves no half file; a file that can't be read is computed again.

use candle_core::Tensor;
use referseg_files::{Error, Result};
use referseg_grounding::{LocalFeatures, VisualFeatures};
use referseg_image::Rle;
use referseg_models::device::Device;
use referseg_proposals::Proposal;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A folder of results; without a folder nothing is kept.
pub struct Cache {
    folder: Option<PathBuf>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    width: usize,
    height: usize,
    proposals: Vec<StoredProposal>,
}

#[derive(Serialize, Deserialize)]
struct StoredProposal {
    counts: String,
    label: Option<u32>,
    quality: f32,
}

impl Cache {
    /// A cache in this folder, which is made if it is absent.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn open(folder: Option<PathBuf>) -> Result<Cache> {
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        }
        Ok(Cache { folder })
    }

    fn place(&self, key: &str, kind: &str) -> Option<PathBuf> {
        // 256 folders: no folder of a hundred thousand files
        Some(self.folder.as_ref()?.join(&key[..2]).join(format!("{key}.{kind}")))
    }

    fn write(place: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let folder = place.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        // under a name of its own: two processes may compute the same
        let beside = tempfile::Builder::new().suffix(".part").tempfile_in(folder).map_err(Error::file(place))?;
        write(beside.path())?;
        beside.persist(place).map_err(|failed| Error::File { path: place.into(), cause: failed.error })?;
        Ok(())
    }

    /// The proposals under a key, or those that `compute` gives.
    ///
    /// # Errors
    /// When they can't be computed or written.
    pub fn proposals(
        &self,
        key: &str,
        compute: impl FnOnce() -> Result<Vec<Proposal>>,
        (width, height): (usize, usize),
    ) -> Result<Vec<Proposal>> {
        let place = self.place(key, "proposals.json");
        if let Some(known) = place.as_deref().and_then(read_proposals) {
            return Ok(known);
        }
        let proposals = compute()?;
        if let Some(place) = place {
            let stored =
                |p: &Proposal| StoredProposal { counts: Rle::of(&p.mask).text(), label: p.label, quality: p.quality };
            let stored = Stored { width, height, proposals: proposals.iter().map(stored).collect() };
            let text = serde_json::to_vec(&stored).map_err(|cause| Error::config("cache", cause.to_string()))?;
            Cache::write(&place, |path| std::fs::write(path, text).map_err(Error::file(path)))?;
        }
        Ok(proposals)
    }

    /// The features under a key, or those that `compute` gives.
    ///
    /// # Errors
    /// When they can't be computed or written.
    pub fn features(
        &self,
        key: &str,
        device: &Device,
        compute: impl FnOnce() -> Result<VisualFeatures>,
    ) -> Result<VisualFeatures> {
        let place = self.place(key, "features.safetensors");
        if let Some(known) = place.as_deref().and_then(|place| read_features(place, device)) {
            return Ok(known);
        }
        let features = compute()?;
        if let Some(place) = place {
            let tensors: HashMap<&str, Tensor> = match &features {
                VisualFeatures::One(one) => HashMap::from([("one", one.clone())]),
                VisualFeatures::Both { global, local, blurred } => {
                    let blurred = blurred.iter().map(|blurred| ("blurred", blurred.clone()));
                    [("global", global.clone()), ("local", local.tensor()?)].into_iter().chain(blurred).collect()
                }
                VisualFeatures::Map(map) => HashMap::from([("map", map.clone())]),
            };
            Cache::write(&place, |path| Ok(candle_core::safetensors::save(&tensors, path)?))?;
        }
        Ok(features)
    }
}

fn read_proposals(place: &Path) -> Option<Vec<Proposal>> {
    let stored: Stored = serde_json::from_slice(&std::fs::read(place).ok()?).ok()?;
    let proposal = |p: StoredProposal| {
        let mask = Rle::parse(stored.width, stored.height, &p.counts).ok()?.mask();
        Some(Proposal { label: p.label, quality: p.quality, ..Proposal::of_mask(mask) })
    };
    stored.proposals.into_iter().map(proposal).collect()
}

fn read_features(place: &Path, device: &Device) -> Option<VisualFeatures> {
    let mut tensors = candle_core::safetensors::load(place, device).ok()?;
    let mut take = |name: &str| tensors.remove(name);
    match (take("one"), take("map"), take("global"), take("local"), take("blurred")) {
        (Some(one), ..) => Some(VisualFeatures::One(one)),
        (_, Some(map), ..) => Some(VisualFeatures::Map(map)),
        (_, _, Some(global), Some(local), blurred) => {
            Some(VisualFeatures::Both { global, local: LocalFeatures::whole(&local).ok()?, blurred })
        }
        _ => None,
    }
}
