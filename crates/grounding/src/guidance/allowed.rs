//! `Allowed`: the proposals that a command may mean, in a conversation.

/// Which proposals a command may mean, by what was shown before it.
pub struct Allowed {
    /// For each proposal, whether it may be meant.
    pub proposals: Vec<bool>,
    /// They were found to be of the kind meant, so the noun is not judged again.
    pub of_the_kind: bool,
}
