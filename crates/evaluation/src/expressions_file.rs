//! Expressions in a table of their own: `expressions.jsonl`, a line for each, with an image, a label image, the words, their
//! kind, the label of what is meant and the status that is right.

use super::dataset::{Dataset, Expression, ImageEntry, ImageSource, Shape, Target};
use referseg_answer::Status;
use referseg_files::{Error, Result};
use referseg_image::LabelImage;
use serde::Deserialize;
use std::path::Path;

/// The file that tells the format.
pub const FILE: &str = "expressions.jsonl";

#[derive(Deserialize)]
struct Row {
    image: String,
    labels: String,
    text: String,
    /// Value in the label image of what is meant; 0 when not exactly one thing is.
    label: u32,
    #[serde(rename = "type")]
    kind: String,
    want: Status,
    /// Value in the label image of what the words exclude; 0 for nothing.
    #[serde(default)]
    never: u32,
}

/// Reads a folder with `expressions.jsonl`. Lines of one image stand together.
///
/// # Errors
/// When the file or a label image can't be read.
pub fn open(folder: &Path) -> Result<Dataset> {
    let path = folder.join(FILE);
    let text = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
    let mut images: Vec<ImageEntry> = Vec::new();
    let mut values: Vec<u32> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let wrong = |cause: serde_json::Error| {
            Error::config(format!("{} line {}", path.display(), number + 1), cause.to_string())
        };
        let row: Row = serde_json::from_str(line).map_err(wrong)?;
        let source = ImageSource::File(folder.join(&row.image));
        if images.last().is_none_or(|last| last.source != source) {
            let file = folder.join(&row.labels);
            values = LabelImage::open(&file)?.masks().into_iter().map(|(value, _)| value).collect();
            let target = |value: &u32| Target::of_shape(Shape::Label { file: file.clone(), value: *value });
            images.push(ImageEntry {
                size: None,
                source,
                depth: None,
                targets: values.iter().map(target).collect(),
                expressions: Vec::new(),
            });
        }
        let target = values.iter().position(|value| *value == row.label);
        if target.is_none() && row.want == Status::Found {
            let fact = format!("label {} is not in {}", row.label, row.labels);
            return Err(Error::config(format!("{} line {}", path.display(), number + 1), fact));
        }
        if let Some(image) = images.last_mut() {
            let id = number.to_string();
            let never = values.iter().position(|value| *value == row.never);
            let Row { text, kind, want, .. } = row;
            image.expressions.push(Expression { id, text, kind: Some(kind), target, others: Vec::new(), want, never });
        }
    }
    Ok(Dataset { name: "scenes".into(), split: String::new(), images, complete: true })
}
