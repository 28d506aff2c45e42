//! `Segmenter`: a loaded model with its settings; `Frame`: an encoded image; `Conversation`: commands that are replies to each other.

use super::answer::PyAnswer;
use super::arrays;
use super::errors::{raised, RefersegError};
use super::working::beside;
use numpy::PyArray2;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use referseg::answer::Answer;
use referseg::answer_json::describe;
use referseg::camera::{check_aligned, DepthImage};
use referseg::config::{Config, Layer};
use referseg::dialogue::{ask_back, Conversation};
use referseg::grounding::{EncodedFrame, ProposedFrame, Segmenter};
use referseg::image::{Frame, Mask};
use referseg::language::Command;
use referseg::proposals::FrameInput;
use referseg::{Error, Result};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A loaded model with its settings. Threads may share it.
#[pyclass(name = "Segmenter", module = "referseg", frozen)]
pub struct PySegmenter {
    segmenter: Arc<Segmenter>,
}

/// An encoded image, for many commands.
#[pyclass(name = "Frame", module = "referseg", frozen)]
pub struct PyFrame {
    frame: Arc<EncodedFrame>,
}

/// Commands of which each is heard in the light of those before.
#[pyclass(name = "Conversation", module = "referseg", frozen)]
pub struct PyConversation {
    segmenter: Arc<Segmenter>,
    state: Arc<Mutex<Conversation>>,
}

/// What belongs to an image.
struct Given {
    frame: Frame,
    proposals: Option<Vec<referseg::proposals::Proposal>>,
    depth: Option<DepthImage>,
}

/// An image: an array, or a path of a file, which is read as the command line reads it.
fn opened(image: &Bound<'_, PyAny>) -> PyResult<Frame> {
    match image.extract::<PathBuf>() {
        Ok(path) => referseg::image::open(&path).map_err(raised),
        Err(_) => arrays::frame(image),
    }
}

fn given(
    image: &Bound<'_, PyAny>,
    masks: Option<&Bound<'_, PyAny>>,
    depth: Option<&Bound<'_, PyAny>>,
    depth_scale: f64,
    intrinsics: Option<[f64; 4]>,
) -> PyResult<Given> {
    let frame = opened(image)?;
    let proposals = masks.map(|masks| arrays::proposals(masks, &frame)).transpose()?;
    let depth = depth.map(|depth| arrays::depth(depth, depth_scale, intrinsics)).transpose()?;
    if let Some(depth) = &depth {
        check_aligned(&Mask::empty(frame.width(), frame.height()), depth)
            .map_err(|fact| super::errors::BadImage::new_err(format!("depth: {fact}")))?;
    }
    Ok(Given { frame, proposals, depth })
}

fn encoded(segmenter: &Segmenter, given: &Given) -> Result<EncodedFrame> {
    let depth = given.depth.as_ref();
    match &given.proposals {
        Some(proposals) => {
            let (fingerprint, time) = (segmenter.fingerprints().visual, Duration::ZERO);
            let proposed = ProposedFrame { proposals: proposals.clone(), fingerprint, time };
            segmenter.encode_proposed(&given.frame, depth, proposed)
        }
        None => segmenter.encode_frame(&FrameInput { depth, ..FrameInput::single(&given.frame) }),
    }
}

/// The answer to a text, in a conversation where there is one.
fn answered(
    segmenter: &Segmenter,
    frame: &EncodedFrame,
    text: &str,
    conversation: Option<&mut Conversation>,
) -> Result<Answer> {
    let command = Command::parse(text)?;
    let Some(conversation) = conversation else {
        let command = segmenter.encode_command(&command)?;
        let mut answer = segmenter.answer(frame, &command)?;
        answer.question = ask_back(segmenter, frame, &command, &answer)?;
        return Ok(answer);
    };
    let command = conversation.hear(segmenter, &command)?;
    let mut answer = segmenter.answer(frame, &command)?;
    answer.question = ask_back(segmenter, frame, &command, &answer)?;
    conversation.answered(segmenter, frame, &answer);
    Ok(answer)
}

fn shown(text: &str, frame: Arc<EncodedFrame>, answer: Answer) -> Result<PyAnswer> {
    let answered = Ok(answer);
    let described = describe(text, &frame, &answered);
    Ok(PyAnswer { answer: answered?, frame, described })
}

#[pymethods]
impl PySegmenter {
    /// Opens a model. `settings` is YAML of the configuration's keys, `config` a file of it, below them.
    #[new]
    #[pyo3(signature = (model, config, settings))]
    fn new(py: Python<'_>, model: Option<PathBuf>, config: Option<PathBuf>, settings: String) -> PyResult<PySegmenter> {
        let segmenter = beside(py, move || {
            let mut layers = Vec::new();
            if let Some(config) = config {
                layers.push(Layer::read(&config)?);
            }
            layers.push(Layer::parse("settings", &settings)?);
            if let Some(model) = model {
                let model = model.to_str().ok_or_else(|| Error::config("model", "a path that is no UTF-8"))?;
                layers.push(Layer::value("model", "model", model));
            }
            Segmenter::open(Config::from_layers(&layers)?)
        })?;
        Ok(PySegmenter { segmenter: Arc::new(segmenter) })
    }

