//! `Hub`: files of checkpoints, from the Hugging Face hub into its own cache (as every tool of the hub keeps it)
//! or into a folder.
//!
//! Nothing is fetched that is there already. Everything fetched is checked: size and SHA-256 against the manifest,
//! the pins, or else what the hub itself says of the file.

use super::manifest::{Kind, Model, ModelFile};
use super::pins::{is_commit, Pins};
use hf_hub::api::sync::{ApiBuilder, ApiRepo};
use hf_hub::api::Progress;
use hf_hub::{Cache, Repo, RepoType};
use referseg_files::fingerprint::of_file;
use referseg_files::{Error, Result};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Tries of a download that breaks off, each going on where the last one ended.
const TRIES: u32 = 3;
/// Wait before the second try; the third waits twice as long.
const PAUSE: Duration = Duration::from_millis(500);

/// The hub, and where its files are kept here.
pub struct Hub {
    pub(super) cache: PathBuf,
    pub(super) folder: Option<PathBuf>,
    pub(super) endpoint: String,
    token: Option<String>,
    pub(super) offline: bool,
}

/// Whether a file is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileState {
    /// It is, and is what it should be.
    Verified(PathBuf),
    /// It is, and nothing is known to compare it with.
    Unpinned(PathBuf),
    /// It is something else; it says what.
    Wrong(PathBuf, String),
    /// It is not.
    Absent,
}

/// What the hub says of a repository.
#[derive(Deserialize)]
struct Listing {
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    #[serde(rename = "blobId")]
    blob: Option<String>,
    lfs: Option<LargeFile>,
}

#[derive(Deserialize)]
struct LargeFile {
    sha256: String,
}

/// Progress of one file's download: its name, bytes so far, bytes of all.
pub type OnProgress<'a> = dyn FnMut(&str, u64, u64) + 'a;

struct Reporter<'a, 'b> {
    on_progress: &'a mut OnProgress<'b>,
    name: String,
    done: u64,
    all: u64,
}

impl Progress for Reporter<'_, '_> {
    fn init(&mut self, size: usize, _: &str) {
        (self.done, self.all) = (0, size as u64);
    }

    fn update(&mut self, size: usize) {
        self.done += size as u64;
        (self.on_progress)(&self.name, self.done, self.all);
    }

    fn finish(&mut self) {}
}

