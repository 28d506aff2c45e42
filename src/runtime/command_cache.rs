//! `CommandCache`: encoded commands that may be asked again, reused while their fingerprint is the segmenter's.

use crate::files::fingerprint::Fingerprint;
use crate::grounding::{EncodedCommand, Segmenter};
use crate::language::Command;
use crate::Result;

/// Encoded commands that are kept: enough for every camera's command and a few requests.
const CAPACITY: usize = 16;

/// The most recently used commands, the last used last.
#[derive(Default)]
pub struct CommandCache(Vec<EncodedCommand>);

impl CommandCache {
    /// The encoded command, its target given or found in the text.
    ///
    /// # Errors
    /// When it can't be encoded.
    pub fn encoded(
        &mut self,
        segmenter: &Segmenter,
        fingerprint: &Fingerprint,
        command: &Command,
        target: Option<&str>,
    ) -> Result<&EncodedCommand> {
        let parsed = match target {
            Some(target) => segmenter.parse_with_target(command, target),
            None => segmenter.parse(command),
        };
        let known = self.0.iter().position(|known| known.parsed == parsed && known.fingerprint == *fingerprint);
        let encoded = match known {
            Some(at) => self.0.remove(at),
            None => {
                let spatial = segmenter.spatial_words(&parsed);
                {
                    let config = segmenter.config();
                    segmenter.encode_parsed(parsed, spatial, &config.text, &config.words, fingerprint.clone())?
                }
            }
        };
        if self.0.len() >= CAPACITY {
            self.0.remove(0);
        }
        self.0.push(encoded);
        Ok(&self.0[self.0.len() - 1])
    }
}
