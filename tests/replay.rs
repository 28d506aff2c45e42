//! `referseg replay` and `referseg compare` as a person uses them, on one recording in every form that rosbag2 writes
//! (`tools/fixtures/bags.py`) and on the shipped one.

mod common;

use common::data;
use common::replays::{messages, of, referseg, replay, said, said_all, text};
use referseg::recordings::bag::{Message, Writer};
use referseg::recordings::{from_cdr, to_cdr, CompressedImage, Image, Segmentation};
use std::path::Path;

const FORMS: [&str; 7] =
    ["mcap", "mcap_storage", "mcap_file", "mcap_message", "sqlite", "sqlite_file", "sqlite_message"];

const ONE: [&str; 2] = ["--image-topic", "/camera/image_raw"];

#[test]
fn every_form_of_recording_gives_the_same_bytes() {
    let (_home, first, _) = replay(&data("bags/mcap"), &ONE);
    let expected = std::fs::read(&first).unwrap();
    for form in FORMS {
        let folder = data("bags").join(form);
        let (_home, out, _) = replay(&folder, &ONE);
        assert!(std::fs::read(&out).unwrap() == expected, "{form}");
    }
    // a single file, and a folder by its metadata
    let (_home, out, _) = replay(&data("bags/sqlite/sqlite.db3"), &ONE);
    assert!(std::fs::read(&out).unwrap() == expected);
    let (_home, out, _) = replay(&data("bags/mcap_storage/metadata.yaml"), &ONE);
    assert!(std::fs::read(&out).unwrap() == expected);
}

#[test]
fn messages_that_are_compressed_one_by_one_are_read_without_metadata() {
    let (_home, expected, _) = replay(&data("bags/mcap"), &ONE);
    for file in ["mcap_message/mcap_message.mcap", "sqlite_message/sqlite_message.db3"] {
        let (_home, out, _) = replay(&data("bags").join(file), &ONE);
        assert!(std::fs::read(&out).unwrap() == std::fs::read(&expected).unwrap(), "{file}");
    }
}

/// Writes an image of the shipped recording into a file, so many seconds later.
fn write_one(path: &Path, second: u64) {
    let all = messages(&data("bags/mcap"));
    let mut message = of(&all, "/camera/image_raw").next().unwrap().clone();
    message.log_time += second * 1_000_000_000;
    let mut image: Image = from_cdr(&message.cdr).unwrap();
    image.header.stamp.sec += second as i32;
    message.cdr = to_cdr(&image).unwrap();
    let mut writer = Writer::create(path, &[]).unwrap();
    writer.write(&message).unwrap();
    writer.finish().unwrap();
}

#[test]
fn a_recording_in_several_files_is_read_in_the_order_of_its_time() {
    let orders: [&[(&str, u64)]; 2] = [
        // by name, _10 would come before _2
        &[("r_0", 0), ("r_1", 1), ("r_2", 2), ("r_3", 3), ("r_9", 9), ("r_10", 10), ("r_11", 11)],
        // two recorders' files in one folder
        &[("late_0", 8), ("early_1", 3), ("early_0", 1)],
    ];
    for files in orders {
        let folder = tempfile::tempdir().unwrap();
        for (name, second) in files {
            write_one(&folder.path().join(format!("{name}.mcap")), *second);
        }
        let (_home, out, said) = replay(folder.path(), &["--text", "the red ball"]);
        assert!(said.contains(&format!("{0} frames, {0} answers", files.len())), "{said}");
        let all = messages(&out);
        let times: Vec<u64> = of(&all, "/referseg/segmentation").map(|message| message.log_time).collect();
        assert_eq!(times.len(), files.len());
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    }
}

#[test]
fn topics_that_differ_by_a_slash_stay_apart() {
    let home = tempfile::tempdir().unwrap();
    let bag = home.path().join("two.mcap");
    let all = messages(&data("bags/mcap"));
    let mut writer = Writer::create(&bag, &[]).unwrap();
    for topic in ["/a/b", "/a_b"] {
        let mut message = of(&all, "/camera/image_raw").next().unwrap().clone();
        message.topic = topic.into();
        writer.write(&message).unwrap();
    }
    writer.finish().unwrap();
    let (_home, out, _) = replay(&bag, &["--all", "--text", "the red ball"]);
    let answers = messages(&out);
    for topic in ["/referseg/a/b/segmentation", "/referseg/a_b/segmentation"] {
        assert_eq!(of(&answers, topic).count(), 1, "{topic}");
    }
}

