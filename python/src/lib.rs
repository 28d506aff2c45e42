//! Referseg as a Python module: `referseg._referseg`, which `python/referseg` makes a package of.
//!
//! Work runs on a thread of its own without the interpreter's lock, so that other Python threads go on, Ctrl-C is heard, and a panic becomes an
//! exception.

mod answer;
mod arrays;
mod errors;
mod segmenter;
mod working;

use pyo3::prelude::*;
use referseg::config::Config;
use referseg::language::{Command, CommandParser};

/// The reading of a command, as plain dicts and lists: what `referseg parse` prints (docs/language.md).
#[pyfunction]
fn parse(py: Python<'_>, text: &str) -> PyResult<Py<PyAny>> {
    let read = || -> referseg::Result<_> {
        let text = Command::parse(text)?;
        let settings = Config::from_layers(&[])?.text;
        let parsed = CommandParser::open(settings.parser, &settings.parser_model)?.parse(text.text());
        Ok(referseg::answer_json::reading(text.text(), &parsed))
    };
    Ok(pythonize::pythonize(py, &read().map_err(errors::raised)?)?.unbind())
}

#[pymodule]
fn _referseg(module: &Bound<'_, PyModule>) -> PyResult<()> {
    errors::register(module)?;
    module.add_class::<segmenter::PySegmenter>()?;
    module.add_class::<segmenter::PyFrame>()?;
    module.add_class::<segmenter::PyConversation>()?;
    module.add_class::<answer::PyAnswer>()?;
    module.add_function(wrap_pyfunction!(parse, module)?)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
