//! A command that this build leaves out, because the node does not need it: whatever its arguments, it says how to get it.

use referseg::{Error, Result};

#[derive(clap::Args)]
pub struct Arguments {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    ignored: Vec<String>,
}

/// Refuses; `feature` is the Cargo feature that the command needs.
pub fn run(_: &Arguments, feature: &str) -> Result<u8> {
    let fact = format!(
        "was made without the feature {feature}; `cargo build --release --features {feature}` adds this command to \
         target/release/referseg"
    );
    Err(Error::config("of this build", fact))
}
