//! The ROS 2 node. Topics and parameters are described in docs/interface.md.

use std::process::ExitCode;

/// For C and C++ as well (the feature `override`): images come and go on many threads, and glibc's arenas, which give little back, grew for
/// hours (docs/reliability.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match referseg::ros::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("referseg_node: {error}");
            ExitCode::FAILURE
        }
    }
}