#[test]
fn a_command_that_cannot_be_used_is_answered_and_the_replay_goes_on() {
    let timetable = tempfile::NamedTempFile::new().unwrap();
    let long = "go ".repeat(2000);
    std::fs::write(timetable.path(), format!("- {{at: 0.0, say: '{long}'}}\n- {{at: 0.2, say: the red ball}}\n"))
        .unwrap();
    let (_home, out, _) = replay(&data("bags/mcap"), &[&ONE[..], &["--timetable", text(timetable.path())]].concat());
    let all = messages(&out);
    let answers: Vec<Segmentation> = of(&all, "/referseg/segmentation").map(|m| from_cdr(&m.cdr).unwrap()).collect();
    assert!(answers.iter().any(|a| a.status == 4 && a.reason.contains("expected at most 1000")), "no ERROR");
    assert_eq!(answers.last().unwrap().command, "the red ball");
}

#[test]
fn answers_carry_the_frames_stamps_and_follow_the_commands_of_the_bag() {
    let (_home, out, said) = replay(&data("bags/mcap"), &ONE);
    assert!(said.starts_with("3 frames, 3 answers"), "{said}");
    let (all, inputs) = (messages(&out), messages(&data("bags/mcap")));
    let frames: Vec<_> = of(&inputs, "/camera/image_raw").collect();
    let answers: Vec<_> = of(&all, "/referseg/segmentation").collect();
    let commands: Vec<_> =
        answers.iter().map(|answer| from_cdr::<Segmentation>(&answer.cdr).unwrap().command).collect();
    assert_eq!(commands, ["the red ball", "the red ball", "the black can"]);
    for (answer, frame) in answers.iter().zip(&frames) {
        let (segmentation, image) =
            (from_cdr::<Segmentation>(&answer.cdr).unwrap(), from_cdr::<Image>(&frame.cdr).unwrap());
        assert_eq!((&segmentation.header, answer.log_time), (&image.header, frame.log_time));
        assert_eq!((segmentation.mask.width, segmentation.mask.height), (96, 72));
        assert_eq!(segmentation.mask.header, image.header);
    }
    for (topic, frame) in of(&all, "/referseg/mask").zip(&frames) {
        assert_eq!(from_cdr::<Image>(&topic.cdr).unwrap().header, from_cdr::<Image>(&frame.cdr).unwrap().header);
    }
    let overlays: Vec<_> = of(&all, "/referseg/overlay/compressed").collect();
    let overlay = from_cdr::<CompressedImage>(&overlays[2].cdr).unwrap();
    let picture = image::load_from_memory(&overlay.data).unwrap();
    assert_eq!((overlays.len(), picture.width(), picture.height()), (3, 96, 72));
}

#[test]
fn commands_come_from_the_bag_a_timetable_or_the_command_line() {
    let spoken = |arguments: &[&str]| -> Vec<String> {
        let (_home, out, _) = replay(&data("bags/sqlite"), &[&ONE, arguments].concat());
        let all = messages(&out);
        of(&all, "/referseg/segmentation").map(|m| from_cdr::<Segmentation>(&m.cdr).unwrap().command).collect()
    };
    assert_eq!(spoken(&["--text", "the mug"]), ["the mug"; 3]);
    assert_eq!(spoken(&["--text", "the mug", "--mode", "once"]), ["the mug"]);
    let timetable = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(timetable.path(), "- {at: 0.0, say: a}\n- {at: 0.1, say: ''}\n- {at: 0.2, say: b}\n").unwrap();
    assert_eq!(spoken(&["--timetable", text(timetable.path())]), ["a", "b"]);
    assert_eq!(spoken(&["--command-topic", "/command", "--mode", "once"]), ["the red ball", "the black can"]);
}

