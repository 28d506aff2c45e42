//! `OutputPublishers`: one camera's publishers of results, by output.

use super::logger::Logger;
use super::publisher::RawPublisher;
use crate::recordings::{Output, ResultMessages};
use r2r::{Node, PublisherUntyped, QosProfile};

/// The publishers of one camera's answers, or of its tracked objects.
#[derive(Clone)]
pub struct OutputPublishers(Vec<(Output, RawPublisher)>);

impl OutputPublishers {
    /// Opens the topics of these outputs. Those in space are left out without `depth`, and those of a package that was absent when
    /// this program was built.
    ///
    /// # Errors
    /// When ROS refuses.
    pub fn open(
        node: &mut Node,
        outputs: &[Output],
        depth: bool,
        topic: impl Fn(Output) -> String,
        profile: impl Fn(Output) -> QosProfile,
    ) -> r2r::Result<OutputPublishers> {
        let opened = outputs.iter().filter(|output| depth || !output.is_in_space()).map(|output| {
            let (topic, kind) = (topic(*output), output.message_type());
            Ok((*output, RawPublisher::open_named_if_known(node, &topic, kind, profile(*output))?))
        });
        opened.collect::<r2r::Result<Vec<_>>>().map(OutputPublishers)
    }

    /// Those of the outputs for which `kept` is true.
    pub fn only(&self, kept: impl Fn(Output) -> bool) -> OutputPublishers {
        OutputPublishers(self.0.iter().filter(|(output, _)| kept(*output)).cloned().collect())
    }

    /// Whether the message type of an output was there when this program was built.
    pub fn is_open(&self, output: Output) -> bool {
        self.0.iter().any(|(other, publisher)| *other == output && publisher.is_open())
    }

    /// Whether anybody subscribes to one of the outputs for which `counted` is true.
    pub fn are_subscribed(&self, counted: impl Fn(Output) -> bool) -> bool {
        self.0.iter().any(|(output, publisher)| counted(*output) && publisher.is_subscribed())
    }

    /// Publishes the outputs for which `wanted` is true and to which somebody subscribes.
    pub fn publish(&self, messages: &ResultMessages, wanted: impl Fn(Output) -> bool, logger: &Logger) {
        let subscribed = self.0.iter().filter(|(output, publisher)| wanted(*output) && publisher.is_subscribed());
        for (output, publisher) in subscribed {
            send(publisher, *output, messages, logger);
        }
    }

    /// Publishes an output although nobody may subscribe yet: latched topics.
    pub fn latch(&self, messages: &ResultMessages, output: Output, logger: &Logger) {
        for (_, publisher) in self.0.iter().filter(|(other, _)| *other == output) {
            send(publisher, output, messages, logger);
        }
    }

    /// All publishers, to be taken from the graph at cleanup.
    pub fn inner(&self) -> impl Iterator<Item = PublisherUntyped> + '_ {
        self.0.iter().filter_map(|(_, publisher)| publisher.inner())
    }
}

fn send(publisher: &RawPublisher, output: Output, messages: &ResultMessages, logger: &Logger) {
    let sent = match messages.cdr(output) {
        Ok(cdr) => publisher.publish_cdr(cdr.as_deref()).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(fact) = sent {
        logger.warn_throttled(&output.topic(), &format!("{} is not published: {fact}", output.topic()));
    }
}
