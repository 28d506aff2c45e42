//! What reads bytes from outside, one function for each kind; `main.rs` runs them in the test suite, `cargo_fuzz/` under libFuzzer.
//!
//! A target must neither panic nor allocate more than its bound, whatever the bytes.
#![allow(dead_code)]

use referseg::config::{Config, Layer};
use referseg::evaluation::dataset::DatasetOptions;
use referseg::evaluation::{self, ParquetImages};
use referseg::image::{self, LabelImage};
use referseg::language::ParserKind;
use referseg::language::{Command, CommandParser};
use referseg::models::clip::Tokenizer;
use referseg::models::Weights;
use referseg::recordings::bag::{Bag, Serialization};
use referseg::recordings::{
    from_cdr, header, to_cdr, CameraInfo, DepthMessage, Detection2DArray, ExternalProposalsMessage, Image, Input,
    MessageType, Segmentation, Transport,
};
use referseg::replay::{BagIndex, Commands, Thresholds};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// Something that reads.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// Real inputs, which are varied.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// What it may hold at once, bytes.
    pub bound: u64,
    /// How much longer than the quickest it takes.
    pub cost: u64,
}

const MB: u64 = 1 << 20;

/// A chunk of the longest that is read, its bytes on disk, and a message of it.
const RECORDING: u64 = 3 * 256 * MB + 64 * MB;

/// Pictures of [`image::MAX_PIXELS`] with three bytes each, and as much again while they are decoded.
const PICTURE: u64 = 2 * 3 * image::MAX_PIXELS + 64 * MB;

/// A page of Parquet is made room for as its header claims, in 31 bits.
const PARQUET: u64 = 2048 * MB + 64 * MB;

pub const TARGETS: [Target; 15] = [
    Target { name: "cdr", run: cdr, seeds: messages, bound: PICTURE, cost: 2 },
    Target { name: "mcap", run: recording, seeds: || recordings(&["mcap"]), bound: RECORDING, cost: 20 },
    Target { name: "sqlite", run: recording, seeds: || recordings(&["db3"]), bound: RECORDING, cost: 40 },
    Target { name: "ros1", run: recording, seeds: || recordings(&["bag"]), bound: RECORDING, cost: 20 },
    Target { name: "serialization", run: serialization, seeds: serialized, bound: 64 * MB, cost: 1 },
    Target { name: "metadata", run: metadata, seeds: metadata_files, bound: 64 * MB, cost: 10 },
    Target { name: "picture", run: picture, seeds: pictures, bound: PICTURE, cost: 20 },
    Target { name: "labels", run: labels, seeds: pictures, bound: PICTURE, cost: 4 },
    Target { name: "weights", run: weights, seeds: weight_files, bound: 512 * MB, cost: 20 },
    Target { name: "config", run: config, seeds: config_files, bound: 64 * MB, cost: 4 },
    Target { name: "timetable", run: timetable, seeds: timetables, bound: 64 * MB, cost: 2 },
    Target { name: "command", run: command, seeds: commands, bound: 64 * MB, cost: 2 },
    Target { name: "tokenizer", run: tokenizer, seeds: tokenizers, bound: 256 * MB, cost: 20 },
    Target { name: "refs", run: refs, seeds: pickled_refs, bound: 256 * MB, cost: 4 },
    Target { name: "parquet", run: parquet, seeds: parquet_files, bound: PARQUET, cost: 40 },
];

pub fn by_name(name: &str) -> &'static Target {
    const { &TARGETS }.iter().find(|target| target.name == name).expect("a target of this name")
}

/// A file of the project.
fn data(name: &str) -> PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    let above = || Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    ROOT.get_or_init(|| above().find(|folder| folder.join("models/demo").is_dir()).unwrap().into()).join(name)
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(data(name)).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Calls with a file of these bytes, in memory where the system has a place for that.
fn with_file(name: &str, bytes: &[u8], call: impl FnOnce(&Path)) {
    thread_local!(static FOLDER: OnceLock<TempDir> = const { OnceLock::new() });
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap());
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        call(&path);
    });
}

