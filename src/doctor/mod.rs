//! What `referseg doctor` looks at, and what the node says when it can't start.

mod finding;
mod machine;
pub mod ros_environment;
mod weights;

pub use finding::Finding;
pub use machine::machine;
pub use weights::weights;
