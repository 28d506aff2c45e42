//! Latched messages: what the transient-local publishers of a topic have published last, each with the time at which it was published.
//!
//! A subscription of r2r hands out messages without their times, and several latched publishers send theirs in any order to a new
//! subscription. So a participant of its own subscribes, takes what is there with rcl's message info, and leaves.

use super::arguments::{c_text, Arguments};
use super::logger::Logger;
use super::node_thread::Ros;
use r2r::qos::DurabilityPolicy;
use r2r::WrappedTypesupport;
use r2r_rcl::{
    rcl_context_fini, rcl_context_t, rcl_get_zero_initialized_context, rcl_get_zero_initialized_init_options,
    rcl_get_zero_initialized_node, rcl_get_zero_initialized_subscription, rcl_init, rcl_init_options_fini,
    rcl_init_options_init, rcl_node_fini, rcl_node_get_default_options, rcl_node_init, rcl_node_t, rcl_shutdown,
    rcl_subscription_fini, rcl_subscription_get_default_options, rcl_subscription_init, rcl_subscription_t,
    rcl_take_serialized_message, rcutils_get_default_allocator, rcutils_get_error_string,
    rcutils_get_zero_initialized_uint8_array, rcutils_reset_error, rcutils_uint8_array_fini, rcutils_uint8_array_init,
    rmw_message_info_t, rmw_qos_durability_policy_e, rmw_qos_history_policy_e, rmw_qos_reliability_policy_e,
    RCL_RET_OK, RCL_RET_SUBSCRIPTION_TAKE_FAILED,
};
use std::collections::{HashMap, HashSet};
use std::ffi::CStr;
use std::time::{Duration, Instant};

/// Name of the node that subscribes; `ros2 node list` hides names that begin with an underscore.
const NODE: &str = "_referseg_latched";
/// Messages kept of all publishers together.
const DEPTH: usize = 100;
/// Between two looks at the publishers.
const PUBLISHERS_LOOK: Duration = Duration::from_millis(500);
/// How long latched messages are waited for. Fast DDS announces a participant five times within half a second and then every 3 s: on a
/// busy machine the first announcements can be lost.
const LIMIT: Duration = Duration::from_secs(10);
/// How long the others are waited for when one publisher's message has arrived.
const OTHERS_LIMIT: Duration = Duration::from_secs(1);
/// Between two looks for messages.
const LOOK: Duration = Duration::from_millis(10);
/// How often the message of a publisher is fetched at most: one that has published nothing stays silent.
const ATTEMPTS: u32 = 3;

/// A message that a latched publisher keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatchedMessage {
    /// When it was published, by the clock of its publisher, nanoseconds since the epoch.
    pub published: i64,
    /// Its serialised bytes.
    pub cdr: Vec<u8>,
    /// The gid of its publisher.
    pub publisher: Vec<u8>,
}

/// The latched publishers of a topic, and how often their messages were fetched.
#[derive(Default)]
pub struct LatchedPublishers(HashMap<Vec<u8>, u32>);

impl LatchedPublishers {
    /// How many publishers are present, if messages have to be fetched: when one is there that was not heard and not fetched too often.
    pub fn begin_fetch(&mut self, present: impl Iterator<Item = Vec<u8>>) -> Option<usize> {
        let attempts = |gid: Vec<u8>| (self.0.get(&gid).copied().unwrap_or(0), gid);
        self.0 = present.map(attempts).map(|(count, gid)| (gid, count)).collect();
        self.0.values().any(|count| *count < ATTEMPTS).then_some(self.0.len())
    }

    /// Messages were fetched.
    pub fn fetched(&mut self, messages: &[LatchedMessage]) {
        for (gid, count) in &mut self.0 {
            let is_heard = messages.iter().any(|message| message.publisher == *gid);
            *count = if is_heard { ATTEMPTS } else { *count + 1 };
        }
    }
}

/// The participant. Fields are freed in reverse order of their creation.
struct Participant {
    context: Box<rcl_context_t>,
    node: Option<Box<rcl_node_t>>,
    subscription: Option<Box<rcl_subscription_t>>,
}