fn cdr(bytes: &[u8]) {
    let _ = header(bytes);
    let _ = referseg::recordings::text(bytes);
    let _ = from_cdr::<CameraInfo>(bytes);
    let _ = from_cdr::<Segmentation>(bytes);
    for transport in [Transport::Raw, Transport::Compressed] {
        let _ = Input::new(transport, bytes.to_vec()).and_then(|input| input.frame());
        let _ = DepthMessage::new(transport, bytes.to_vec()).read(0.001);
    }
    for kind in [Image::TYPE, Detection2DArray::TYPE] {
        let _ = ExternalProposalsMessage::of_type(kind, bytes.to_vec()).map(|given| given.read().map(|_| ()));
    }
}

fn messages() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for bag in ["tests/data/bags/mcap", "tests/data/recording/answers.mcap"] {
        let mut of_kind = Vec::new();
        let _ = Bag::open(&data(bag)).unwrap().read_as_stored(
            |_, _| true,
            |message| {
                if !of_kind.contains(&message.kind) {
                    found.push(message.cdr);
                    of_kind.push(message.kind);
                }
                Ok(ControlFlow::Continue(()))
            },
        );
    }
    found
}

fn recording(bytes: &[u8]) {
    with_file("recording", bytes, |path| {
        let Ok(bag) = Bag::open(path) else { return };
        let _ = bag.files();
        let _ = BagIndex::of(&bag, || ());
        let _ = bag.read(|_, _| true, |_| Ok(ControlFlow::Continue(())));
    });
}

fn recordings(endings: &[&str]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut folders = vec![data("tests/data/bags"), data("tests/data/foreign_bags"), data("tests/data/recording")];
    while let Some(folder) = folders.pop() {
        for path in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if endings.iter().any(|ending| path.extension().is_some_and(|kind| kind == *ending)) {
                found.push(std::fs::read(path).unwrap());
            }
        }
    }
    found.sort(); // directories have no order
    if endings == ["mcap"] {
        found.push(mcap_without_checksums());
    }
    found
}

/// Checksums keep varied bytes from what is behind them.
fn mcap_without_checksums() -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let options = mcap::WriteOptions::new()
        .use_chunks(false)
        .calculate_data_section_crc(false)
        .calculate_summary_section_crc(false);
    let mut writer = options.create(&mut file).unwrap();
    for (number, bytes) in serialized().iter().enumerate() {
        let parts: Vec<&[u8]> = bytes.splitn(4, |byte| *byte == SEPARATOR).collect();
        let text = |at: usize| std::str::from_utf8(parts[at]).unwrap();
        let schema = writer.add_schema(text(1), "", parts[2]).unwrap();
        let channel = writer.add_channel(schema, &format!("/{number}"), text(0), &Default::default()).unwrap();
        let header = mcap::records::MessageHeader { channel_id: channel, sequence: 0, log_time: 1, publish_time: 1 };
        writer.write_to_known_channel(&header, parts[3]).unwrap();
    }
    writer.finish().unwrap();
    drop(writer);
    file.into_inner()
}

/// Between the parts of a serialized message: encoding, schema, definition, bytes.
const SEPARATOR: u8 = 0xff;

fn serialization(bytes: &[u8]) {
    let parts: Vec<&[u8]> = bytes.splitn(4, |byte| *byte == SEPARATOR).collect();
    let [encoding, schema, definition, message] = parts[..] else { return };
    let [encoding, schema] = [encoding, schema].map(String::from_utf8_lossy);
    if let Ok((serialization, _)) = Serialization::of(&encoding, &schema, definition) {
        let _ = serialization.cdr(message.to_vec());
    }
}

