//! `NodeSettings`: what concerns the node rather than the segmenter.

use super::table::position;
use crate::camera::Rectified;
use crate::drawing::Captions;
use crate::recordings::Transport;
use crate::runtime::{Dialogue, Mode};
use crate::{Error, Result};
use r2r::ParameterValue;
use std::time::Duration;

/// The reliability of an image subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reliability {
    /// As the publishers offer.
    Auto,
    /// Always best effort.
    BestEffort,
    /// Always reliable.
    Reliable,
}

/// The node's own settings.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSettings {
    /// When topic commands are answered.
    pub mode: Mode,
    /// Whether what was found is followed.
    pub tracking: bool,
    /// How the node talks.
    pub dialogue: Dialogue,
    /// Names of the cameras; one empty name for the camera without a name.
    pub cameras: Vec<String>,
    /// How images come.
    pub transport: Transport,
    /// Reliability of image subscriptions.
    pub reliability: Reliability,
    /// Whether there are depth images.
    pub depth: bool,
    /// The frame that 3D outputs are given in; empty for the image's.
    pub target_frame: String,
    /// The robot's frame, for words of place that mean the robot; empty for none.
    pub reference_frame: String,
    /// What is written on overlays.
    pub captions: Captions,
    /// Metres of one unit of 16-bit depth images.
    pub depth_scale: f64,
    /// Whether images are rectified.
    pub rectified: Rectified,
    /// Seconds; 0 for any age.
    pub max_frame_age: f64,
    /// How long a request or goal that states no timeout waits.
    pub request_timeout: Duration,
    /// Seconds.
    pub depth_tolerance: f64,
    /// Seconds.
    pub proposals_tolerance: f64,
    /// Seconds.
    pub proposals_wait: f64,
    /// Whether the node starts itself.
    pub autostart: bool,
    /// Seconds.
    pub diagnostics_period: f64,
    /// Whether the time comes from `/clock`.
    pub sim_time: bool,
}

impl NodeSettings {
    /// From the values of all parameters.
    ///
    /// # Errors
    /// When a value is none of those expected.
    pub fn of(values: &[ParameterValue]) -> Result<NodeSettings> {
        let value = |name: &str| position(name).map(|at| values[at].clone());
        let text = |name: &str| -> Result<String> { Ok(value(name)?.try_into().unwrap_or_default()) };
        let flag = |name: &str| -> Result<bool> { Ok(value(name)?.try_into().unwrap_or_default()) };
        let number = |name: &str| -> Result<f64> { Ok(value(name)?.try_into().unwrap_or_default()) };
        let reliability = match text("image_reliability")?.as_str() {
            "auto" => Reliability::Auto,
            "best_effort" => Reliability::BestEffort,
            "reliable" => Reliability::Reliable,
            other => {
                let fact = format!("{other:?} is unknown; expected auto, best_effort or reliable");
                return Err(Error::config("parameter image_reliability", fact));
            }
        };
        let mut cameras: Vec<String> = value("cameras")?.try_into().unwrap_or_default();
        for (index, name) in cameras.iter().enumerate() {
            let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !letters || name.starts_with(|c: char| c.is_ascii_digit()) || cameras[..index].contains(name) {
                let fact = format!("{name:?} can't name a camera; expected letters, digits and _, each name once");
                return Err(Error::config("parameter cameras", fact));
            }
        }
        if cameras.is_empty() {
            cameras.push(String::new());
        }
        Ok(NodeSettings {
            mode: Mode::parse(&text("mode")?)?,
            tracking: flag("tracking")?,
            dialogue: Dialogue {
                on_topics: flag("dialogue")?,
                timeout: Duration::try_from_secs_f64(number("dialogue_timeout")?).unwrap_or_default(),
            },
            cameras,
            transport: Transport::parse(&text("image_transport")?)?,
            reliability,
            depth: flag("depth")?,
            // as tf2 names frames; tf had a slash before them
            target_frame: text("target_frame")?.trim_start_matches('/').into(),
            reference_frame: text("reference_frame")?.trim_start_matches('/').into(),
            captions: Captions::parse(&text("captions")?)?,
            depth_scale: number("depth_scale")?,
            rectified: Rectified::parse(&text("rectified")?)?,
            max_frame_age: number("max_frame_age")?,
            request_timeout: Duration::try_from_secs_f64(number("request_timeout")?).unwrap_or_default(),
            depth_tolerance: number("depth_tolerance")?,
            proposals_tolerance: number("proposals_tolerance")?,
            proposals_wait: number("proposals_wait")?,
            autostart: flag("autostart")?,
            diagnostics_period: number("diagnostics_period")?,
            sim_time: flag("use_sim_time")?,
        })
    }
}