impl Hub {
    /// The hub as the environment describes it: `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE`, and for the cache
    /// `HF_HUB_CACHE`, `HF_HOME` or `XDG_CACHE_HOME`. With a folder, files are put and looked for there.
    ///
    /// # Errors
    /// When the environment names no home.
    pub fn from_environment(folder: Option<PathBuf>) -> Result<Hub> {
        let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let cache = named("HF_HUB_CACHE")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(named("HF_HOME")?).join("hub")))
            .or_else(|| Some(PathBuf::from(named("XDG_CACHE_HOME")?).join("huggingface/hub")))
            .or_else(|| Some(PathBuf::from(named("HOME")?).join(".cache/huggingface/hub")))
            .ok_or_else(|| Error::config("HOME", "is not set; name the hub's cache with HF_HOME"))?;
        // links in the cache are made relative to whole paths, and a relative one has no folder above it
        let whole = |path: PathBuf| std::path::absolute(&path).map_err(Error::file(path));
        let yes = |value: String| ["1", "on", "yes", "true"].contains(&value.to_lowercase().as_str());
        Ok(Hub {
            cache: whole(cache)?,
            folder: folder.map(whole).transpose()?,
            endpoint: named("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".into()),
            token: named("HF_TOKEN"),
            offline: named("HF_HUB_OFFLINE").is_some_and(yes),
        })
    }

    /// Whether a file of a model is here and is what it should be. `model` has its pins applied.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn state(&self, model: &Model, file: &ModelFile) -> Result<FileState> {
        let path = match &self.folder {
            Some(folder) => Some(folder.join(&model.name).join(&file.path)).filter(|path| path.is_file()),
            None => self.cached(model, file),
        };
        compared(path, file)
    }

    /// The file in the hub's cache.
    fn cached(&self, model: &Model, file: &ModelFile) -> Option<PathBuf> {
        let repo = Repo::with_revision(model.repo.clone(), RepoType::Model, model.revision.clone());
        let snapshot = self.cache.join(repo.folder_name()).join("snapshots").join(&model.revision).join(&file.path);
        // a branch leads to a commit by the cache's refs; a commit is found as it is
        Cache::new(self.cache.clone()).repo(repo).get(&file.path).or(Some(snapshot)).filter(|path| path.is_file())
    }

    /// Brings all files of a model here and returns what `model` or `proposals.sam.model` takes: the folder of a
    /// CLIP, the weights file of a Segment Anything.
    ///
    /// # Errors
    /// When a file can't be fetched, there is no room for it, or it is not what it should be.
    pub fn fetch(&self, model: &Model, pins: &mut Pins, on_progress: &mut OnProgress) -> Result<PathBuf> {
        let model = pins.applied(model);
        let mut states = model.files.iter().map(|file| self.state(&model, file)).collect::<Result<Vec<_>>>()?;
        let missing: Vec<usize> = (0..states.len())
            .filter(|index| matches!(states[*index], FileState::Absent | FileState::Wrong(..)))
            .collect();
        if !missing.is_empty() {
            let listing = self.listing(&model)?;
            self.check_room(&model, &missing, &listing)?;
            let named = Repo::with_revision(model.repo.clone(), RepoType::Model, model.revision.clone());
            let repo = self.repo(&model, &listing.commit)?;
            for index in missing {
                let file = &model.files[index];
                let path = self.download(&model, file, &listing, &repo, on_progress)?;
                states[index] = FileState::Verified(path);
            }
            // so that the hub's other tools find the branch too
            if !is_commit(&model.revision) && self.folder.is_none() {
                let cache = Cache::new(self.cache.clone()).repo(named);
                cache.create_ref(&listing.commit).map_err(Error::file(&self.cache))?;
            }
            self.pin(&model, &listing.commit, &states, pins)?;
        } else if is_commit(&model.revision) {
            self.pin(&model, &model.revision, &states, pins)?;
        }
        let path = match &states[0] {
            FileState::Verified(path) | FileState::Unpinned(path) | FileState::Wrong(path, _) => path,
            FileState::Absent => return Err(self.failed(&model, model.weights(), "is absent".into())),
        };
        Ok(match model.kind {
            Kind::Clip | Kind::Siglip => path.parent().unwrap_or(Path::new(".")).into(),
            Kind::Sam => path.clone(),
        })
    }

    /// Pins what manifest and pins do not know yet.
    fn pin(&self, model: &Model, commit: &str, states: &[FileState], pins: &mut Pins) -> Result<()> {
        for (file, state) in model.files.iter().zip(states) {
            let (FileState::Verified(path) | FileState::Unpinned(path), None) = (state, &file.sha256) else { continue };
            let bytes = std::fs::metadata(path).map_err(Error::file(path))?.len();
            pins.pin(&model.name, commit, &file.path, bytes, &of_file(path)?)?;
        }
        Ok(())
    }

    fn failed(&self, model: &Model, file: &ModelFile, fact: String) -> Error {
        Error::Fetch { model: format!("{} of {}", file.path, model.name), fact }
    }

    fn repo(&self, model: &Model, revision: &str) -> Result<ApiRepo> {
        let api = ApiBuilder::from_cache(Cache::new(self.cache.clone()))
            .with_endpoint(self.endpoint.clone())
            .with_progress(false);
        // without HF_TOKEN, the one that `hf auth login` left beside the cache
        let api = if self.token.is_some() { api.with_token(self.token.clone()) } else { api };
        let fact = |cause| Error::Fetch { model: model.name.clone(), fact: format!("{cause}") };
        let repo = Repo::with_revision(model.repo.clone(), RepoType::Model, revision.into());
        Ok(api.build().map_err(fact)?.repo(repo))
    }

    /// The commit, and size and hash of every file, as the hub lists them.
    fn listing(&self, model: &Model) -> Result<Remote> {
        let failed = |fact: String| Error::Fetch { model: model.name.clone(), fact };
        let instead = match &self.folder {
            Some(folder) => {
                format!("put {} of {} into {}", names(model), model.repo, folder.join(&model.name).display())
            }
            None => format!("put {} of {} into DIR/{} and give --dir DIR", names(model), model.repo, model.name),
        };
        if self.offline {
            return Err(failed(format!("is not all here, and HF_HUB_OFFLINE is set; unset it, or {instead}")));
        }
        let request = self.repo(model, &model.revision)?.info_request().query("blobs", "true");
        let response = request.call().map_err(|error| {
            let cause = error.to_string();
            failed(match error.into_response().map(|response| response.status()) {
                Some(401 | 403 | 404) => format!(
                    "{} has no repository {} with revision {} that may be read ({cause})",
                    self.endpoint, model.repo, model.revision
                ),
                Some(_) => format!("{} refuses ({cause}); try later, or {instead}", self.endpoint),
                None => {
                    format!("can't reach {} ({cause}); check the network and HF_ENDPOINT, or {instead}", self.endpoint)
                }
            })
        })?;
        let listing: Listing =
            response.into_json().map_err(|cause| failed(format!("{} answers no listing: {cause}", self.endpoint)))?;
        let listed = |sibling: Sibling| {
            let sha256 = sibling.lfs.map(|file| file.sha256);
            let etag = sha256.clone().or(sibling.blob).unwrap_or_default();
            (sibling.rfilename, Listed { bytes: sibling.size, sha256, etag })
        };
        Ok(Remote { commit: listing.sha, files: listing.siblings.into_iter().map(listed).collect() })
    }

    /// Refuses what would fill the disk.
    fn check_room(&self, model: &Model, missing: &[usize], listing: &Remote) -> Result<()> {
        let size = |index: &usize| {
            let file = &model.files[*index];
            listing.files.get(&file.path).and_then(|known| known.bytes).or(file.bytes).unwrap_or(0)
        };
        let needed: u64 = missing.iter().map(size).sum();
        // a folder's files are copies of the cache's
        for (place, variable) in [(Some(&self.cache), "HF_HOME"), (self.folder.as_ref(), "--dir")] {
            let Some(place) = place else { continue };
            let there = place.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
            let free = fs4::available_space(there).map_err(Error::file(there))?;
            if free < needed {
                let gigabytes = |bytes: u64| bytes as f64 / 1e9;
                let fact = format!(
                    "needs {:.2} GB in {}, where {:.2} GB are free; make room, or name another place with {variable}",
                    gigabytes(needed),
                    place.display(),
                    gigabytes(free)
                );
                return Err(Error::Fetch { model: model.name.clone(), fact });
            }
        }
        Ok(())
    }

    /// Fetches a file, checks it, and puts it where it belongs.
    fn download(
        &self,
        model: &Model,
        file: &ModelFile,
        listing: &Remote,
        repo: &ApiRepo,
        on_progress: &mut OnProgress,
    ) -> Result<PathBuf> {
        let failed = |fact: String| self.failed(model, file, fact);
        let Some(Listed { bytes, sha256, etag }) = listing.files.get(&file.path) else {
            return Err(failed(format!("is not in {} at {}", model.repo, listing.commit)));
        };
        let expected = ModelFile {
            path: file.path.clone(),
            bytes: file.bytes.or(*bytes),
            sha256: file.sha256.clone().or_else(|| sha256.clone()),
        };
        let fixed = Model { revision: listing.commit.clone(), ..model.clone() };
        let state = || compared(self.cached(&fixed, &expected), &expected);
        // one that is in the cache but broken makes room for a new one
        if let FileState::Wrong(path, _) = state()? {
            remove(&path)?;
        }
        if state()? == FileState::Absent {
            self.drop_finished_part(model, etag, expected.bytes);
            // not by the crate's own retries, which throw away the last one even when it succeeds
            let mut tries = 0;
            loop {
                let reporter = Reporter { on_progress: &mut *on_progress, name: file.path.clone(), done: 0, all: 0 };
                let Err(cause) = repo.download_with_progress(&file.path, reporter) else { break };
                tries += 1;
                if tries == TRIES {
                    let remedy = "the same command resumes it";
                    return Err(failed(format!("the download broke off ({cause}); {remedy}")));
                }
                std::thread::sleep(PAUSE * tries);
            }
        }
        match state()? {
            FileState::Wrong(path, fact) => {
                remove(&path)?;
                let remedy = "it was removed; fetch again, and if it stays so, the repository has changed";
                Err(failed(format!("the download has {fact}; {remedy}")))
            }
            FileState::Absent => Err(failed("was fetched and is not in the cache".into())),
            FileState::Verified(path) | FileState::Unpinned(path) => match &self.folder {
                Some(folder) => copied(&path, &folder.join(&model.name).join(&file.path)),
                None => Ok(path),
            },
        }
    }

    /// A part that is as long as the whole can't be gone on with: a kill between the last byte and the renaming.
    fn drop_finished_part(&self, model: &Model, etag: &str, bytes: Option<u64>) {
        let repo = Repo::model(model.repo.clone());
        let part = self.cache.join(repo.folder_name()).join("blobs").join(format!("{etag}.part"));
        let length = std::fs::metadata(&part).map(|part| part.len());
        if let (Ok(length), Some(bytes)) = (length, bytes) {
            if length >= bytes {
                let _ = std::fs::remove_file(&part);
            }
        }
    }
}

