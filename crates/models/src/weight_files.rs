//! `WeightFiles`: where a checkpoint's tensors lie: in one file, or in several that an index names.

use referseg_files::foreign_file::ForeignFile;
use referseg_files::{Error, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How the name of an index ends.
const INDEX: &str = ".index.json";

/// The folder that a path of the hub's cache means: of `models--ORGANISATION--NAME` the snapshot that was fetched last, and
/// any other folder itself.
///
/// # Errors
/// When there are several snapshots and nothing says which.
pub fn checkpoint_folder(folder: &Path) -> Result<PathBuf> {
    let snapshots = folder.join("snapshots");
    if !snapshots.is_dir() || folder.join("config.json").is_file() {
        return Ok(folder.into());
    }
    if let Ok(revision) = std::fs::read_to_string(folder.join("refs/main")) {
        let snapshot = snapshots.join(revision.trim());
        if !revision.trim().is_empty() && snapshot.is_dir() {
            return Ok(snapshot);
        }
    }
    let found = std::fs::read_dir(&snapshots).map_err(Error::file(&snapshots))?;
    let mut found: Vec<PathBuf> =
        found.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    found.sort();
    match &found[..] {
        [one] => Ok(one.clone()),
        _ => {
            let fact = format!(
                "a cache of the hub with {} snapshots and no refs/main; expected the path of one snapshot",
                found.len()
            );
            Err(Error::model(snapshots, fact))
        }
    }
}

/// The weights of a folder under these names: the safetensors, whole or in parts, or the pickle, whole or in parts; the first
/// of them if none is there. The hub's older repositories hold pickles alone.
pub fn weights_in(folder: &Path, safetensors: &str, pickle: &str) -> PathBuf {
    let names = [safetensors.to_string(), format!("{safetensors}{INDEX}"), pickle.into(), format!("{pickle}{INDEX}")];
    let places = names.map(|name| folder.join(name));
    places.iter().find(|place| place.is_file()).unwrap_or(&places[0]).clone()
}

#[derive(Deserialize)]
struct Index {
    /// The file of each tensor.
    weight_map: BTreeMap<String, String>,
}

/// Endings of files in formats of other runtimes.
const OTHER_FORMATS: [(&str, &str); 6] = [
    ("onnx", "ONNX"),
    ("engine", "a TensorRT engine"),
    ("plan", "a TensorRT engine"),
    ("trt", "a TensorRT engine"),
    ("tflite", "TensorFlow Lite"),
    ("gguf", "GGUF"),
];
/// The file by which peft describes an adapter.
const ADAPTER: &str = "adapter_config.json";

/// What stands where weights are expected, if it is something that others read.
fn other_format(path: &Path) -> Option<String> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    if let Some((_, name)) = OTHER_FORMATS.iter().find(|(known, _)| *known == ending) {
        return Some(format!(
            "{name}, which is not read; expected the weights as safetensors, or PyTorch's .pth or .bin"
        ));
    }
    let beside = path.with_file_name(ADAPTER);
    (!path.is_file() && beside.is_file()).then(|| {
        format!(
            "no such file, but {ADAPTER} is beside it: the folder holds an adapter (LoRA and the like); merge it into its model \
             first (peft: `model.merge_and_unload()`, then `save_pretrained`)"
        )
    })
}

