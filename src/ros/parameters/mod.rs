//! The node's parameters.

mod node_settings;
mod overrides;
mod table;
mod values;

pub use node_settings::{NodeSettings, Reliability};
pub use overrides::GivenParameters;
pub use table::{Kind, Spec, When, PARAMETERS};
pub use values::Parameters;
