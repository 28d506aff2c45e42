//! `Finding`: one thing that was looked at, how it is, and what helps.

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub subject: String,
    /// How it is.
    pub fact: String,
    /// What helps; empty when all is well.
    pub remedy: String,
}

impl Finding {
    /// All is well.
    pub fn fine(subject: &str, fact: impl Into<String>) -> Finding {
        Finding { subject: subject.into(), fact: fact.into(), remedy: String::new() }
    }

    /// Something is wrong.
    pub fn wrong(subject: &str, fact: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { subject: subject.into(), fact: fact.into(), remedy: remedy.into() }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self.remedy.as_str() {
            "" => write!(f, "{}: {}", self.subject, self.fact),
            remedy => write!(f, "{}: {}; {remedy}", self.subject, self.fact),
        }
    }
}

/// An environment variable that is set and not empty.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_with_a_remedy_says_all_three_parts() {
        let wrong = Finding::wrong("log folder", "/x can't be written", "set ROS_LOG_DIR");
        assert_eq!(wrong.to_string(), "log folder: /x can't be written; set ROS_LOG_DIR");
        assert_eq!(Finding::fine("middleware", "rmw_x").to_string(), "middleware: rmw_x");
    }
}
