//! `ResultMessages`: the messages of one result, and [`Output`], the list of topics that they go to.
//!
//! The node's answers, its tracking and `referseg replay` publish from this one list, so the same result gives the same bytes in all
//! of them.

use super::cdr::{to_cdr, MessageType};
use super::referseg::{Destination, Object, Segmentation};
use super::ros_messages::{
    CompressedImage, Detection2DArray, Detection3DArray, Header, Image, LabelInfo, PointCloud2, PointStamped,
    PoseStamped,
};
use super::{convert, encode};
use referseg_answer::drawing::Captions;
use referseg_answer::FrameResult;
use referseg_camera::DepthView;
use referseg_files::Result;
use std::cell::OnceCell;

/// A part of a result that has a topic of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// The whole result.
    Segmentation,
    /// 255 inside what was found.
    Mask,
    /// The class id of each pixel.
    LabelMask,
    /// 255 times the score inside what was found.
    Confidence,
    /// The frame with the result drawn on it.
    Overlay,
    /// The same as JPEG.
    OverlayCompressed,
    /// A 2D detection for each object.
    Detections,
    /// What the values of the label mask mean.
    LabelInfo,
    /// Where the best object is, with its pose and size.
    Object,
    /// Where the best object is.
    Point,
    /// The points of all objects.
    Cloud,
    /// A 3D detection for each object.
    Detections3d,
    /// Where the target shall go.
    Destination,
    /// 255 where it may go.
    DestinationMask,
    /// The best place in space.
    DestinationPoint,
    /// The same, with the surface's normal as z axis.
    DestinationPose,
}

impl Output {
    /// All of them.
    pub const ALL: [Output; 16] = [
        Output::Segmentation,
        Output::Mask,
        Output::LabelMask,
        Output::Confidence,
        Output::Overlay,
        Output::OverlayCompressed,
        Output::Detections,
        Output::LabelInfo,
        Output::Object,
        Output::Point,
        Output::Cloud,
        Output::Detections3d,
        Output::Destination,
        Output::DestinationMask,
        Output::DestinationPoint,
        Output::DestinationPose,
    ];
    /// Those that tracked objects have too, below `track`.
    pub const TRACKED: [Output; 8] = [
        Output::Segmentation,
        Output::Mask,
        Output::Overlay,
        Output::OverlayCompressed,
        Output::Detections,
        Output::Object,
        Output::Point,
        Output::Cloud,
    ];

    /// The topic's name and its message type.
    fn describe(self) -> (&'static str, &'static str) {
        match self {
            Output::Segmentation => ("segmentation", Segmentation::TYPE),
            Output::Mask => ("mask", Image::TYPE),
            Output::LabelMask => ("label_mask", Image::TYPE),
            Output::Confidence => ("confidence", Image::TYPE),
            Output::Overlay => ("overlay", Image::TYPE),
            Output::OverlayCompressed => ("overlay/compressed", CompressedImage::TYPE),
            Output::Detections => ("detections", Detection2DArray::TYPE),
            Output::LabelInfo => ("label_info", LabelInfo::TYPE),
            Output::Object => ("object", Object::TYPE),
            Output::Point => ("point", PointStamped::TYPE),
            Output::Cloud => ("cloud", PointCloud2::TYPE),
            Output::Detections3d => ("detections_3d", Detection3DArray::TYPE),
            Output::Destination => ("destination", Destination::TYPE),
            Output::DestinationMask => ("destination/mask", Image::TYPE),
            Output::DestinationPoint => ("destination/point", PointStamped::TYPE),
            Output::DestinationPose => ("destination/pose", PoseStamped::TYPE),
        }
    }

    /// The topic of an answer, relative to its camera.
    pub fn topic(self) -> String {
        self.describe().0.into()
    }

    /// The topic of a tracked object, relative to its camera.
    pub fn track_topic(self) -> String {
        match self {
            Output::Segmentation => "track".into(),
            _ => format!("track/{}", self.describe().0),
        }
    }

    /// The message type, `package/msg/Name`.
    pub fn message_type(self) -> &'static str {
        self.describe().1
    }

    /// Whether it exists for cameras with depth alone.
    pub fn is_in_space(self) -> bool {
        use Output::{Cloud, DestinationPoint, DestinationPose, Detections3d, Object, Point};
        matches!(self, Object | Point | Cloud | Detections3d | DestinationPoint | DestinationPose)
    }

    /// Whether it is a picture, which takes time to make.
    pub fn is_picture(self) -> bool {
        use Output::{Confidence, DestinationMask, LabelMask, Mask, Overlay, OverlayCompressed};
        matches!(self, Mask | LabelMask | Confidence | Overlay | OverlayCompressed | DestinationMask)
    }
}

/// The messages of a result, each made when it is asked for.
pub struct ResultMessages<'r> {
    header: &'r Header,
    camera: &'r str,
    result: &'r FrameResult<'r>,
    captions: Captions,
    min_score: f32,
    /// What the camera saw in depth, or why there is nothing; `None` for cameras without depth.
    view: Option<&'r std::result::Result<DepthView, String>>,
    objects: OnceCell<Option<Vec<std::result::Result<Object, String>>>>,
    pose: OnceCell<Option<std::result::Result<PoseStamped, String>>>,
    mask: OnceCell<Image<'static>>,
    overlay: OnceCell<Image<'static>>,
}

