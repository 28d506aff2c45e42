//! PhraseCut (Wu et al. 2020) from its `refer_SPLIT.json`: a phrase may mean several instances, whose union is
//! its truth.
//!
//! Polygons are rasterised as COCO's; the dataset's own tool draws outlines too, so truths there are up to a
//! pixel larger.

use super::dataset::{Dataset, DatasetOptions, Expression, ImageEntry, ImageSource, Shape, Target};
use referseg_files::{Error, Result};
use serde::Deserialize;
use std::collections::HashMap;

#[derive(Deserialize)]
struct Task {
    image_id: i64,
    #[serde(default)]
    task_id: String,
    phrase: String,
    /// Of each instance, polygons of corners.
    #[serde(rename = "Polygons")]
    polygons: Vec<Vec<Vec<[f64; 2]>>>,
}

pub fn open(options: &DatasetOptions) -> Result<Dataset> {
    let file = options.data.join(format!("refer_{}.json", options.split));
    let text = std::fs::read(&file).map_err(Error::file(&file))?;
    let tasks: Vec<Task> = serde_json::from_slice(&text)
        .map_err(|cause| Error::config(file.display().to_string(), format!("not PhraseCut's tasks: {cause}")))?;
    let folder = options.images.map_or_else(|| options.data.join("images"), Into::into);
    let mut images: Vec<ImageEntry> = Vec::new();
    let mut place: HashMap<i64, usize> = HashMap::new();
    for (number, task) in tasks.into_iter().enumerate() {
        let index = *place.entry(task.image_id).or_insert_with(|| {
            let source = ImageSource::File(folder.join(format!("{}.jpg", task.image_id)));
            images.push(ImageEntry { source, size: None, depth: None, targets: Vec::new(), expressions: Vec::new() });
            images.len() - 1
        });
        let entry = &mut images[index];
        let polygons = task.polygons.into_iter().flatten().map(|corners| corners.concat()).collect();
        entry.targets.push(Target::of_shape(Shape::Polygons(polygons)));
        let id = if task.task_id.is_empty() { number.to_string() } else { task.task_id };
        entry.expressions.push(Expression::of_target(id, task.phrase, entry.targets.len() - 1));
    }
    Ok(Dataset { name: "phrasecut".into(), split: options.split.into(), images, complete: false })
}
