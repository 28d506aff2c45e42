//! The machine: cores, memory, what large messages need of the system.

use super::finding::{variable, Finding};
use std::path::Path;

/// Receive buffers below this lose large images that come from another machine (ROS 2's own guide to DDS tuning: 2 MB and more).
const LEAST_BUFFER: u64 = 2 * 1024 * 1024;
/// Free memory that the models of public checkpoints need, kB: CLIP ViT-B/16 and MobileSAM (docs/performance.md).
const LEAST_MEMORY: u64 = 1_500_000;

fn number_in(path: &str) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn memory() -> Option<Finding> {
    let table = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = table.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let free: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    let fact = format!("{:.1} GB free", free as f64 / 1e6);
    Some(match free >= LEAST_MEMORY {
        true => Finding::fine("memory", fact),
        false => Finding::wrong("memory", fact, "the shipped model fits; for larger weights end other programs"),
    })
}

fn buffers() -> Option<Finding> {
    let most = number_in("/proc/sys/net/core/rmem_max")?;
    let fact = format!("net.core.rmem_max is {most} bytes");
    Some(match most >= LEAST_BUFFER {
        true => Finding::fine("receive buffers", fact),
        false => {
            let remedy = "for large images from other machines: sudo sysctl -w net.core.rmem_max=2147483647; within this machine it does not matter";
            Finding::wrong("receive buffers", fact, remedy)
        }
    })
}

/// A settings file that the middleware reads.
fn profiles() -> Vec<Finding> {
    let named = |name: &str| {
        let path = variable(name)?;
        let file = path.trim_start_matches("file://").to_string();
        Some(match Path::new(&file).is_file() || file.starts_with('<') {
            true => Finding::fine(name, path),
            false => Finding::wrong(name, format!("{path}: no such file"), "correct the path or unset it"),
        })
    };
    ["FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE", "CYCLONEDDS_URI"]
        .into_iter()
        .filter_map(named)
        .collect()
}

/// What this machine has.
pub fn machine() -> Vec<Finding> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let ros = match (variable("ROS_DISTRO"), variable("AMENT_PREFIX_PATH")) {
        (_, None) => {
            let remedy = "source /opt/ros/DISTRO/setup.bash, or target/ros/env.sh that scripts/build.sh makes";
            Finding::wrong("ROS", "none is sourced (AMENT_PREFIX_PATH is not set)", remedy)
        }
        (distribution, Some(_)) => {
            Finding::fine("ROS", distribution.unwrap_or_else(|| "sourced; ROS_DISTRO is not set".into()))
        }
    };
    let mut findings = vec![Finding::fine("processor", format!("{cores} cores"))];
    findings.extend(memory());
    findings.push(ros);
    findings.extend(super::ros_environment::findings(&[]));
    findings.extend(profiles());
    findings.extend(buffers());
    findings
}