/// A file against what is known of it.
pub(super) fn compared(path: Option<PathBuf>, file: &ModelFile) -> Result<FileState> {
    let Some(path) = path else { return Ok(FileState::Absent) };
    let bytes = std::fs::metadata(&path).map_err(Error::file(&path))?.len();
    if let Some(expected) = file.bytes.filter(|expected| *expected != bytes) {
        return Ok(FileState::Wrong(path, format!("{bytes} bytes; expected {expected}")));
    }
    let Some(expected) = &file.sha256 else { return Ok(FileState::Unpinned(path)) };
    let found = of_file(&path)?;
    Ok(match found == *expected {
        true => FileState::Verified(path),
        false => FileState::Wrong(path, format!("SHA-256 {found}; expected {expected}")),
    })
}

/// What the hub has.
struct Remote {
    commit: String,
    files: HashMap<String, Listed>,
}

/// What the hub says of a file.
struct Listed {
    bytes: Option<u64>,
    /// Of large files.
    sha256: Option<String>,
    /// Its name among the cache's blobs.
    etag: String,
}

fn names(model: &Model) -> String {
    model.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>().join(", ")
}

/// Removes a file of the cache: the link and what it leads to.
fn remove(path: &Path) -> Result<()> {
    let blob = path.canonicalize().map_err(Error::file(path))?;
    for path in [path, &blob] {
        if path.symlink_metadata().is_ok() {
            std::fs::remove_file(path).map_err(Error::file(path))?;
        }
    }
    Ok(())
}

/// A copy that is whole or not there.
fn copied(from: &Path, to: &Path) -> Result<PathBuf> {
    let folder = to.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    std::fs::copy(from, &part).map_err(Error::file(&part))?;
    std::fs::rename(&part, to).map_err(Error::file(to))?;
    Ok(to.into())
}
