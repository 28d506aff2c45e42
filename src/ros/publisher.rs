//! `RawPublisher`: a publisher of serialised messages.

use crate::recordings::{to_cdr, MessageType};
use r2r::{Node, PublisherUntyped, QosProfile};

/// A publisher of bytes, or none when this build does not know the message type.
#[derive(Clone)]
pub struct RawPublisher(Option<PublisherUntyped>);

impl RawPublisher {
    /// For message types that may not have been there when this program was built.
    ///
    /// # Errors
    /// When ROS refuses for another reason.
    pub fn open_if_known<T: MessageType>(
        node: &mut Node,
        topic: &str,
        profile: QosProfile,
    ) -> r2r::Result<RawPublisher> {
        RawPublisher::open_named_if_known(node, topic, T::TYPE, profile)
    }

    /// Whether this build knows the message type.
    pub fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// No publisher: nothing is ever published.
    pub fn absent() -> RawPublisher {
        RawPublisher(None)
    }

    /// The publisher itself, to be taken from the graph one day.
    pub fn inner(&self) -> Option<PublisherUntyped> {
        self.0.clone()
    }

    /// How many subscribe.
    pub fn subscribers(&self) -> usize {
        let count = self.0.as_ref().map(PublisherUntyped::get_inter_process_subscription_count);
        count.and_then(r2r::Result::ok).unwrap_or_default()
    }

    /// Whether anybody subscribes.
    pub fn is_subscribed(&self) -> bool {
        self.subscribers() > 0
    }

    /// As [`RawPublisher::open_if_known`], by the type's name.
    ///
    /// # Errors
    /// When ROS refuses for another reason.
    pub fn open_named_if_known(
        node: &mut Node,
        topic: &str,
        kind: &str,
        profile: QosProfile,
    ) -> r2r::Result<RawPublisher> {
        match node.create_publisher_untyped(topic, kind, profile) {
            Err(r2r::Error::InvalidMessageType { .. }) => Ok(RawPublisher(None)),
            opened => Ok(RawPublisher(Some(opened?))),
        }
    }

    /// Publishes a message by the names of its fields, all of them.
    ///
    /// # Errors
    /// When a field is missing or of another type.
    pub fn publish_fields(&self, message: serde_json::Value) -> r2r::Result<()> {
        self.0.as_ref().map_or(Ok(()), |publisher| publisher.publish(message))
    }

    /// Publishes a serialised message, if there is one.
    ///
    /// # Errors
    /// When ROS refuses.
    pub fn publish_cdr(&self, cdr: Option<&[u8]>) -> r2r::Result<()> {
        match (&self.0, cdr) {
            (Some(publisher), Some(cdr)) => publisher.publish_raw(cdr),
            _ => Ok(()),
        }
    }

    /// Publishes; once the node has ended, nothing.
    pub fn publish<T: serde::Serialize>(&self, message: &T) {
        let _ = self.publish_cdr(to_cdr(message).ok().as_deref());
    }
}