fn serialized() -> Vec<Vec<u8>> {
    let picture = to_cdr(&(3i32, 4u32, "eye", vec![1u8, 2, 3], "png")).unwrap();
    let sizes = (2u32, 1u32, "plumb_bob", vec![0.5f64; 5]);
    let calibration = to_cdr(&(3i32, 4u32, "eye", sizes, [1f64; 9], [1f64; 9], [1f64; 12])).unwrap();
    let part = |parts: [&[u8]; 4]| parts.join(&SEPARATOR);
    let image =
        "Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\nuint8[] data\n\
                 ====\nMSG: std_msgs/Header\nuint32 seq\ntime stamp\nstring frame_id\n";
    let nested = "uint8 A=1\nP[] a\nfloat64[2] b\n====\nMSG: x/P\nint16 c\nstring[] d\n";
    let json = br#"{"timestamp":{"sec":3,"nsec":4},"frame_id":"e","width":2,"height":1,"encoding":"rgb8","step":6,"data":"AQIDBAUG"}"#;
    vec![
        part([b"ros1", b"sensor_msgs/Image", image.as_bytes(), &[1; 60]]),
        part([
            b"ros1",
            b"x/Y",
            nested.as_bytes(),
            &[1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
        ]),
        part([b"json", b"foxglove.RawImage", b"", json]),
        part([
            b"protobuf",
            b"foxglove.RawImage",
            b"",
            b"\x0a\x04\x08\x03\x10\x04\x15\x02\0\0\0\x1d\x01\0\0\0\x22\x04rgb8\x32\x06abcdef",
        ]),
        part([b"cdr", b"foxglove_msgs/msg/CompressedImage", b"", &picture]),
        part([b"cdr", b"foxglove_msgs/msg/CameraCalibration", b"", &calibration]),
        part([
            b"json",
            b"foxglove.CameraCalibration",
            b"",
            br#"{"timestamp":"1970-01-01T00:00:03Z","width":2,"height":1,"K":[1,2],"D":[0.5]}"#,
        ]),
        part([b"cdr", b"std_msgs/String", b"", b"\0\x01\0\0\x02\0\0\0a\0"]),
    ]
}

fn metadata(bytes: &[u8]) {
    with_file("metadata.yaml", bytes, |path| {
        let _ = Bag::open(path).map(|bag| bag.files());
    });
}

fn metadata_files() -> Vec<Vec<u8>> {
    ["mcap", "sqlite_message", "mcap_file"].map(|name| read(&format!("tests/data/bags/{name}/metadata.yaml"))).into()
}

fn picture(bytes: &[u8]) {
    let _ = image::read(bytes);
}

fn labels(bytes: &[u8]) {
    let _ = LabelImage::decode(std::io::Cursor::new(bytes), "bytes");
}

fn pictures() -> Vec<Vec<u8>> {
    let small = ::image::RgbImage::from_fn(9, 7, |x, y| ::image::Rgb([x as u8 * 20, y as u8 * 30, 100]));
    let grey = ::image::DynamicImage::ImageRgb8(small.clone()).to_luma16();
    use ::image::ImageFormat::{Bmp, Jpeg, Png, Pnm, Tiff, WebP};
    let written = [Png, Jpeg, Bmp, Tiff, WebP, Pnm].map(|format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        small.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    grey.write_to(&mut bytes, Png).unwrap();
    written.into_iter().chain([bytes.into_inner()]).collect()
}

fn weights(bytes: &[u8]) {
    for name in ["model.safetensors", "model.pth"] {
        with_file(name, bytes, |path| {
            let _ = Weights::open(path);
        });
    }
}

fn weight_files() -> Vec<Vec<u8>> {
    let pickles = ["whole", "training", "short_tuple", "huge_shape"];
    let header = br#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"b":{"dtype":"F16","shape":[2],"data_offsets":[8,12]}}"#;
    let safetensors = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 12]].concat();
    pickles.map(|name| read(&format!("tests/data/pickles/{name}.pth"))).into_iter().chain([safetensors]).collect()
}

fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(layer) = Layer::parse("bytes", text) {
        let _ = Config::resolve(&[layer], None);
    }
    let _ = Layer::assignment(text);
}

fn config_files() -> Vec<Vec<u8>> {
    vec![
        read("config/referseg.yaml"),
        read("models/demo/referseg.yaml"),
        b"proposals:\n  generator: regions\nterms: {noun: 0.5}\nanswer: {min_score: 0.2}\n".to_vec(),
    ]
}

fn timetable(bytes: &[u8]) {
    with_file("timetable.yaml", bytes, |path| {
        let _ = Commands::timetable(path);
        let _ = Thresholds::open(path);
    });
}

fn timetables() -> Vec<Vec<u8>> {
    vec![
        read("tests/data/recording/timetable.yaml"),
        b"- {at: 2.5, say: the mug}\n- {at: 0, say: the box}\n".to_vec(),
        b"min_iou: 0.9\nmax_different: 0.1\nbox_tolerance: 3\n".to_vec(),
    ]
}

