//! Recordings as they are found in the world: other formats (`tools/fixtures/foreign_bags.py`), other orders, depth beside the images,
//! and parts of recordings.

mod common;

use common::replays::{messages, of, referseg, replay, said, said_all, text};
use common::{data, root};
use referseg::image::LabelImage;
use referseg::recordings::bag::{Bag, Message, Order};
use referseg::recordings::{
    from_cdr, to_cdr, CameraInfo, Destination, Header, Image, MessageType, PointCloud2, PointStamped, Quaternion,
    Segmentation, Text, TfMessage, Time, Transform, TransformStamped, Vector3,
};
use std::borrow::Cow;
use std::path::Path;

const ONE: [&str; 2] = ["--image-topic", "/camera/image_raw"];
const SECOND: u64 = 1_000_000_000;

/// Writes a sqlite3 recording, its messages in the order in which they are given.
fn write_sqlite<'a>(path: &Path, messages: impl IntoIterator<Item = &'a Message>) {
    let database = rusqlite::Connection::open(path).unwrap();
    let tables = "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT);
        CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB);";
    database.execute_batch(tables).unwrap();
    let mut topics = Vec::new();
    for message in messages {
        let known = topics.iter().position(|topic| *topic == message.topic);
        let id = known.unwrap_or_else(|| {
            topics.push(message.topic.clone());
            let row = (topics.len() as i64 - 1, &message.topic, &message.kind);
            database.execute("INSERT INTO topics VALUES (?, ?, ?, 'cdr')", row).unwrap();
            topics.len() - 1
        });
        let row = (id as i64, message.log_time as i64, &message.cdr);
        database.execute("INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)", row).unwrap();
    }
}

fn answers(recording: &Path) -> Vec<(i64, String, u8)> {
    let all = messages(recording);
    let read = of(&all, "/referseg/segmentation").map(|message| from_cdr::<Segmentation>(&message.cdr).unwrap());
    read.map(|answer| (answer.header.stamp.nanoseconds(), answer.command.clone(), answer.status)).collect()
}

#[test]
fn recordings_of_ros_1_and_foxglove_get_the_same_answers() {
    let expected = |arguments: &[&str]| {
        let (_home, out, _) = replay(&data("bags/mcap"), arguments);
        std::fs::read(out).unwrap()
    };
    let by_topic = expected(&ONE);
    for name in ["plain.bag", "lz4.bag", "bz2.bag", "ros1.mcap"] {
        let (_home, out, _) = replay(&data("foreign_bags").join(name), &[]);
        assert!(std::fs::read(out).unwrap() == by_topic, "{name}");
    }
    let of_a_text = ["--text", "the red ball"];
    let by_text = expected(&[&ONE[..], &of_a_text].concat());
    for name in ["raw_protobuf", "raw_json", "compressed_protobuf", "compressed_json"] {
        let (_home, out, _) = replay(&data("foreign_bags").join(format!("foxglove_{name}.mcap")), &of_a_text);
        assert!(std::fs::read(out).unwrap() == by_text, "{name}");
    }
}

#[test]
fn a_cut_recording_of_ros_1_is_read_as_far_as_it_goes() {
    let home = tempfile::tempdir().unwrap();
    let whole = std::fs::read(data("foreign_bags/plain.bag")).unwrap();
    let all = messages(&data("foreign_bags/plain.bag"));
    let mut counts = Vec::new();
    for part in [0.05, 0.5, 0.8, 0.99] {
        let path = home.path().join("cut.bag");
        std::fs::write(&path, &whole[..(whole.len() as f64 * part) as usize]).unwrap();
        let mut read = Vec::new();
        let reading = Bag::open(&path).unwrap().read(
            |_, _| true,
            |message| {
                read.push(message);
                Ok(std::ops::ControlFlow::Continue(()))
            },
        );
        let truncation = reading.unwrap().truncation.unwrap();
        assert!(truncation.contains("truncated or damaged after"), "{truncation}");
        assert_eq!(read, all[..read.len()], "{part}");
        counts.push(read.len());
    }
    assert!(counts.is_sorted(), "{counts:?}");
}