#[test]
fn commands_that_can_not_come_are_told() {
    let bag = data("bags/mcap");
    let arguments = ["replay", text(&bag), "--out", "/dev/null", "--command-topic", "/side/image"];
    let output = referseg(&[&arguments[..], &ONE].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(said_all(&output, &["/side/image", "holds sensor_msgs/msg/Image; expected std_msgs/String", "/command"]));
    let home = tempfile::tempdir().unwrap();
    let late = home.path().join("late.yaml");
    std::fs::write(&late, "- {at: 100, say: the mug}\n").unwrap();
    let (_home, _, said) = replay(&bag, &[&ONE[..], &["--timetable", text(&late)]].concat());
    assert!(said.contains("3 frames, 0 answers") && said.contains("no command was given"), "{said}");
}

#[test]
fn several_topics_are_answered_under_their_names_raw_or_compressed_and_each_camera_once() {
    let (_home, _, said) = replay(&data("bags/mcap"), &["--all", "--text", "the red ball"]);
    assert!(said.starts_with("4 frames, 4 answers"), "of a camera in two transports one: {said}");
    let named = ["--image-topic", "/camera/image_raw", "--image-topic", "/camera/image_raw/compressed"];
    let others = ["--image-topic", "/side/image", "--text", "the red ball"];
    let (_home, out, said) = replay(&data("bags/mcap"), &[&named[..], &others].concat());
    assert!(said.starts_with("7 frames, 7 answers"), "{said}");
    let all = messages(&out);
    for (camera, count) in [("camera/image_raw", 3), ("camera/image_raw/compressed", 3), ("side/image", 1)] {
        let topic = format!("/referseg/{camera}/segmentation");
        let cameras: Vec<_> = of(&all, &topic).map(|m| from_cdr::<Segmentation>(&m.cdr).unwrap().camera).collect();
        assert_eq!(cameras, vec![camera; count]);
    }
    let unclear = referseg(&["replay", text(&data("bags/mcap")), "--out", "/dev/null", "--text", "x"]);
    assert_eq!(unclear.status.code(), Some(2));
    assert!(said_all(&unclear, &["choose with --image-topic or --all", "/side/image"]));
    let wrong = referseg(&["replay", text(&data("bags/mcap")), "--out", "/dev/null", "--image-topic", "/command"]);
    assert!(said_all(&wrong, &["/command: holds no images", "/camera/image_raw, "]));
}

#[test]
fn a_cut_or_damaged_recording_is_read_as_far_as_it_goes_and_says_where_it_ended() {
    for (form, file) in [("mcap", "mcap.mcap"), ("sqlite", "sqlite.db3")] {
        let home = tempfile::tempdir().unwrap();
        let mut bytes = std::fs::read(data("bags").join(form).join(file)).unwrap();
        if form == "sqlite" {
            // pages of 4096 bytes: those behind the 24th, but for the last, hold the third frame's pixels
            let last = bytes.len() - 4096;
            bytes[24 * 4096..last].fill(0xff);
        } else {
            bytes.truncate(bytes.len() * 7 / 10);
        }
        let cut = home.path().join(file);
        std::fs::write(&cut, bytes).unwrap();
        let (_home, out, said) = replay(&cut, &[&ONE[..], &["--text", "the red ball"]].concat());
        assert!(said.contains("the recording is truncated") && said.contains(file), "{form}: {said}");
        let answers = messages(&out).iter().filter(|m| m.topic == "/referseg/segmentation").count();
        assert!((1..3).contains(&answers), "{form}: {answers} answers; {said}");
    }
    // flipped bytes inside a chunk
    let home = tempfile::tempdir().unwrap();
    let mut damaged = std::fs::read(data("bags/mcap_storage/mcap_storage.mcap")).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].iter_mut().for_each(|byte| *byte ^= 0x5a);
    let file = home.path().join("damaged.mcap");
    std::fs::write(&file, damaged).unwrap();
    let output = referseg(&["replay", text(&file), "--out", text(&home.path().join("o")), "--text", "x"]);
    assert!(said(&output).contains("damaged") || said(&output).contains("truncated"), "{}", said(&output));
    // a recorder that was killed leaves no metadata
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(data("bags/mcap/mcap.mcap"), folder.path().join("a_0.mcap")).unwrap();
    let (_home, _, said) = replay(folder.path(), &ONE);
    assert!(said.contains("metadata.yaml can't be used") && said.contains("3 frames"), "{said}");
}

