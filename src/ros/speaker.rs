//! `Speaker`: a publisher that several threads may hold. r2r's may go from one to another, but not be shared.

use r2r::{Publisher, WrappedTypesupport};
use std::sync::{Mutex, PoisonError};

/// A publisher to be shared.
pub struct Speaker<T: WrappedTypesupport>(Mutex<Publisher<T>>);

impl<T: WrappedTypesupport + 'static> Speaker<T> {
    /// Of a publisher.
    pub fn new(publisher: Publisher<T>) -> Self {
        Speaker(Mutex::new(publisher))
    }

    /// Publishes; once the node has ended, nothing.
    pub fn say(&self, message: &T) {
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).publish(message);
    }
}
