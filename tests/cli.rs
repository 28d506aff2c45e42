//! The command line as a person or a script uses it: the built program, real files, the shipped model.

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn scene(name: &str) -> String {
    root().join("tests/data/scene").join(name).display().to_string()
}

fn referseg(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_referseg")).args(arguments).current_dir(root()).output().unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn several_texts_give_one_json_object_each_in_order() {
    let labels = format!("labels:{}", scene("000000_ids.png"));
    let out = referseg(&[
        "segment",
        "--model",
        "models/demo",
        "--image",
        &scene("000000.png"),
        "--proposals",
        &labels,
        "--json",
        "--text",
        "please pick up the red ball",
        "--text",
        "the black can",
        "--text",
        "?!",
    ]);
    let answers = lines(&out);
    assert_eq!(answers.len(), 3);
    let [ball, can, wordless] = &answers[..] else { unreachable!() };
    assert_eq!((ball["status"].as_str(), ball["target"].as_str()), (Some("FOUND"), Some("the red ball")));
    assert_eq!((ball["label"].as_u64(), can["label"].as_u64()), (Some(5), Some(2)));
    assert_eq!(ball["proposals"], 5);
    assert_eq!(ball["proposal"], 4, "proposals come in the order of their labels");
    for key in ["x", "y", "width", "height"] {
        assert!(ball["box"][key].is_u64(), "{ball}");
    }
    for stage in ["proposals", "visual_features", "text_features", "scoring"] {
        assert!(ball["times_ms"][stage].is_number() && ball["destination"].is_null(), "{ball}");
    }
    assert!(ball["score"].as_f64() > Some(0.0) && ball["margin"].as_f64() > Some(0.0));
    assert_eq!(wordless["status"], "ERROR");
    assert_eq!(status(&out), 2, "the worst of the answers");
}

#[test]
fn a_destination_has_its_anchor_and_a_point_beside_it() {
    let labels = format!("labels:{}", scene("000000_ids.png"));
    let common =
        ["segment", "--model", "models/demo", "--image", &scene("000000.png"), "--proposals", &labels, "--json"];
    let texts =
        ["--text", "put the red ball to the left of the black can", "--text", "put the red ball next to the hammer"];
    let answers = lines(&referseg(&[&common[..], &texts].concat()));
    let beside = &answers[0]["destination"];
    assert_eq!((beside["status"].as_str(), beside["relation"].as_str()), (Some("FOUND"), Some("left of")), "{beside}");
    let (anchor, x) = (&beside["anchors"][0], beside["point"]["x"].as_f64().unwrap());
    assert_eq!(anchor["phrase"], "the black can");
    assert!(x < anchor["box"]["x"].as_f64().unwrap() && x > 0.0, "{beside}");
    let missing = &answers[1]["destination"];
    assert_eq!((missing["status"].as_str(), missing["point"].is_null()), (Some("NOT_FOUND"), true), "{missing}");
    assert!(missing["reason"].as_str().unwrap().contains("hammer"), "{missing}");
}

/// Writes a depth image of the size of the test scene's picture, in millimetres.
fn write_depth(path: &std::path::Path, millimetres: u16) -> (u32, u32) {
    let (width, height) = image::image_dimensions(scene("000000.png")).unwrap();
    let wall = image::ImageBuffer::from_pixel(width, height, image::Luma([millimetres]));
    wall.save(path).unwrap();
    (width, height)
}

