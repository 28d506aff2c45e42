//! `Logger`: the node's log, on the console and on `/rosout`, and the last problem for diagnostics.
//!
//! r2r writes to the console alone; what rcl would let through by its log level is published here as well.

use super::lock::lock;
use super::shared_publisher::SharedPublisher;
use crate::warnings;
use r2r::rcl_interfaces::msg::Log;
use r2r::{Clock, Node, QosProfile};
use std::collections::HashMap;
use std::ffi::CString;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Between two messages of one kind that may come with every frame.
const PAUSE: Duration = Duration::from_secs(5);
/// Messages that late listeners still get, and for how long (rclcpp's rosout profile).
const KEPT: usize = 1000;
const LIFESPAN: Duration = Duration::from_secs(10);

#[derive(Clone, Copy)]
enum Level {
    Info,
    Warn,
    Error,
}

struct Throttled {
    last: Instant,
    held_back: u32,
}

/// The node's log.
#[derive(Clone)]
pub struct Logger(Arc<Inner>);

struct Inner {
    logger: String,
    clock: Arc<Mutex<Clock>>,
    rosout: SharedPublisher<Log>,
    throttled: Mutex<HashMap<String, Throttled>>,
    last_problem: Mutex<String>,
}

impl Logger {
    /// The log of a node.
    ///
    /// # Errors
    /// When `/rosout` can't be published.
    pub fn of(node: &mut Node) -> r2r::Result<Logger> {
        let mut profile = QosProfile::default().reliable().transient_local().keep_last(KEPT);
        profile.lifespan = LIFESPAN;
        let rosout = node.create_publisher("/rosout", profile)?;
        let logger = Logger(Arc::new(Inner {
            logger: node.logger().to_string(),
            clock: node.get_ros_clock(),
            rosout: SharedPublisher::new(rosout),
            throttled: Mutex::default(),
            last_problem: Mutex::default(),
        }));
        let of_libraries = Arc::downgrade(&logger.0);
        warnings::forward(move |text| {
            of_libraries.upgrade().into_iter().for_each(|inner| Logger(inner).warn(text));
        });
        Ok(logger)
    }

    /// What a user may want to know.
    pub fn info(&self, text: &str) {
        self.write(Level::Info, text);
    }

    /// What a user should fix.
    pub fn warn(&self, text: &str) {
        self.write(Level::Warn, text);
    }

    /// What keeps the node from working.
    pub fn error(&self, text: &str) {
        self.write(Level::Error, text);
    }

    /// A warning that may come with every frame: written at most every five seconds for each `kind`.
    pub fn warn_throttled(&self, kind: &str, text: &str) {
        let held_back = {
            let mut throttled = lock(&self.0.throttled);
            let now = Instant::now();
            match throttled.get_mut(kind) {
                Some(known) if now - known.last < PAUSE => {
                    known.held_back += 1;
                    drop(throttled);
                    self.remember(text);
                    return;
                }
                known => {
                    let held_back = known.map_or(0, |known| known.held_back);
                    throttled.insert(kind.into(), Throttled { last: now, held_back: 0 });
                    held_back
                }
            }
        };
        match held_back {
            0 => self.warn(text),
            count => self.warn(&format!("{text} ({count} more like it since the last warning)")),
        }
    }

    /// The last warning or error; empty when there was none.
    pub fn last_problem(&self) -> String {
        lock(&self.0.last_problem).clone()
    }

    fn remember(&self, text: &str) {
        *lock(&self.0.last_problem) = text.into();
    }

    fn write(&self, level: Level, text: &str) {
        let inner = &self.0;
        // NUL ends a string in C
        let text = &text.replace('\0', " ");
        let severity = match level {
            Level::Info => Log::INFO as u8,
            Level::Warn => Log::WARN as u8,
            Level::Error => Log::ERROR as u8,
        };
        match level {
            Level::Info => r2r::log_info!(&inner.logger, "{text}"),
            Level::Warn => r2r::log_warn!(&inner.logger, "{text}"),
            Level::Error => r2r::log_error!(&inner.logger, "{text}"),
        }
        if !matches!(level, Level::Info) {
            self.remember(text);
        }
        let Ok(logger) = CString::new(inner.logger.as_str()) else { return };
        // Safety: a live C string
        if !unsafe { r2r_rcl::rcutils_logging_logger_is_enabled_for(logger.as_ptr(), severity.into()) } {
            return;
        }
        let now = lock(&inner.clock).get_now().unwrap_or_default();
        inner.rosout.publish(&Log {
            stamp: Clock::to_builtin_time(&now),
            level: severity,
            name: inner.logger.clone(),
            msg: text.clone(),
            ..Default::default()
        });
    }
}
