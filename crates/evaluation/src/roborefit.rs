//! RoboRefIt (Lu et al., IROS 2023): tabletops in RGB-D with a mask, a box and a command for each thing.
//!
//! A folder `final_dataset` with a folder for each split, in it `roborefit_SPLIT.json`: a list of entries with `text`, `bbox`
//! (left, top, right, bottom), `rgb_path`, `depth_path` and `mask_path` from the folder above, with backslashes.

use super::dataset::{Dataset, DatasetOptions, Expression, ImageEntry, ImageSource, Shape, Target};
use referseg_files::{Error, Result};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Entry {
    text: String,
    bbox: [f32; 4],
    rgb_path: String,
    #[serde(default)]
    depth_path: Option<String>,
    mask_path: String,
    #[serde(default)]
    scene: Option<String>,
}

/// The file that tells the format, where there is one.
pub fn file(options: &DatasetOptions) -> Option<PathBuf> {
    let name = format!("roborefit_{}.json", options.split);
    let folders = [options.data.join(options.split), options.data.join("final_dataset").join(options.split)];
    folders.into_iter().map(|folder| folder.join(&name)).find(|file| file.is_file())
}

/// Reads a split.
///
/// # Errors
/// When the file can't be read or is something else.
pub fn open(options: &DatasetOptions, file: &Path) -> Result<Dataset> {
    let text = std::fs::read(file).map_err(Error::file(file))?;
    let entries: Vec<Entry> = serde_json::from_slice(&text)
        .map_err(|cause| Error::config(file.display().to_string(), format!("not RoboRefIt's entries: {cause}")))?;
    // SPLIT/roborefit_SPLIT.json stands in final_dataset, and paths begin with final_dataset
    let above = file.ancestors().nth(3).unwrap_or(Path::new("."));
    let located = |written: &str| {
        let path = written.replace('\\', "/");
        let own = above.join(&path);
        match options.images {
            Some(folder) if !own.is_file() => folder.join(&path),
            _ => own,
        }
    };
    let mut images: Vec<ImageEntry> = Vec::new();
    let mut place: HashMap<PathBuf, usize> = HashMap::new();
    for (number, entry) in entries.into_iter().enumerate() {
        let rgb = located(&entry.rgb_path);
        let index = *place.entry(rgb.clone()).or_insert_with(|| {
            let depth = entry.depth_path.as_deref().map(located).filter(|file| file.is_file());
            images.push(ImageEntry {
                size: None,
                source: ImageSource::File(rgb),
                depth,
                targets: Vec::new(),
                expressions: Vec::new(),
            });
            images.len() - 1
        });
        let image = &mut images[index];
        let shape = Shape::NotBlack(located(&entry.mask_path));
        image.targets.push(Target { shape, corners: Some(entry.bbox) });
        let asked = Expression::of_target(number.to_string(), entry.text, image.targets.len() - 1);
        image.expressions.push(Expression { kind: entry.scene, ..asked });
    }
    Ok(Dataset { name: "roborefit".into(), split: options.split.into(), images, complete: false })
}
