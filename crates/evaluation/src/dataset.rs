//! `Dataset`: images, the things in them that expressions mean, and the expressions.

use super::parquet_images::ParquetImages;
use referseg_answer::Status;
use referseg_files::fingerprint::{of_optional_file, Fingerprint};
use referseg_files::{Error, Result};
use referseg_image::Rle;
use referseg_image::{self, Frame, LabelImage, Mask};
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
    pub source: ImageSource,
    /// Columns and rows that the annotations are made for, where they say so.
    pub size: Option<(usize, usize)>,
    /// A PNG of 16 bits with its depth in millimetres, 0 where not known; for the sets that have one.
    pub depth: Option<PathBuf>,
    /// The things known in it.
    pub targets: Vec<Target>,
    /// What is asked.
    pub expressions: Vec<Expression>,
}

/// Where the pixels of an image are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
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
    /// Left, top, right and bottom of its box, image pixels, where the annotation has one of its own.
    pub corners: Option<[f32; 4]>,
}

impl Target {
    /// A thing whose box is that of its pixels.
    pub fn of_shape(shape: Shape) -> Target {
        Target { shape, corners: None }
    }
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
    /// The pixels of a picture that are not black.
    NotBlack(PathBuf),
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
    /// The thing meant, as an index of the image's targets; `None` when none is, or not one certain one.
    pub target: Option<usize>,
    /// Other things that are meant with it, as gRefCOCO has them: the truth is the union of all.
    pub others: Vec<usize>,
    /// What a right answer's status is.
    pub want: Status,
    /// A thing that the words exclude, as an index of the image's targets: it must never be found.
    pub never: Option<usize>,
}

impl Expression {
    /// An expression that means one thing of the image.
    pub fn of_target(id: String, text: String, target: usize) -> Expression {
        Expression { id, text, kind: None, target: Some(target), others: Vec::new(), want: Status::Found, never: None }
    }
}

/// What to read.
pub struct DatasetOptions<'a> {
    /// The dataset's folder (or a parquet file).
    pub data: &'a Path,
    /// Where its images are, if not in the folder.
    pub images: Option<&'a Path>,
    /// The split.
    pub split: &'a str,
    /// Who made the split of a RefCOCO: unc, umd or google; the only one there, if not given.
    pub split_by: Option<&'a str>,
}

impl Dataset {
    /// Expressions of all images.
    pub fn expressions(&self) -> usize {
        self.images.iter().map(|image| image.expressions.len()).sum()
    }

    /// What is asked and what is true, in order: ids, words, targets and annotations, wherever the files lie.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut parts: Vec<String> = vec![self.name.clone(), self.split.clone()];
        for image in &self.images {
            parts.extend(image.targets.iter().map(|target| target.shape.content()));
            parts.extend(image.targets.iter().filter_map(|target| Some(format!("{:?}", target.corners?))));
            parts.extend(image.depth.iter().map(|_| "depth".to_string()));
            for Expression { id, text, kind, target, others, want, never } in &image.expressions {
                parts.push(format!("{id:?} {text:?} {kind:?} {target:?} {} {never:?}", want.name()));
                parts.extend((!others.is_empty()).then(|| format!("{others:?}")));
            }
        }
        Fingerprint::of("dataset", 1, &parts.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

impl std::fmt::Display for ImageSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ImageSource::File(file) => write!(f, "{}", file.display()),
            ImageSource::Row { file, row } => write!(f, "{}#{row}", file.display()),
        }
    }
}

impl ImageSource {
    /// The source that was printed as this text.
    pub fn parse(text: &str) -> ImageSource {
        let row = text.rsplit_once('#').and_then(|(file, row)| Some((file, row.parse().ok()?)));
        match row {
            Some((file, row)) => ImageSource::Row { file: file.into(), row },
            None => ImageSource::File(text.into()),
        }
    }

    /// The bytes of its PNG or JPEG. `parquet` remembers where the last one was read.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn bytes(&self, parquet: &mut ParquetImages) -> Result<Vec<u8>> {
        match self {
            ImageSource::File(file) => std::fs::read(file).map_err(Error::file(file)),
            ImageSource::Row { file, row } => parquet.bytes(file, *row),
        }
    }

    /// The pixels of those bytes.
    ///
    /// # Errors
    /// When they are not an image.
    pub fn decoded(&self, bytes: &[u8]) -> Result<Frame> {
        referseg_image::decode(bytes).map_err(|error| error.about(self))
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

    /// The annotation itself as text; of a label image its content, not its place.
    fn content(&self) -> String {
        match self {
            Shape::Label { file, value } => format!("label {value} {}", of_optional_file(file)),
            Shape::NotBlack(file) => format!("not black {}", of_optional_file(file)),
            other => format!("{other:?}"),
        }
    }

    /// The mask in an image of this size.
    ///
    /// # Errors
    /// When nothing of the annotation can be used; it says why.
    pub fn mask(&self, width: usize, height: usize) -> std::result::Result<Mask, String> {
        match self {
            Shape::Polygons(polygons) => {
                let mut all = Mask::empty(width, height);
                let mut wrong = None;
                for polygon in polygons {
                    match Rle::of_polygon(width, height, polygon) {
                        Ok(runs) => all = all.union(&runs.mask()),
                        Err(why) => wrong = Some(why),
                    }
                }
                match wrong {
                    Some(why) if all.area() == 0 => Err(why),
                    _ => Ok(all),
                }
            }
            Shape::Runs { width: w, height: h, .. } if (*w, *h) != (width, height) => {
                Err(format!("run lengths of {w}x{h} pixels for an image of {width}x{height}"))
            }
            Shape::Runs { counts: Counts::Numbers(counts), .. } => Ok(Rle::new(width, height, counts.clone())?.mask()),
            Shape::Runs { counts: Counts::Text(text), .. } => Ok(Rle::parse(width, height, text)?.mask()),
            Shape::Label { file, value } => {
                let labels = LabelImage::open(file).map_err(|error| error.to_string())?;
                let mask = labels.mask(*value);
                if mask.area() == 0 {
                    return Err(format!("no pixel {value} in {}", file.display()));
                }
                if (mask.width(), mask.height()) != (width, height) {
                    return Err(format!("{} is not {width}x{height}", file.display()));
                }
                Ok(mask)
            }
            Shape::NotBlack(file) => {
                let picture = referseg_image::open(file).map_err(|error| error.to_string())?;
                if (picture.width(), picture.height()) != (width, height) {
                    return Err(format!("{} is not {width}x{height}", file.display()));
                }
                Ok(not_black(&picture))
            }
            Shape::Unknown(why) => Err(why.clone()),
        }
    }
}

/// The pixels of a picture that are not black.
pub fn not_black(picture: &Frame) -> Mask {
    Mask::from_fn(picture.width(), picture.height(), |x, y| picture.pixel(x, y) != [0; 3])
}
