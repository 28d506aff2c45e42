//! `Manifest`: the public checkpoints that Referseg can use, where they come from and how they are identified.
//!
//! `models/manifest.yaml` is built in. What it does not know of a file is pinned on the first fetch (`pins.rs`);
//! `fetch.rs` brings files from the Hugging Face hub into the hub's own cache, or into a folder.

use referseg_files::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Component, Path};

/// A list of checkpoints.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The checkpoints.
    pub models: Vec<Model>,
    /// The pictures that their published values are of.
    #[serde(default)]
    pub pictures: Vec<Picture>,
}

/// A picture with which a checkpoint is checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// What published values call it here.
    pub name: String,
    /// Where it comes from; `{hub}` stands for the hub's address.
    pub url: String,
    /// The file; its path is its name here.
    pub file: ModelFile,
}

/// Published values of a checkpoint.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Where they stand: project, file and commit.
    pub source: String,
    /// The picture that they are of.
    pub picture: String,
    /// How far another may be, in f32: decoders of pictures and arithmetic differ.
    pub tolerance: f32,
    /// Logits of the picture with texts.
    #[serde(default)]
    pub logits: BTreeMap<String, f32>,
    /// Qualities that Segment Anything predicts for its three masks of a prompt.
    #[serde(default)]
    pub predicted_iou: Vec<PublishedIou>,
}

/// Segment Anything's answer to one prompt, in pixels of the picture: a point, a box, or both.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedIou {
    /// Column and row.
    #[serde(default)]
    pub point: Option<[f32; 2]>,
    /// Left, top, right and bottom.
    #[serde(default)]
    pub corners: Option<[f32; 4]>,
    /// The qualities of the three masks, as far as they are published.
    #[serde(default)]
    pub masks: [Option<f32>; 3],
    /// The quality of the mask where one is asked for.
    #[serde(default)]
    pub one: Option<f32>,
}

/// A checkpoint.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What `referseg models` calls it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// What it is for.
    pub purpose: String,
    /// Licence of the weights, and whose they are.
    pub licence: String,
    /// Repository on the hub, OWNER/NAME.
    pub repo: String,
    /// Commit, branch or tag there.
    pub revision: String,
    /// About how large its weights are, GB, where the exact size is not known.
    #[serde(default)]
    pub gigabytes: Option<f64>,
    /// Its files; the first holds the weights.
    pub files: Vec<ModelFile>,
    /// What is known to come out of it.
    #[serde(default)]
    pub published: Option<Published>,
}

/// What a checkpoint is, and so how it is given to the program.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A folder for `model`: CLIP.
    Clip,
    /// A folder for `model`: SigLIP.
    Siglip,
    /// A file for `proposals.sam.model`.
    Sam,
}

/// A file of a checkpoint.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Its path in the repository.
    pub path: String,
    /// Its size, if known.
    pub bytes: Option<u64>,
    /// Its hexadecimal SHA-256, if known.
    pub sha256: Option<String>,
}

impl Manifest {
    /// The one that is built in.
    ///
    /// # Errors
    /// Never, as a test of this crate shows.
    pub fn built_in() -> Result<Manifest> {
        Manifest::parse("models/manifest.yaml", include_str!("../../../models/manifest.yaml"))
    }

    /// Reads a file of the same form.
    ///
    /// # Errors
    /// When it can't be read or is of another form.
    pub fn open(path: &Path) -> Result<Manifest> {
        let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
        Manifest::parse(&path.display().to_string(), &text)
    }

