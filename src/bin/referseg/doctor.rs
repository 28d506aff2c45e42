//! `referseg doctor`: what Referseg finds on this machine, and what helps where something is wrong.

use crate::stdout::print_line;
use crate::ModelArguments;
use referseg::doctor::{self, Finding};
use referseg::Result;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// How long to listen for other nodes, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
    #[cfg_attr(not(feature = "ros"), allow(dead_code))]
    listen: f64,
}

pub fn run(arguments: &Arguments) -> Result<u8> {
    let mut findings = doctor::machine();
    findings.extend(doctor::weights(arguments.model.config()));
    #[cfg(feature = "ros")]
    findings.extend(referseg::ros::doctor(std::time::Duration::from_secs_f64(arguments.listen.clamp(0.0, 600.0))));
    #[cfg(not(feature = "ros"))]
    findings.push(Finding::wrong(
        "ROS graph",
        "not looked at: this program was built without ROS",
        "build with scripts/build.sh, or cargo build --features ros",
    ));
    let mut wrong = 0;
    for Finding { subject, fact, remedy } in &findings {
        let mark = if remedy.is_empty() { "ok" } else { "!!" };
        print_line(format_args!("{mark}  {subject}: {fact}"))?;
        if !remedy.is_empty() {
            wrong += 1;
            print_line(format_args!("      -> {remedy}"))?;
        }
    }
    print_line(format_args!("{} checks, {wrong} need attention", findings.len()))?;
    Ok(u8::from(wrong > 0))
}
