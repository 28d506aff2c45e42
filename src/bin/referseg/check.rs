//! `referseg models check`: a checkpoint's numbers beside published ones, or beside itself.

use crate::stdout::print_line;
use referseg::config::{Config, Layer};
use referseg::device;
use referseg::files::fingerprint::FileDigest;
use referseg::hub::model_checks::{self, all_passed, Finding};
use referseg::hub::{FileState, Hub, Kind, Manifest, Model, Pins, Published};
use referseg::image::{decode, open as open_image, Frame};
use referseg::models::sam::SamModel;
use referseg::models::{self, Compute, ModelFamily};
use referseg::{Error, Result};
use std::path::{Path, PathBuf};

/// What checks are made with.
pub struct Checker<'a> {
    manifest: &'a Manifest,
    hub: &'a Hub,
    compute: Compute,
}

/// What is checked: files, and what is known of them.
struct Subject<'a> {
    path: PathBuf,
    kind: Kind,
    published: Option<&'a Published>,
}

impl<'a> Checker<'a> {
    pub fn new(manifest: &'a Manifest, hub: &'a Hub, device: &str, dtype: &str) -> Result<Checker<'a>> {
        let config = Config::from_layers(&[Layer::value("--dtype", "dtype", dtype)])?;
        let compute = Compute { device: device::open(device)?, dtype: config.dtype };
        Ok(Checker { manifest, hub, compute })
    }

    /// Checks one and prints what was found; whether all of it will do.
    pub fn check(&self, named: &str, pins: &mut Pins) -> Result<bool> {
        let mut subject = self.subject(named, pins)?;
        let (findings, dtype) = match subject.kind {
            Kind::Sam => {
                let sam = SamModel::open(&subject.path, &self.compute)?;
                subject.published = subject.published.or_else(|| self.published_of(sam.digest(), pins));
                let (frame, _) = self.picture(&subject, pins)?;
                let findings = match subject.published {
                    Some(published) => model_checks::predicted_ious(&frame, published, &sam)?,
                    None => model_checks::agree_with_boxes(&frame, &sam)?,
                };
                (findings, sam.dtype())
            }
            Kind::Clip | Kind::Siglip => {
                let family = models::load(&subject.path, &self.compute)?;
                subject.published = subject.published.or_else(|| self.published_of(family.weights_digest(), pins));
                let picture = self.picture(&subject, pins)?;
                (self.of_image_text(&subject, &*family, picture)?, family.dtype())
            }
        };
        let device = device::name(&self.compute.device);
        print_line(format_args!("{named}: {} ({device}, {})", subject.path.display(), dtype.as_str()))?;
        match subject.published {
            Some(published) => print_line(format_args!("published in {}", published.source))?,
            None => print_line("no reference is known: compared with itself")?,
        }
        for finding in &findings {
            print_finding(finding)?;
        }
        Ok(all_passed(&findings))
    }

    fn of_image_text(
        &self,
        subject: &Subject,
        family: &dyn ModelFamily,
        (frame, is_own): (Frame, bool),
    ) -> Result<Vec<Finding>> {
        let device = &self.compute.device;
        match subject.published {
            Some(published) => model_checks::logits(&frame, published, family, subject.kind, device),
            None => {
                let named = Layer::value("model", "model", subject.path.display().to_string());
                let words = Config::from_layers(&[named])?.words;
                model_checks::agree_with_words((&frame, !is_own), &words, family, subject.kind, device)
            }
        }
    }

    /// What is published of weights with this hash, if the list or the pins know them.
    fn published_of(&self, digest: &FileDigest, pins: &Pins) -> Option<&'a Published> {
        let digest = digest.get();
        let same = |model: &&Model| pins.applied(model).weights().sha256.as_deref() == Some(digest);
        self.manifest.models.iter().find(same)?.published.as_ref()
    }

    /// The picture to check with, and whether it is the built-in one: that of the published numbers, or, where there are none, the one of
    /// the list, if it can be had.
    fn picture(&self, subject: &Subject, pins: &mut Pins) -> Result<(Frame, bool)> {
        let name = subject.published.map_or(subject.kind.picture(), |published| &published.picture);
        let fetched = self.manifest.picture(name).and_then(|picture| self.hub.picture(picture, pins));
        match fetched {
            Err(error) if subject.published.is_none() => {
                eprintln!("referseg: {error}; checked with a built-in picture, on which no answer is known");
                Ok((decode(model_checks::BUILT_IN_PICTURE)?, true))
            }
            path => Ok((open_image(&path?)?, false)),
        }
    }

    /// What is meant by a name of the list, or a path.
    fn subject(&self, named: &str, pins: &Pins) -> Result<Subject<'a>> {
        if let Ok(model) = self.manifest.model(named) {
            let path = self.here(model, pins)?;
            return Ok(Subject { path, kind: model.kind, published: model.published.as_ref() });
        }
        let path = PathBuf::from(named);
        if !path.exists() {
            // the list's own message says which names there are
            let unknown = self.manifest.model(named).err().map_or(String::new(), |error| error.to_string());
            return Err(Error::config(named, format!("no such file or folder, and {unknown}")));
        }
        let path = if path.is_dir() { models::checkpoint_folder(&path)? } else { path };
        let described = ["config.json", "open_clip_config.json"].iter().any(|file| path.join(file).is_file());
        let kind = match models::model_type(&path).as_deref() {
            Some("siglip") => Kind::Siglip,
            Some("sam") => Kind::Sam,
            _ if described => Kind::Clip,
            _ => Kind::Sam,
        };
        Ok(Subject { path, kind, published: None })
    }

    /// Where a model of the list is, by its weights.
    fn here(&self, model: &Model, pins: &Pins) -> Result<PathBuf> {
        let model = pins.applied(model);
        match self.hub.state(&model, model.weights())? {
            FileState::Verified(path) | FileState::Unpinned(path) => Ok(match model.kind {
                Kind::Sam => path,
                Kind::Clip | Kind::Siglip => path.parent().unwrap_or(Path::new(".")).into(),
            }),
            FileState::Wrong(path, fact) => {
                let fact = format!("{} has {fact}; fetch it again", path.display());
                Err(Error::Fetch { model: model.name.clone(), fact })
            }
            FileState::Absent => {
                let fact = format!("is not here; `referseg models fetch {}` brings it", model.name);
                Err(Error::Fetch { model: model.name.clone(), fact })
            }
        }
    }
}

fn print_finding(finding: &Finding) -> Result<()> {
    let number = |value: Option<f32>| value.map_or("".into(), |value| format!("{value:.4}"));
    let verdict = if finding.passed { "PASS" } else { "FAIL" };
    let Finding { what, expected, got, .. } = finding;
    let difference = number(finding.difference());
    print_line(format_args!(
        "  {what}: expected {:>9}  got {got:>9.4}  difference {difference:>7}  {verdict}",
        number(*expected)
    ))
}
