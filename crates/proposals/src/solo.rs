//! `SoloGenerator`: proposals from a SOLO network without classes, such as FreeSOLO, from which *Global-Local CLIP* takes its own.

use super::budget::check_budget;
use super::generator::{FrameInput, ProposalGenerator};
use super::proposal::Proposal;
use referseg_config::{ProposalSettings, SoloSettings};
use referseg_files::fingerprint::Fingerprint;
use referseg_files::{Error, Result};
use referseg_models::solo::SoloModel;
use referseg_models::Compute;
use std::path::{Path, PathBuf};

/// Raised when the same frame gives other proposals.
const VERSION: u32 = 1;

/// The generator with its network.
pub struct SoloGenerator {
    model: SoloModel,
    settings: SoloSettings,
    limit: usize,
}

/// The file of weights: the setting itself, or `model.safetensors` or the authors' checkpoint in the folder that it names.
fn weights_file(model: &Path) -> PathBuf {
    let names = ["model.safetensors", "FreeSOLO_R101_30k_pl.pth"];
    let inside = || names.map(|name| model.join(name)).into_iter().find(|file| file.is_file());
    if model.is_dir() {
        inside().unwrap_or_else(|| model.join(names[0]))
    } else {
        model.into()
    }
}

impl SoloGenerator {
    /// Loads the network that the settings name.
    ///
    /// # Errors
    /// When its weights can't be used.
    pub fn open(settings: &ProposalSettings, compute: &Compute) -> Result<SoloGenerator> {
        let model = SoloModel::open(&weights_file(&settings.solo.model), compute)?;
        Ok(SoloGenerator { model, settings: settings.solo.clone(), limit: settings.limit })
    }

    /// Finds out whether the file of weights is there, without reading it.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(settings: &ProposalSettings) -> Result<()> {
        let file = weights_file(&settings.solo.model);
        std::fs::File::open(&file).map(drop).map_err(|cause| {
            let fact = format!(
                "{cause}; expected SOLO weights (proposals.solo.model): model.safetensors, or FreeSOLO's checkpoint"
            );
            Error::model(file, fact)
        })
    }
}

impl ProposalGenerator for SoloGenerator {
    fn propose(&mut self, input: &FrameInput) -> Result<Vec<Proposal>> {
        check_budget(input.frame.width(), input.frame.height(), self.limit)?;
        let found = self.model.propose(input.frame)?;
        let good = found.into_iter().filter(|proposed| proposed.score >= self.settings.min_score);
        let proposal = |proposed: referseg_models::solo::SoloMask| Proposal {
            quality: proposed.score.clamp(0.0, 1.0),
            ..Proposal::of_mask(proposed.mask)
        };
        Ok(good.take(self.limit).map(proposal).collect())
    }

    fn fingerprint(&self) -> Fingerprint {
        // not where the file lies, but what is in it
        let settings = SoloSettings { model: PathBuf::new(), ..self.settings.clone() };
        let settings = format!("{settings:?} {} {:?}", self.limit, self.model.config);
        Fingerprint::of("solo", VERSION, &[&settings, self.model.digest().get()])
    }

    fn reconfigure(&mut self, settings: &ProposalSettings) -> bool {
        let same = settings.generator.name == "solo"
            && weights_file(&settings.solo.model) == weights_file(&self.settings.model);
        if same {
            (self.settings, self.limit) = (settings.solo.clone(), settings.limit);
        }
        same
    }
}