impl<'r> ResultMessages<'r> {
    /// Of a result on an image with this header. `camera`: its name, empty for the only one.
    pub fn new(header: &'r Header, camera: &'r str, result: &'r FrameResult<'r>) -> ResultMessages<'r> {
        ResultMessages {
            header,
            camera,
            result,
            captions: Captions::default(),
            min_score: 0.0,
            view: None,
            objects: OnceCell::new(),
            pose: OnceCell::new(),
            mask: OnceCell::new(),
            overlay: OnceCell::new(),
        }
    }

    /// With what the camera saw in depth, or why there is nothing.
    pub fn with_depth(self, view: Option<&'r std::result::Result<DepthView, String>>) -> ResultMessages<'r> {
        ResultMessages { view, ..self }
    }

    /// With these captions on overlays.
    pub fn with_captions(self, captions: Captions) -> ResultMessages<'r> {
        ResultMessages { captions, ..self }
    }

    /// With the threshold that `label_info` states.
    pub fn with_min_score(self, min_score: f32) -> ResultMessages<'r> {
        ResultMessages { min_score, ..self }
    }

    /// Where each found object is, or why that is not known; `None` for cameras without depth.
    fn located(&self) -> Option<&[std::result::Result<Object, String>]> {
        let located = || self.view.map(|view| convert::located(self.header, self.result, view));
        self.objects.get_or_init(located).as_deref()
    }

    /// The objects whose place in space is known, best first.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.located().unwrap_or_default().iter().filter_map(|object| object.as_ref().ok())
    }

    /// The best object, where its place in space is known; of several objects the best is the one to reach for.
    fn best_object(&self) -> Option<&Object> {
        self.located()?.first()?.as_ref().ok()
    }

    /// The pose of the destination, or why that is not known; `None` without a place, and for cameras without depth.
    fn destination_pose(&self) -> Option<&std::result::Result<PoseStamped, String>> {
        let placed = || convert::destination_pose(self.header, self.result, self.view?);
        self.pose.get_or_init(placed).as_ref()
    }

    /// The pose of the destination, where it is known.
    pub fn placed(&self) -> Option<&PoseStamped> {
        self.destination_pose()?.as_ref().ok()
    }

    fn mask(&self) -> &Image<'static> {
        self.mask.get_or_init(|| encode::mask(self.header, self.result))
    }

    fn overlay(&self) -> Option<&Image<'static>> {
        let frame = self.result.frame?;
        Some(self.overlay.get_or_init(|| encode::overlay(self.header, frame, self.result, self.captions)))
    }

    /// The message of an output as CDR; `None` where the result has none: without pixels there is [`Output::Segmentation`] alone.
    ///
    /// # Errors
    /// When the image has sides that JPEG can't have.
    pub fn cdr(&self, output: Output) -> Result<Option<Vec<u8>>> {
        let (header, result) = (self.header, self.result);
        if result.frame.is_none() && output != Output::Segmentation {
            return Ok(None);
        }
        let message = match output {
            Output::Segmentation => {
                let (objects, pose) = (self.located(), self.destination_pose());
                Some(to_cdr(&encode::segmentation(header, self.camera, result, self.mask(), objects, pose)))
            }
            Output::Mask => Some(to_cdr(self.mask())),
            Output::LabelMask => Some(to_cdr(&encode::label_mask(header, result))),
            Output::Confidence => Some(to_cdr(&encode::confidence(header, result))),
            Output::Overlay => self.overlay().map(to_cdr),
            Output::OverlayCompressed => match self.overlay() {
                Some(overlay) => Some(to_cdr(&encode::compressed(overlay)?)),
                None => None,
            },
            Output::Detections => Some(to_cdr(&encode::detections(header, result))),
            Output::LabelInfo => Some(to_cdr(&encode::label_info(header, result.target(), self.min_score))),
            Output::Object => self.best_object().map(to_cdr),
            Output::Point => self
                .best_object()
                .map(|object| to_cdr(&PointStamped { header: object.header.clone(), point: object.point })),
            Output::Cloud => {
                let cloud = self.view.and_then(|view| convert::cloud(header, result, view.as_ref().ok()?));
                cloud.map(|cloud| to_cdr(&cloud))
            }
            Output::Detections3d => Some(to_cdr(&encode::detections_3d(header, self.objects()))),
            Output::Destination => {
                let found = result.destination();
                found.map(|found| to_cdr(&encode::destination(header, found, self.destination_pose())))
            }
            Output::DestinationMask => result.destination().map(|_| to_cdr(&encode::destination_mask(header, result))),
            Output::DestinationPoint => self
                .placed()
                .map(|placed| to_cdr(&PointStamped { header: placed.header.clone(), point: placed.pose.position })),
            Output::DestinationPose => self.placed().map(to_cdr),
        };
        message.transpose()
    }
}
