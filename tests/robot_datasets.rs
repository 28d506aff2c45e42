//! `referseg eval` on the datasets that robot people measure on, in their original formats
//! (`tools/fixtures/robot_datasets.py`).

mod common;

use common::data;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Runs a split; the table, and the lines of results.
fn eval(folder: &str, split: &str, more: &[&str]) -> (String, Vec<Value>) {
    let out = tempfile::tempdir().unwrap();
    let folder = data("datasets/robot").join(folder);
    let mut command = Command::new(env!("CARGO_BIN_EXE_referseg"));
    command.args(["eval", "--data"]).arg(folder).args(["--split", split, "--out"]).arg(out.path()).args(more);
    let output = command.current_dir(common::root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap(), lines(out.path()))
}

fn lines(out: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(out.join("results.jsonl")).unwrap();
    text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The number under a title in the row of this name.
fn number(table: &str, name: &str, title: &str) -> f64 {
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = table.lines().filter(|line| line.starts_with('|')).map(cells).collect();
    let at = rows[0].iter().position(|known| known == title).unwrap_or_else(|| panic!("no {title} in {table}"));
    rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("no {name} in {table}"))[at].parse().unwrap()
}

fn pixels(line: &Value) -> usize {
    let size = &line["size"];
    let (width, height) = (size[0].as_u64().unwrap() as usize, size[1].as_u64().unwrap() as usize);
    let truth = line["truth"].as_str().unwrap();
    referseg::image::Rle::parse(width, height, truth).unwrap().mask().area()
}

#[test]
fn roborefit_with_its_backslashes_masks_and_depth() {
    let (table, lines) = eval("roborefit/final_dataset", "testA", &[]);
    assert_eq!(lines.len(), 7);
    assert!(lines.iter().all(|line| line["problem"] == "" && (1200..1300).contains(&pixels(line))), "{lines:?}");
    assert_eq!(number(&table, "global_local", "box IoU 0.5"), 100.0, "{table}");
    assert_eq!(number(&table, "global_local", "table"), 100.0, "kinds are its scenes");
    // the nearest by depth is not the nearest by the place in the picture: they stand in one row
    let nearest = lines.iter().find(|line| line["text"] == "the ball that is closest to the camera").unwrap();
    assert_eq!(nearest["rows"][0]["right"], true, "{nearest}");
    // the folder above is taken too
    assert_eq!(eval("roborefit", "testA", &[]).1.len(), 7);
}

#[test]
fn ocid_ref_with_its_labels_boxes_and_clutter() {
    let (table, lines) = eval("ocid_ref", "val", &[]);
    assert_eq!(lines.len(), 13);
    let problems: Vec<&str> =
        lines.iter().filter_map(|line| line["problem"].as_str()).filter(|p| !p.is_empty()).collect();
    assert!(problems.len() == 1 && problems[0].contains("no pixel 9"), "{problems:?}");
    assert!(table.contains("1 expressions do not count"), "{table}");
    assert_eq!(number(&table, "global_local", "box IoU 0.25"), 100.0, "{table}");
    assert_eq!((number(&table, "global_local", "free"), number(&table, "global_local", "touching")), (100.0, 100.0));
    let first = lines.iter().find(|line| line["expression"] == "100").unwrap();
    assert_eq!((&first["text"], &first["kind"]), (&"The red ball.".into(), &"free".into()));
}

#[test]
fn refspatial_bench_counts_a_point_in_the_mask() {
    let (table, lines) = eval("RefSpatial-Bench", "location", &[]);
    assert_eq!(lines.len(), 6);
    assert!(lines.iter().all(|line| (1200..1300).contains(&pixels(line))));
    assert_eq!(number(&table, "global_local", "middle in mask"), 100.0, "{table}");
    assert_eq!(number(&table, "global_local", "1 steps"), 100.0, "{table}");
    // an answer that is always the same thing is in the mask of a third, so the measure can fail
    let wordings = r#"guidance=none text.templates=["a photo of {}.", "{}"]"#;
    let (table, _) = eval("RefSpatial-Bench", "location", &["--row", "terms.description=0", "--row", wordings]);
    let blind = number(&table, "terms.description=0", "middle in mask");
    assert!(blind < 70.0, "{table}");
    let named = r#"guidance=none, text.templates=["a photo of {}.", "{}"]"#;
    assert!(number(&table, named, "oracle P@0.5") == 100.0, "a row's value may have spaces: {table}");
}

#[test]
fn refspatial_benchs_placement_counts_the_best_point_of_a_free_place() {
    let (table, lines) = eval("RefSpatial-Bench", "placement", &[]);
    assert_eq!(lines.len(), 12);
    assert!(lines.iter().all(|line| line["problem"] == ""), "{lines:?}");
    assert_eq!(number(&table, "global_local", "middle in mask"), 100.0, "{table}");
    // without guidance only things are answers, and no thing is a free place
    let (table, _) = eval("RefSpatial-Bench", "placement", &["--row", "guidance=none"]);
    assert_eq!(number(&table, "guidance=none", "middle in mask"), 0.0, "{table}");
}