fn command(bytes: &[u8]) {
    static PARSER: OnceLock<CommandParser> = OnceLock::new();
    let parser = PARSER.get_or_init(|| {
        let layers = [
            Layer::value("target", "model", text(&data("models/demo"))),
            Layer::value("target", "text.parser", "rules"),
        ];
        let config = Config::resolve(&layers, None).unwrap();
        assert_eq!(config.text.parser, ParserKind::Rules);
        CommandParser::open(config.text.parser, &config.text.parser_model).unwrap()
    });
    if let Ok(command) = Command::parse(&String::from_utf8_lossy(bytes)) {
        parser.parse(command.text());
    }
}

fn commands() -> Vec<Vec<u8>> {
    let texts = String::from_utf8(read("tests/data/readings.tsv")).unwrap();
    texts.lines().filter_map(|line| line.split('\t').next()).take(200).map(|text| text.as_bytes().to_vec()).collect()
}

fn tokenizer(bytes: &[u8]) {
    static SHIPPED: OnceLock<Tokenizer> = OnceLock::new();
    let demo = data("models/demo");
    // the vocabulary of the shipped model: anything else is refused by its size
    let sizes: serde_json::Value = serde_json::from_slice(&read("models/demo/config.json")).unwrap();
    let size = |name: &str| sizes["text_config"][name].as_u64().unwrap() as usize;
    let (vocabulary, context) = (size("vocab_size"), size("max_position_embeddings"));
    let shipped = SHIPPED.get_or_init(|| Tokenizer::load(&demo, vocabulary, context).unwrap());
    let _ = shipped.ids(&String::from_utf8_lossy(bytes));
    with_file("tokenizer.json", bytes, |path| {
        if let Ok(tokenizer) = Tokenizer::load(path.parent().unwrap(), vocabulary, context) {
            let _ = tokenizer.ids("the red mug behind the laptop");
        }
    });
}

fn tokenizers() -> Vec<Vec<u8>> {
    vec![read("models/demo/tokenizer.json"), "the red mug — „behind“ the laptop, 你好 🙂".as_bytes().to_vec()]
}

/// Opens a dataset in the folder of a file, and the first picture of it.
fn dataset(data: &Path, split: &str) {
    let options = DatasetOptions { data, images: None, split, split_by: None };
    let Ok(dataset) = evaluation::open(&options) else { return };
    let mut parquet = ParquetImages::default();
    for image in dataset.images.iter().take(1) {
        let _ = image.source.bytes(&mut parquet).and_then(|bytes| image.source.decoded(&bytes));
        for target in &image.targets {
            let _ = target.shape.mask(64, 48);
        }
    }
}

fn refs(bytes: &[u8]) {
    static INSTANCES: OnceLock<Vec<u8>> = OnceLock::new();
    let instances = INSTANCES.get_or_init(|| read("tests/data/datasets/refcoco/instances.json"));
    // JSON, or a pickle
    let name = if bytes.starts_with(b"[") { "grefs(unc).json" } else { "refs(unc).p" };
    with_file(name, bytes, |path| {
        let folder = path.parent().unwrap();
        let beside = folder.join("instances.json");
        if !beside.is_file() {
            std::fs::write(&beside, instances).unwrap();
        }
        dataset(folder, "val");
        std::fs::remove_file(path).unwrap();
    });
}

fn pickled_refs() -> Vec<Vec<u8>> {
    let grefs = br#"[{"image_id":100,"split":"val","ann_id":[1,2],"no_target":false,"sentences":[{"sent_id":7,"sent":"both mugs"}]},
        {"image_id":100,"split":"val","ann_id":[-1],"no_target":true,"sentences":[{"sent_id":8,"sent":"the dog"}]}]"#;
    let pickles = ["refs(unc).p", "refs(google).p"].map(|name| read(&format!("tests/data/datasets/refcoco/{name}")));
    pickles.into_iter().chain([grefs.to_vec()]).collect()
}

fn parquet(bytes: &[u8]) {
    with_file("val-00000-of-00001.parquet", bytes, |path| dataset(path, "val"));
}

fn parquet_files() -> Vec<Vec<u8>> {
    let names = ["hub/RefCOCOplus/data/val-00000-of-00001", "robot/RefSpatial-Bench/data/location-00000-of-00001"];
    names.map(|name| read(&format!("tests/data/datasets/{name}.parquet"))).into()
}
