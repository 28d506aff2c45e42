//! `AtomicFile`: an output that appears whole or not at all, and never over an input.
//!
//! It is written beside its place under another name and renamed at the end; dropped before that, it leaves nothing.

use crate::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file that is being written.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    /// `None` for devices such as `/dev/null`, which are written directly.
    temporary: Option<NamedTempFile>,
}

impl AtomicFile {
    /// Begins a file that will stand at `path`, in place of one that stands there.
    ///
    /// # Errors
    /// When its folder can't be written, or `path` is one of the `inputs` or lies inside one that is a folder.
    pub fn create(path: &Path, inputs: &[&Path]) -> Result<AtomicFile> {
        refuse_inputs(path, inputs)?;
        if path.exists() && !path.is_file() {
            if path.is_dir() {
                return Err(Error::config(path.display().to_string(), "is a folder; expected a file's name"));
            }
            return Ok(AtomicFile { path: path.into(), temporary: None });
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".referseg-").suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // as for any new file: the process's umask applies
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let temporary = builder.tempfile_in(folder).map_err(Error::file(path))?;
        Ok(AtomicFile { path: path.into(), temporary: Some(temporary) })
    }

    /// Where it is to stand.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A handle to write with.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn file(&self) -> Result<File> {
        let opened = match &self.temporary {
            Some(temporary) => temporary.as_file().try_clone(),
            None => File::options().write(true).open(&self.path),
        };
        opened.map_err(Error::file(&self.path))
    }

    /// Puts the written file in its place.
    ///
    /// # Errors
    /// When it can't be written to the disk or moved.
    pub fn commit(self) -> Result<()> {
        let AtomicFile { path, temporary } = self;
        let Some(temporary) = temporary else { return Ok(()) };
        temporary.as_file().sync_all().map_err(Error::file(&path))?;
        temporary.persist(&path).map_err(|failed| Error::File { path, cause: failed.error })?;
        Ok(())
    }

    /// Writes `bytes` at `path`, all or nothing.
    ///
    /// # Errors
    /// As [`AtomicFile::create`], and when the disk is full.
    pub fn write(path: &Path, inputs: &[&Path], bytes: &[u8]) -> Result<()> {
        let output = AtomicFile::create(path, inputs)?;
        output.file()?.write_all(bytes).map_err(Error::file(path))?;
        output.commit()
    }
}

/// Refuses an output that would replace an input or become part of one.
///
/// # Errors
/// When `output` names the same file as one of the `inputs`, by whatever path, or lies in one that is a folder.
pub fn refuse_inputs(output: &Path, inputs: &[&Path]) -> Result<()> {
    let absolute = |path: &Path| -> Option<PathBuf> {
        if let Ok(whole) = path.canonicalize() {
            return Some(whole);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    };
    let Some(place) = absolute(output) else { return Ok(()) };
    for input in inputs {
        let Some(read) = absolute(input) else { continue };
        let fact = if place == read || same_file(output, input) {
            "is the input itself; choose another name for the output"
        } else if read.is_dir() && place.starts_with(&read) {
            "lies inside the input's folder, where it would be read as part of it; choose another folder"
        } else {
            continue;
        };
        return Err(Error::config(format!("output {}", output.display()), fact));
    }
    Ok(())
}

/// Whether two paths lead to one file, hard links included.
#[cfg(unix)]
fn same_file(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| path.metadata().ok().filter(|m| m.is_file()).map(|m| (m.dev(), m.ino()));
    identity(a).is_some_and(|first| identity(b) == Some(first))
}

#[cfg(not(unix))]
fn same_file(_: &Path, _: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_appears_whole_or_not_at_all() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("out.txt");
        std::fs::write(&path, "before").unwrap();
        let given_up = AtomicFile::create(&path, &[]).unwrap();
        given_up.file().unwrap().write_all(b"half").unwrap();
        drop(given_up);
        assert_eq!(std::fs::read(&path).unwrap(), b"before");
        AtomicFile::write(&path, &[], b"after").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"after");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn an_input_is_never_replaced_by_whatever_path() {
        let home = tempfile::tempdir().unwrap();
        let [input, link, hard] = ["in.mcap", "link.mcap", "hard.mcap"].map(|name| home.path().join(name));
        std::fs::write(&input, "recording").unwrap();
        std::os::unix::fs::symlink(&input, &link).unwrap();
        std::fs::hard_link(&input, &hard).unwrap();
        let around = home.path().join("x/../in.mcap");
        std::fs::create_dir(home.path().join("x")).unwrap();
        for output in [&input, &link, &hard, &around] {
            let refused = AtomicFile::write(output, &[&input], b"x").unwrap_err().to_string();
            assert!(refused.contains("is the input itself"), "{refused}");
        }
        let inside = home.path().join("x/out.mcap");
        let refused = AtomicFile::write(&inside, &[home.path()], b"x").unwrap_err().to_string();
        assert!(refused.contains("inside the input's folder"), "{refused}");
        assert_eq!(std::fs::read(&input).unwrap(), b"recording");
    }

    #[test]
    fn devices_are_written_directly() {
        AtomicFile::write(Path::new("/dev/null"), &[], b"x").unwrap();
        assert!(Path::new("/dev/null").exists() && !Path::new("/dev/null").is_file());
    }
}
