//! `SharedPublisher`: a typed publisher that several threads may hold. r2r's may go from one to another, but not be
//! shared.

use super::lock::lock;
use r2r::{Publisher, WrappedTypesupport};
use std::sync::Mutex;

/// A publisher to be shared.
pub struct SharedPublisher<T: WrappedTypesupport>(Mutex<Publisher<T>>);

impl<T: WrappedTypesupport + 'static> SharedPublisher<T> {
    /// Shares a publisher.
    pub fn new(publisher: Publisher<T>) -> Self {
        SharedPublisher(Mutex::new(publisher))
    }

    /// Publishes; once the node has ended, nothing.
    pub fn publish(&self, message: &T) {
        let _ = lock(&self.0).publish(message);
    }
}
