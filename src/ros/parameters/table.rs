//! The table of the node's parameters: names, types, ranges, meanings.

use crate::error::{Error, Result};

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
    /// Any time; in force from the next frame on.
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

/// All parameters, in the order of the README's table.
pub const PARAMETERS: [Spec; 34] = [
    spec(
        "mode",
        Text,
        "",
        Live,
        "continuous: every newest frame while a command is set; once: one answer per command, on the next frame",
    ),
    spec("tracking", Flag, "", Live, "Whether what was found is followed into every frame until the next answer, for whoever subscribes to ~/track"),
    spec("model", Text, "model", Reload, "Model folder with config.json, model.safetensors and tokenizer.json"),
    spec(
        "config",
        Text,
        "",
        Reload,
        "YAML file of segmenter settings; empty for none. Parameters set on the node override it",
    ),
    spec("device", Text, "device", Reload, "auto (first GPU, else CPU), cpu or cuda:N"),
    spec("dtype", Text, "dtype", Reload, "Type that models compute in: auto (f16 on a GPU, else f32), f32, f16 or bf16"),
    spec("threads", Count, "threads", Start, "Threads that compute, for the whole process; 0 for one a core").within(0.0, 1024.0),
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
        "full (places, orders, relations, exclusions, numbers decide too), hybridgl (boxes and a heat map, ViT) or none (similarity alone)",
    ),
    spec("proposals", Text, "proposals.generator", Live, "regions, sam, prompted (sam asked where regions are), topic (masks or boxes of yours) or labels:FILE.png"),
    spec("sam_model", Text, "proposals.sam.model", Live, "Weights of Segment Anything for proposals sam and prompted, and refine"),
    spec(
        "sam_preset",
        Text,
        "proposals.sam.preset",
        Live,
        "objects (whole things, coarse grid) or everything (Segment Anything's own defaults)",
    ),
    spec("refine", Text, "refine", Live, "none, or sam: the mask of a thing that was found is made anew by Segment Anything"),
    spec("proposal_limit", Count, "proposals.limit", Live, "Maximum proposals per frame").within(1.0, 1000.0),
    spec("parser", Text, "text.parser", Live, "How the target's noun phrase is found: rules or dependency"),
    spec(
        "global_weight",
        Number,
        "visual.global_weight",
        Live,
        "Weight of the global visual feature against the local one",
    )
    .within(0.0, 1.0),
    spec("sentence_weight", Number, "text.sentence_weight", Live, "Weight of the sentence against the noun phrase")
        .within(0.0, 1.0),
    spec("min_score", Number, "answer.min_score", Live, "Score below which the answer is NOT_FOUND").within(-1.0, 1.0),
    spec(
        "min_margin",
        Number,
        "answer.min_margin",
        Live,
        "Lead over the best other thing below which the answer is AMBIGUOUS",
    )
    .within(0.0, 2.0),
    spec(
        "static_tolerance",
        Number,
        "live.static_tolerance",
        Live,
        "Largest change of an 8x8 block's mean colour, levels, in a frame that is not encoded again; 0: encode each",
    )
    .within(0.0, 255.0),
    spec("pipelined", Flag, "live.pipelined", Live, "Whether the next frame's proposals are looked for while this one's features are computed"),
    spec(
        "cameras",
        Texts,
        "",
        Reload,
        "Names of cameras, each with its own topics NAME/image and ~/NAME/...; empty for one camera without a name",
    ),
    spec("image_transport", Text, "", Reload, "raw (sensor_msgs/Image) or compressed (sensor_msgs/CompressedImage)"),
    spec(
        "image_reliability",
        Text,
        "",
        Reload,
        "auto (as the publisher offers), best_effort (takes every publisher) or reliable (only reliable publishers)",
    ),
    spec("depth", Flag, "", Reload, "Whether to subscribe to depth images and publish 3D outputs"),
    spec("target_frame", Text, "", Reload, "Frame that 3D outputs are given in, by /tf at the image's stamp; empty for the image's optical frame"),
    spec(
        "reference_frame",
        Text,
        "",
        Reload,
        "The robot's frame (x forward, y left, z up), for words that mean the robot or gravity, with depth and /tf; empty: the picture's",
    ),
    spec("depth_tolerance", Number, "", Live, "Largest time between a depth image and its image, seconds")
        .within(0.0, 1.0),
    spec("proposals_tolerance", Number, "", Live, "Largest time between proposals on a topic and their image, seconds").within(0.0, 1.0),
    spec("proposals_wait", Number, "", Live, "Longest time that images wait for proposals on a topic until an answer says that none come, seconds").within(0.05, 60.0),
    spec("autostart", Flag, "", Start, "Whether the node configures and activates itself at the start"),
    spec("diagnostics_period", Number, "", Start, "Period of /diagnostics, seconds").within(0.1, 60.0),
    spec("use_sim_time", Flag, "", Live, "Whether time comes from /clock"),
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
