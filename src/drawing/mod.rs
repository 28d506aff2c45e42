//! Drawing: answers on images, for people.

mod caption;
mod overlay;
mod thumbnail;

pub use overlay::{describe, draw, draw_things};
pub use thumbnail::thumbnail;
