//! Names: what a topic is called in the graph, after namespace and remapping, as rcl itself resolves it.
//!
//! r2r does not say; `camera_info` beside an image and `/compressed` below it follow from the remapped name
//! (image_transport, image_pipeline), so rcl's functions are called here.

use super::arguments::{c_text, Arguments};
use crate::{Error, Result};
use r2r_rcl::{
    rcl_allocator_t, rcl_arguments_t, rcl_ret_t, rcutils_get_default_allocator,
    rcutils_get_zero_initialized_string_map, rcutils_reset_error, rcutils_string_map_fini, rcutils_string_map_init,
    rcutils_string_map_t, RCL_RET_OK,
};
use std::ffi::{c_char, CStr, CString};

// in librcl, which r2r links; its bindings leave out their headers (rcl/expand_topic_name.h, rcl/remap.h)
extern "C" {
    fn rcl_expand_topic_name(
        input_topic_name: *const c_char,
        node_name: *const c_char,
        node_namespace: *const c_char,
        substitutions: *const rcutils_string_map_t,
        allocator: rcl_allocator_t,
        output_topic_name: *mut *mut c_char,
    ) -> rcl_ret_t;
    fn rcl_get_default_topic_name_substitutions(string_map: *mut rcutils_string_map_t) -> rcl_ret_t;
    fn rcl_remap_topic_name(
        local_arguments: *const rcl_arguments_t,
        global_arguments: *const rcl_arguments_t,
        topic_name: *const c_char,
        node_name: *const c_char,
        node_namespace: *const c_char,
        allocator: rcl_allocator_t,
        output_name: *mut *mut c_char,
    ) -> rcl_ret_t;
}

/// The names of one node.
pub struct Names {
    arguments: Arguments,
    node: CString,
    namespace: CString,
}

impl Names {
    /// The names of a node under the arguments of this process.
    ///
    /// # Errors
    /// When rcl refuses the arguments.
    pub fn of(arguments: &[String], node: &str, namespace: &str) -> Result<Names> {
        Ok(Names { arguments: Arguments::parse(arguments)?, node: c_text(node)?, namespace: c_text(namespace)? })
    }

    /// The full name of a topic given relative, private or absolute.
    ///
    /// # Errors
    /// When it is no valid name.
    pub fn topic(&self, name: &str) -> Result<String> {
        let asked = c_text(name)?;
        let invalid = || Error::config(format!("topic {name:?}"), "is not a valid ROS name");
        // Safety: all strings live through the calls; what rcl allocates is freed by its own allocator below
        unsafe {
            let allocator = rcutils_get_default_allocator();
            let mut substitutions = rcutils_get_zero_initialized_string_map();
            if rcutils_string_map_init(&mut substitutions, 0, allocator) != 0
                || rcl_get_default_topic_name_substitutions(&mut substitutions) != RCL_RET_OK as i32
            {
                return Err(invalid());
            }
            let mut expanded: *mut c_char = std::ptr::null_mut();
            let returned = rcl_expand_topic_name(
                asked.as_ptr(),
                self.node.as_ptr(),
                self.namespace.as_ptr(),
                &substitutions,
                allocator,
                &mut expanded,
            );
            rcutils_string_map_fini(&mut substitutions);
            if returned != RCL_RET_OK as i32 || expanded.is_null() {
                rcutils_reset_error();
                return Err(invalid());
            }
            let mut remapped: *mut c_char = std::ptr::null_mut();
            let returned = rcl_remap_topic_name(
                std::ptr::null(),
                self.arguments.as_ptr(),
                expanded,
                self.node.as_ptr(),
                self.namespace.as_ptr(),
                allocator,
                &mut remapped,
            );
            let chosen = if remapped.is_null() { expanded } else { remapped };
            let name = CStr::from_ptr(chosen).to_string_lossy().into_owned();
            for allocated in [expanded, remapped].into_iter().filter(|pointer| !pointer.is_null()) {
                if let Some(deallocate) = allocator.deallocate {
                    deallocate(allocated.cast(), allocator.state);
                }
            }
            if returned == RCL_RET_OK as i32 {
                Ok(name)
            } else {
                rcutils_reset_error();
                Err(invalid())
            }
        }
    }
}

/// The topic of a camera; cameras without a name have theirs at the top.
pub fn child_topic(camera: &str, topic: &str) -> String {
    if camera.is_empty() {
        topic.into()
    } else {
        format!("{camera}/{topic}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&str]) -> Names {
        let given: Vec<String> = arguments.iter().map(|argument| argument.to_string()).collect();
        Names::of(&given, "eye", "/robot1").unwrap()
    }

    #[test]
    fn names_are_expanded_and_remapped() {
        let plain = names(&["node"]);
        assert_eq!(plain.topic("image").unwrap(), "/robot1/image");
        assert_eq!(plain.topic("~/mask").unwrap(), "/robot1/eye/mask");
        assert_eq!(plain.topic("/abs/image").unwrap(), "/abs/image");
        let remapped =
            names(&["node", "--ros-args", "-r", "image:=/camera/color/image_raw", "-r", "left/image:=left/rgb"]);
        assert_eq!(remapped.topic("image").unwrap(), "/camera/color/image_raw");
        assert_eq!(remapped.topic("left/image").unwrap(), "/robot1/left/rgb");
        let other = names(&["node", "--ros-args", "-r", "other:image:=/not/ours"]);
        assert_eq!(other.topic("image").unwrap(), "/robot1/image");
        assert!(plain.topic("with space").is_err());
        assert!(plain.topic("nul\0name").is_err());
    }
}
