//! RefCOCO, RefCOCO+ and RefCOCOg from their original files, `refs(BY).p` and `instances.json`, and gRefCOCO from `grefs(BY).json`, whose
//! expressions mean one thing, several or none.
//!
//! The pickles are read as data; what they would run is never run.

use super::dataset::{Dataset, DatasetOptions, Expression, ImageEntry, ImageSource, Shape, Target};
use referseg_answer::Status;
use referseg_files::pickle_size;
use referseg_files::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use serde_pickle::{HashableValue, Value as Pickled};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Ref {
    image_id: i64,
    ann_id: AnnotationIds,
    split: String,
    sentences: Vec<Sentence>,
}

/// The annotations that a ref means; gRefCOCO writes -1 for none.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnnotationIds {
    One(i64),
    Several(Vec<i64>),
}

impl AnnotationIds {
    fn all(&self) -> &[i64] {
        let all = match self {
            AnnotationIds::One(one) => std::slice::from_ref(one),
            AnnotationIds::Several(several) => several,
        };
        if all.contains(&NO_TARGET) {
            &[]
        } else {
            all
        }
    }
}

/// Most objects and bytes of text of a pickle for each of its bytes: texts are counted once where they stand and once in its memo.
const MOST_FOR_EACH_BYTE: u64 = 4;
/// What a pickle of any size may hold.
const SMALLEST_BOUND: u64 = 1_000_000;

/// gRefCOCO's id of no annotation.
const NO_TARGET: i64 = -1;

/// A sentence of a ref; the hub's copies have the same.
#[derive(Deserialize)]
pub struct Sentence {
    pub sent_id: i64,
    pub sent: String,
}

#[derive(Deserialize)]
struct Instances {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
struct Image {
    id: i64,
    file_name: String,
    width: Option<usize>,
    height: Option<usize>,
}

#[derive(Deserialize)]
struct Annotation {
    id: i64,
    image_id: i64,
    segmentation: Value,
    #[serde(default)]
    iscrowd: u8,
}

pub fn open(options: &DatasetOptions) -> Result<Dataset> {
    let (by, refs) = refs_file(options)?;
    let wrong = |fact: String| Error::config(refs.display().to_string(), fact);
    let bytes = std::fs::read(&refs).map_err(Error::file(&refs))?;
    let data: Value = if refs.extension().is_some_and(|kind| kind == "json") {
        serde_json::from_slice(&bytes).map_err(|cause| wrong(format!("not JSON: {cause}")))?
    } else {
        let most = SMALLEST_BOUND + MOST_FOR_EACH_BYTE * bytes.len() as u64;
        pickle_size::check(&mut bytes.as_slice(), most)
            .map_err(|fact| wrong(format!("not a pickle that can be read: {fact}")))?;
        let pickled = serde_pickle::value_from_slice(&bytes, serde_pickle::DeOptions::new());
        plain(pickled.map_err(|cause| wrong(format!("not a pickle of plain data: {cause}")))?)
    };
    let refs_read: Vec<Ref> =
        serde_json::from_value(data).map_err(|cause| wrong(format!("not a list of refs: {cause}")))?;
    let file = options.data.join("instances.json");
    let text = std::fs::read(&file).map_err(Error::file(&file))?;
    let instances: Instances = serde_json::from_slice(&text)
        .map_err(|cause| Error::config(file.display().to_string(), format!("not COCO's instances: {cause}")))?;
    let names: HashMap<i64, &Image> = instances.images.iter().map(|image| (image.id, image)).collect();
    let mut of_image: HashMap<i64, Vec<&Annotation>> = HashMap::new();
    for annotation in &instances.annotations {
        of_image.entry(annotation.image_id).or_default().push(annotation);
    }

    let chosen: Vec<&Ref> = refs_read.iter().filter(|one| one.split == options.split).collect();
    if chosen.is_empty() {
        let mut splits: Vec<&str> = refs_read.iter().map(|one| one.split.as_str()).collect();
        splits.sort_unstable();
        splits.dedup();
        return Err(wrong(format!("no split {:?}; it has {}", options.split, splits.join(", "))));
    }
    let mut images: Vec<(i64, ImageEntry)> = Vec::new();
    let mut place: HashMap<i64, usize> = HashMap::new();
    // the crowds that a ref of the image means; any other crowd is not one thing
    let mut meant: HashMap<i64, Vec<i64>> = HashMap::new();
    for one in &chosen {
        meant.entry(one.image_id).or_default().extend(one.ann_id.all());
    }
    for one in chosen {
        let annotations = of_image.get(&one.image_id).map_or(&[][..], Vec::as_slice);
        let meant = meant.get(&one.image_id).map_or(&[][..], Vec::as_slice);
        let things = || annotations.iter().filter(|a| a.iscrowd == 0 || meant.contains(&a.id));
        let index = *place.entry(one.image_id).or_insert_with(|| {
            let image = names.get(&one.image_id);
            let name = image.map_or("", |image| image.file_name.as_str());
            let size = image.and_then(|image| Some((image.width?, image.height?)));
            let targets = things().map(|a| Target::of_shape(Shape::parse(&a.segmentation))).collect();
            let source = ImageSource::File(located(options, name, one.image_id));
            images.push((one.image_id, ImageEntry { source, size, depth: None, targets, expressions: Vec::new() }));
            images.len() - 1
        });
        let entry = &mut images[index].1;
        let mut target = |id: &i64| {
            things().position(|a| a.id == *id).unwrap_or_else(|| {
                let unknown = Shape::Unknown(format!("instances.json has no annotation {id}"));
                entry.targets.push(Target::of_shape(unknown));
                entry.targets.len() - 1
            })
        };
        let targets: Vec<usize> = one.ann_id.all().iter().map(&mut target).collect();
        let want = if targets.is_empty() { Status::NotFound } else { Status::Found };
        entry.expressions.extend(one.sentences.iter().map(|sentence| Expression {
            id: sentence.sent_id.to_string(),
            text: sentence.sent.clone(),
            kind: None,
            target: targets.first().copied(),
            others: targets.iter().skip(1).copied().collect(),
            want,
            never: None,
        }));
    }
    let folder = options.data.canonicalize().map_err(Error::file(options.data))?;
    let folder = folder.file_name().unwrap_or_default().to_string_lossy();
    // of RefCOCOg there are two partitions, with other numbers
    let name = if folder == "refcocog" { format!("{folder} {by}") } else { folder.into_owned() };
    let images = images.into_iter().map(|(_, entry)| entry).collect();
    Ok(Dataset { name, split: options.split.into(), images, complete: true })
}

/// Who made the split, and the file.
fn refs_file<'a>(options: &DatasetOptions<'a>) -> Result<(&'a str, PathBuf)> {
    let file = |by: &str| {
        let names = [format!("refs({by}).p"), format!("grefs({by}).json"), format!("grefs({by}).p")];
        let places = names.map(|name| options.data.join(name));
        places.iter().find(|place| place.is_file()).unwrap_or(&places[0]).clone()
    };
    if let Some(by) = options.split_by {
        return Ok((by, file(by)));
    }
    let there: Vec<&str> = ["unc", "umd", "google"].into_iter().filter(|by| file(by).is_file()).collect();
    match there[..] {
        [by] => Ok((by, file(by))),
        [] => {
            let fact = "no refs(unc).p, refs(umd).p, refs(google).p or grefs(unc).json";
            Err(Error::config(options.data.display().to_string(), fact))
        }
        _ => {
            let fact = format!("splits by {}; choose one with --by", there.join(" and "));
            Err(Error::config(options.data.display().to_string(), fact))
        }
    }
}

