//! The Hugging Face hub's parquet files: copies of RefCOCO, RefCOCO+ and RefCOCOg, and RefSpatial-Bench.
//!
//! Three families of columns are known: that of `jxu124/refcoco*` (annotations as JSON, images apart), that of
//! `lmms-lab/RefCOCO*` (images inside, one polygon a row, the expressions as answers), and that of `BAAI/RefSpatial-Bench`
//! (`image`, `mask`, `prompt`, `step`; `suffix` asks language models for a format and is left out).

use super::dataset::{not_black, Counts, Dataset, DatasetOptions, Expression, ImageEntry, ImageSource, Shape, Target};
use super::parquet_file::{field, list, number, open_file, projection, text, wrong, IMAGE};
use super::refcoco::{located, Sentence};
use parquet::record::{Field, Row};
use referseg_files::{Error, Result};
use referseg_image::Rle;
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The column of masks.
const MASK: &str = "mask";

/// Other names that splits have in file names.
fn names(split: &str) -> Vec<&str> {
    match split {
        "val" => vec!["val", "validation"],
        other => vec![other],
    }
}

/// The parquet files of the split, in order; `None` when there are none.
pub fn files(options: &DatasetOptions) -> Option<Vec<PathBuf>> {
    if options.data.is_file() {
        return options.data.extension().is_some_and(|kind| kind == "parquet").then(|| vec![options.data.into()]);
    }
    let of_split = |path: &PathBuf| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let parquet = path.extension().is_some_and(|kind| kind == "parquet");
        let first = stem.split('-').next().unwrap_or_default();
        parquet && names(options.split).contains(&first)
    };
    let folders = [options.data.to_path_buf(), options.data.join("data")];
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(of_split).collect();
    found.sort();
    (!found.is_empty()).then_some(found)
}

/// All rows, without the images, which are most of the bytes.
fn rows(file: &Path) -> Result<impl Iterator<Item = Result<Row>> + '_> {
    let reader = open_file(file)?;
    let only = projection(&reader, file, |name| name != IMAGE)?;
    let rows = reader.into_iter().project(Some(only)).map_err(|cause| wrong(file, cause))?;
    Ok(rows.map(move |row| row.map_err(|cause| wrong(file, cause))))
}

pub fn open(options: &DatasetOptions, files: &[PathBuf]) -> Result<Dataset> {
    let mut images: Vec<ImageEntry> = Vec::new();
    let mut place: HashMap<String, usize> = HashMap::new();
    for file in files {
        for (number, row) in rows(file)?.enumerate() {
            let row = row?;
            let (name, entry) = if field(&row, "raw_anns").is_some() {
                annotated(options, file, &row)?
            } else if field(&row, "answer").is_some() {
                answered(file, number, &row)?
            } else if field(&row, "prompt").is_some() && field(&row, MASK).is_some() {
                prompted(file, number, &row)?
            } else {
                let columns: Vec<_> = row.get_column_iter().map(|(name, _)| name.as_str()).collect();
                let fact = format!(
                    "columns {}; expected those of jxu124/refcoco (raw_anns, raw_image_info, sentences), of \
                     lmms-lab/RefCOCO (image, answer, segmentation) or of RefSpatial-Bench (image, mask, prompt)",
                    columns.join(", ")
                );
                return Err(wrong(file, fact));
            };
            match place.get(&name) {
                Some(&index) => {
                    let known = &mut images[index];
                    let shift = known.targets.len();
                    known.targets.extend(entry.targets);
                    let moved = entry.expressions.into_iter().map(|e| Expression {
                        target: e.target.map(|target| target + shift),
                        others: e.others.into_iter().map(|target| target + shift).collect(),
                        ..e
                    });
                    known.expressions.extend(moved);
                }
                None => {
                    place.insert(name, images.len());
                    images.push(entry);
                }
            }
        }
    }
    Ok(Dataset { name: name_of(options)?, split: options.split.into(), images, complete: false })
}

/// The dataset's name, from that of the copy's folder.
fn name_of(options: &DatasetOptions) -> Result<String> {
    let path = options.data.canonicalize().map_err(Error::file(options.data))?;
    let mut folders = path.ancestors().filter_map(|part| part.file_name()).map(|name| name.to_string_lossy());
    let name = folders.find(|name| !name.ends_with(".parquet") && *name != "data").unwrap_or_default().to_lowercase();
    Ok(match name.as_str() {
        "refcocoplus" => "refcoco+".into(),
        // both families have a test split, which only the partition by UMD has
        "refcocog" => "refcocog umd".into(),
        _ => name,
    })
}

