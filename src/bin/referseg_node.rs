//! The ROS 2 node. Topics and parameters are described in docs/interface.md.

use std::process::ExitCode;

/// For C and C++ as well (the feature `override`): images come and go on many threads, and glibc's arenas, which give little back, grew for
/// hours (docs/reliability.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HELP: &str = "\
referseg_node: the ROS 2 node of Referseg

Usage: referseg_node [--ros-args [-p NAME:=VALUE] [-r FROM:=TO] [--params-file FILE] ...]
       referseg_node --help | --version

Topics, services and parameters: docs/interface.md. With a launch file: ros2 launch referseg referseg.launch.py --show-args
Check machine, ROS and weights: referseg doctor";

fn main() -> ExitCode {
    // what follows --ros-args is rcl's
    let own = std::env::args().skip(1).take_while(|argument| argument != "--ros-args");
    for argument in own {
        match argument.as_str() {
            "--help" | "-h" => {
                println!("{HELP}");
                return ExitCode::SUCCESS;
            }
            "--version" | "-V" => {
                println!("referseg_node {}", env!("CARGO_PKG_VERSION"));
                return ExitCode::SUCCESS;
            }
            _ => {} // rcl takes and passes on what is not its own
        }
    }
    match referseg::ros::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("referseg_node: {error}");
            ExitCode::FAILURE
        }
    }
}
