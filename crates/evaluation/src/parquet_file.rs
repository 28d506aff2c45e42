//! Parquet files: columns and fields of the hub's copies.

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::Type;
use referseg_files::{Error, Result};
use std::fs::File;
use std::path::Path;

/// The column of images.
pub const IMAGE: &str = "image";

/// What the decoder says of compressions that are not built in.
const NOT_BUILT: &str = "Disabled feature at compile time: ";

/// An error about a file.
pub fn wrong(file: &Path, fact: impl std::fmt::Display) -> Error {
    let fact = fact.to_string();
    let fact = match fact.split_once(NOT_BUILT) {
        Some((_, name)) => {
            format!("compressed with {name}; read are snappy, zstd and none. pyarrow's `write_table(..., compression=\"zstd\")` rewrites it")
        }
        None => fact,
    };
    Error::config(file.display().to_string(), fact)
}

/// Opens a file.
pub fn open_file(file: &Path) -> Result<SerializedFileReader<File>> {
    let opened = File::open(file).map_err(Error::file(file))?;
    SerializedFileReader::new(opened).map_err(|cause| wrong(file, format!("not parquet: {cause}")))
}

/// The columns to read.
pub fn projection(reader: &SerializedFileReader<File>, file: &Path, wanted: impl Fn(&str) -> bool) -> Result<Type> {
    let schema = reader.metadata().file_metadata().schema();
    let fields = schema.get_fields().iter().filter(|field| wanted(field.name())).cloned().collect();
    Type::group_type_builder(schema.name()).with_fields(fields).build().map_err(|cause| wrong(file, cause))
}

/// A row's field of this name.
pub fn field<'a>(row: &'a Row, name: &str) -> Option<&'a Field> {
    row.get_column_iter().find(|(column, _)| *column == name).map(|(_, field)| field)
}

/// A row's text of this name.
pub fn text<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    match field(row, name) {
        Some(Field::Str(text)) => Some(text),
        _ => None,
    }
}

/// A row's list of this name.
pub fn list<'a>(row: &'a Row, name: &str) -> Vec<&'a Field> {
    match field(row, name) {
        Some(Field::ListInternal(list)) => list.elements().iter().collect(),
        _ => Vec::new(),
    }
}

/// A field's number.
pub fn number(field: &Field) -> Option<f64> {
    match field {
        Field::Float(value) => Some(f64::from(*value)),
        Field::Double(value) => Some(*value),
        Field::Int(value) => Some(f64::from(*value)),
        Field::Long(value) => Some(*value as f64),
        _ => None,
    }
}
