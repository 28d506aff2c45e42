//! Pictures with which checkpoints are checked, fetched once and held to their hash.

use super::fetch::{compared, FileState, Hub};
use super::manifest::{ModelFile, Picture};
use super::pins::Pins;
use referseg_files::atomic_file::AtomicFile;
use referseg_files::fingerprint::of_file;
use referseg_files::{Error, Result};
use std::io::Read;
use std::path::PathBuf;

/// Pictures beside checkpoints, in their folder or in the hub's cache.
const FOLDER: &str = "referseg-pictures";
/// Larger ones are not fetched.
const MAX_BYTES: u64 = 64 << 20;

impl Hub {
    /// The picture's file, fetched if it is not here. What is not known of it is pinned.
    ///
    /// # Errors
    /// When it can't be fetched, or is not what it should be.
    pub fn picture(&self, picture: &Picture, pins: &mut Pins) -> Result<PathBuf> {
        let file = pins.applied_to(&picture.name, &picture.file);
        let path = self.folder.as_ref().unwrap_or(&self.cache).join(FOLDER).join(&file.path);
        if !path.is_file() {
            self.download_picture(picture, &file, &path)?;
        }
        match compared(Some(path.clone()), &file)? {
            FileState::Wrong(path, fact) => {
                let fact = format!("{} has {fact}; remove it and try again", path.display());
                Err(Error::Fetch { model: picture.name.clone(), fact })
            }
            FileState::Unpinned(path) => {
                let bytes = std::fs::metadata(&path).map_err(Error::file(&path))?.len();
                pins.pin(&picture.name, &picture.url, &file.path, bytes, &of_file(&path)?)?;
                Ok(path)
            }
            FileState::Verified(_) | FileState::Absent => Ok(path),
        }
    }

    fn download_picture(&self, picture: &Picture, file: &ModelFile, path: &std::path::Path) -> Result<()> {
        let url = picture.url.replace("{hub}", &self.endpoint);
        let instead = format!("put {url} into {}", path.display());
        let failed = |fact: String| Error::Fetch { model: picture.name.clone(), fact: format!("{fact}; {instead}") };
        if self.offline {
            return Err(failed("is not here, and HF_HUB_OFFLINE is set".into()));
        }
        let response = ureq::get(&url).call().map_err(|cause| failed(format!("can't be fetched ({cause})")))?;
        let mut bytes = Vec::new();
        let read = response.into_reader().take(MAX_BYTES).read_to_end(&mut bytes);
        read.map_err(|cause| failed(format!("the download broke off ({cause})")))?;
        if let Some(expected) = file.bytes.filter(|expected| *expected != bytes.len() as u64) {
            return Err(failed(format!("the download has {} bytes; expected {expected}", bytes.len())));
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        }
        AtomicFile::write(path, &[], &bytes)
    }
}
