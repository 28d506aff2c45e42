//! Progress bars with the time that is left, on a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use referseg::recordings::bag::Bag;

/// A bar over so many `things`.
pub fn bar(count: u64, things: &str) -> ProgressBar {
    styled(ProgressBar::new(count), &format!("{{bar:30}} {{pos}}/{{len}} {things}, {{eta}} left"))
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A bar over the bytes of recordings that are read.
pub struct ReadingBar<'a> {
    bags: &'a [Bag],
    bar: ProgressBar,
}

impl<'a> ReadingBar<'a> {
    /// For recordings that are read so many times.
    pub fn new(bags: &'a [Bag], times: u64) -> ReadingBar<'a> {
        let bytes: u64 = bags.iter().flat_map(Bag::files).map(|file| file.bytes).sum();
        let bar = styled(ProgressBar::new(bytes * times), "{bar:30} {bytes}/{total_bytes}, {eta} left");
        ReadingBar { bags, bar }
    }

    /// Shows how far the reading is.
    pub fn show(&self) {
        let length = self.bar.length().unwrap_or_default();
        self.bar.set_position(self.bags.iter().map(Bag::bytes_read).sum::<u64>().min(length));
    }
}

impl Drop for ReadingBar<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
