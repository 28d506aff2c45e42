//! `BagIndex`: what a recording holds, found by reading it once.

use crate::image::is_depth_encoding;
use crate::recordings::bag::{Bag, BagFile, Message, Order, Truncation, Unread};
use crate::recordings::{
    base_topic, from_cdr, is_depth, sibling_topic, CameraInfo, CompressedImage, Image, MessageType, Transport,
};
use crate::Result;
use serde::Serialize;
use std::collections::BTreeMap;

/// A topic of a recording.
#[derive(Clone, Debug, Serialize)]
pub struct BagTopic {
    /// The type of its messages.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many there are.
    pub count: u64,
    /// Their bytes, decompressed.
    pub bytes: u64,
    /// When the first was recorded, nanoseconds since the epoch.
    pub first: u64,
    /// When the last was recorded.
    pub last: u64,
    /// Of images, what the first one is: its size and encoding, or its format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Whether these are depth images.
    #[serde(skip)]
    is_depth: bool,
}

impl BagTopic {
    fn of(message: &Message) -> BagTopic {
        let (image, is_depth) = described(message).map_or((None, false), |(text, is_depth)| (Some(text), is_depth));
        let (kind, at) = (message.kind.clone(), message.log_time);
        BagTopic { kind, count: 0, bytes: 0, first: at, last: at, image, is_depth }
    }

    fn add(&mut self, message: &Message) {
        self.count += 1;
        self.bytes += message.cdr.len() as u64;
        self.first = self.first.min(message.log_time);
        self.last = self.last.max(message.log_time);
    }

    /// Messages a second; `None` for fewer than two.
    pub fn rate(&self) -> Option<f64> {
        let seconds = (self.last - self.first) as f64 / 1e9;
        (self.count > 1 && seconds > 0.0).then(|| (self.count - 1) as f64 / seconds)
    }
}

/// What an image message is, and whether it is depth; `None` for other messages.
fn described(message: &Message) -> Option<(String, bool)> {
    match Transport::of_type(&message.kind)? {
        Transport::Raw => {
            let image: Image = from_cdr(&message.cdr).ok()?;
            let text = format!("{}x{} {}", image.width, image.height, image.encoding);
            Some((text, is_depth_encoding(&image.encoding)))
        }
        Transport::Compressed => {
            let image: CompressedImage = from_cdr(&message.cdr).ok()?;
            let is_depth = is_depth(&image);
            Some((image.format, is_depth))
        }
    }
}

/// The topics of a recording.
#[derive(Debug, Default, Serialize)]
pub struct BagIndex {
    /// Every topic that has messages.
    pub topics: BTreeMap<String, BagTopic>,
    /// The types of the topics that have none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub without_messages: BTreeMap<String, String>,
    /// When the first image was recorded.
    #[serde(skip)]
    pub first_image: Option<u64>,
    /// The messages that can't be read, by topic.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<String, Unread>,
    /// Its files.
    pub files: Vec<BagFile>,
    /// Whether messages are compressed one by one.
    pub has_compressed_messages: bool,
    /// In which order its messages are stored.
    pub order: Order,
    /// What could not be read.
    pub truncation: Truncation,
}

impl BagIndex {
    /// Reads a recording through. `on_message` is called for each message.
    ///
    /// # Errors
    /// None of its own.
    pub fn of(bag: &Bag, mut on_message: impl FnMut()) -> Result<BagIndex> {
        let mut index = BagIndex { files: bag.files(), ..BagIndex::default() };
        let reading = bag.survey(|message| {
            if Transport::of_type(&message.kind).is_some() {
                let at = message.log_time;
                index.first_image = Some(index.first_image.map_or(at, |first| first.min(at)));
            }
            let topic = index.topics.entry(message.topic.clone());
            topic.or_insert_with(|| BagTopic::of(&message)).add(&message);
            on_message();
        })?;
        index.order = bag.order()?;
        (index.truncation, index.unread) = (reading.truncation, reading.unread);
        let is_silent = |name: &String| !index.topics.contains_key(name) && !index.unread.contains_key(name);
        index.without_messages = reading.declared.into_iter().filter(|(name, _)| is_silent(name)).collect();
        index.has_compressed_messages = reading.has_compressed_messages;
        Ok(index)
    }

    /// The topics that hold colour or grey images, one of each camera.
    pub fn image_topics(&self) -> Vec<&str> {
        self.one_of_each_camera(|topic| Transport::of_type(&topic.kind).is_some() && !topic.is_depth)
    }

    /// The topics that hold depth images, one of each camera.
    pub fn depth_topics(&self) -> Vec<&str> {
        self.one_of_each_camera(|topic| topic.is_depth)
    }

    /// Of the topics of a kind, those of one camera in several transports once: the one with the most messages, of equals the raw one.
    fn one_of_each_camera(&self, is_meant: impl Fn(&BagTopic) -> bool) -> Vec<&str> {
        let mut chosen: BTreeMap<&str, (&str, u64)> = BTreeMap::new();
        // a raw topic's name stands before that of its transports
        for (name, topic) in self.topics.iter().filter(|(_, topic)| is_meant(topic)) {
            let best = chosen.entry(base_topic(name)).or_insert((name, topic.count));
            if topic.count > best.1 {
                *best = (name, topic.count);
            }
        }
        chosen.into_values().map(|(name, _)| name).collect()
    }

    /// The topic with the calibration of the camera of a depth topic: `camera_info` beside it, or beside the image that it is
    /// aligned with, or the only one of the recording.
    pub fn camera_info_of(&self, depth: &str, image: &str) -> Option<String> {
        let infos = || self.topics.iter().filter(|(_, topic)| topic.kind == CameraInfo::TYPE).map(|(name, _)| name);
        let beside = [depth, image].map(|topic| sibling_topic(base_topic(topic), "camera_info"));
        let found = beside.into_iter().find(|name| infos().any(|info| info == name));
        found.or_else(|| infos().next().filter(|_| infos().count() == 1).cloned())
    }

    /// The topic that is meant by a name, with or without the slash that it begins with.
    pub fn named(&self, name: &str) -> String {
        let slashed = format!("/{name}");
        match self.topics.contains_key(&slashed) && !self.topics.contains_key(name) {
            true => slashed,
            false => name.into(),
        }
    }
}
