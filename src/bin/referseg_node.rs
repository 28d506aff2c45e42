//! The ROS 2 node. Topics and parameters are described in the README.

use std::process::ExitCode;

fn main() -> ExitCode {
    match referseg::ros::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("referseg_node: {error}");
            ExitCode::FAILURE
        }
    }
}