#[test]
fn with_depth_and_its_camera_a_destination_is_metric_and_in_space() {
    let folder = tempfile::tempdir().unwrap();
    let depth = folder.path().join("depth.png");
    let (width, height) = write_depth(&depth, 1000);
    let (labels, depth) = (format!("labels:{}", scene("000000_ids.png")), depth.display().to_string());
    // a wall at 1 m that fills the picture is 1 m wide
    let focal = width as f64;
    let intrinsics = format!("{focal},{focal},{},{}", width as f64 / 2.0 - 0.5, height as f64 / 2.0 - 0.5);
    let picture = scene("000000.png");
    let given = [
        "segment",
        "--image",
        &picture,
        "--proposals",
        &labels,
        "--json",
        "--text",
        "push the red ball 10 cm to the left",
    ];
    let asked = |more: &[&str]| lines(&referseg(&[&given[..], more].concat())).remove(0);
    let metric = asked(&["--depth", &depth, "--intrinsics", &intrinsics]);
    let (destination, thing) = (&metric["destination"], &metric["box"]);
    assert_eq!(destination["reason"], "", "{metric}");
    let foot = thing["x"].as_f64().unwrap() + thing["width"].as_f64().unwrap() / 2.0;
    let moved = (foot - destination["point"]["x"].as_f64().unwrap()) / focal;
    assert!((moved - 0.1).abs() < 0.02, "{moved} m: {metric}");
    let z = destination["position"]["z"].as_f64().unwrap();
    assert!((z - 1.0).abs() < 0.01 && destination["orientation"].is_array(), "{metric}");
    let without_camera = asked(&["--depth", &depth]);
    assert!(without_camera["destination"]["reason"].as_str().unwrap().contains("distance was not judged"));
    assert_eq!(without_camera["destination"]["position"], Value::Null);
    for (more, words) in [
        (&["--depth", &depth, "--intrinsics", "1,2,3"][..], "four numbers"),
        (&["--depth", &depth, "--intrinsics", "0,0,1,1"], "--intrinsics"),
        (&["--depth", &depth, "--depth-scale", "0"], "--depth-scale"),
        (&["--intrinsics", &intrinsics], "--depth"),
        (&["--depth", "nowhere.png"], "nowhere.png"),
    ] {
        let output = referseg(&[&given[..], more].concat());
        assert_eq!(status(&output), 2, "{more:?}");
        assert!(said(&output).contains(words), "{more:?}: {}", said(&output));
    }
}

#[test]
fn the_label_is_given_whatever_the_status() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("strict.yaml");
    std::fs::write(&config, "answer: {min_score: 1.0}").unwrap();
    let labels = format!("labels:{}", scene("000000_ids.png"));
    let out = referseg(&[
        "segment",
        "--config",
        config.to_str().unwrap(),
        "--image",
        &scene("000000.png"),
        "--proposals",
        &labels,
        "--text",
        "the red ball",
        "--json",
    ]);
    assert_eq!(status(&out), 1);
    let answer = &lines(&out)[0];
    assert_eq!((answer["status"].as_str(), answer["label"].as_u64()), (Some("NOT_FOUND"), Some(5)));
    assert!(answer["box"].is_null());
    assert!(answer["reason"].as_str().unwrap().contains("below answer.min_score"));
}

#[test]
fn mask_and_overlay_are_written_at_the_images_size() {
    let folder = tempfile::tempdir().unwrap();
    let [mask, overlay] = ["mask.png", "overlay.png"].map(|name| folder.path().join(name));
    let out = referseg(&[
        "segment",
        "--image",
        &scene("000000.png"),
        "--text",
        "the red ball",
        "--mask",
        mask.to_str().unwrap(),
        "--overlay",
        overlay.to_str().unwrap(),
    ]);
    assert_eq!(status(&out), 0, "{}{}", String::from_utf8_lossy(&out.stdout), said(&out));
    let mask = image::open(mask).unwrap().into_luma8();
    let truth = image::open(scene("000000_ids.png")).unwrap().into_luma8();
    let both = mask.pixels().zip(truth.pixels());
    let (mut shared, mut either) = (0, 0);
    for (found, id) in both {
        assert!(matches!(found.0[0], 0 | 255));
        shared += u32::from(found.0[0] == 255 && id.0[0] == 5);
        either += u32::from(found.0[0] == 255 || id.0[0] == 5);
    }
    assert!(f64::from(shared) / f64::from(either) >= 0.5, "IoU {shared}/{either}");
    assert_eq!(image::open(overlay).unwrap().into_rgb8().dimensions(), mask.dimensions());
}

