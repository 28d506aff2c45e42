//! `CameraFrame`: a camera's image message with the depth image that belongs to it.

use super::lock::lock;
use super::logger::Logger;
use super::node_thread::Ros;
use super::parameters::Parameters;
use super::transforms::SharedTransforms;
use crate::camera::{CameraModel, DepthBuffer, DepthGeometry, DepthImage, DepthView, RobotView, Stamp, TargetFrame};
use crate::image::ExternalProposals;
use crate::image::Frame;
use crate::recordings::{convert, DepthMessage, ExternalProposalsMessage, Input};
use crate::runtime::FrameReader;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a depth image may come after its image.
const DEPTH_WAIT: Duration = Duration::from_millis(100);

/// From how far apart stamp and arrival are not of one clock, seconds.
const OTHER_CLOCK: f64 = 86_400.0;

/// A depth message with its camera's calibration, or why there is none.
type Nearest = Result<(Arc<DepthMessage>, CameraModel), String>;

/// The last depth images of a camera as bytes, and their arrivals.
#[derive(Default)]
pub struct SharedDepth {
    /// The images.
    pub buffer: Mutex<DepthBuffer<Arc<DepthMessage>>>,
    /// Notified with every arrival.
    pub arrived: Condvar,
    /// The full names of the depth topic and of the image topic.
    pub topics: [String; 2],
}

impl SharedDepth {
    /// Of a depth topic and the image topic that it belongs to.
    pub fn of(topics: [String; 2]) -> SharedDepth {
        SharedDepth { topics, ..SharedDepth::default() }
    }

