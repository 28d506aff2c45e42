//! `RenderedScenes`: scenes whose truth is known (made by `tools/scenes`).

use super::dataset::{Dataset, Expression, ImageEntry, ImageSource, Shape, Target};
use referseg_answer::Status;
use referseg_files::{Error, Result};
use referseg_image::{self, Frame, LabelImage};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A referring expression of a scene.
#[derive(Clone, Debug, Deserialize)]
pub struct SceneExpression {
    /// The words.
    pub text: String,
    /// attribute, position, relation, superlative, command, absent or ambiguous.
    pub kind: String,
    /// The object meant, as its value in the label image; 0 when there is not exactly one.
    pub target: u32,
}

/// One line of `scenes.jsonl`.
#[derive(Clone, Debug, Deserialize)]
pub struct Record {
    /// Number of the scene, from which its file names are made.
    pub scene: usize,
    /// What is asked about it.
    pub expressions: Vec<SceneExpression>,
}

/// A folder of scenes.
pub struct RenderedScenes {
    folder: PathBuf,
    /// The scenes in order.
    pub records: Vec<Record>,
}

impl RenderedScenes {
    /// Reads `scenes.jsonl` of a folder.
    ///
    /// # Errors
    /// When it can't be read or is something else.
    pub fn open(folder: &Path) -> Result<RenderedScenes> {
        let path = folder.join("scenes.jsonl");
        let text = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
        let parse = |(number, line): (usize, &str)| {
            serde_json::from_str(line)
                .map_err(|cause| Error::config(format!("{} line {}", path.display(), number + 1), cause.to_string()))
        };
        let records = text.lines().enumerate().map(parse).collect::<Result<_>>()?;
        Ok(RenderedScenes { folder: folder.to_path_buf(), records })
    }

    /// The image of a scene and the true masks of its objects.
    ///
    /// # Errors
    /// When a file can't be read.
    pub fn load(&self, scene: usize) -> Result<(Frame, LabelImage)> {
        let frame = referseg_image::open(&self.folder.join(format!("{scene:06}.png")))?;
        let labels = LabelImage::open(&self.folder.join(format!("{scene:06}_ids.png")))?;
        Ok((frame, labels))
    }

    /// The scenes as a dataset; questions without one right answer want a status that says so.
    ///
    /// # Errors
    /// When a label image can't be read.
    pub fn dataset(&self) -> Result<Dataset> {
        let mut images = Vec::new();
        for record in &self.records {
            let labels = self.folder.join(format!("{:06}_ids.png", record.scene));
            let values: Vec<u32> = LabelImage::open(&labels)?.masks().into_iter().map(|(value, _)| value).collect();
            let target = |value: &u32| Target::of_shape(Shape::Label { file: labels.clone(), value: *value });
            let asked = record.expressions.iter().enumerate().filter_map(|(number, expression)| {
                let target = values.iter().position(|value| *value == expression.target);
                let want = match expression.kind.as_str() {
                    "absent" => Status::NotFound,
                    "ambiguous" => Status::Ambiguous,
                    _ => Status::Found,
                };
                (target.is_some() || want != Status::Found).then(|| Expression {
                    id: format!("{}/{number}", record.scene),
                    text: expression.text.clone(),
                    kind: Some(expression.kind.clone()),
                    target,
                    others: Vec::new(),
                    want,
                    never: None,
                })
            });
            images.push(ImageEntry {
                size: None,
                source: ImageSource::File(self.folder.join(format!("{:06}.png", record.scene))),
                depth: None,
                expressions: asked.collect(),
                targets: values.iter().map(target).collect(),
            });
        }
        Ok(Dataset { name: "scenes".into(), split: String::new(), images, complete: true })
    }
}
