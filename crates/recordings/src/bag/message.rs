//! `Message`: one recorded message, as CDR whatever the recording holds.

use std::ops::ControlFlow;

/// A recorded message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its topic.
    pub topic: String,
    /// Its type, `package/msg/Name`.
    pub kind: String,
    /// When it was recorded, nanoseconds since the epoch.
    pub log_time: u64,
    /// CDR with its header.
    pub cdr: Vec<u8>,
}

/// A type's name as ROS 2 spells it, `package/msg/Name`: ROS 1 and some writers leave `msg` out, others write DDS's
/// `package::msg::dds_::Name_`.
pub fn ros_type(written: &str) -> String {
    if let Some((package, name)) = written.split_once("::msg::dds_::") {
        return format!("{package}/msg/{}", name.strip_suffix('_').unwrap_or(name));
    }
    match written.split_once('/') {
        Some((package, name)) if !name.contains('/') => format!("{package}/msg/{name}"),
        _ => written.into(),
    }
}

/// Why a recording could not be read to its end; `None` when it could.
pub type Truncation = Option<String>;

/// Whether reading goes on, or why it can't.
pub type Taken = std::result::Result<ControlFlow<()>, String>;

/// Longest message, record or chunk, bytes: anything above is damage or an attack. A raw image of 8192x8192 is 200 MB.
pub const MAX_LENGTH: usize = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_one_name_however_it_is_spelled() {
        for written in ["sensor_msgs/msg/Image", "sensor_msgs/Image", "sensor_msgs::msg::dds_::Image_"] {
            assert_eq!(ros_type(written), "sensor_msgs/msg/Image");
        }
        for other in ["foxglove.RawImage", "", "a/srv/B"] {
            assert_eq!(ros_type(other), other);
        }
    }
}
