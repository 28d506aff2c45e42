//! `Dataset`: pictures, the things in them that expressions mean, and the expressions.

use super::coco_mask::Runs;
use super::{hub, phrasecut, refcoco, Scenes};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::mask::Mask;
use crate::proposals::Labels;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A split of a dataset, in an order that does not change.
pub struct Dataset {
    /// refcoco, refcoco+, refcocog, phrasecut, scenes, ...
    pub name: String,
    /// val, testA, ...; empty when there is but one.
    pub split: String,
    /// The images.
    pub images: Vec<ImageEntry>,
    /// Whether the targets of an image are all its things, so that they can be proposals.
    pub complete: bool,
}

/// An image with what is asked about it.
pub struct ImageEntry {
    /// Where its pixels are.
    pub picture: Picture,
    /// The things known in it.
    pub targets: Vec<Target>,
    /// What is asked.
    pub expressions: Vec<Expression>,
}

/// Where the pixels of an image are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picture {
    /// In a file.
    File(PathBuf),
    /// In a row of a parquet file.
    Row {
        /// The parquet file.
        file: PathBuf,
        /// Its row, counted from 0.
        row: usize,
    },
}

/// A thing in an image.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its pixels.
    pub shape: Shape,
}

/// Pixels as an annotation gives them.
#[derive(Clone, Debug)]
pub enum Shape {
    /// Corners of polygons, whose union it is.
    Polygons(Vec<Vec<f64>>),
    /// Run lengths of an image of this many columns and rows, counted or in COCO's string.
    Runs {
        /// Columns of the image.
        width: usize,
        /// Rows of the image.
        height: usize,
        /// The lengths.
        counts: Counts,
    },
    /// The pixels of one value in a label image.
    Label {
        /// The label image.
        file: PathBuf,
        /// The value.
        value: u32,
    },
    /// An annotation that is none of these.
    Unknown(String),
}

/// Run lengths as COCO writes them.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(untagged)]
pub enum Counts {
    /// As numbers.
    Numbers(Vec<u32>),
    /// As a compressed string.
    Text(String),
}

/// A referring expression.
pub struct Expression {
    /// Its name in the dataset.
    pub id: String,
    /// The words.
    pub text: String,
    /// What kind of words, if the dataset knows.
    pub kind: Option<String>,
    /// The thing meant, as an index of the image's targets.
    pub target: usize,
}

/// What to read.
pub struct Choice<'a> {
    /// The dataset's folder (or a parquet file).
    pub data: &'a Path,
    /// Where its pictures are, if not in the folder.
    pub images: Option<&'a Path>,
    /// The split.
    pub split: &'a str,
    /// Who made the split of a RefCOCO: unc, umd or google; the only one there, if not given.
    pub by: Option<&'a str>,
}

impl Dataset {
    /// Reads a dataset, its format told by its files: `scenes.jsonl`, `refs(BY).p` with `instances.json`,
    /// `refer_SPLIT.json`, or `*.parquet`.
    ///
    /// # Errors
    /// When it is none of these or can't be read.
    pub fn open(choice: &Choice) -> Result<Dataset> {
        let Choice { data, .. } = choice;
        if data.join("scenes.jsonl").is_file() {
            return Scenes::open(data)?.dataset();
        }
        if data.join("instances.json").is_file() {
            return refcoco::open(choice);
        }
        if data.join(format!("refer_{}.json", choice.split)).is_file() {
            return phrasecut::open(choice);
        }
        if let Some(files) = hub::files(choice) {
            return hub::open(choice, &files);
        }
        let expected = "expected scenes.jsonl (demo scenes), instances.json with refs(unc|umd|google).p (RefCOCO, \
                        RefCOCO+, RefCOCOg), refer_SPLIT.json (PhraseCut), or SPLIT*.parquet (the hub's copies)";
        Err(Error::config(data.display().to_string(), format!("no dataset with split {:?}; {expected}", choice.split)))
    }

    /// Expressions of all images.
    pub fn expressions(&self) -> usize {
        self.images.iter().map(|image| image.expressions.len()).sum()
    }
}

impl std::fmt::Display for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Picture::File(file) => write!(f, "{}", file.display()),
            Picture::Row { file, row } => write!(f, "{}#{row}", file.display()),
        }
    }
}

impl Picture {
    /// The picture that [`Picture`] was printed as.
    pub fn parse(text: &str) -> Picture {
        let row = text.rsplit_once('#').and_then(|(file, row)| Some((file, row.parse().ok()?)));
        match row {
            Some((file, row)) => Picture::Row { file: file.into(), row },
            None => Picture::File(text.into()),
        }
    }

    /// The bytes of its PNG or JPEG.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        match self {
            Picture::File(file) => std::fs::read(file).map_err(Error::file(file)),
            Picture::Row { file, row } => hub::picture(file, *row),
        }
    }

    /// The pixels of those bytes.
    ///
    /// # Errors
    /// When they are no picture.
    pub fn decoded(&self, bytes: &[u8]) -> Result<Frame> {
        Frame::decode(bytes).map_err(|error| Error::Image(format!("{self}: {error}")))
    }
}

impl Shape {
    /// An annotation's `segmentation`.
    pub fn parse(segmentation: &Value) -> Shape {
        #[derive(serde::Deserialize)]
        struct Encoded {
            size: [usize; 2],
            counts: Counts,
        }
        let polygons: std::result::Result<Vec<Vec<f64>>, _> = serde_json::from_value(segmentation.clone());
        if let Ok(polygons) = polygons {
            return Shape::Polygons(polygons);
        }
        match serde_json::from_value::<Encoded>(segmentation.clone()) {
            Ok(Encoded { size: [height, width], counts }) => Shape::Runs { width, height, counts },
            Err(_) => Shape::Unknown("neither polygons nor run lengths".into()),
        }
    }

    /// The mask in an image of this size.
    ///
    /// # Errors
    /// When nothing of the annotation can be used; it says why.
    pub fn mask(&self, width: usize, height: usize) -> std::result::Result<Mask, String> {
        match self {
            Shape::Polygons(polygons) => {
                let mut inside = vec![false; width * height];
                let mut wrong = None;
                for polygon in polygons {
                    match Runs::of_polygon(width, height, polygon) {
                        Ok(runs) => {
                            let one = runs.mask();
                            inside.iter_mut().zip(one.pixels()).for_each(|(all, one)| *all |= one);
                        }
                        Err(why) => wrong = Some(why),
                    }
                }
                match wrong {
                    Some(why) if !inside.contains(&true) => Err(why),
                    _ => Ok(Mask::new(width, height, inside)),
                }
            }
            Shape::Runs { width: w, height: h, .. } if (*w, *h) != (width, height) => {
                Err(format!("run lengths of {w}x{h} pixels for an image of {width}x{height}"))
            }
            Shape::Runs { counts: Counts::Numbers(counts), .. } => Ok(Runs::new(width, height, counts.clone())?.mask()),
            Shape::Runs { counts: Counts::Text(text), .. } => Ok(Runs::parse(width, height, text)?.mask()),
            Shape::Label { file, value } => {
                let proposals = Labels::open(file).map_err(|error| error.to_string())?.proposals();
                let found = proposals.into_iter().find(|proposal| proposal.label == Some(*value));
                let mask = found.ok_or_else(|| format!("no pixel {value} in {}", file.display()))?.mask;
                if (mask.width(), mask.height()) != (width, height) {
                    return Err(format!("{} is not {width}x{height}", file.display()));
                }
                Ok(mask)
            }
            Shape::Unknown(why) => Err(why.clone()),
        }
    }
}
