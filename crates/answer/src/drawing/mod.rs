//! Drawing: answers on images, for people.

mod canvas;
mod caption;
mod overlay;
mod thumbnail;

pub use canvas::Canvas;
pub use overlay::{describe, draw, draw_things, Captions};
pub use thumbnail::thumbnail;
