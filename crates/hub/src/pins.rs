//! `Pins`: what the first fetch of a file found, so that a later one gets the same or says so.

use super::manifest::{Model, ModelFile};
use referseg_files::atomic_file::AtomicFile;
use referseg_files::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A YAML file of pins.
pub struct Pins {
    path: PathBuf,
    models: BTreeMap<String, Pinned>,
}

/// A model's pins.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pinned {
    revision: String,
    files: BTreeMap<String, PinnedFile>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PinnedFile {
    bytes: u64,
    sha256: String,
}

impl Pins {
    /// Where pins are kept unless a file is named: `$XDG_CONFIG_HOME/referseg/pins.yaml`.
    ///
    /// # Errors
    /// When the environment names no home.
    pub fn default_path() -> Result<PathBuf> {
        let folder = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
        let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
        let config = config.ok_or_else(|| Error::config("HOME", "is not set; name a file with --pins"))?;
        Ok(config.join("referseg/pins.yaml"))
    }

    /// Reads a file of pins; none is as good as an empty one.
    ///
    /// # Errors
    /// When it is there and can't be read.
    pub fn open(path: &Path) -> Result<Pins> {
        let models = match std::fs::read_to_string(path) {
            Ok(text) => serde_yaml::from_str(&text)
                .map_err(|cause| Error::config(path.display().to_string(), format!("{cause}; expected pins")))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(Error::file(path)(error)),
        };
        Ok(Pins { path: path.into(), models })
    }

    /// The model with all that is pinned of it filled in. What the manifest knows stays.
    pub fn applied(&self, model: &Model) -> Model {
        let Some(pinned) = self.models.get(&model.name) else { return model.clone() };
        let file = |file: &ModelFile| self.applied_to(&model.name, file);
        let revision = if is_commit(&model.revision) { &model.revision } else { &pinned.revision };
        Model { revision: revision.clone(), files: model.files.iter().map(file).collect(), ..model.clone() }
    }

    /// A file of what is pinned under `name`, filled in likewise.
    pub fn applied_to(&self, name: &str, file: &ModelFile) -> ModelFile {
        let known = self.models.get(name).and_then(|pinned| pinned.files.get(&file.path));
        ModelFile {
            path: file.path.clone(),
            bytes: file.bytes.or(known.map(|known| known.bytes)),
            sha256: file.sha256.clone().or_else(|| Some(known?.sha256.clone())),
        }
    }

    /// Pins a file under a name, and the commit it is of.
    ///
    /// # Errors
    /// When the pins can't be written.
    pub fn pin(&mut self, name: &str, commit: &str, path: &str, bytes: u64, sha256: &str) -> Result<()> {
        let pinned = self.models.entry(name.into()).or_default();
        pinned.revision = commit.into();
        pinned.files.insert(path.into(), PinnedFile { bytes, sha256: sha256.into() });
        let text = serde_yaml::to_string(&self.models)
            .map_err(|cause| Error::config(self.path.display().to_string(), cause.to_string()))?;
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        }
        AtomicFile::write(&self.path, &[], text.as_bytes())
    }
}

/// Whether a revision is a commit, which never changes.
pub fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}
