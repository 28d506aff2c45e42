//! `Arguments`: the ROS arguments of this process, as rcl reads them.

use crate::{Error, Result};
use r2r_rcl::{
    rcl_arguments_fini, rcl_arguments_t, rcl_get_zero_initialized_arguments, rcl_parse_arguments,
    rcutils_get_default_allocator, rcutils_reset_error, RCL_RET_OK,
};
use std::ffi::{c_char, CString};

/// A text for rcl.
///
/// # Errors
/// When it has a NUL in it.
pub fn c_text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::config(format!("name {text:?}"), "has a NUL in it"))
}

/// Arguments that rcl has read.
pub struct Arguments(rcl_arguments_t);

// they are read only after they were parsed
unsafe impl Send for Arguments {}

impl Arguments {
    /// Reads arguments, the program's name among them.
    ///
    /// # Errors
    /// When rcl refuses them.
    pub fn parse(given: &[String]) -> Result<Arguments> {
        let given = given.iter().map(|argument| c_text(argument)).collect::<Result<Vec<_>>>()?;
        let pointers: Vec<*const c_char> = given.iter().map(|argument| argument.as_ptr()).collect();
        // Safety: the pointers are of live C strings, as many as said; rcl copies what it keeps
        let (returned, arguments) = unsafe {
            let mut arguments = rcl_get_zero_initialized_arguments();
            let allocator = rcutils_get_default_allocator();
            (rcl_parse_arguments(pointers.len() as i32, pointers.as_ptr(), allocator, &mut arguments), arguments)
        };
        if returned != RCL_RET_OK as i32 {
            // Safety: no preconditions
            unsafe { rcutils_reset_error() };
            let given: Vec<_> = given.iter().skip(1).map(|argument| argument.to_string_lossy()).collect();
            return Err(Error::config("ROS arguments", format!("refused by rcl: {}", given.join(" "))));
        }
        Ok(Arguments(arguments))
    }

    /// For rcl's functions; valid as long as this lives.
    pub fn as_ptr(&self) -> *const rcl_arguments_t {
        &self.0
    }
}

impl Drop for Arguments {
    fn drop(&mut self) {
        // Safety: parsed by rcl and not used after
        unsafe { rcl_arguments_fini(&mut self.0) };
    }
}