#[test]
fn bag_info_tells_topics_rates_encodings_and_what_is_lost() {
    let output = referseg(&["bag", "info", text(&data("bags/mcap"))]);
    assert!(output.status.success(), "{}", said(&output));
    let told = said(&output);
    assert!(told.contains("/camera/image_raw: sensor_msgs/msg/Image, 3 messages, 10.0 Hz"), "{told}");
    assert!(told.contains("96x72 rgb8") && told.contains("/command: std_msgs/msg/String, 2 messages"), "{told}");
    let cut = tempfile::tempdir().unwrap();
    let file = cut.path().join("cut.mcap");
    let bytes = std::fs::read(data("bags/mcap/mcap.mcap")).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let output = referseg(&["bag", "info", "--json", text(&file)]);
    assert_eq!(output.status.code(), Some(1), "incomplete");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(told["truncation"].as_str().unwrap().contains("cut.mcap"), "{told}");
    assert_eq!(told["topics"]["/camera/image_raw"]["type"], "sensor_msgs/msg/Image");
}

#[test]
fn the_only_colour_topic_is_chosen_beside_depth_and_named_without_its_slash() {
    let folder = tempfile::tempdir().unwrap();
    let bag = folder.path().join("bag.mcap");
    let all = messages(&data("bags/mcap"));
    let colour = of(&all, "/camera/image_raw").next().unwrap();
    let mut depth: Image = from_cdr(&colour.cdr).unwrap();
    (depth.encoding, depth.step) = ("16UC1".into(), 192);
    let depth = Message { topic: "/camera/depth".into(), cdr: to_cdr(&depth).unwrap(), ..colour.clone() };
    let mut writer = Writer::create(&bag, &[]).unwrap();
    [colour, &depth].into_iter().for_each(|message| writer.write(message).unwrap());
    writer.finish().unwrap();
    let (_home, _, told) = replay(&bag, &["--text", "the red ball"]);
    assert!(told.contains("1 frames, 1 answers"), "{told}");
    let (_home, _, told) = replay(&bag, &["--text", "the red ball", "--image-topic", "camera/image_raw"]);
    assert!(told.contains("1 frames, 1 answers"), "{told}");
}

#[test]
fn each_reason_of_errors_is_told_once_and_strict_ends_with_3() {
    let folder = tempfile::tempdir().unwrap();
    let (bag, out, page) = (folder.path().join("bag.mcap"), folder.path().join("o.mcap"), folder.path().join("o.html"));
    let mut writer = Writer::create(&bag, &[]).unwrap();
    for message in of(&messages(&data("bags/mcap")), "/camera/image_raw").take(2) {
        let mut depth: Image = from_cdr(&message.cdr).unwrap();
        (depth.encoding, depth.step) = ("16UC1".into(), 192);
        writer.write(&Message { cdr: to_cdr(&depth).unwrap(), ..message.clone() }).unwrap();
    }
    writer
        .write(&Message { topic: ONE[1].into(), kind: "sensor_msgs/msg/Image".into(), log_time: 0, cdr: vec![0; 8] })
        .unwrap();
    writer.finish().unwrap();
    let arguments = ["replay", text(&bag), "--out", text(&out), "--text", "a ball", "--report", text(&page)];
    let arguments = [&arguments[..], &ONE].concat();
    let output = referseg(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said_all(
        &output,
        &["2 errors: ", "16UC1", "1 messages could not be read; the first, /camera/image_raw: "]
    ));
    assert_eq!(said(&output).matches("16UC1").count(), 1, "{}", said(&output));
    assert!(std::fs::read_to_string(&page).unwrap().contains("<tr><td>2</td><td>"));
    assert_eq!(referseg(&[&arguments[..], &["--strict"]].concat()).status.code(), Some(3));
    replay(&data("bags/mcap"), &[&ONE[..], &["--strict"]].concat());
    // depth alone: no camera to choose
    let output = referseg(&arguments[..6]);
    assert!(said_all(
        &output,
        &["no colour or grey images; it has /camera/image_raw (sensor_msgs/msg/Image, 96x72 16UC1)"]
    ));
}