#[test]
fn a_picture_from_standard_input_is_turned_upright_and_answered_in_the_format_that_was_named() {
    let folder = tempfile::tempdir().unwrap();
    // the scene as a camera that lay on its side stored it: EXIF orientation 6
    let upright = image::open(scene("000000.png")).unwrap();
    let mut jpeg = std::io::Cursor::new(Vec::new());
    image::DynamicImage::from(upright.rotate270().into_rgb8()).write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
    let jpeg = jpeg.into_inner();
    let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let length = (exif.len() as u16 + 2).to_be_bytes();
    let turned = [&jpeg[..2], &[0xff, 0xe1], &length, exif, &jpeg[2..]].concat();
    let overlay = folder.path().join("overlay.jpg");
    let mut command = Command::new(env!("CARGO_BIN_EXE_referseg"));
    command.args(["segment", "--image", "-", "--text", "the red ball", "--overlay"]).arg(&overlay).current_dir(root());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &turned).unwrap();
    let out = child.wait_with_output().unwrap();
    assert_eq!(status(&out), 0, "{}{}", String::from_utf8_lossy(&out.stdout), said(&out));
    assert!(said(&out).contains("standard input: turned as its EXIF orientation says"), "{}", said(&out));
    assert!(std::fs::read(&overlay).unwrap().starts_with(&[0xff, 0xd8, 0xff]), "a JPEG, as its ending says");
    assert_eq!(image::open(&overlay).unwrap().into_rgb8().dimensions(), upright.into_rgb8().dimensions());

    let named = folder.path().join("overlay.gif");
    let out =
        referseg(&["segment", "--image", &scene("000000.png"), "--text", "mug", "--overlay", named.to_str().unwrap()]);
    assert!(status(&out) == 2 && said(&out).contains("expected .png, .jpg, .webp, .bmp or .tiff"), "{}", said(&out));
}

#[test]
fn what_is_wrong_is_said_and_the_exit_status_is_2() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let picture = scene("000000.png");
    let demo = |name: &str| std::fs::read(root().join("models/demo").join(name)).unwrap();
    let weights = demo("model.safetensors");
    let (config, tokens) = (demo("config.json"), demo("tokenizer.json"));
    at("cut/config.json", &config);
    at("cut/tokenizer.json", &tokens);
    at("cut/model.safetensors", &weights[..weights.len() / 2]);
    let wide = String::from_utf8(config.clone()).unwrap().replace("\"hidden_size\": 160", "\"hidden_size\": 320");
    at("wide/config.json", wide.as_bytes());
    at("wide/tokenizer.json", &tokens);
    at("wide/model.safetensors", &weights);
    at("naflex/config.json", b"{\"model_type\": \"siglip2\"}");
    let no_picture = at("text.png", b"not a picture");
    let cases: [(&[&str], &str); 12] = [
        (&["--image", "/nowhere.png"], "No such file"),
        (&["--image", &no_picture], "not a readable PNG, JPEG"),
        (&["--image", &picture, "--model", "/nowhere"], "no such folder"),
        (&["--image", &picture, "--model", &folder.path().join("cut").display().to_string()], "is it truncated?"),
        (&["--image", &picture, "--model", &folder.path().join("wide").display().to_string()], "shape mismatch"),
        (
            &["--image", &picture, "--model", &folder.path().join("naflex").display().to_string()],
            "\"siglip2\" is not supported",
        ),
        (&["--image", &picture, "--device", "tpu"], "expected auto, cpu or cuda:N"),
        (
            &["--image", &picture, "--proposals", "magic"],
            "expected regions, sam, prompted, solo, topic or labels:FILE.png",
        ),
        (&["--image", &picture, "--proposals", "sam"], "referseg models list"),
        (&["--image", &picture, "--method", "score_map"], "can't run on this model"),
        (&["--image", &picture, "--set", "proposals.limit"], "expected KEY=VALUE"),
        (&["--image", &picture, "--set", "proposals.limt=3"], "unknown key \"proposals.limt\""),
    ];
    for (arguments, words) in cases {
        let out = referseg(&[&["segment", "--text", "mug"], arguments].concat());
        assert_eq!(status(&out), 2, "{arguments:?}");
        assert!(said(&out).contains(words), "{arguments:?}: {}", said(&out));
    }
}

