//! The Hugging Face hub's parquet copies of RefCOCO, RefCOCO+ and RefCOCOg.
//!
//! Two families of columns are known: that of `jxu124/refcoco*` (annotations as JSON, pictures apart) and that of
//! `lmms-lab/RefCOCO*` (pictures inside, one polygon a row, the expressions as answers).

use super::dataset::{Choice, Dataset, Expression, ImageEntry, Picture, Shape, Target};
use super::refcoco::{located, Sentence};
use crate::error::{Error, Result};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::Type;
use serde_json::Value;
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The column of pictures.
const IMAGE: &str = "image";

fn wrong(file: &Path, fact: impl std::fmt::Display) -> Error {
    Error::config(file.display().to_string(), fact.to_string())
}

/// Other names that splits have in file names.
fn names(split: &str) -> Vec<&str> {
    match split {
        "val" => vec!["val", "validation"],
        other => vec![other],
    }
}

/// The parquet files of the split, in order; `None` when there are none.
pub fn files(choice: &Choice) -> Option<Vec<PathBuf>> {
    if choice.data.is_file() {
        return choice.data.extension().is_some_and(|kind| kind == "parquet").then(|| vec![choice.data.into()]);
    }
    let of_split = |path: &PathBuf| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let parquet = path.extension().is_some_and(|kind| kind == "parquet");
        let first = stem.split('-').next().unwrap_or_default();
        parquet && names(choice.split).contains(&first)
    };
    let folders = [choice.data.to_path_buf(), choice.data.join("data")];
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(of_split).collect();
    found.sort();
    (!found.is_empty()).then_some(found)
}

fn reader(file: &Path) -> Result<SerializedFileReader<File>> {
    let opened = File::open(file).map_err(Error::file(file))?;
    SerializedFileReader::new(opened).map_err(|cause| wrong(file, format!("not parquet: {cause}")))
}

/// The columns to read.
fn columns(reader: &SerializedFileReader<File>, file: &Path, wanted: impl Fn(&str) -> bool) -> Result<Type> {
    let schema = reader.metadata().file_metadata().schema();
    let fields = schema.get_fields().iter().filter(|field| wanted(field.name())).cloned().collect();
    Type::group_type_builder(schema.name()).with_fields(fields).build().map_err(|cause| wrong(file, cause))
}

/// All rows, without the pictures, which are most of the bytes.
fn rows(file: &Path) -> Result<impl Iterator<Item = Result<Row>> + '_> {
    let reader = reader(file)?;
    let only = columns(&reader, file, |name| name != IMAGE)?;
    let rows = reader.into_iter().project(Some(only)).map_err(|cause| wrong(file, cause))?;
    Ok(rows.map(move |row| row.map_err(|cause| wrong(file, cause))))
}

fn field<'a>(row: &'a Row, name: &str) -> Option<&'a Field> {
    row.get_column_iter().find(|(column, _)| *column == name).map(|(_, field)| field)
}

fn text<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    match field(row, name) {
        Some(Field::Str(text)) => Some(text),
        _ => None,
    }
}

fn list<'a>(row: &'a Row, name: &str) -> Vec<&'a Field> {
    match field(row, name) {
        Some(Field::ListInternal(list)) => list.elements().iter().collect(),
        _ => Vec::new(),
    }
}

fn number(field: &Field) -> Option<f64> {
    match field {
        Field::Float(value) => Some(f64::from(*value)),
        Field::Double(value) => Some(*value),
        Field::Int(value) => Some(f64::from(*value)),
        Field::Long(value) => Some(*value as f64),
        _ => None,
    }
}

pub fn open(choice: &Choice, files: &[PathBuf]) -> Result<Dataset> {
    let mut images: Vec<ImageEntry> = Vec::new();
    let mut place: HashMap<String, usize> = HashMap::new();
    for file in files {
        for (number, row) in rows(file)?.enumerate() {
            let row = row?;
            let (name, entry) = if field(&row, "raw_anns").is_some() {
                annotated(choice, file, &row)?
            } else if field(&row, "answer").is_some() {
                answered(file, number, &row)?
            } else {
                let columns: Vec<_> = row.get_column_iter().map(|(name, _)| name.as_str()).collect();
                let fact = format!(
                    "columns {}; expected those of jxu124/refcoco (raw_anns, raw_image_info, sentences) or of \
                     lmms-lab/RefCOCO (image, answer, segmentation)",
                    columns.join(", ")
                );
                return Err(wrong(file, fact));
            };
            match place.get(&name) {
                Some(&index) => {
                    let known = &mut images[index];
                    let shift = known.targets.len();
                    known.targets.extend(entry.targets);
                    let moved = entry.expressions.into_iter().map(|e| Expression { target: e.target + shift, ..e });
                    known.expressions.extend(moved);
                }
                None => {
                    place.insert(name, images.len());
                    images.push(entry);
                }
            }
        }
    }
    Ok(Dataset { name: name_of(choice)?, split: choice.split.into(), images, complete: false })
}

/// The dataset's name, from that of the copy's folder.
fn name_of(choice: &Choice) -> Result<String> {
    let path = choice.data.canonicalize().map_err(Error::file(choice.data))?;
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
fn annotated(choice: &Choice, file: &Path, row: &Row) -> Result<(String, ImageEntry)> {
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
    let expressions = sentences
        .into_iter()
        .map(|s| Expression { id: s.sent_id.to_string(), text: s.sent, kind: None, target: 0 })
        .collect();
    let picture = Picture::File(located(choice, &name, info["id"].as_i64().unwrap_or(0)));
    let targets = vec![Target { shape: Shape::parse(&annotation["segmentation"]) }];
    Ok((name, ImageEntry { picture, targets, expressions }))
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
    let expression = |(index, text)| Expression { id: format!("{name}/{index}"), text, kind: None, target: 0 };
    let entry = ImageEntry {
        picture: Picture::Row { file: file.into(), row: number_of_row },
        targets: vec![Target { shape: Shape::Polygons(vec![polygon]) }],
        expressions: answers.enumerate().map(expression).collect(),
    };
    Ok((format!("{}#{number_of_row}", file.display()), entry))
}

/// The picture's bytes in a row.
pub fn picture(file: &Path, row: usize) -> Result<Vec<u8>> {
    let reader = reader(file)?;
    // only the row group that holds the row, and only the column with the pictures
    let mut before = 0;
    for group in 0..reader.num_row_groups() {
        let count = reader.metadata().row_group(group).num_rows() as usize;
        if row >= before + count {
            before += count;
            continue;
        }
        let group = reader.get_row_group(group).map_err(|cause| wrong(file, cause))?;
        let only = columns(&reader, file, |name| name == IMAGE)?;
        let mut rows = group.get_row_iter(Some(only)).map_err(|cause| wrong(file, cause))?;
        let found = rows.nth(row - before).transpose().map_err(|cause| wrong(file, cause))?;
        let Some(Field::Group(image)) = found.as_ref().and_then(|row| field(row, IMAGE)) else {
            return Err(wrong(file, format!("row {row} has no column {IMAGE} with bytes")));
        };
        return match field(image, "bytes") {
            Some(Field::Bytes(bytes)) => Ok(bytes.data().to_vec()),
            _ => Err(wrong(file, format!("row {row} has no {IMAGE}.bytes"))),
        };
    }
    Err(wrong(file, format!("no row {row}")))
}