/// The files that hold the tensors of `path`: itself, or what it names if it is an index.
///
/// # Errors
/// When one is absent, or is not what its name says.
pub fn tensor_files(path: &Path) -> Result<Vec<PathBuf>> {
    let refused = |fact: String| Err(Error::model(path, fact));
    if let Some(fact) = other_format(path) {
        return refused(fact);
    }
    if !path.is_file() {
        return refused("no such file; docs/weights.md says where to get weights".into());
    }
    let is_index = path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(INDEX));
    let files = if is_index {
        let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
        let index: Index = match serde_json::from_str(&text) {
            Ok(index) => index,
            Err(cause) => return refused(format!("not an index of weights: {cause}")),
        };
        let names: BTreeSet<&String> = index.weight_map.values().collect();
        if let Some(name) = names.iter().find(|name| Path::new(name).file_name() != Some(name.as_str().as_ref())) {
            return refused(format!("it names the file {name:?}; expected names in its own folder"));
        }
        let files: Vec<PathBuf> = names.iter().map(|name| path.with_file_name(name)).collect();
        let absent: Vec<String> =
            files.iter().filter(|file| !file.is_file()).map(|file| file.display().to_string()).collect();
        if !absent.is_empty() {
            return refused(format!(
                "{} of its {} files are absent: {}; fetch them too",
                absent.len(),
                files.len(),
                absent.join(", ")
            ));
        }
        if files.is_empty() {
            return refused("it names no file of weights".into());
        }
        files
    } else {
        vec![path.to_path_buf()]
    };
    // PyTorch's own files are zip archives
    let foreign = |file: &PathBuf| ForeignFile::recognise(file).filter(|foreign| *foreign != ForeignFile::Archive);
    match files.iter().find_map(|file| Some((file, foreign(file)?))) {
        Some((file, foreign)) => Err(Error::model(file, foreign.fact())),
        None => Ok(files),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_of_the_hub_means_its_snapshot() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path();
        assert_eq!(checkpoint_folder(folder).unwrap(), folder);
        std::fs::create_dir_all(folder.join("snapshots/aa11")).unwrap();
        assert_eq!(checkpoint_folder(folder).unwrap(), folder.join("snapshots/aa11"));
        std::fs::create_dir_all(folder.join("snapshots/bb22")).unwrap();
        assert!(checkpoint_folder(folder).unwrap_err().to_string().contains("2 snapshots"));
        std::fs::create_dir_all(folder.join("refs")).unwrap();
        std::fs::write(folder.join("refs/main"), "bb22\n").unwrap();
        assert_eq!(checkpoint_folder(folder).unwrap(), folder.join("snapshots/bb22"));
    }

    #[test]
    fn formats_of_other_runtimes_and_adapters_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = |name: &str| tensor_files(&folder.path().join(name)).unwrap_err().to_string();
        assert!(refusal("sam.onnx").contains("ONNX"));
        assert!(refusal("sam.engine").contains("TensorRT"));
        assert!(refusal("model.safetensors").contains("docs/weights.md"));
        std::fs::write(folder.path().join(ADAPTER), "{}").unwrap();
        assert!(refusal("model.safetensors").contains("merge_and_unload"));
    }

    #[test]
    fn an_index_names_files_of_its_own_folder_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join("model.safetensors.index.json");
        assert_eq!(weights_in(folder.path(), "model.safetensors", "p.bin"), folder.path().join("model.safetensors"));
        let refusal = |text: &str| {
            std::fs::write(&index, text).unwrap();
            tensor_files(&index).unwrap_err().to_string()
        };
        assert!(refusal(r#"{"weight_map": {"a": "../a.safetensors"}}"#).contains("in its own folder"));
        assert!(refusal(r#"{"weight_map": {"a": "a.safetensors"}}"#).contains("1 of its 1 files are absent"));
        assert!(refusal(r#"{"weight_map": {}}"#).contains("names no file"));
        assert!(refusal("{}").contains("not an index"));
        std::fs::write(folder.path().join("b.safetensors"), "version https://git-lfs.github.com/spec/v1\n").unwrap();
        assert!(refusal(r#"{"weight_map": {"b": "b.safetensors"}}"#).contains("git lfs pull"));
        std::fs::write(folder.path().join("a.safetensors"), "weights").unwrap();
        std::fs::write(&index, r#"{"weight_map": {"a": "a.safetensors", "b": "a.safetensors"}}"#).unwrap();
        assert_eq!(tensor_files(&index).unwrap(), [folder.path().join("a.safetensors")]);
        assert_eq!(weights_in(folder.path(), "model.safetensors", "p.bin"), index);
    }
}
