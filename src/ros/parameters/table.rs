//! The table of the node's parameters: names, types, ranges, meanings.

use crate::{Error, Result};

/// What a parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// Several texts.
    Texts,
    /// Yes or no.
    Flag,
    /// A floating-point number.
    Number,
    /// A whole number.
    Count,
}

/// When a parameter may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Any time; takes effect with the next frame.
    Live,
    /// While the node is unconfigured: it is read when the node is configured.
    Reload,
    /// Never: it is read when the process starts.
    Start,
}

impl When {
    /// What `ros2 param describe` says about it.
    pub fn constraint(self) -> &'static str {
        match self {
            When::Live => "",
            When::Reload => "needs a reload: change it while the node is unconfigured, or restart the node",
            When::Start => "is read when the process starts; restart the node to change it",
        }
    }
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Its ROS name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The key of the configuration that it sets; empty for what concerns the node alone.
    pub key: &'static str,
    /// When it may change.
    pub when: When,
    /// Smallest and largest value of a number.
    pub range: Option<(f64, f64)>,
    /// Meaning and unit.
    pub description: &'static str,
}

const fn spec(name: &'static str, kind: Kind, key: &'static str, when: When, description: &'static str) -> Spec {
    Spec { name, kind, key, when, range: None, description }
}

impl Spec {
    const fn within(mut self, low: f64, high: f64) -> Spec {
        self.range = Some((low, high));
        self
    }
}

use Kind::{Count, Flag, Number, Text, Texts};
use When::{Live, Reload, Start};