    /// Encodes an image once, for many commands.
    #[pyo3(signature = (image, *, masks=None, depth=None, depth_scale=0.001, intrinsics=None))]
    fn encode(
        &self,
        py: Python<'_>,
        image: &Bound<'_, PyAny>,
        masks: Option<&Bound<'_, PyAny>>,
        depth: Option<&Bound<'_, PyAny>>,
        depth_scale: f64,
        intrinsics: Option<[f64; 4]>,
    ) -> PyResult<PyFrame> {
        let given = given(image, masks, depth, depth_scale, intrinsics)?;
        let segmenter = self.segmenter.clone();
        let frame = beside(py, move || encoded(&segmenter, &given))?;
        Ok(PyFrame { frame: Arc::new(frame) })
    }

    /// Answers a command on an encoded image.
    fn answer(&self, py: Python<'_>, frame: &PyFrame, text: String) -> PyResult<PyAnswer> {
        let (segmenter, frame) = (self.segmenter.clone(), frame.frame.clone());
        beside(py, move || {
            let answer = answered(&segmenter, &frame, &text, None)?;
            shown(&text, frame, answer)
        })
    }

    /// Finds what a command means in an image.
    #[pyo3(signature = (image, text, *, masks=None, depth=None, depth_scale=0.001, intrinsics=None))]
    #[allow(clippy::too_many_arguments)] // they are Python's keywords
    fn segment(
        &self,
        py: Python<'_>,
        image: &Bound<'_, PyAny>,
        text: String,
        masks: Option<&Bound<'_, PyAny>>,
        depth: Option<&Bound<'_, PyAny>>,
        depth_scale: f64,
        intrinsics: Option<[f64; 4]>,
    ) -> PyResult<PyAnswer> {
        let given = given(image, masks, depth, depth_scale, intrinsics)?;
        let segmenter = self.segmenter.clone();
        beside(py, move || {
            let frame = Arc::new(encoded(&segmenter, &given)?);
            let answer = answered(&segmenter, &frame, &text, None)?;
            shown(&text, frame, answer)
        })
    }

    /// The proposals of an image: dicts with mask (bool [h, w]), box, and quality.
    fn proposals(&self, py: Python<'_>, image: &Bound<'_, PyAny>) -> PyResult<Vec<Py<PyDict>>> {
        let frame = opened(image)?;
        let segmenter = self.segmenter.clone();
        let proposed = beside(py, move || segmenter.propose(&FrameInput::single(&frame)))?;
        let one = |proposal: &referseg::proposals::Proposal| {
            let dict = PyDict::new(py);
            dict.set_item("mask", arrays::of_mask(py, &proposal.mask))?;
            dict.set_item("box", pythonize::pythonize(py, &proposal.mask.bounding_box())?)?;
            dict.set_item("quality", proposal.quality)?;
            Ok(dict.unbind())
        };
        proposed.proposals.iter().map(one).collect()
    }

    /// Begins a conversation.
    fn conversation(&self) -> PyConversation {
        PyConversation { segmenter: self.segmenter.clone(), state: Arc::default() }
    }

    /// Where it computes: "cpu" or a GPU's name.
    #[getter]
    fn device(&self) -> String {
        self.segmenter.device_name()
    }

    fn __repr__(&self) -> String {
        let file = self.segmenter.weights_file().display().to_string();
        format!("<Segmenter {file} on {}>", self.segmenter.device_name())
    }
}

#[pymethods]
impl PyFrame {
    /// Rows, columns.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.frame.frame.height(), self.frame.frame.width())
    }

    /// Masks of the proposals, bool [h, w] each.
    #[getter]
    fn masks<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyArray2<bool>>> {
        self.frame.proposals.iter().map(|proposal| arrays::of_mask(py, &proposal.mask)).collect()
    }

    fn __repr__(&self) -> String {
        let (height, width) = self.shape();
        format!("<Frame {width}x{height}, {} proposals>", self.frame.proposals.len())
    }
}

#[pymethods]
impl PyConversation {
    /// Answers what is said next, on the frame as it is now.
    fn say(&self, py: Python<'_>, frame: &PyFrame, text: String) -> PyResult<PyAnswer> {
        let (segmenter, state, frame) = (self.segmenter.clone(), self.state.clone(), frame.frame.clone());
        beside(py, move || {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = answered(&segmenter, &frame, &text, Some(&mut state))?;
            shown(&text, frame, answer)
        })
    }

    /// What the conversation is about, in one line; empty when nothing was said.
    #[getter]
    fn state(&self) -> PyResult<String> {
        let state = self.state.try_lock().map_err(|_| RefersegError::new_err("the conversation is answering"))?;
        Ok(state.state())
    }

    /// Forgets all that was said.
    fn clear(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Conversation::default();
    }

    fn __repr__(&self) -> String {
        format!("<Conversation {:?}>", self.state().unwrap_or_default())
    }
}
