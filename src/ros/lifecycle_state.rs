//! `State`: the states of a managed node (design.ros2.org/articles/node_lifecycle.html).

use r2r::lifecycle_msgs::msg::State as StateMessage;

/// A primary state, or the one between two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is loaded.
    Unconfigured,
    /// The model is loaded; nothing is listened to.
    Inactive,
    /// Frames and commands are answered.
    Active,
    /// The end.
    Finalized,
    /// On the way.
    Configuring,
    /// On the way.
    CleaningUp,
    /// On the way.
    ShuttingDown,
    /// On the way.
    Activating,
    /// On the way.
    Deactivating,
    /// After a transition that failed.
    ErrorProcessing,
}

use State::{
    Activating, Active, CleaningUp, Configuring, Deactivating, ErrorProcessing, Finalized, Inactive, ShuttingDown,
    Unconfigured,
};

impl State {
    /// All of them.
    pub const ALL: [State; 10] = [
        Unconfigured, Inactive, Active, Finalized, Configuring, CleaningUp, ShuttingDown, Activating, Deactivating,
        ErrorProcessing,
    ];

    /// Id and label of `lifecycle_msgs/msg/State`.
    fn named(self) -> (i64, &'static str) {
        type M = StateMessage;
        match self {
            Unconfigured => (M::PRIMARY_STATE_UNCONFIGURED as i64, "unconfigured"),
            Inactive => (M::PRIMARY_STATE_INACTIVE as i64, "inactive"),
            Active => (M::PRIMARY_STATE_ACTIVE as i64, "active"),
            Finalized => (M::PRIMARY_STATE_FINALIZED as i64, "finalized"),
            Configuring => (M::TRANSITION_STATE_CONFIGURING as i64, "configuring"),
            CleaningUp => (M::TRANSITION_STATE_CLEANINGUP as i64, "cleaningup"),
            ShuttingDown => (M::TRANSITION_STATE_SHUTTINGDOWN as i64, "shuttingdown"),
            Activating => (M::TRANSITION_STATE_ACTIVATING as i64, "activating"),
            Deactivating => (M::TRANSITION_STATE_DEACTIVATING as i64, "deactivating"),
            ErrorProcessing => (M::TRANSITION_STATE_ERRORPROCESSING as i64, "errorprocessing"),
        }
    }

    /// The label.
    pub fn label(self) -> &'static str {
        self.named().1
    }

    /// The message.
    pub fn message(self) -> StateMessage {
        let (id, label) = self.named();
        StateMessage { id: id as u8, label: label.into() }
    }
}