/// A row of `jxu124/refcoco*`.
fn annotated(options: &DatasetOptions, file: &Path, row: &Row) -> Result<(String, ImageEntry)> {
    let json = |column: &str| -> Result<Value> {
        let text = text(row, column).ok_or_else(|| wrong(file, format!("column {column} is absent")))?;
        serde_json::from_str(text).map_err(|cause| wrong(file, format!("column {column}: {cause}")))
    };
    let (annotation, info) = (json("raw_anns")?, json("raw_image_info")?);
    let name = info["file_name"].as_str().unwrap_or_default().to_string();
    let sentences: Vec<Sentence> = match json("raw_sentences") {
        Ok(sentences) => serde_json::from_value(sentences).map_err(|cause| wrong(file, cause))?,
        Err(_) => list(row, "sentences")
            .into_iter()
            .filter_map(|sentence| match sentence {
                Field::Group(group) => {
                    let id = field(group, "sent_id").and_then(number).unwrap_or(0.0) as i64;
                    Some(Sentence { sent_id: id, sent: text_of(group)? })
                }
                _ => None,
            })
            .collect(),
    };
    let expressions = sentences.into_iter().map(|s| Expression::of_target(s.sent_id.to_string(), s.sent, 0)).collect();
    let source = ImageSource::File(located(options, &name, info["id"].as_i64().unwrap_or(0)));
    let targets = vec![Target::of_shape(Shape::parse(&annotation["segmentation"]))];
    Ok((name, ImageEntry { source, size: None, depth: None, targets, expressions }))
}

fn text_of(sentence: &Row) -> Option<String> {
    text(sentence, "sent").or_else(|| text(sentence, "raw")).map(str::to_string)
}

/// A row of `lmms-lab/RefCOCO*`.
fn answered(file: &Path, number_of_row: usize, row: &Row) -> Result<(String, ImageEntry)> {
    let polygon: Vec<f64> = list(row, "segmentation").into_iter().filter_map(number).collect();
    let name = text(row, "question_id").map_or_else(|| number_of_row.to_string(), str::to_string);
    let answers = list(row, "answer").into_iter().filter_map(|answer| match answer {
        Field::Str(text) => Some(text.clone()),
        _ => None,
    });
    let expression = |(index, text)| Expression::of_target(format!("{name}/{index}"), text, 0);
    let entry = ImageEntry {
        size: None,
        source: ImageSource::Row { file: file.into(), row: number_of_row },
        depth: None,
        targets: vec![Target::of_shape(Shape::Polygons(vec![polygon]))],
        expressions: answers.enumerate().map(expression).collect(),
    };
    Ok((format!("{}#{number_of_row}", file.display()), entry))
}

/// A row of `BAAI/RefSpatial-Bench`: one image, one mask, one prompt. It means a thing, or a free place.
fn prompted(file: &Path, number_of_row: usize, row: &Row) -> Result<(String, ImageEntry)> {
    let shape = match field(row, MASK) {
        Some(Field::Group(mask)) => match field(mask, "bytes") {
            Some(Field::Bytes(bytes)) => match referseg_image::decode(bytes.data()) {
                Ok(picture) => {
                    let counts = Counts::Text(Rle::of(&not_black(&picture)).text());
                    Shape::Runs { width: picture.width(), height: picture.height(), counts }
                }
                Err(error) => Shape::Unknown(error.to_string()),
            },
            _ => Shape::Unknown("a mask without bytes".into()),
        },
        _ => Shape::Unknown("a mask that is no picture".into()),
    };
    let prompt = text(row, "prompt").unwrap_or_default();
    let id = field(row, "id").and_then(number).map_or_else(|| number_of_row.to_string(), |id| format!("{id}"));
    let step = field(row, "step").and_then(number).map(|step| format!("{step} steps"));
    let asked = Expression { kind: step, ..Expression::of_target(id, prompt.to_string(), 0) };
    let entry = ImageEntry {
        size: None,
        source: ImageSource::Row { file: file.into(), row: number_of_row },
        depth: None,
        targets: vec![Target::of_shape(shape)],
        expressions: vec![asked],
    };
    Ok((format!("{}#{number_of_row}", file.display()), entry))
}
