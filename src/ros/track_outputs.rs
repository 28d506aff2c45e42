//! `TrackOutputs`: the publishers of followed things, and which part of a followed frame goes to which.

use super::camera_frame::{CameraFrame, CameraFrames};
use super::lock::lock;
use super::logger::Logger;
use super::names::child_topic;
use super::outputs::{CameraEndpoints, CameraStats, Reply};
use super::publisher::RawPublisher;
use crate::answer::{FrameResult, Status};
use crate::drawing::Captions;
use crate::image::Frame;
use crate::recordings::{
    convert, encode, to_cdr, CompressedImage, Detection2DArray, Image, Object, PointCloud2, PointStamped, Segmentation,
};
use crate::runtime::TrackHost;
use crate::tracking::FollowedFrame;
use r2r::{Node, PublisherUntyped, QosProfile};
use std::sync::{Arc, Mutex};

struct CameraTracks {
    name: String,
    track: RawPublisher,
    mask: RawPublisher,
    overlay: RawPublisher,
    overlay_compressed: RawPublisher,
    detections: RawPublisher,
    object: RawPublisher,
    point: RawPublisher,
    cloud: RawPublisher,
    stats: Arc<Mutex<CameraStats>>,
}

impl CameraTracks {
    fn all(&self) -> [&RawPublisher; 8] {
        let CameraTracks { track, mask, overlay, overlay_compressed, detections, object, point, cloud, .. } = self;
        [track, mask, overlay, overlay_compressed, detections, object, point, cloud]
    }
}

/// The worker's host for followed things.
pub struct TrackOutputs {
    cameras: Vec<Mutex<CameraTracks>>,
    /// The same publishers, for asking who subscribes: that must not wait for what is being published.
    heard: Vec<Mutex<Vec<RawPublisher>>>,
    captions: Captions,
    logger: Logger,
    inputs: CameraFrames,
}

impl TrackOutputs {
    /// Opens the publishers of all cameras.
    ///
    /// # Errors
    /// When ROS refuses.
    pub fn open(
        node: &mut Node,
        cameras: &[CameraEndpoints],
        captions: Captions,
        logger: Logger,
        inputs: CameraFrames,
    ) -> r2r::Result<TrackOutputs> {
        let results = || QosProfile::default().reliable().keep_last(10);
        let mut open = |camera: &CameraEndpoints| {
            let topic = |last: &str| format!("~/{}", child_topic(&camera.name, last));
            let [object, point, cloud] = match camera.depth {
                true => [
                    RawPublisher::open::<Object>(node, &topic("track/object"), results())?,
                    RawPublisher::open::<PointStamped>(node, &topic("track/point"), results())?,
                    RawPublisher::open::<PointCloud2>(node, &topic("track/cloud"), results())?,
                ],
                false => [RawPublisher::absent(), RawPublisher::absent(), RawPublisher::absent()],
            };
            Ok::<_, r2r::Error>(CameraTracks {
                name: camera.name.clone(),
                track: RawPublisher::open::<Segmentation>(node, &topic("track"), results())?,
                mask: RawPublisher::open::<Image>(node, &topic("track/mask"), results())?,
                overlay: RawPublisher::open::<Image>(node, &topic("track/overlay"), results())?,
                overlay_compressed: RawPublisher::open::<CompressedImage>(
                    node,
                    &topic("track/overlay/compressed"),
                    results(),
                )?,
                detections: RawPublisher::open_if_known::<Detection2DArray>(
                    node,
                    &topic("track/detections"),
                    results(),
                )?,
                object,
                point,
                cloud,
                stats: camera.stats.clone(),
            })
        };
        let cameras = cameras.iter().map(&mut open).collect::<r2r::Result<Vec<_>>>()?;
        let heard = cameras.iter().map(|camera| Mutex::new(camera.all().map(RawPublisher::clone).to_vec())).collect();
        Ok(TrackOutputs { cameras: cameras.into_iter().map(Mutex::new).collect(), heard, captions, logger, inputs })
    }

