//! Warnings of Referseg's crates, which know neither ROS nor a console: records of the crate `log`, handed to whoever shows them.

use log::{Level, LevelFilter, Log, Metadata, Record};

struct Forwarding<S>(S);

impl<S: Fn(&str) + Send + Sync> Log for Forwarding<S> {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= Level::Warn && metadata.target().starts_with("referseg")
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            (self.0)(&record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Shows warnings with `show` from now on; the first call in a process counts.
pub fn forward(show: impl Fn(&str) + Send + Sync + 'static) {
    if log::set_boxed_logger(Box::new(Forwarding(show))).is_ok() {
        log::set_max_level(LevelFilter::Warn);
    }
}
