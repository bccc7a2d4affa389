//! Which traces a batch of events belongs to.

use chrono::{TimeDelta, Utc};
use dvt_store::event::Recorded;

/// What is older is replayed: nobody looks at its trace any more, and spans would cost more than the work.
const REPLAYED: TimeDelta = TimeDelta::minutes(1);

/// Answers the places in traces that events were appended at; none for a replay.
pub fn causes(events: &[Recorded]) -> impl Iterator<Item = &str> {
    let is_replay = events.last().is_none_or(|last| Utc::now() - last.recorded_at > REPLAYED);
    events.iter().filter(move |_| !is_replay).filter_map(|event| event.traceparent.as_deref())
}