/// The image of this name, in the folder of images or where COCO's archives put it.
pub fn located(options: &DatasetOptions, name: &str, image: i64) -> PathBuf {
    if name.is_empty() {
        return PathBuf::from(format!("(image {image} is not in instances.json)"));
    }
    let root: &Path = options.images.unwrap_or(options.data);
    let folders = ["", "images", "train2014", "images/train2014", "images/mscoco/images/train2014", "images/mscoco"];
    // COCO 2017 has the same pictures without the year in their names
    let newer = ["train2017", "val2017", "images/train2017", "images/val2017"];
    let later = name.rsplit_once('_').map_or(name, |(_, number)| number);
    let old = folders.iter().map(|folder| root.join(folder).join(name));
    let new = newer.iter().chain(&folders).map(|folder| root.join(folder).join(later));
    let place = old.chain(new).find(|place| place.is_file());
    place.unwrap_or_else(|| root.join(name))
}

/// A pickle's data as JSON. Strings of Python 2 are bytes.
fn plain(value: Pickled) -> Value {
    let list = |items: Vec<Pickled>| Value::Array(items.into_iter().map(plain).collect());
    match value {
        Pickled::None => Value::Null,
        Pickled::Bool(yes) => yes.into(),
        Pickled::I64(number) => number.into(),
        Pickled::Int(number) => number.to_string().parse::<i64>().map_or(Value::Null, Value::from),
        Pickled::F64(number) => number.into(),
        Pickled::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
        Pickled::String(text) => text.into(),
        Pickled::List(items) | Pickled::Tuple(items) => list(items),
        Pickled::Set(items) | Pickled::FrozenSet(items) => {
            list(items.into_iter().map(HashableValue::into_value).collect())
        }
        Pickled::Dict(entries) => {
            let entry = |(key, value): (HashableValue, Pickled)| {
                let key = match plain(key.into_value()) {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                (key, plain(value))
            };
            Value::Object(entries.into_iter().map(entry).collect())
        }
    }
}
