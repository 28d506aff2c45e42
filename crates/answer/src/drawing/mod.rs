//! Drawing: answers on images, for people.

mod canvas;
mod caption;
mod overlay;

pub use canvas::Canvas;
pub use overlay::{describe, draw, draw_things, Captions};
