//! `MaskSources`: what masks come from, with its weights: the generator of proposals, and what refines the mask of a thing.

use referseg_config::{Config, Refine};
use referseg_files::fingerprint::Fingerprint;
use referseg_files::{Error, Result};
use referseg_models::Compute;
use referseg_proposals::{self, FrameInput, Proposal, ProposalGenerator, SamRefiner};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The two sources.
pub struct MaskSources {
    /// Absent only after a change of weights failed and the old ones could not be loaded again either.
    generator: Mutex<Option<Box<dyn ProposalGenerator>>>,
    /// Present where the settings ask for it.
    refiner: Option<SamRefiner>,
}

/// What refines masks, where the settings ask for it.
fn opened_refiner(config: &Config, compute: &Compute) -> Result<Option<SamRefiner>> {
    (config.refine == Refine::Sam).then(|| SamRefiner::open(config, compute)).transpose()
}

impl MaskSources {
    /// Loads what the settings name.
    ///
    /// # Errors
    /// When weights or a label image can't be used.
    pub fn open(config: &Config, compute: &Compute) -> Result<MaskSources> {
        let generator = Mutex::new(Some(referseg_proposals::open(&config.proposals, compute)?));
        Ok(MaskSources { generator, refiner: opened_refiner(config, compute)? })
    }

    /// Changes to other settings. What needs other weights frees the old ones first.
    ///
    /// # Errors
    /// When new weights can't be loaded; what was there before is there again.
    pub fn change(&mut self, before: &Config, config: &Config, compute: &Compute) -> Result<()> {
        let changed =
            self.change_refiner(config, compute).and_then(|()| self.change_generator(before, config, compute));
        if changed.is_err() {
            // it had been loaded, so that there is nothing to say when it can't be now: asked for, it says so itself
            let _ = self.change_refiner(before, compute);
        }
        changed
    }

    fn change_generator(&mut self, before: &Config, config: &Config, compute: &Compute) -> Result<()> {
        let generator = self.generator.get_mut().unwrap_or_else(PoisonError::into_inner);
        if generator.as_mut().is_some_and(|generator| generator.reconfigure(&config.proposals)) {
            return Ok(());
        }
        *generator = None;
        match referseg_proposals::open(&config.proposals, compute) {
            Ok(opened) => *generator = Some(opened),
            Err(error) => {
                *generator = referseg_proposals::open(&before.proposals, compute).ok();
                return Err(error);
            }
        }
        Ok(())
    }

    fn change_refiner(&mut self, config: &Config, compute: &Compute) -> Result<()> {
        self.refiner = self.refiner.take().filter(|refiner| config.refine == Refine::Sam && refiner.fits(config));
        self.open_refiner(config, compute)
    }

    /// Loads what refines masks, if the settings ask for it and it is not there.
    ///
    /// # Errors
    /// When its weights can't be used, or others are there.
    pub fn open_refiner(&mut self, config: &Config, compute: &Compute) -> Result<()> {
        match &self.refiner {
            None => self.refiner = opened_refiner(config, compute)?,
            Some(refiner) if config.refine == Refine::Sam && !refiner.fits(config) => {
                let fact = "two models to refine with; expected the same in all rows of one table";
                return Err(Error::config("proposals.sam.model", fact));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Puts another generator in the place of the configured one.
    pub fn set_generator(&mut self, generator: Box<dyn ProposalGenerator>) {
        *self.generator() = Some(generator);
    }

    /// A frame's proposals.
    ///
    /// # Errors
    /// When the generator can't work on the frame, or is not there.
    pub fn propose(&self, input: &FrameInput) -> Result<Vec<Proposal>> {
        let mut generator = self.generator();
        let generator = generator.as_mut().ok_or_else(|| {
            Error::Proposals("no generator: its weights could not be loaded; set proposals again".into())
        })?;
        generator.propose(input)
    }

    /// What proposals depend on beside the frame.
    pub fn proposals_fingerprint(&self) -> Fingerprint {
        let generator = self.generator().as_ref().map(|generator| generator.fingerprint());
        generator.unwrap_or_else(|| Fingerprint::of("no proposals", 1, &[]))
    }

    /// What refines masks.
    ///
    /// # Errors
    /// When it is not there.
    pub fn refiner(&self) -> Result<&SamRefiner> {
        self.refiner
            .as_ref()
            .ok_or_else(|| Error::Proposals("refine sam: its weights could not be loaded; set refine again".into()))
    }

    /// What refined masks depend on beside the proposals, as text.
    pub fn refined(&self, config: &Config) -> String {
        self.refiner.as_ref().map_or_else(String::new, |refiner| refiner.fingerprint(config).text().into())
    }

    fn generator(&self) -> MutexGuard<'_, Option<Box<dyn ProposalGenerator>>> {
        // a generator that panicked keeps nothing that could be half changed
        self.generator.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
