//! `Conversations`: who talks with the node, each with what was said and shown before. Bounded in number and in time.

use super::queue::Epoch;
use crate::answer::{Answer, CommandInfo, Origin};
use crate::dialogue::Conversation;
use crate::files::fingerprint::Fingerprint;
use crate::grounding::{EncodedCommand, EncodedFrame, Segmenter};
use crate::language::Command;
use crate::Result;
use std::time::{Duration, Instant};

/// Conversations that are kept; of more, the one that was silent longest is forgotten. Each keeps at most 100 masks, of one bit a pixel of
/// their boxes.
pub const MAX_CONVERSATIONS: usize = 8;

/// Whose conversation a command belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// Who publishes commands for a camera.
    Topic {
        /// The camera's index.
        camera: usize,
        /// Number of the last command before it that was cleared.
        since: u32,
    },
    /// Whoever gives this name in requests for a camera.
    Named {
        /// The camera's index.
        camera: usize,
        /// The name.
        name: String,
    },
}

/// How the node talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialogue {
    /// Whether the commands of a topic are one conversation; requests name theirs.
    pub on_topics: bool,
    /// When nobody says anything for so long a conversation is forgotten.
    pub timeout: Duration,
}

impl Default for Dialogue {
    fn default() -> Dialogue {
        Dialogue { on_topics: false, timeout: Duration::from_secs(60) }
    }
}

struct Open {
    speaker: Speaker,
    conversation: Conversation,
    /// The command heard last, by its number, with what it means.
    heard: Option<(u32, EncodedCommand)>,
    /// When something was said last, or that was answered first; people pause in real time, whatever the node's clock does.
    at: Instant,
    is_answered: bool,
}

impl Open {
    fn new(speaker: Speaker) -> Open {
        Open { speaker, conversation: Conversation::default(), heard: None, at: Instant::now(), is_answered: false }
    }
}

/// The conversations of all cameras, the one that was silent longest first.
#[derive(Default)]
pub struct Conversations {
    open: Vec<Open>,
    dialogue: Dialogue,
    epoch: Epoch,
}

impl Conversations {
    /// How the node talks from now on, and the epoch: those of earlier ones are forgotten.
    pub fn enter(&mut self, dialogue: Dialogue, epoch: Epoch) {
        self.dialogue = dialogue;
        if self.epoch != epoch {
            self.open.clear();
            self.epoch = epoch;
        }
    }

    /// Who speaks with a command; `None` when it stands alone. `since` as in [`Speaker::Topic`].
    pub fn speaker(&self, camera: usize, since: u32, command: &CommandInfo) -> Option<Speaker> {
        match command.origin {
            Origin::Topic => self.dialogue.on_topics.then_some(Speaker::Topic { camera, since }),
            _ if command.conversation.is_empty() => None,
            _ => Some(Speaker::Named { camera, name: command.conversation.clone() }),
        }
    }

    /// What a command means in its conversation, on this and on later frames; `None` when a newer one was heard already.
    ///
    /// # Errors
    /// When it can't be encoded.
    pub fn hear(
        &mut self,
        segmenter: &Segmenter,
        fingerprint: &Fingerprint,
        speaker: &Speaker,
        (number, command): (u32, &Command),
    ) -> Result<Option<&EncodedCommand>> {
        let known = self.open.iter().position(|open| open.speaker == *speaker);
        let mut open = known.map_or_else(|| Open::new(speaker.clone()), |at| self.open.remove(at));
        let heard = open.heard.as_ref().map(|(heard, encoded)| (*heard, encoded.fingerprint == *fingerprint));
        if heard != Some((number, true)) {
            let is_other_model = heard.is_some_and(|(_, is_same_model)| !is_same_model);
            if is_other_model || open.at.elapsed() > self.dialogue.timeout {
                open = Open::new(speaker.clone());
            }
            if heard.is_none_or(|(heard, _)| heard <= number) {
                open.heard = Some((number, open.conversation.hear(segmenter, command)?));
                (open.at, open.is_answered) = (Instant::now(), false);
            }
        }
        if self.open.len() >= MAX_CONVERSATIONS {
            self.open.remove(0);
        }
        self.open.push(open);
        let heard = self.open.last().and_then(|open| open.heard.as_ref());
        Ok(heard.filter(|(heard, _)| *heard == number).map(|(_, encoded)| encoded))
    }

    /// Takes note of the answer to a command that was heard.
    pub fn answered(
        &mut self,
        segmenter: &Segmenter,
        speaker: &Speaker,
        number: u32,
        (frame, answer): (&EncodedFrame, &Answer),
    ) {
        let of_command = |open: &&mut Open| {
            open.speaker == *speaker && open.heard.as_ref().is_some_and(|(heard, _)| *heard == number)
        };
        if let Some(open) = self.open.iter_mut().find(of_command) {
            open.conversation.answered(segmenter, frame, answer);
            if !std::mem::replace(&mut open.is_answered, true) {
                open.at = Instant::now();
            }
        }
    }
}