fn check(returned: i32, what: &str) -> Result<(), String> {
    if returned == RCL_RET_OK as i32 {
        return Ok(());
    }
    // Safety: rcutils hands out a copy of its text, which ends with a NUL
    let said = unsafe {
        let said = rcutils_get_error_string();
        rcutils_reset_error();
        CStr::from_ptr(said.str_.as_ptr()).to_string_lossy().into_owned()
    };
    Err(format!("latched messages can't be fetched: {what} returned {returned}: {said}"))
}

impl Participant {
    fn open<T: WrappedTypesupport>(topic: &str) -> Result<Participant, String> {
        let text = |text: &str| c_text(text).map_err(|error| error.to_string());
        let arguments = std::env::args().map(|argument| text(&argument)).collect::<Result<Vec<_>, _>>()?;
        let pointers: Vec<_> = arguments.iter().map(|argument| argument.as_ptr()).collect();
        let no_arguments = Arguments::parse(&[NODE.to_string()]).map_err(|error| error.to_string())?;
        let (node_name, namespace, topic) = (text(NODE)?, text("/")?, text(topic)?);
        // Safety: rcl's own order of calls; all pointers are of values that live through the calls, and what was initialised
        // is freed by `drop`, the boxes keeping their places
        unsafe {
            let mut options = rcl_get_zero_initialized_init_options();
            check(rcl_init_options_init(&mut options, rcutils_get_default_allocator()), "rcl_init_options_init")?;
            let mut context = Box::new(rcl_get_zero_initialized_context());
            // the same arguments, for the security enclave among them
            let returned = rcl_init(pointers.len() as i32, pointers.as_ptr(), &options, context.as_mut());
            rcl_init_options_fini(&mut options);
            check(returned, "rcl_init")?;
            let mut participant = Participant { context, node: None, subscription: None };

            let mut options = rcl_node_get_default_options();
            // this node keeps its name, and logs nothing; rcl copies the arguments
            options.arguments = *no_arguments.as_ptr();
            options.use_global_arguments = false;
            options.enable_rosout = false;
            let mut node = Box::new(rcl_get_zero_initialized_node());
            let context = participant.context.as_mut();
            let returned = rcl_node_init(node.as_mut(), node_name.as_ptr(), namespace.as_ptr(), context, &options);
            check(returned, "rcl_node_init")?;
            let node = participant.node.insert(node);

            let mut options = rcl_subscription_get_default_options();
            options.qos.history = rmw_qos_history_policy_e::RMW_QOS_POLICY_HISTORY_KEEP_LAST;
            options.qos.depth = DEPTH;
            options.qos.reliability = rmw_qos_reliability_policy_e::RMW_QOS_POLICY_RELIABILITY_RELIABLE;
            options.qos.durability = rmw_qos_durability_policy_e::RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL;
            let mut subscription = Box::new(rcl_get_zero_initialized_subscription());
            let returned =
                rcl_subscription_init(subscription.as_mut(), node.as_ref(), T::get_ts(), topic.as_ptr(), &options);
            check(returned, "rcl_subscription_init")?;
            participant.subscription = Some(subscription);
            Ok(participant)
        }
    }

    /// The next message; `None` when no more is there.
    fn take(&self) -> Result<Option<LatchedMessage>, String> {
        let Some(subscription) = &self.subscription else { return Ok(None) };
        // Safety: the subscription is open; the buffer is initialised before and freed after
        unsafe {
            let mut buffer = rcutils_get_zero_initialized_uint8_array();
            let allocator = rcutils_get_default_allocator();
            check(rcutils_uint8_array_init(&mut buffer, 0, &allocator), "rcutils_uint8_array_init")?;
            let mut info = rmw_message_info_t::default();
            let returned =
                rcl_take_serialized_message(subscription.as_ref(), &mut buffer, &mut info, std::ptr::null_mut());
            let cdr = match buffer.buffer.is_null() {
                true => Vec::new(),
                false => std::slice::from_raw_parts(buffer.buffer, buffer.buffer_length).to_vec(),
            };
            rcutils_uint8_array_fini(&mut buffer);
            if returned == RCL_RET_SUBSCRIPTION_TAKE_FAILED as i32 {
                rcutils_reset_error();
                return Ok(None);
            }
            check(returned, "rcl_take_serialized_message")?;
            let publisher = info.publisher_gid.data.to_vec();
            Ok(Some(LatchedMessage { published: info.source_timestamp, cdr, publisher }))
        }
    }
}

