//! What `referseg doctor` sees of the running system: nodes of the same name, cameras, how they publish, and whether their images arrive.

use crate::doctor::{ros_environment, Finding};
use crate::recordings::{header, CompressedImage, Image, MessageType};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use r2r::qos::{DurabilityPolicy, ReliabilityPolicy};
use r2r::{Context, Node, QosProfile};
use std::time::{Duration, Instant};

/// The segment of shared memory that Fast DDS gives a participant by default, bytes: larger images on best effort get lost.
const SEGMENT: usize = 512 * 1024;
/// Topics whose images are listened for.
const MOST: usize = 8;
/// Until other nodes are known.
const DISCOVERY: Duration = Duration::from_secs(1);

/// An image topic that is listened to.
struct ReceivedTopics {
    topic: String,
    /// Who publishes on it, and how, in words.
    publishers: Vec<String>,
    has_best_effort: bool,
    stream: BoxStream<'static, Vec<u8>>,
    count: usize,
    largest: usize,
    frame_id: String,
}

/// A publisher's profile in words.
fn described(profile: &QosProfile) -> String {
    let reliability = match profile.reliability {
        ReliabilityPolicy::Reliable => "reliable",
        ReliabilityPolicy::BestEffort => "best effort",
        _ => "of unknown reliability",
    };
    let latched = if profile.durability == DurabilityPolicy::TransientLocal { ", latched" } else { "" };
    format!("{reliability}{latched}")
}

fn shared_memory(largest: usize) -> Option<Finding> {
    let path = std::ffi::CString::new("/dev/shm").ok()?;
    let mut found = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // Safety: a C string, and room for the answer, which is read only when the call says that it wrote it
    let found = unsafe {
        if libc::statvfs(path.as_ptr(), found.as_mut_ptr()) != 0 {
            return None;
        }
        found.assume_init()
    };
    let free = found.f_bavail as u64 * found.f_frsize as u64;
    let fact = format!("/dev/shm has {:.0} MB free", free as f64 / 1e6);
    let needed = (largest as u64 * 10).max(64 * 1024 * 1024);
    Some(match free >= needed {
        true => Finding::fine("shared memory", fact),
        false => {
            let remedy = format!(
                "ten images need {:.0} MB; in a container start it with --shm-size=1g or --ipc=host",
                needed as f64 / 1e6
            );
            Finding::wrong("shared memory", fact, remedy)
        }
    })
}

fn of_camera(heard: &ReceivedTopics, seconds: f64) -> Finding {
    let ReceivedTopics { topic, publishers, has_best_effort, count, largest, frame_id, .. } = heard;
    let fact = format!("{} by {}: {:.1} Hz", topic, publishers.join(", "), *count as f64 / seconds);
    let profile = ["FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"]
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    let large =
        "start camera and node with FASTRTPS_DEFAULT_PROFILES_FILE set to referseg's config/fastdds_large_images.xml \
                 (launch: large_images:=true), or let the camera publish reliably";
    match (*count, *has_best_effort && *largest > SEGMENT && !profile) {
        (0, _) => Finding::wrong(
            "camera",
            fact,
            format!("nothing arrives: is it paused, or another domain's? If its images are large, {large}"),
        ),
        (_, true) => Finding::wrong("camera", format!("{fact}, {largest} bytes each"), large),
        _ if frame_id.is_empty() => {
            let remedy = "set the camera's frame_id: points need a frame, and depth is matched by it";
            Finding::wrong("camera", format!("{fact}, no frame_id"), remedy)
        }
        _ => Finding::fine("camera", format!("{fact}, {largest} bytes each, frame {frame_id}")),
    }
}

/// Listens to the graph for a while.
fn look(node: &mut Node, listen: Duration) -> r2r::Result<Vec<Finding>> {
    let spin = |node: &mut Node, until: Instant| {
        while Instant::now() < until {
            node.spin_once(Duration::from_millis(10));
        }
    };
    spin(node, Instant::now() + DISCOVERY);
    let topics = node.get_topic_names_and_types()?;
    let mut names: Vec<(&String, &'static str)> = Vec::new();
    for (topic, kinds) in &topics {
        let known = [Image::TYPE, CompressedImage::TYPE].into_iter().find(|kind| kinds.iter().any(|one| one == kind));
        names.extend(known.map(|kind| (topic, kind)));
    }
    names.sort();
    let mut cameras = Vec::new();
    for (topic, kind) in names {
        let publishers = node.get_publishers_info_by_topic(topic, false)?;
        if publishers.is_empty() || topic.contains("/overlay") || cameras.len() == MOST {
            continue;
        }
        let stream = node.subscribe_raw(topic, kind, QosProfile::sensor_data().keep_last(5))?.boxed();
        let has_best_effort = publishers.iter().any(|one| one.qos_profile.reliability == ReliabilityPolicy::BestEffort);
        let named = publishers.iter().map(|one| {
            format!("{}/{} ({})", one.node_namespace.trim_end_matches('/'), one.node_name, described(&one.qos_profile))
        });
        let publishers = named.collect();
        cameras.push(ReceivedTopics {
            topic: topic.clone(),
            publishers,
            has_best_effort,
            stream,
            count: 0,
            largest: 0,
            frame_id: String::new(),
        });
    }
    let began = Instant::now();
    while began.elapsed() < listen && !cameras.is_empty() {
        node.spin_once(Duration::from_millis(10));
        for heard in &mut cameras {
            while let Some(Some(cdr)) = heard.stream.next().now_or_never() {
                heard.count += 1;
                heard.largest = heard.largest.max(cdr.len());
                heard.frame_id = header(&cdr).map(|header| header.frame_id).unwrap_or_default();
            }
        }
    }
    let seconds = began.elapsed().as_secs_f64().max(1e-3);
    let mut findings: Vec<Finding> = cameras.iter().map(|heard| of_camera(heard, seconds)).collect();
    if findings.is_empty() {
        let domain = std::env::var("ROS_DOMAIN_ID").unwrap_or_else(|_| "0".into());
        let remedy = "start the camera; if it runs: the same ROS_DOMAIN_ID, RMW_IMPLEMENTATION and network?";
        findings.push(Finding::wrong("camera", format!("no image topic in domain {domain}"), remedy));
    }
    findings.extend(shared_memory(cameras.iter().map(|heard| heard.largest).max().unwrap_or_default()));
    let nodes = node.get_publishers_info_by_topic("/rosout", false)?;
    let mut full: Vec<String> =
        nodes.iter().map(|one| format!("{}/{}", one.node_namespace.trim_end_matches('/'), one.node_name)).collect();
    full.sort();
    let twins: Vec<&String> = full.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]).collect();
    findings.push(match twins.first() {
        None => Finding::fine("nodes", format!("{} others, each with a name of its own", full.len())),
        Some(name) => Finding::wrong(
            "nodes",
            format!("several are named {name}"),
            "start each with a name of its own (-r __node:=NAME)",
        ),
    });
    Ok(findings)
}

/// What is seen of the running system within some time.
pub fn findings(listen: Duration) -> Vec<Finding> {
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        let fact = ros_environment::explained(&format!("{what}: {error}"), &[]);
        vec![Finding::wrong("ROS graph", fact, "mend what is marked above and look again")]
    };
    let context = match Context::create() {
        Ok(context) => context,
        Err(error) => return failed("ROS does not start", &error),
    };
    let mut node = match Node::create(context, &format!("referseg_doctor_{}", std::process::id()), "") {
        Ok(node) => node,
        Err(error) => return failed("no node can be made", &error),
    };
    look(&mut node, listen).unwrap_or_else(|error| failed("asking the graph", &error))
}