    /// All publishers, to be taken from the graph at cleanup.
    pub fn publishers(&self) -> Vec<PublisherUntyped> {
        let of_camera =
            |heard: &Mutex<Vec<RawPublisher>>| lock(heard).iter().filter_map(RawPublisher::inner).collect::<Vec<_>>();
        self.heard.iter().flat_map(of_camera).collect()
    }
}

impl TrackHost<CameraFrame> for TrackOutputs {
    type Reply = Reply;

    fn wanted(&self, camera: usize) -> bool {
        lock(&self.heard[camera]).iter().any(RawPublisher::is_subscribed)
    }

    fn deliver(&self, input: &CameraFrame, camera: usize, frame: &Frame, followed: &FollowedFrame) {
        let (header, outputs) = (&input.input.header, &*lock(&self.cameras[camera]));
        let in_space = [&outputs.track, &outputs.object, &outputs.point, &outputs.cloud];
        let seen = in_space.into_iter().any(RawPublisher::is_subscribed).then(|| {
            self.inputs.find_depth(camera, input, true);
            self.inputs.seen(input)
        });
        let seen = seen.flatten();
        let mut lost = 0;
        for (at, result) in followed.each(camera, frame).enumerate() {
            lost += u64::from(result.status() == Status::Lost);
            let object = seen.as_ref().map(|seen| convert::located(header, &result, seen));
            if outputs.track.is_subscribed() {
                let mask = encode::mask(header, &result);
                outputs.track.publish(&encode::segmentation(header, &outputs.name, &result, &mask, object.as_ref()));
            }
            if let Some(Ok(object)) = &object {
                outputs.object.publish(object);
                if at == 0 {
                    // of several things the best is the one to reach for
                    outputs.point.publish(&PointStamped { header: object.header.clone(), point: object.point });
                }
            }
        }
        let together = followed.together(camera, frame);
        if outputs.mask.is_subscribed() {
            outputs.mask.publish(&encode::mask(header, &together));
        }
        if outputs.detections.is_subscribed() {
            outputs.detections.publish(&encode::detections(header, &together));
        }
        if let (Some(Ok(seen)), true) = (&seen, outputs.cloud.is_subscribed()) {
            if let Some(cloud) = convert::cloud(header, &together, seen) {
                outputs.cloud.publish(&cloud);
            }
        }
        self.publish_overlay(outputs, input, frame, &together);
        let mut stats = lock(&outputs.stats);
        stats.followed += followed.things.len() as u64 - lost;
        stats.lost += lost;
    }

    fn reply(&self, input: &CameraFrame, result: &FrameResult) -> Reply {
        self.inputs.find_depth(result.camera, input, true);
        let (header, seen) = (&input.input.header, self.inputs.seen(input));
        let object = seen.as_ref().map(|seen| convert::located(header, result, seen));
        let (mask, name) = (encode::mask(header, result), lock(&self.cameras[result.camera]).name.clone());
        let message = encode::segmentation(header, &name, result, &mask, object.as_ref());
        to_cdr(&message).map_err(|error| self.logger.warn_throttled("reply", &error.to_string())).ok()
    }
}

impl TrackOutputs {
    fn publish_overlay(&self, outputs: &CameraTracks, input: &CameraFrame, frame: &Frame, result: &FrameResult) {
        let (raw, compressed) = (outputs.overlay.is_subscribed(), outputs.overlay_compressed.is_subscribed());
        if !raw && !compressed {
            return;
        }
        let drawn = encode::overlay(&input.input.header, frame, result, self.captions);
        if raw {
            outputs.overlay.publish(&drawn);
        }
        if compressed {
            match encode::compressed(&drawn) {
                Ok(message) => outputs.overlay_compressed.publish(&message),
                Err(error) => self.logger.warn_throttled("overlay", &error.to_string()),
            }
        }
    }
}
