//! `Segmenters`: the segmenter of the last job, kept for the next one of the same settings.

use referseg::config::Config;
use referseg::grounding::Segmenter;
use referseg::Result;

/// Keeps one segmenter.
#[derive(Default)]
pub struct Segmenters {
    kept: Option<Segmenter>,
}

impl Segmenters {
    /// A segmenter of these settings: the one that is kept if it has the same, or a new one.
    ///
    /// # Errors
    /// When a new one can't be opened.
    pub fn take(&mut self, config: Config) -> Result<Segmenter> {
        match self.kept.take() {
            Some(kept) if format!("{:?}", kept.config()) == format!("{config:?}") => Ok(kept),
            _ => Segmenter::open(config),
        }
    }

    /// Keeps a segmenter.
    pub fn keep(&mut self, segmenter: Segmenter) {
        self.kept = Some(segmenter);
    }
}
