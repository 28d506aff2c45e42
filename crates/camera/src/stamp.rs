//! `Stamp`: when an image was taken, and in which coordinate frame.

/// An image's time and coordinate frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Nanoseconds since the epoch (of the clock that stamped it).
    pub nanoseconds: i64,
    /// The coordinate frame's id.
    pub frame_id: String,
}
