//! Drawing: answers on images, for people.

mod caption;
mod overlay;
mod thumbnail;

pub use overlay::{describe, draw};
pub use thumbnail::thumbnail;
