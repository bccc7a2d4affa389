//! Whether a service is ready, and if not, why: each part reports for itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::metrics;

/// Collects what the parts of a process report. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Health {
    reasons: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Health {
    /// Answers a part's signal, red until it is first set to green.
    pub fn signal(&self, part: impl Into<String>) -> Signal {
        let signal = Signal { health: self.clone(), part: part.into() };
        signal.red("starting");
        signal
    }

    /// Lists why the process is not ready, by part; empty if it is.
    pub fn reasons(&self) -> BTreeMap<String, String> {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says whether all parts are green.
    pub fn is_ready(&self) -> bool {
        self.reasons().is_empty()
    }
}

/// Reports for one part of a process.
#[derive(Clone, Debug)]
pub struct Signal {
    health: Health,
    part: String,
}

impl Signal {
    /// Reports that the part works.
    pub fn green(&self) {
        metrics::READY.set([&self.part], 1.0);
        let changed = self.health.reasons.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.part);
        if changed.is_some() {
            tracing::info!(part = self.part, "ready");
        }
    }

    /// Reports why the part does not work.
    pub fn red(&self, reason: impl Into<String>) {
        metrics::READY.set([&self.part], 0.0);
        let reason = reason.into();
        let mut reasons = self.health.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        if reasons.get(&self.part) != Some(&reason) {
            tracing::info!(part = self.part, reason, "not ready");
            reasons.insert(self.part.clone(), reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_ready_when_every_part_is_green() {
        let health = Health::default();
        let (database, kafka) = (health.signal("database"), health.signal("kafka"));
        database.green();
        assert_eq!(health.reasons(), BTreeMap::from([("kafka".to_owned(), "starting".to_owned())]));
        kafka.green();
        assert!(health.is_ready());
        kafka.red("no broker answers");
        assert!(!health.is_ready());
    }
}