#[test]
fn types_may_be_spelled_as_other_writers_do() {
    let (_home, expected, _) = replay(&data("bags/sqlite"), &ONE);
    for (from, to) in [("/msg/", "/"), ("sensor_msgs/msg/Image", "sensor_msgs::msg::dds_::Image_")] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db3");
        std::fs::copy(data("bags/sqlite/sqlite.db3"), &file).unwrap();
        let database = rusqlite::Connection::open(&file).unwrap();
        assert!(database.execute("UPDATE topics SET type = replace(type, ?1, ?2)", [from, to]).unwrap() > 0);
        drop(database);
        let (_home, out, _) = replay(&file, &ONE);
        assert!(std::fs::read(&out).unwrap() == std::fs::read(&expected).unwrap(), "{to}");
    }
}

#[test]
fn a_database_with_its_log_is_read_and_nothing_is_left_beside_it() {
    let (_home, expected, _) = replay(&data("bags/sqlite"), &ONE);
    let recorder = tempfile::tempdir().unwrap();
    let file = recorder.path().join("a b%.db3");
    std::fs::copy(data("bags/sqlite/sqlite.db3"), &file).unwrap();
    // what the log holds is not in the database yet: the recorder still runs, or was killed
    let database = rusqlite::Connection::open(&file).unwrap();
    database.pragma_update(None, "journal_mode", "wal").unwrap();
    database.execute_batch("CREATE TABLE kept AS SELECT * FROM messages; DELETE FROM messages; INSERT INTO messages SELECT * FROM kept").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let names = |folder: &Path| {
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    for name in ["a b%.db3", "a b%.db3-wal"] {
        std::fs::copy(recorder.path().join(name), folder.path().join(name)).unwrap();
    }
    let before = names(folder.path());
    let (_home, out, _) = replay(&folder.path().join("a b%.db3"), &ONE);
    assert!(std::fs::read(&out).unwrap() == std::fs::read(&expected).unwrap());
    assert_eq!(names(folder.path()), before);
    // and without a log: a medium that can't be written
    let plain = tempfile::tempdir().unwrap();
    std::fs::copy(data("bags/sqlite/sqlite.db3"), plain.path().join("a?#.db3")).unwrap();
    let (_home, out, _) = replay(&plain.path().join("a?#.db3"), &ONE);
    assert!(std::fs::read(&out).unwrap() == std::fs::read(&expected).unwrap());
    assert_eq!(names(plain.path()).len(), 1);
}

#[test]
fn files_are_found_where_metadata_of_any_version_puts_them_and_a_missing_one_costs_itself_alone() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("bag");
    std::fs::create_dir(&folder).unwrap();
    for (number, name) in ["a_0.mcap", "a_1.mcap", "a_2.mcap"].iter().enumerate() {
        write_one(&folder.join(name), 10 * number as u64);
    }
    let listing = |files: &str| {
        let text = format!("rosbag2_bagfile_information: {{version: 4, relative_file_paths: [{files}]}}");
        std::fs::write(folder.join("metadata.yaml"), text).unwrap();
    };
    let text = [&ONE[..], &["--text", "the red ball"]].concat();
    for prefix in ["", "bag/", "old_name/"] {
        listing(&["a_0.mcap", "a_1.mcap", "a_2.mcap"].map(|name| format!("{prefix}{name}")).join(", "));
        let (_home, _, said) = replay(&folder, &text);
        assert!(said.contains("3 frames") && !said.contains("truncated"), "{prefix}: {said}");
    }
    std::fs::remove_file(folder.join("a_0.mcap")).unwrap();
    std::fs::write(folder.join("a_1.mcap"), b"no recording").unwrap();
    let (_home, out, said) = replay(&folder, &text);
    assert!(said.contains("1 frames") && said.contains("a_0.mcap") && said.contains("a_1.mcap"), "{said}");
    assert_eq!(of(&messages(&out), "/referseg/segmentation").count(), 1);
}

/// Made by `cargo run -- replay tests/data/recording/bag --timetable tests/data/recording/timetable.yaml --out
/// tests/data/recording/answers.mcap --no-overlays`; a change that means to change answers makes it again.
#[test]
fn the_shipped_recording_is_answered_as_before() {
    let timetable = data("recording/timetable.yaml");
    let (_home, out, _) = replay(&data("recording/bag"), &["--timetable", text(&timetable), "--no-overlays"]);
    let output = referseg(&["compare", text(&data("recording/answers.mcap")), text(&out)]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said_all(&output, &["6 answers are the same"]));
}
