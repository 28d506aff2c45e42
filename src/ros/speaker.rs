//! `Speaker`: a publisher that several threads may hold. r2r's may go from one to another, but not be shared.

use super::lock;
use r2r::{Publisher, WrappedTypesupport};
use std::sync::Mutex;

/// A publisher to be shared.
pub struct Speaker<T: WrappedTypesupport>(Mutex<Publisher<T>>);

impl<T: WrappedTypesupport + 'static> Speaker<T> {
    /// Of a publisher.
    pub fn new(publisher: Publisher<T>) -> Self {
        Speaker(Mutex::new(publisher))
    }

    /// Publishes; once the node has ended, nothing.
    pub fn say(&self, message: &T) {
        let _ = lock(&self.0).publish(message);
    }
}