impl Drop for Participant {
    fn drop(&mut self) {
        // Safety: each was initialised and is freed once, the subscription before its node before the context
        unsafe {
            if let Some(node) = &mut self.node {
                if let Some(subscription) = &mut self.subscription {
                    rcl_subscription_fini(subscription.as_mut(), node.as_mut());
                }
                rcl_node_fini(node.as_mut());
            }
            rcl_shutdown(self.context.as_mut());
            rcl_context_fini(self.context.as_mut());
            rcutils_reset_error();
        }
    }
}

/// The messages that the latched publishers of a topic of type `T` keep, oldest first. Returns when something of `publishers`
/// publishers has arrived, or [`OTHERS_LIMIT`] after the last arrival, at the latest after [`LIMIT`]. Blocks.
///
/// # Errors
/// In words, when ROS refuses.
pub fn latched_messages<T: WrappedTypesupport>(topic: &str, publishers: usize) -> Result<Vec<LatchedMessage>, String> {
    let participant = Participant::open::<T>(topic)?;
    let mut end = Instant::now() + LIMIT;
    let (mut messages, mut from) = (Vec::new(), HashSet::new());
    while from.len() < publishers && Instant::now() < end {
        while let Some(message) = participant.take()? {
            if from.insert(message.publisher.clone()) {
                end = end.min(Instant::now() + OTHERS_LIMIT);
            }
            messages.push(message);
        }
        std::thread::sleep(LOOK);
    }
    messages.sort_by_key(|message: &LatchedMessage| message.published);
    Ok(messages)
}

/// Hands the newest latched message of each new set of latched publishers to `take`, until it is aborted.
pub async fn fetch_latched<T: WrappedTypesupport>(ros: Ros, topic: String, logger: Logger, take: impl Fn(Vec<u8>)) {
    let mut latched = LatchedPublishers::default();
    let mut look = tokio::time::interval(PUBLISHERS_LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let name = topic.clone();
        let Ok(Ok(publishers)) = ros.call(move |node| node.get_publishers_info_by_topic(&name, false)).await else {
            continue; // asked again with the next look
        };
        let present = publishers.iter().filter(|one| one.qos_profile.durability == DurabilityPolicy::TransientLocal);
        let present = present.map(|publisher| publisher.endpoint_gid.to_vec());
        let Some(count) = latched.begin_fetch(present) else { continue };
        let name = topic.clone();
        let fetch = move || latched_messages::<T>(&name, count);
        let fetched = tokio::task::spawn_blocking(fetch).await.unwrap_or_else(|error| Err(error.to_string()));
        let messages = fetched.unwrap_or_else(|fact| {
            logger.warn_throttled(&topic, &fact);
            Vec::new()
        });
        latched.fetched(&messages);
        messages.into_iter().next_back().into_iter().for_each(|message| take(message.cdr));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publisher_is_fetched_until_it_is_heard_a_few_times_at_most() {
        let present = |gids: &[u8]| gids.iter().map(|gid| vec![*gid]).collect::<Vec<_>>().into_iter();
        let message = |gid: u8| LatchedMessage { published: 0, cdr: Vec::new(), publisher: vec![gid] };
        let mut latched = LatchedPublishers::default();
        assert_eq!(latched.begin_fetch(present(&[])), None);
        assert_eq!(latched.begin_fetch(present(&[1])), Some(1));
        latched.fetched(&[message(1)]);
        assert_eq!(latched.begin_fetch(present(&[1])), None, "heard");
        for _ in 0..ATTEMPTS {
            assert_eq!(latched.begin_fetch(present(&[1, 2])), Some(2));
            latched.fetched(&[message(1)]);
        }
        assert_eq!(latched.begin_fetch(present(&[1, 2])), None, "the second has published nothing");
        assert_eq!(latched.begin_fetch(present(&[])), None);
        assert_eq!(latched.begin_fetch(present(&[1])), Some(1), "it left and came back");
    }
}