#[test]
fn what_can_not_be_read_is_named_with_the_remedy() {
    let home = tempfile::tempdir().unwrap();
    for (content, words) in [
        (&b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"[..], "git lfs pull"),
        (b"#ROSBAG V1.2\n", "rosbag migrate"),
        (b"", "is empty"),
        (b"some text", "neither MCAP nor sqlite3"),
    ] {
        let file = home.path().join("x.mcap");
        std::fs::write(&file, content).unwrap();
        let output = referseg(&["replay", text(&file), "--out", "/dev/null", "--text", "x"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(said_all(&output, &[words]));
    }
    let empty = tempfile::tempdir().unwrap();
    for (path, words) in [
        (empty.path(), "no .mcap, .db3 or .bag either"),
        (Path::new("/nowhere"), "does not exist"),
        (&data("scene/000000.png"), "is a picture"),
    ] {
        let output = referseg(&["replay", text(path), "--out", "/dev/null", "--text", "x"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(said_all(&output, &[words]));
    }
    let output =
        referseg(&["replay", text(&data("foreign_bags/other_schema.mcap")), "--out", "/dev/null", "--text", "x"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said_all(&output, &["/grid (not readable: schema \"foxglove.Grid\" in protobuf", "foxglove.RawImage"]));
}

#[test]
fn a_wrong_ending_does_not_matter() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("recording.BAG");
    std::fs::copy(data("bags/mcap/mcap.mcap"), &path).unwrap();
    assert_eq!(messages(&path), messages(&data("bags/mcap")));
}

#[test]
fn messages_stored_topic_after_topic_are_answered_in_the_order_of_their_time() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("topics.db3");
    let mut stored = messages(&data("bags/mcap"));
    stored.sort_by_key(|message| (std::cmp::Reverse(message.topic.clone()), message.log_time));
    assert!(stored[0].topic == "/side/image", "the commands stand after the images of a camera");
    write_sqlite(&path, &stored);
    assert_eq!(Bag::open(&path).unwrap().order().unwrap(), Order::Nearly);
    let (_a, expected, _) = replay(&data("bags/mcap"), &ONE);
    let (_b, out, _) = replay(&path, &ONE);
    assert!(std::fs::read(out).unwrap() == std::fs::read(expected).unwrap());
}

#[test]
fn a_recording_that_no_window_puts_in_order_is_put_in_order_on_disk() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("large.db3");
    let side = 1400;
    let image = |second: u64| {
        let header = Header { stamp: Time { sec: second as i32, nanosec: 0 }, frame_id: "eye".into() };
        let data = Cow::Owned(vec![second as u8; side * side * 3]);
        let (side, step) = (side as u32, side as u32 * 3);
        let image = Image { header, height: side, width: side, encoding: "rgb8".into(), is_bigendian: 0, step, data };
        let cdr = to_cdr(&image).unwrap();
        Message { topic: "/image".into(), kind: Image::TYPE.into(), log_time: second * SECOND, cdr }
    };
    let command = |second: u64, words: &str| {
        let cdr = to_cdr(&Text { data: words.into() }).unwrap();
        Message { topic: "/command".into(), kind: Text::TYPE.into(), log_time: second * SECOND - 1, cdr }
    };
    // the newest image first, the commands last: 16 images of 5.9 MB
    let images: Vec<Message> = (10..26).rev().map(image).collect();
    let commands = [command(20, "the second"), command(10, "the first")];
    write_sqlite(&path, images.iter().chain(&commands));
    assert_eq!(Bag::open(&path).unwrap().order().unwrap(), Order::Other);
    let (_home, out, _) = replay(&path, &["--mode", "once", "--no-overlays"]);
    let given: Vec<_> = answers(&out).into_iter().map(|(stamp, command, _)| (stamp as u64 / SECOND, command)).collect();
    assert_eq!(given, [(10, "the first".to_string()), (20, "the second".to_string())]);
    let output = referseg(&["bag", "info", text(&path)]);
    assert!(said_all(&output, &["not stored in the order of time", "sqlite3, not compressed"]));
}

#[test]
fn a_part_of_a_recording_is_chosen_by_time_every_nth_frame_and_number() {
    let stamps = |arguments: &[&str]| -> Vec<u64> {
        let all = [&ONE[..], &["--text", "the red ball", "--no-overlays"], arguments].concat();
        let (_home, out, _) = replay(&data("bags/mcap"), &all);
        answers(&out).into_iter().map(|(stamp, ..)| (stamp as u64 / 100_000_000) % 10).collect()
    };
    assert_eq!(stamps(&[]), [0, 1, 2]);
    assert_eq!(stamps(&["--start", "0.05"]), [1, 2]);
    assert_eq!(stamps(&["--end", "0.1"]), [0, 1]);
    assert_eq!(stamps(&["--start", "0.1", "--end", "0.1"]), [1]);
    assert_eq!(stamps(&["--every", "2"]), [0, 2]);
    assert_eq!(stamps(&["--limit", "2"]), [0, 1]);
    // a command from before the part goes on to hold in it
    let (_home, out, _) = replay(&data("bags/mcap"), &[&ONE[..], &["--start", "0.1", "--limit", "1"]].concat());
    assert_eq!(answers(&out)[0].1, "the red ball");
    for wrong in [["--every", "0"], ["--start", "-1"], ["--end", "soon"]] {
        let bag = data("bags/mcap");
        let output = referseg(&[&["replay", text(&bag), "--out", "/dev/null"][..], &wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", said(&output));
    }
}

/// A recording of the test scene with depth, each region at another distance, and the calibration of its camera after the first
/// image, as drivers send it.
fn write_rgbd(path: &Path, depth_frame: &str) {
    let picture = image::open(data("scene/000000.png")).unwrap().to_rgb8();
    let labels = LabelImage::open(&data("scene/000000_ids.png")).unwrap();
    let (width, height) = picture.dimensions();
    let mut stored = Vec::new();
    for n in 0..3u64 {
        let header = Header { stamp: Time { sec: 100 + n as i32, nanosec: 0 }, frame_id: "eye".into() };
        let log_time = (100 + n) * SECOND;
        let colour = Image {
            header: header.clone(),
            height,
            width,
            encoding: "rgb8".into(),
            step: width * 3,
            data: Cow::Borrowed(picture.as_raw()),
            ..Default::default()
        };
        let millimetres: Vec<u8> =
            labels.values().iter().flat_map(|label| (500 + 100 * *label as u16).to_le_bytes()).collect();
        let depth = Image {
            header: Header { frame_id: depth_frame.into(), ..header.clone() },
            encoding: "16UC1".into(),
            step: width * 2,
            data: Cow::Owned(millimetres),
            ..colour.clone()
        };
        let k = [500.0, 0.0, f64::from(width) / 2.0, 0.0, 500.0, f64::from(height) / 2.0, 0.0, 0.0, 1.0];
        let info = CameraInfo { header, height, width, k, ..Default::default() };
        let mut store = |topic: &str, kind: &str, later: u64, cdr: Vec<u8>| {
            let log_time = log_time + later * 1_000_000;
            stored.push(Message { topic: topic.into(), kind: kind.into(), log_time, cdr });
        };
        store("/camera/color/image_raw", Image::TYPE, 0, to_cdr(&colour).unwrap());
        // the last image has no depth
        if n < 2 {
            store("/camera/depth/image", Image::TYPE, 30, to_cdr(&depth).unwrap());
        }
        store("/camera/depth/camera_info", CameraInfo::TYPE, 40, to_cdr(&info).unwrap());
    }
    write_sqlite(path, &stored);
}

#[test]
fn depth_of_the_recording_gives_point_cloud_and_object() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rgbd.db3");
    write_rgbd(&path, "eye");
    let (_home, out, _) = replay(&path, &["--text", "the red ball"]);
    let all = messages(&out);
    let read: Vec<Segmentation> =
        of(&all, "/referseg/segmentation").map(|message| from_cdr(&message.cdr).unwrap()).collect();
    let has_object: Vec<bool> = read.iter().map(|answer| answer.has_object).collect();
    assert_eq!(has_object, [true, true, false], "{}", read[0].object_reason);
    assert!(read[2].object_reason.contains("nearest depth image is 1.000 s"), "{}", read[2].object_reason);
    let labels = LabelImage::open(&data("scene/000000_ids.png")).unwrap();
    let middle = |answer: &Segmentation| {
        let part = answer.bounding_box;
        let (x, y) = (part.x_offset + part.width / 2, part.y_offset + part.height / 2);
        labels.values()[y as usize * labels.width() + x as usize]
    };
    let expected = 0.5 + 0.1 * f64::from(middle(&read[0]));
    assert!((read[0].object.point.z - expected).abs() < 1e-3, "{} {expected}", read[0].object.point.z);
    let points: Vec<PointStamped> =
        of(&all, "/referseg/point").map(|message| from_cdr(&message.cdr).unwrap()).collect();
    assert_eq!((points.len(), points[0].point), (2, read[0].object.point));
    let clouds: Vec<PointCloud2> = of(&all, "/referseg/cloud").map(|message| from_cdr(&message.cdr).unwrap()).collect();
    assert!(clouds.len() == 2 && clouds[0].width > 100 && clouds[0].header == read[0].header);

    let (_home, out, _) = replay(&path, &["--text", "the red ball", "--no-depth"]);
    assert!(of(&messages(&out), "/referseg/point").next().is_none());
}

/// The same with a camera half a metre up on a base that drives along odom's x by a metre each second; what never changes stands last.
fn with_transforms(path: &Path, last_second: i32) -> Vec<Message> {
    write_rgbd(path, "eye");
    let mut stored = messages(path);
    let transform = |parent: &str, child: &str, sec: i32, at: [f64; 3], turn: [f64; 4]| TfMessage {
        transforms: vec![TransformStamped {
            header: Header { stamp: Time { sec, nanosec: 0 }, frame_id: parent.into() },
            child_frame_id: child.into(),
            transform: Transform {
                translation: Vector3 { x: at[0], y: at[1], z: at[2] },
                rotation: Quaternion { x: turn[0], y: turn[1], z: turn[2], w: turn[3] },
            },
        }],
    };
    let mut store = |topic: &str, log_time: u64, message: &TfMessage| {
        let cdr = to_cdr(message).unwrap();
        stored.push(Message { topic: topic.into(), kind: TfMessage::TYPE.into(), log_time, cdr });
    };
    for second in 99..=last_second {
        let at = [f64::from(second), 0.0, 0.0];
        // it comes a little after its time
        let log_time = second as u64 * SECOND + 50_000_000;
        store("/tf", log_time, &transform("odom", "base", second, at, [0.0, 0.0, 0.0, 1.0]));
    }
    let eye = transform("base", "eye", 0, [0.0, 0.0, 0.5], [-0.5, 0.5, -0.5, 0.5]);
    store("/tf_static", 104 * SECOND, &eye);
    stored
}

#[test]
fn points_are_given_in_another_frame_by_the_recordings_transforms() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("tf.db3");
    let stored = with_transforms(&home.path().join("plain.db3"), 101);
    write_sqlite(&path, &stored);
    let answers = |arguments: &[&str]| -> Vec<Segmentation<'static>> {
        let (_home, out, _) = replay(&path, arguments);
        let all = messages(&out);
        let read = of(&all, "/referseg/segmentation");
        // without what is borrowed of the message
        read.map(|message| {
            let read = from_cdr::<Segmentation>(&message.cdr).unwrap();
            Segmentation {
                mask: Image::default(),
                things: Vec::new(),
                best: Vec::new(),
                candidates: Vec::new(),
                destination: Destination::default(),
                ..read
            }
        })
        .collect()
    };
    let own = answers(&["--text", "the red ball"]);
    let moved = answers(&["--text", "the red ball", "--target-frame", "odom"]);
    assert!(own[0].has_object && moved[0].has_object, "{}", moved[0].object_reason);
    let (seen, placed) = (&own[0].object, &moved[0].object);
    assert_eq!((placed.header.frame_id.as_str(), moved[0].header.frame_id.as_str()), ("odom", "eye"));
    assert!((placed.point.x - (100.0 + seen.point.z)).abs() < 1e-6, "forward: {}", placed.point.x);
    assert!((placed.point.y + seen.point.x).abs() < 1e-6 && (placed.point.z - (0.5 - seen.point.y)).abs() < 1e-6);
    // the last frame is a second after the last transform
    assert!(!moved[2].has_object);
    let words = answers(&["--text", "the red ball closest to you", "--reference-frame", "base"]);
    assert_eq!((words[0].reference_frame.as_str(), own[0].reference_frame.as_str()), ("base", ""));
    let unknown = answers(&["--text", "the red ball", "--target-frame", "map"]);
    assert!(unknown[0].object_reason.contains("frame map is unknown"), "{}", unknown[0].object_reason);
    let output = referseg(&[
        "replay",
        text(&home.path().join("plain.db3")),
        "--out",
        text(&home.path().join("o.mcap")),
        "--text",
        "the red ball",
        "--target-frame",
        "odom",
    ]);
    assert!(said(&output).contains("neither /tf nor /tf_static"), "{}", said(&output));
}

#[test]
fn depth_of_another_view_or_without_a_calibration_is_a_reason() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rgbd.db3");
    write_rgbd(&path, "depth_eye");
    let (_home, out, _) = replay(&path, &["--text", "the red ball", "--limit", "1"]);
    let all = messages(&out);
    let answer: Segmentation = from_cdr(&of(&all, "/referseg/segmentation").next().unwrap().cdr).unwrap();
    assert!(answer.object_reason.contains("aligned with the image"), "{}", answer.object_reason);
    let without: Vec<Message> =
        messages(&path).into_iter().filter(|message| message.kind != CameraInfo::TYPE).collect();
    let path = home.path().join("without.db3");
    write_sqlite(&path, &without);
    let (_home, _, said) = replay(&path, &["--text", "the red ball", "--limit", "1"]);
    assert!(said.contains("no camera_info beside it"), "{said}");
}

#[test]
fn whatever_is_wrong_with_a_recording_answers_appear_whole_or_not_at_all() {
    let whole = std::fs::read(data("bags/mcap_storage/mcap_storage.mcap")).unwrap();
    for number in 0..16 {
        let home = tempfile::tempdir().unwrap();
        let (path, out) = (home.path().join("bag.mcap"), home.path().join("out/answers.mcap"));
        std::fs::create_dir(out.parent().unwrap()).unwrap();
        let mut bytes = whole.clone();
        match number % 2 {
            0 => bytes.truncate(whole.len() * number / 16),
            _ => bytes[whole.len() * number / 16] ^= 0xff,
        }
        std::fs::write(&path, bytes).unwrap();
        let page = home.path().join("out/report.html");
        let arguments = ["replay", text(&path), "--out", text(&out), "--text", "the red ball", "--report", text(&page)];
        let output = referseg(&[&arguments[..], &ONE].concat());
        let written: Vec<String> = std::fs::read_dir(out.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        if output.status.success() {
            assert_eq!(written.len(), 2, "{written:?}");
            messages(&out); // whole
            assert!(std::fs::read_to_string(&page).unwrap().ends_with("</html>\n"));
        } else {
            assert!(written.is_empty(), "{written:?}: {}", said(&output));
        }
    }
}

#[test]
fn every_recording_that_was_found_is_read_or_refused_with_a_reason() {
    let folder = root().join("../shared/recordings");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return common::not_run(&format!("{folder:?} is absent: found recordings are not tried"));
    };
    let nested = folder.join("rosbag2").read_dir().into_iter().flatten();
    let mut tried = 0;
    for path in entries.chain(nested).map(|entry| entry.unwrap().path()) {
        let out = tempfile::tempdir().unwrap();
        let answers = out.path().join("a.mcap");
        let arguments =
            ["replay", text(&path), "--out", text(&answers), "--text", "the thing", "--all", "--limit", "2"];
        let output = referseg(&arguments);
        let said = said(&output);
        assert!(!said.contains("panicked"), "{path:?}: {said}");
        match output.status.code() {
            Some(0) => assert!(said.contains("frames"), "{path:?}: {said}"),
            Some(2) => assert!(said.contains("recording"), "{path:?}: {said}"),
            other => panic!("{path:?} ended with {other:?}: {said}"),
        }
        tried += 1;
    }
    assert!(tried > 5, "{tried}");
}
