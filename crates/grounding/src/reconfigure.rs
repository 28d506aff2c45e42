//! Reconfiguration: other settings, judged beside the working segmenter and applied between two frames.

use super::method::{check_guidance, check_method};
use referseg_config::{Config, Refine};
use referseg_files::{Error, Result};
use referseg_language::CommandParser;
use referseg_models::ModelFamily;
use referseg_proposals::{self, SamGenerator};
use std::sync::Arc;

/// Judges settings against the loaded model, on any thread.
#[derive(Clone)]
pub struct ConfigPreparer {
    pub(super) family: Arc<dyn ModelFamily>,
}

/// Settings that were checked, with what was opened for them.
pub struct PreparedConfig {
    pub(super) config: Config,
    pub(super) parser: Option<CommandParser>,
}

impl ConfigPreparer {
    /// Checks settings against the loaded model and those in effect. Large weights that they newly name are looked for
    /// but not yet loaded: that happens when they are applied, after the old ones were freed.
    ///
    /// # Errors
    /// When the method does not fit the model, a file is absent, or another model or device is named.
    pub fn prepare(&self, current: &Config, config: Config) -> Result<PreparedConfig> {
        if (&current.model, &current.device, current.dtype) != (&config.model, &config.device, config.dtype) {
            return Err(Error::config(
                "model, device, dtype",
                "are loaded once; they must stay as they are until a reload",
            ));
        }
        check_method(config.method, &*self.family)?;
        check_guidance(&config, &*self.family)?;
        if current.proposals != config.proposals {
            referseg_proposals::check(&config.proposals)?;
        }
        if config.refine == Refine::Sam {
            SamGenerator::check(&config.proposals)?;
        }
        let parser = |config: &Config| (config.text.parser, config.text.parser_model.clone());
        let parses = parser(current) != parser(&config);
        let parser = parses.then(|| CommandParser::open(config.text.parser, &config.text.parser_model)).transpose()?;
        Ok(PreparedConfig { config, parser })
    }
}
