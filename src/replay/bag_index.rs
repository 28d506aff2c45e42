//! `BagIndex`: what a recording holds, found by reading it once.

use crate::error::Result;
use crate::wire::bag::{Bag, Message, Truncation};
use crate::wire::Transport;
use std::collections::BTreeMap;

/// The topics of a recording.
#[derive(Debug, Default)]
pub struct BagIndex {
    /// Every topic with its type and how many messages it has.
    pub topics: BTreeMap<String, (String, u64)>,
    /// When the first image was recorded.
    pub first_image: Option<u64>,
    /// Why it could not be read to its end.
    pub truncation: Truncation,
}

impl BagIndex {
    /// Reads a recording through.
    ///
    /// # Errors
    /// None of its own.
    pub fn of(bag: &Bag) -> Result<BagIndex> {
        let mut index = BagIndex::default();
        index.truncation = bag.read(
            |_, _| true,
            |message| {
                let Message { topic, kind, log_time, .. } = message;
                if Transport::of_type(&kind).is_some() {
                    index.first_image = Some(index.first_image.map_or(log_time, |first| first.min(log_time)));
                }
                index.topics.entry(topic).or_insert((kind, 0)).1 += 1;
                Ok(())
            },
        )?;
        Ok(index)
    }

    /// The topics that hold images.
    pub fn image_topics(&self) -> Vec<&str> {
        let images = self.topics.iter().filter(|(_, (kind, _))| Transport::of_type(kind).is_some());
        images.map(|(topic, _)| topic.as_str()).collect()
    }
}