#[test]
fn parse_prints_the_target_with_either_parser() {
    let out = referseg(&["parse", "pick up the red mug behind the laptop"]);
    assert_eq!(lines(&out)[0]["target"], "the red mug");
    let out = referseg(&["parse", "--parser", "dependency", "the woman in the blue coat on the left"]);
    assert_eq!(lines(&out)[0]["target"], "the woman");
    assert_eq!(status(&referseg(&["parse", "--parser", "magic", "mug"])), 2);
}

#[test]
fn parse_answers_every_line_even_empty_and_broken_ones() {
    use std::io::Write;
    for parser in ["rules", "dependency"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_referseg"))
            .args(["parse", "--lines", "--parser", parser])
            .current_dir(root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all("go to the chair\n\ncup\n\u{feff}ж\r\n".as_bytes()).unwrap();
        let out = child.wait_with_output().unwrap();
        let answers = lines(&out);
        assert_eq!(answers.len(), 4, "{parser}");
        assert_eq!(answers[2]["target"], "cup");
    }
}

#[test]
fn bench_reports_every_stage() {
    let out = referseg(&["bench", "--image", &scene("000000.png"), "--runs", "1", "--json"]);
    let report = &lines(&out)[0];
    for stage in ["proposals", "visual_features", "text_features", "scoring", "all"] {
        assert!(report["times_ms"][stage]["median"].as_f64() > Some(0.0), "{report}");
    }
}

#[test]
fn the_terms_of_the_score_are_listed_and_their_weights_decide() {
    let ask = |more: &[&str]| {
        let arguments = ["segment", "--image", &scene("000000.png"), "--text", "the red ball", "--json"];
        lines(&referseg(&[&arguments[..], more].concat())).remove(0)
    };
    let none = ["--set", "guidance=none"];
    let plain = ask(&none);
    let [best, second] = &plain["terms"].as_array().unwrap()[..] else { panic!("the best two: {plain}") };
    assert_eq!((&best["proposal"], &best["score"]), (&plain["proposal"], &plain["score"]));
    assert!(second["score"].as_f64() < best["score"].as_f64(), "{plain}");
    let similarity = best["terms"]["similarity"].as_f64().unwrap();
    assert!((similarity - plain["score"].as_f64().unwrap()).abs() < 1e-6, "{plain}");
    assert!(best["terms"].get("quality").is_none(), "a term of weight 0 is not computed: {plain}");
    let by_quality = ask(&[&none[..], &["--set", "terms.quality=100"]].concat());
    assert!(by_quality["terms"][0]["terms"]["quality"].as_f64().unwrap() <= 0.0, "{by_quality}");
    let quality_alone = ask(&[&none[..], &["--set", "terms.quality=1", "--set", "terms.similarity=0"]].concat());
    assert_eq!(by_quality["proposal"], quality_alone["proposal"]);
    assert_ne!(by_quality["proposal"], plain["proposal"], "the generator's favourite is not the red ball");
    let guided = ask(&[]);
    let terms = guided["terms"][0]["terms"].as_object().unwrap();
    let product: f64 = terms.values().map(|value| value.as_f64().unwrap()).product();
    assert!(
        (product - guided["score"].as_f64().unwrap()).abs() < 1e-3,
        "probabilities, whose product is the score: {guided}"
    );
    assert!(terms.contains_key("description") && !terms.contains_key("similarity"), "{guided}");
}

#[test]
fn a_palette_of_labels_is_read_by_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("labels.png");
    let ids = image::open(scene("000000_ids.png")).unwrap().into_luma8();
    let mut encoder = png::Encoder::new(std::fs::File::create(&path).unwrap(), ids.width(), ids.height());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_palette((0..=255u8).flat_map(|i| [255 - i, i, 7]).collect::<Vec<u8>>());
    encoder.write_header().unwrap().write_image_data(ids.as_raw()).unwrap();
    let labels = format!("labels:{}", path.display());
    let out = referseg(&[
        "segment",
        "--image",
        &scene("000000.png"),
        "--proposals",
        &labels,
        "--text",
        "the red ball",
        "--json",
    ]);
    assert_eq!((lines(&out)[0]["label"].as_u64(), lines(&out)[0]["proposals"].as_u64()), (Some(5), Some(5)));
}

