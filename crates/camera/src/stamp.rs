//! `Stamp`: when an image was taken, and in which coordinate frame.

/// An image's time and coordinate frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Nanoseconds since the epoch (of the clock that stamped it).
    pub nanoseconds: i64,
    /// Whether the driver gives no stamps, and this is when the message was received.
    pub is_arrival: bool,
    /// The coordinate frame's id.
    pub frame_id: String,
}

impl Stamp {
    /// Of a message's header; without a stamp in it (0), of its arrival.
    pub fn new(nanoseconds: i64, frame_id: &str, arrival: i64) -> Stamp {
        let is_arrival = nanoseconds == 0;
        Stamp { nanoseconds: if is_arrival { arrival } else { nanoseconds }, is_arrival, frame_id: frame_id.into() }
    }
}
