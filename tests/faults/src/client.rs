//! The clients: each repeats what was not answered, with the same key, until it is, and keeps what was acknowledged.

pub(crate) mod burst;
mod http;
mod live;

pub(crate) use burst::{Burst, Play};
pub(crate) use http::Http;
pub(crate) use live::Live;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use uuid::Uuid;

/// Is one acknowledged write.
#[derive(Clone, Debug)]
pub(crate) struct Ack {
    pub(crate) key: Uuid,
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) answer: Value,
}

/// What the clients of one project know for certain.
#[derive(Default)]
pub(crate) struct Record {
    inner: Mutex<Inner>,
}

#[derive(Clone, Default)]
pub(crate) struct Inner {
    pub(crate) edits: Vec<Ack>,
    pub(crate) runs: Vec<Ack>,
    pub(crate) publishes: Vec<Ack>,
    /// The number of the last acknowledged edit of each model.
    pub(crate) last: BTreeMap<usize, usize>,
    /// The run as it was when it had finished.
    pub(crate) finished: Vec<Value>,
    /// The publication as it was when it had ended.
    pub(crate) published: Vec<Value>,
    next: usize,
}

impl Record {
    pub(crate) fn read(&self) -> Inner {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts the acknowledged edits.
    pub(crate) fn edits(&self) -> usize {
        self.write(|inner| inner.edits.len())
    }

    fn write<T>(&self, write: impl FnOnce(&mut Inner) -> T) -> T {
        write(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers the number of the next edit.
    fn next(&self) -> usize {
        self.write(|inner| {
            inner.next += 1;
            inner.next
        })
    }
}