#[test]
fn a_text_of_200_000_words_is_survived_and_the_next_line_answered() {
    use std::io::Write;
    let mut child = Command::new(env!("CARGO_BIN_EXE_referseg"))
        .args(["parse", "--lines"])
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let written = std::thread::spawn(move || input.write_all(("go ".repeat(200_000) + "\nthe cup\n").as_bytes()));
    let out = child.wait_with_output().unwrap();
    written.join().unwrap().unwrap();
    let answers = lines(&out);
    assert_eq!(answers.len(), 2);
    assert!(answers[0]["target"].is_string());
    assert_eq!(answers[1]["target"], "the cup");
}

#[test]
fn calibrate_chooses_thresholds_and_writes_settings_that_a_model_folder_takes() {
    let folder = tempfile::tempdir().unwrap();
    let scenes = folder.path().join("scenes");
    std::fs::create_dir(&scenes).unwrap();
    std::fs::copy(scene("000000.png"), scenes.join("000000.png")).unwrap();
    std::fs::copy(scene("000000_ids.png"), scenes.join("000000_ids.png")).unwrap();
    let expression = |text: &str, kind: &str, target: u32| serde_json::json!({"text": text, "kind": kind, "target": target, "phrase": text});
    let record = serde_json::json!({"scene": 0, "width": 320, "height": 240, "objects": [], "expressions": [
        expression("the red ball", "attribute", 5), expression("the purple cow", "absent", 0),
        expression("the thing", "ambiguous", 0)]});
    std::fs::write(scenes.join("scenes.jsonl"), format!("{record}\n")).unwrap();
    let settings = folder.path().join("referseg.yaml");
    let at = scenes.display().to_string();
    let out = referseg(&["calibrate", "--data", &at, "--test", &at, "--write", settings.to_str().unwrap()]);
    assert_eq!(status(&out), 0, "{}", said(&out));
    let report = String::from_utf8(out.stdout.clone()).unwrap();
    assert!(report.contains("3 commands chosen on") && report.contains("clear 1.000"), "{report}");
    let out = referseg(&[
        "segment",
        "--config",
        settings.to_str().unwrap(),
        "--image",
        &scene("000000.png"),
        "--text",
        "the red ball",
        "--json",
    ]);
    assert_eq!(lines(&out)[0]["status"], "FOUND", "{}", said(&out));
}

#[test]
fn the_shipped_model_is_found_from_any_folder() {
    let home = tempfile::tempdir().unwrap();
    let image = root().join("tests/data/scene/000000.png");
    let mut command = Command::new(env!("CARGO_BIN_EXE_referseg"));
    command.args(["segment", "--text", "the red ball", "--image"]).arg(image).current_dir(home.path());
    let output = command.env_remove("AMENT_PREFIX_PATH").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_thing_beside_which_nothing_is_proposed_leads_by_1() {
    let home = tempfile::tempdir().unwrap();
    let labels = home.path().join("labels.png");
    let one = image::GrayImage::from_fn(640, 480, |x, y| image::Luma([u8::from(x < 90 && y < 90)]));
    let picture = image::open(root().join("tests/data/scene/000000.png")).unwrap();
    image::imageops::crop_imm(&one, 0, 0, picture.width(), picture.height()).to_image().save(&labels).unwrap();
    for guidance in ["full", "none"] {
        let proposals = format!("labels:{}", labels.display());
        let guidance = format!("guidance={guidance}");
        let arguments =
            ["segment", "--image", "tests/data/scene/000000.png", "--text", "the red ball", "--json", "--proposals"];
        let output = referseg(&[&arguments[..], &[&proposals, "--set", &guidance]].concat());
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["margin"].as_f64(), Some(1.0), "{answer}");
    }
}
