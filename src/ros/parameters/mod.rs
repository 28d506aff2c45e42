//! The node's parameters.

mod given;
mod node_settings;
mod table;
mod values;

pub use given::GivenParameters;
pub use node_settings::{NodeSettings, Reliability};
pub use table::{Kind, Spec, When, PARAMETERS};
pub use values::Parameters;
