//! Referseg's errors as Python exceptions with the same messages.

use pyo3::create_exception;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use referseg::Error;

create_exception!(
    referseg,
    RefersegError,
    PyRuntimeError,
    "Anything that Referseg can't do; the message says what was expected and the remedy."
);
create_exception!(referseg, BadModel, RefersegError, "A model's file is absent, damaged or of another kind.");
create_exception!(referseg, BadImage, RefersegError, "An image, its masks or its depth can't be used.");
create_exception!(referseg, BadSetting, RefersegError, "A setting is unknown or out of range, or a device is absent.");
create_exception!(referseg, BadCommand, RefersegError, "A text that is no command.");

/// The exception of an error.
pub fn raised(error: Error) -> PyErr {
    let said = error.to_string();
    match error {
        Error::Model { .. } | Error::Fetch { .. } => BadModel::new_err(said),
        Error::Image(_) | Error::Proposals(_) => BadImage::new_err(said),
        Error::Config { .. } | Error::Device { .. } => BadSetting::new_err(said),
        Error::Command(_) => BadCommand::new_err(said),
        _ => RefersegError::new_err(said),
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("RefersegError", py.get_type::<RefersegError>())?;
    module.add("BadModel", py.get_type::<BadModel>())?;
    module.add("BadImage", py.get_type::<BadImage>())?;
    module.add("BadSetting", py.get_type::<BadSetting>())?;
    module.add("BadCommand", py.get_type::<BadCommand>())
}
