//! What Cargo does not enforce of the direction of dependencies: the order of the package's own modules, files without cycles,
//! and libraries that only one place may use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The package at the top level, as the first part of its modules' paths.
const PACKAGE: &str = "referseg";

/// Every file of the libraries with its module's path, the crate first: `image::mask` for `crates/image/src/mask.rs`.
fn modules() -> BTreeMap<Vec<String>, PathBuf> {
    let mut found = BTreeMap::new();
    let mut sources = vec![(PACKAGE.to_string(), root().join("src"))];
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let path = entry.unwrap().path();
        sources.push((path.file_name().unwrap().to_str().unwrap().to_string(), path.join("src")));
    }
    for (name, source) in sources {
        let mut folders = vec![source.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    if !path.ends_with("src/bin") {
                        folders.push(path);
                    }
                } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("src/lib.rs") {
                    let inside = path.strip_prefix(&source).unwrap().with_extension("");
                    let mut parts = vec![name.clone()];
                    parts.extend(inside.iter().map(|part| part.to_str().unwrap().to_string()));
                    if parts.last().is_some_and(|last| last == "mod") {
                        parts.pop();
                    }
                    found.insert(parts, path);
                }
            }
        }
    }
    found
}

/// A file without comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| line.split("// ").next().unwrap_or_default());
    lines.filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The paths that `use` lines name, braces resolved: `a::{b, c::d}` gives `a::b` and `a::c::d`.
fn used(code: &str) -> Vec<Vec<String>> {
    fn expand(prefix: &[String], tree: &str, found: &mut Vec<Vec<String>>) {
        let tree = tree.trim();
        let Some((before, inside)) = tree.split_once('{') else {
            let words = tree.split(" as ").next().unwrap_or_default().split("::").map(|part| part.trim().to_string());
            found.push(prefix.iter().cloned().chain(words).collect());
            return;
        };
        let inside = inside.rsplit_once('}').map_or(inside, |(inside, _)| inside);
        let parts = before.split("::").map(str::trim).filter(|part| !part.is_empty()).map(String::from);
        let prefix: Vec<String> = prefix.iter().cloned().chain(parts).collect();
        let (mut depth, mut start) = (0, 0);
        for (at, c) in inside.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&prefix, &inside[start..at], found);
                    start = at + 1;
                }
                _ => {}
            }
        }
        if !inside[start..].trim().is_empty() {
            expand(&prefix, &inside[start..], found);
        }
    }
    let mut found = Vec::new();
    for statement in code.split(';') {
        let statement = statement.trim_start();
        let begin = statement.rfind("\nuse ").or(statement.rfind("\n    use ")).map_or(0, |at| at + 1);
        let statement = statement[begin..].trim_start();
        let tree = ["pub use ", "pub(crate) use ", "use "].iter().find_map(|word| statement.strip_prefix(word));
        if let Some(tree) = tree {
            expand(&[], tree, &mut found);
        }
    }
    found
}

/// Every `crate::NAME` of a file, in `use` lines or in the middle of code.
fn named(code: &str) -> BTreeSet<String> {
    let word = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found: BTreeSet<String> = code.split("crate::").skip(1).map(word).collect();
    let from_use = used(code).into_iter().filter(|path| path[0] == "crate");
    found.extend(from_use.filter_map(|path| path.get(1).cloned()));
    found.retain(|name| !name.is_empty());
    found
}