    fn parse(subject: &str, text: &str) -> Result<Manifest> {
        let wrong = |fact: String| Error::config(subject, fact);
        let manifest: Manifest = serde_yaml::from_str(text).map_err(|cause| wrong(cause.to_string()))?;
        for model in &manifest.models {
            if let Some(published) = &model.published {
                manifest.picture(&published.picture)?;
            }
            // it becomes a folder's name
            let mut parts = Path::new(&model.name).components();
            if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
                return Err(wrong(format!("name {:?}; expected one that can name a folder", model.name)));
            }
            if model.files.is_empty() {
                return Err(wrong(format!("{} has no files", model.name)));
            }
            for file in &model.files {
                // a path becomes a place on this machine
                if !Path::new(&file.path).components().all(|part| matches!(part, Component::Normal(_))) {
                    return Err(wrong(format!(
                        "{}: path {:?}; expected one inside the repository",
                        model.name, file.path
                    )));
                }
            }
        }
        Ok(manifest)
    }

    /// The picture of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn picture(&self, name: &str) -> Result<&Picture> {
        self.pictures.iter().find(|picture| picture.name == name).ok_or_else(|| {
            Error::config("pictures", format!("no picture {name:?}; expected one for each that published values name"))
        })
    }

    /// The model of this name.
    ///
    /// # Errors
    /// When there is none; it names those that are.
    pub fn model(&self, name: &str) -> Result<&Model> {
        self.models.iter().find(|model| model.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.models.iter().map(|model| model.name.as_str()).collect();
            Error::config("models", format!("no model {name:?}; expected one of {}", names.join(", ")))
        })
    }
}

/// Pictures for models of which nothing is published.
const PICTURE_OF_IMAGE_TEXT: &str = "two-cats";
const PICTURE_OF_SAM: &str = "truck";

impl Kind {
    /// The picture with which a model of this kind is compared with itself, where nothing is published of it.
    pub fn picture(self) -> &'static str {
        match self {
            Kind::Clip | Kind::Siglip => PICTURE_OF_IMAGE_TEXT,
            Kind::Sam => PICTURE_OF_SAM,
        }
    }
}

impl Model {
    /// The name of the picture that it is checked with.
    pub fn picture(&self) -> &str {
        self.published.as_ref().map_or(self.kind.picture(), |published| &published.picture)
    }

    /// The file with the weights.
    pub fn weights(&self) -> &ModelFile {
        &self.files[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_manifest_names_what_it_must() {
        let manifest = Manifest::built_in().unwrap();
        let of_kind = |kind: Kind| manifest.models.iter().filter(|model| model.kind == kind).count();
        assert_eq!((of_kind(Kind::Clip), of_kind(Kind::Siglip), of_kind(Kind::Sam)), (6, 3, 8));
        assert_eq!(manifest.models.iter().filter(|model| model.published.is_some()).count(), 4);
        for model in &manifest.models {
            assert!(
                !model.licence.is_empty() && !model.purpose.is_empty() && model.repo.contains('/'),
                "{}",
                model.name
            );
            assert!(model.weights().bytes.is_some() || model.gigabytes.is_some(), "{}", model.name);
            for file in &model.files {
                let whole = |hash: &String| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
                assert!(file.sha256.as_ref().is_none_or(whole), "{}", file.path);
            }
        }
        let names = manifest.model("clip").unwrap_err().to_string();
        assert!(names.contains("expected one of clip-vit-base-patch32, "), "{names}");
    }

    #[test]
    fn a_path_that_leaves_the_folder_is_refused() {
        let text =
            "models: [{name: a, kind: sam, purpose: p, licence: l, repo: o/n, revision: main, files: [{path: ../x}]}]";
        assert!(Manifest::parse("m", text).unwrap_err().to_string().contains("expected one inside"));
        assert!(Manifest::parse("m", &text.replace("../x", "/x")).is_err());
        assert!(Manifest::parse("m", &text.replace("../x", "x/y")).is_ok());
        for name in ["../a", "/a", "a/b", "..", "''"] {
            let named = text.replace("../x", "x").replace("name: a", &format!("name: {name}"));
            let refused = Manifest::parse("m", &named).unwrap_err().to_string();
            assert!(refused.contains("can name a folder"), "{name}: {refused}");
        }
    }
}