/// All parameters, in the order of the table in docs/interface.md.
pub const PARAMETERS: [Spec; 43] = [
    spec(
        "mode",
        Text,
        "",
        Live,
        "continuous: answer every newest frame while a command is set; once: answer each command once, on the next frame",
    ),
    spec("tracking", Flag, "", Live, "Track what was found from frame to frame until the next answer, while anything below ~/track has a subscriber"),
    spec("dialogue", Flag, "", Live, "Understand commands on a topic as replies to the answers before them (\"the left one\", \"no, the other one\"). Requests name their conversation"),
    spec("dialogue_timeout", Number, "", Live, "Time without a command or request after which a conversation is forgotten, seconds of real time").within(1.0, 86_400.0),
    spec("model", Text, "model", Reload, "Model folder with config.json, model.safetensors and tokenizer.json"),
    spec(
        "config",
        Text,
        "",
        Reload,
        "YAML file of segmenter settings, or empty. Parameters set on the node override it",
    ),
    spec("device", Text, "device", Reload, "auto (first GPU, else CPU), cpu or cuda:N"),
    spec("dtype", Text, "dtype", Reload, "Data type of the models: auto (f16 on a GPU, else f32), f32, f16 or bf16"),
    spec("threads", Count, "threads", Start, "Compute threads of the whole process; 0 = one per core").within(0.0, 1024.0),
    spec("preset", Text, "preset", Live, "clean (CLIP's own preprocessing), paper (the paper's constants) or best (HybridGL with SAM, for real weights)"),
    spec(
        "method",
        Text,
        "method",
        Live,
        "global_local, hybrid_gl (ViT), or a baseline: cropping, region_token (ViT), score_map, grad_cam (ResNet)",
    ),
    spec(
        "guidance",
        Text,
        "guidance",
        Live,
        "full (places, orders, relations, exclusions and numbers also decide), hybridgl (boxes and a heat map, ViT) or none (similarity only)",
    ),
    spec("proposals", Text, "proposals.generator", Live, "regions, sam, prompted (SAM prompted at the regions), solo (a SOLO network such as FreeSOLO), topic (your own masks or boxes) or labels:FILE.png"),
    spec("solo_model", Text, "proposals.solo.model", Live, "SOLO weights, used by proposals solo"),
    spec("sam_model", Text, "proposals.sam.model", Live, "Segment Anything weights, used by proposals sam and prompted and by refine"),
    spec(
        "sam_preset",
        Text,
        "proposals.sam.preset",
        Live,
        "objects (whole objects, coarse grid) or everything (Segment Anything's own defaults)",
    ),
    spec("refine", Text, "refine", Live, "none, or sam: re-segment what was found with Segment Anything"),
    spec("proposal_limit", Count, "proposals.limit", Live, "Maximum number of proposals per frame").within(1.0, 1000.0),
    spec("parser", Text, "text.parser", Live, "How the target noun phrase is found: rules or dependency"),
    spec(
        "global_weight",
        Number,
        "visual.global_weight",
        Live,
        "Weight of the global visual feature; the local one has the rest",
    )
    .within(0.0, 1.0),
    spec("sentence_weight", Number, "text.sentence_weight", Live, "Weight of the sentence feature; the noun phrase has the rest")
        .within(0.0, 1.0),
    spec("footprint", Number, "placement.footprint", Live, "Diameter of the target's footprint at its destination, metres; 0 = its own size in the image. Needs depth").within(0.0, 10.0),
    spec("clearance", Number, "placement.clearance", Live, "Free space required around the footprint, metres. Needs depth").within(0.0, 10.0),
    spec("min_score", Number, "answer.min_score", Live, "Threshold: below this score the answer is NOT_FOUND").within(-1.0, 1.0),
    spec(
        "min_margin",
        Number,
        "answer.min_margin",
        Live,
        "Threshold: with a smaller lead over the runner-up the answer is AMBIGUOUS",
    )
    .within(0.0, 2.0),
    spec(
        "static_tolerance",
        Number,
        "live.static_tolerance",
        Live,
        "A frame is not encoded again if no 8x8 block changed its mean colour by more than this many levels; 0 = always encode",
    )
    .within(0.0, 255.0),
    spec(
        "cameras",
        Texts,
        "",
        Reload,
        "Camera names, each with its own topics NAME/image and ~/NAME/...; empty for one unnamed camera",
    ),
    spec("image_transport", Text, "", Reload, "raw (sensor_msgs/Image) or compressed (sensor_msgs/CompressedImage)"),
    spec(
        "image_reliability",
        Text,
        "",
        Reload,
        "auto (match the publisher), best_effort (accept every publisher) or reliable (only reliable publishers)",
    ),
    spec("depth", Flag, "", Reload, "Subscribe to depth images and publish 3D outputs"),
    spec("target_frame", Text, "", Reload, "Frame of the 3D outputs, looked up in /tf at the image's stamp; empty for the image's optical frame"),
    spec(
        "reference_frame",
        Text,
        "",
        Reload,
        "Robot frame (x forward, y left, z up) for words such as 'on your left', with depth and /tf; empty to judge them in the image",
    ),
    spec("captions", Text, "", Reload, "Text on the overlays: line (status, score and target) or terms (also command, reading and scoring terms, below the image)"),
    spec("depth_scale", Number, "", Live, "Metres of one unit of 16-bit depth images; 32FC1 is in metres").within(1e-6, 1.0),
    spec("rectified", Text, "", Live, "Whether depth and colour images are rectified (projection matrix P) or raw (K and distortion D): auto (by the words rect or undist in their topics' names), true or false"),
    spec("max_frame_age", Number, "", Live, "Maximum age of a frame that is answered, seconds of the node's clock since its stamp, or since its arrival where stamps are of another clock; 0 for any").within(0.0, 3600.0),
    spec("request_timeout", Number, "", Live, "How long a request or goal that states no timeout waits, seconds").within(0.1, 3600.0),
    spec("depth_tolerance", Number, "", Live, "Maximum stamp difference between depth and colour, seconds")
        .within(0.0, 1.0),
    spec("proposals_tolerance", Number, "", Live, "Maximum stamp difference between external proposals and their image, seconds").within(0.0, 1.0),
    spec("proposals_wait", Number, "", Live, "How long an image waits for external proposals before it is answered with an error, seconds").within(0.05, 60.0),
    spec("autostart", Flag, "", Start, "Configure and activate on startup"),
    spec("diagnostics_period", Number, "", Start, "Period of /diagnostics, seconds").within(0.1, 60.0),
    spec("use_sim_time", Flag, "", Live, "Take time from /clock"),
];

/// How errors name a parameter.
pub fn subject(spec: &Spec) -> String {
    format!("parameter {}", spec.name)
}

/// The place of a parameter in the table.
///
/// # Errors
/// When there is none of this name.
pub fn position(name: &str) -> Result<usize> {
    let at = PARAMETERS.iter().position(|spec| spec.name == name);
    at.ok_or_else(|| Error::config(format!("parameter {name}"), "is unknown"))
}