#[test]
fn the_modules_of_the_package_use_only_earlier_ones() {
    // what needs more stands further right; the crates below `crates/` know none of these
    let order = ["answer_json", "warnings", "runtime", "doctor", "replay", "ros"];
    let mut wrong = Vec::new();
    for (module, file) in modules().iter().filter(|(module, _)| module[0] == PACKAGE) {
        let own = order.iter().position(|name| *name == module[1]);
        let own = own.unwrap_or_else(|| panic!("{} has no place in the order {order:?}", module[1]));
        for name in named(&code(file)) {
            if order.iter().position(|known| *known == name).is_some_and(|used| used > own) {
                wrong.push(format!("{} uses crate::{name}", file.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(wrong.is_empty(), "against the direction:\n{}", wrong.join("\n"));
}

#[test]
fn no_files_of_a_folder_use_each_other_in_a_circle() {
    let modules = modules();
    let mut edges: BTreeMap<&Vec<String>, BTreeSet<&Vec<String>>> = BTreeMap::new();
    for (module, file) in &modules {
        let is_folder = file.ends_with("mod.rs");
        let code = code(file);
        // unit tests may use the whole folder
        let shipped = code.split("#[cfg(test)]").next().unwrap_or_default();
        for path in used(shipped) {
            let mut at: Vec<String> = Vec::new();
            let mut rest = path.as_slice();
            match path[0].as_str() {
                "crate" => {
                    at.push(module[0].clone());
                    rest = &rest[1..];
                }
                "super" | "self" => {
                    at = module.clone();
                    if path[0] == "self" {
                        continue;
                    }
                    while rest.first().is_some_and(|part| part == "super") {
                        at.pop();
                        rest = &rest[1..];
                    }
                }
                _ if is_folder => at = module.clone(),
                _ => continue,
            }
            let mut target = None;
            for part in rest {
                at.push(part.clone());
                if let Some((known, _)) = modules.get_key_value(&at) {
                    target = Some(known);
                }
            }
            // `super::Name` is something of the folder's own file
            if target.is_none() && path[0] == "super" && rest.len() == 1 {
                at.pop();
                target = modules.get_key_value(&at).map(|(known, _)| known);
            }
            if let Some(target) = target.filter(|target| target[0] == module[0] && *target != module) {
                edges.entry(module).or_default().insert(target);
            }
        }
    }
    fn visit<'a>(
        node: &'a Vec<String>,
        edges: &BTreeMap<&'a Vec<String>, BTreeSet<&'a Vec<String>>>,
        path: &mut Vec<&'a Vec<String>>,
        done: &mut BTreeSet<&'a Vec<String>>,
    ) {
        if let Some(start) = path.iter().position(|known| *known == node) {
            let names: Vec<String> = path[start..].iter().chain([&node]).map(|module| module.join("::")).collect();
            panic!("files in a circle: {}", names.join(" -> "));
        }
        if !done.insert(node) {
            return;
        }
        path.push(node);
        for next in edges.get(node).into_iter().flatten() {
            visit(next, edges, path, done);
        }
        path.pop();
    }
    let mut done = BTreeSet::new();
    for node in modules.keys() {
        visit(node, &edges, &mut Vec::new(), &mut done);
    }
    assert!(edges.values().map(BTreeSet::len).sum::<usize>() > 150, "the lines were read");
}

#[test]
fn libraries_stay_where_they_belong() {
    for (module, file) in modules() {
        let code = code(&file);
        let shown = file.strip_prefix(root()).unwrap().display().to_string();
        let uses = |library: &str| code.contains(&format!("{library}::"));
        let is_ros = module[..2] == [PACKAGE.to_string(), "ros".to_string()];
        assert!(is_ros || !(uses("r2r") || uses("tokio")), "{shown} uses ROS");
        let is_device = module[..] == ["models".to_string(), "device".to_string()];
        assert!(is_device || !code.contains("new_cuda"), "{shown} chooses a device");
    }
}

/// What Cargo would allow, but must not come: a crate that is useful without tensors or images stays so.
#[test]
fn crates_without_tensors_and_images_stay_without() {
    let manifest = |name: &str| std::fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap();
    for (name, forbidden) in [
        ("language", &["candle", "referseg-image", "referseg-models"][..]),
        ("image", &["candle", "referseg-models"]),
        ("camera", &["candle", "referseg-models"]),
        ("answer", &["candle", "referseg-models"]),
        ("recordings", &["candle", "referseg-models"]),
        ("tracking", &["candle", "referseg-models"]),
    ] {
        for crate_name in forbidden {
            assert!(!manifest(name).contains(crate_name), "crates/{name} depends on {crate_name}");
        }
    }
}

#[test]
fn the_files_that_the_documents_name_exist() {
    let mut files: Vec<String> = modules().into_values().map(|path| path.display().to_string()).collect();
    for folder in ["tests", "tests/ros", "tests/common", "tools/train", "tools/fixtures", "tools"] {
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        files.extend(entries.map(|entry| entry.unwrap().path().display().to_string()));
    }
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    let named: BTreeSet<&str> = quoted.filter(|word| word.ends_with(".rs") || word.ends_with(".py")).collect();
    assert!(named.len() > 30, "{named:?}");
    for name in named {
        assert!(files.iter().any(|file| file.ends_with(&format!("/{name}"))), "ARCHITECTURE.md names {name}");
    }
}
