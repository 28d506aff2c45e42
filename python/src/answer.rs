//! `Answer`: what was found for a command on an image.

use super::arrays::of_mask;
use numpy::ndarray::Array3;
use numpy::{IntoPyArray, PyArray2, PyArray3};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use referseg::answer::Answer;
use referseg::drawing;
use referseg::grounding::EncodedFrame;
use referseg::image::Mask;
use std::sync::Arc;

/// What was found for a command on an image: status, masks and boxes in image pixels, and how the command was read.
#[pyclass(name = "Answer", module = "referseg", frozen)]
pub struct PyAnswer {
    pub answer: Answer,
    pub frame: Arc<EncodedFrame>,
    pub described: serde_json::Value,
}

#[pymethods]
impl PyAnswer {
    /// All that was found: bool [h, w].
    #[getter]
    fn mask<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray2<bool>> {
        let nothing = Mask::empty(self.frame.frame.width(), self.frame.frame.height());
        of_mask(py, &self.answer.shown().map_or(nothing, |(mask, _)| mask))
    }

    /// Each thing found, best first: dicts with score, box, refined and mask, bool [h, w].
    #[getter]
    fn things(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let all = pythonize::pythonize(py, &self.described["things"])?;
        for (number, thing) in self.answer.found.iter().enumerate() {
            all.get_item(number)?.cast::<PyDict>()?.set_item("mask", of_mask(py, &thing.mask))?;
        }
        Ok(all.unbind())
    }

    /// Middle of the box of the best thing, (x, y) in image pixels; None when nothing was found.
    #[getter]
    fn point(&self) -> Option<(f64, f64)> {
        let rect = self.answer.found.first()?.mask.bounding_box()?;
        Some((rect.x as f64 + rect.width as f64 / 2.0, rect.y as f64 + rect.height as f64 / 2.0))
    }

    /// The image with the answer drawn on it: uint8 [h, w, 3].
    fn overlay<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<u8>>> {
        let frame = &self.frame.frame;
        let drawn = drawing::draw_things(frame, &self.answer.found, self.answer.destination.as_ref());
        let array = Array3::from_shape_vec((frame.height(), frame.width(), 3), drawn.to_vec());
        Ok(array.map_err(|cause| super::errors::RefersegError::new_err(cause.to_string()))?.into_pyarray(py))
    }

    /// One of the values of `as_dict`.
    fn value(&self, py: Python<'_>, key: &str) -> PyResult<Py<PyAny>> {
        Ok(pythonize::pythonize(py, &self.described[key])?.unbind())
    }

    /// All of it as plain dicts and lists: the object that `referseg segment --json` prints.
    fn as_dict(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(pythonize::pythonize(py, &self.described)?.unbind())
    }

    fn __repr__(&self) -> String {
        let word = |key: &str| self.described[key].as_str().unwrap_or_default().to_string();
        let rect = self.answer.shown().map_or_else(String::new, |(_, rect)| {
            format!(", box {}x{}+{}+{}", rect.width, rect.height, rect.x, rect.y)
        });
        let reason = if word("reason").is_empty() { String::new() } else { format!(" ({})", word("reason")) };
        format!("<Answer {} {:?} score {:.3}{rect}{reason}>", word("status"), word("target"), self.answer.score)
    }
}