    /// The depth image of an image. With `wait`, waits a moment for one that may still come.
    fn nearest(&self, image: &Stamp, tolerance: f64, wait: bool) -> Nearest {
        let end = Instant::now() + if wait { DEPTH_WAIT } else { Duration::ZERO };
        let mut buffer = lock(&self.buffer);
        loop {
            let found = buffer.nearest(image, tolerance);
            let left = end.saturating_duration_since(Instant::now());
            if found.is_ok() || left.is_zero() || !buffer.may_come(image) {
                return found;
            }
            buffer = self.arrived.wait_timeout(buffer, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// A camera's frame. Its depth is looked up when the frame is worked on: later, when it is answered, newer depth images
/// have taken its place. What was not there then is looked up again with every answer.
pub struct CameraFrame {
    /// The image message.
    pub input: Input,
    /// When it was received, by the node's clock.
    arrival: Duration,
    depth: Mutex<Option<Nearest>>,
    /// Its external proposals, or why there are none; `None` where the generator needs none.
    given: Option<Result<ExternalProposalsMessage, String>>,
}

impl CameraFrame {
    /// Of an image message received at a time of the node's clock.
    pub fn new(input: Input, arrival: Duration) -> CameraFrame {
        CameraFrame { input, arrival, depth: Mutex::new(None), given: None }
    }

    /// With its external proposals, or why there are none.
    pub fn with_given(self, given: Result<ExternalProposalsMessage, String>) -> CameraFrame {
        CameraFrame { given: Some(given), ..self }
    }

    /// The frame of its camera.
    fn frame_id(&self) -> &str {
        &self.input.header.frame_id
    }

    /// When the image was taken, nanoseconds since the epoch; 0 when its driver gives no stamps.
    pub fn stamp(&self) -> i64 {
        self.input.header.stamp.nanoseconds()
    }

    /// The same with its frame; without a stamp, when it was received.
    fn taken(&self) -> Stamp {
        convert::stamp(&self.input.header, self.arrival.as_nanos() as i64)
    }

    /// Seconds since the image was taken. Stamps of another clock (a day or more from its arrival: a recording played without its
    /// clock, a driver that counts from its start) say nothing of the age; then, since it was received.
    fn age(&self, now: Duration) -> f64 {
        let since_arrival = now.saturating_sub(self.arrival).as_secs_f64();
        let before_arrival = self.arrival.as_secs_f64() - self.taken().nanoseconds as f64 / 1e9;
        if before_arrival.abs() < OTHER_CLOCK {
            since_arrival + before_arrival
        } else {
            since_arrival
        }
    }

    /// Looks the depth image up, unless it was found before.
    pub fn find_depth(&self, depth: &SharedDepth, tolerance: f64, wait: bool) {
        if matches!(&*lock(&self.depth), Some(Ok(_))) {
            return;
        }
        let found = depth.nearest(&self.taken(), tolerance, wait);
        *lock(&self.depth) = Some(found);
    }

    /// The depth image with its camera, or why there is none; `None` for cameras without depth. Points are in its optical frame.
    fn seen(&self, geometry: DepthGeometry) -> Option<Result<DepthView, String>> {
        let nearest = lock(&self.depth).clone()?;
        Some(nearest.and_then(|(depth, model)| depth.seen_by(&model, geometry)))
    }
}

/// Reads the frames of all cameras, each with its depth.
#[derive(Clone)]
pub struct CameraFrames {
    /// The last depth images of each camera that has depth.
    pub depths: Vec<Option<Arc<SharedDepth>>>,
    /// For the tolerance of stamps.
    pub parameters: Arc<Mutex<Parameters>>,
    /// For `target_frame` and `reference_frame`.
    pub transforms: Arc<SharedTransforms>,
    /// For the node's clock.
    pub ros: Ros,
    /// For what can't be said in a result.
    pub logger: Logger,
}

impl CameraFrames {
    /// What a frame's camera saw in depth, with points in `target_frame`, or why there is nothing; `None` for cameras without depth.
    pub fn seen(&self, camera: usize, frame: &CameraFrame) -> Option<Result<DepthView, String>> {
        let view = frame.seen(self.geometry(camera))?;
        let target = lock(&self.parameters).node().target_frame.clone();
        if target.is_empty() {
            return Some(view);
        }
        Some(view.and_then(|view| {
            let from_camera = self.transforms.lookup(&target, frame.frame_id(), frame.stamp(), true)?;
            Ok(DepthView { target: Some(TargetFrame { frame_id: target, from_camera }), ..view })
        }))
    }

    /// How the values of a camera's depth images become points.
    fn geometry(&self, camera: usize) -> DepthGeometry {
        let parameters = lock(&self.parameters);
        let node = parameters.node();
        let topics = self.depths.get(camera).and_then(|depth| Some(&depth.as_ref()?.topics));
        let is_rectified = topics.is_some_and(|[depth, image]| node.rectified.holds(&[depth, image]));
        DepthGeometry { metres_per_unit: node.depth_scale, is_rectified }
    }

    /// A depth image whose camera's place in `reference_frame` is known, where that is asked for and the transforms say so.
    fn in_robots_frame(&self, frame: &CameraFrame, view: DepthView) -> DepthImage {
        let reference = lock(&self.parameters).node().reference_frame.clone();
        if reference.is_empty() {
            return view.depth;
        }
        match self.transforms.lookup(&reference, frame.frame_id(), frame.stamp(), true) {
            Ok(from_camera) => {
                let frame = TargetFrame { frame_id: reference, from_camera };
                view.depth.in_robots_frame(RobotView { camera: view.camera, frame })
            }
            Err(fact) => {
                let fact = format!("reference_frame: {fact}; words of place are judged in the picture");
                self.logger.warn_throttled("reference_frame", &fact);
                view.depth
            }
        }
    }

    /// Looks up the depth image of a frame, if the camera has depth.
    pub fn find_depth(&self, camera: usize, frame: &CameraFrame, wait: bool) {
        if let Some(Some(depth)) = self.depths.get(camera) {
            frame.find_depth(depth, lock(&self.parameters).node().depth_tolerance, wait);
        }
    }
}

impl FrameReader<CameraFrame> for CameraFrames {
    fn image(&self, frame: &CameraFrame) -> crate::Result<Frame> {
        frame.input.frame()
    }

    fn decode(&self, camera: usize, frame: &CameraFrame) -> crate::Result<Frame> {
        self.find_depth(camera, frame, true);
        self.image(frame)
    }

    fn stamp(&self, frame: &CameraFrame) -> Option<i64> {
        Some(frame.taken().nanoseconds)
    }

    fn too_old(&self, frame: &CameraFrame) -> Option<String> {
        let most = lock(&self.parameters).node().max_frame_age;
        let age = frame.age(self.ros.now());
        (most > 0.0 && age > most).then(|| {
            format!("the newest image is {age:.3} s old; expected at most {most:.3} s (parameter max_frame_age). Is its camera running?")
        })
    }

    fn given(&self, frame: &CameraFrame) -> Option<Result<ExternalProposals, String>> {
        let given = frame.given.as_ref()?;
        Some(given.as_ref().map_err(String::clone).and_then(|given| given.read().map_err(|error| error.to_string())))
    }

    fn depth(&self, camera: usize, frame: &CameraFrame) -> Option<DepthImage> {
        let view = frame.seen(self.geometry(camera))?.ok()?;
        Some(self.in_robots_frame(frame, view))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recordings::{to_cdr, Header, Image, Time, Transport};

    #[test]
    fn depth_that_came_late_is_found_by_a_later_answer() {
        let header = Header { stamp: Time { sec: 5, nanosec: 0 }, frame_id: "eye".into() };
        let image = Image { header: header.clone(), ..Default::default() };
        let frame = CameraFrame::new(Input::new(Transport::Raw, to_cdr(&image).unwrap()).unwrap(), Duration::ZERO);
        let depth = SharedDepth::default();
        frame.find_depth(&depth, 0.02, false);
        assert!(frame
            .seen(DepthGeometry::default())
            .unwrap()
            .unwrap_err()
            .contains("no depth image has been received"));
        lock(&depth.buffer).set_model(CameraModel::default());
        lock(&depth.buffer).push(
            convert::stamp(&header, 0),
            0,
            Arc::new(DepthMessage::new(Transport::Raw, to_cdr(&image).unwrap())),
        );
        frame.find_depth(&depth, 0.02, false);
        // it is read now: an empty image of no depth encoding
        assert!(frame.seen(DepthGeometry::default()).unwrap().unwrap_err().contains("unsupported depth encoding"));
    }

    #[test]
    fn a_frames_age_is_that_of_its_stamp_or_where_that_is_of_another_clock_since_its_arrival() {
        let frame = |sec: i32, arrival: u64| {
            let header = Header { stamp: Time { sec, nanosec: 0 }, frame_id: "eye".into() };
            let image = Image { header, ..Default::default() };
            let input = Input::new(Transport::Raw, to_cdr(&image).unwrap()).unwrap();
            CameraFrame::new(input, Duration::from_secs(arrival))
        };
        let now = Duration::from_secs(2_000_000_010);
        assert_eq!(frame(2_000_000_000, 2_000_000_009).age(now), 10.0, "it came late");
        assert_eq!(frame(0, 2_000_000_009).age(now), 1.0, "no stamp");
        assert_eq!(frame(1_500_000_000, 2_000_000_009).age(now), 1.0, "played from a recording");
        assert_eq!(frame(2_000_000_000, 2_000_000_000).age(now), 10.0, "the camera is dead");
    }
}
