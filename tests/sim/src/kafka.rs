//! A Kafka that loses, wipes and forgets; and a registry that may be down.

use std::collections::BTreeMap;

use dvt_bus::Slot;
use dvt_bus::relay::cursor::Bounds;
use dvt_domain::Topic;
use dvt_store::event::PARTITIONS;

/// Lists every partition that there is.
pub(crate) fn slots() -> impl Iterator<Item = Slot> {
    let of_topic =
        |topic: Topic| (0..PARTITIONS).map(move |partition| Slot { topic: topic.as_str().to_owned(), partition });
    Topic::ALL.into_iter().flat_map(of_topic)
}

/// One partition: the records from `low` on, by the position of their event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Partition {
    pub(crate) low: i64,
    pub(crate) records: Vec<i64>,
}

impl Partition {
    pub(crate) fn high(&self) -> i64 {
        self.low + self.records.len() as i64
    }

    pub(crate) fn bounds(&self) -> Bounds {
        Bounds { low: self.low, high: self.high() }
    }

    pub(crate) fn at(&self, offset: i64) -> Option<i64> {
        self.records.get(usize::try_from(offset - self.low).ok()?).copied()
    }
}

/// Someone else's program, which knows nothing but Kafka: where it is in a partition.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reader {
    pub(crate) offset: i64,
    /// The last event that it has seen with all before it.
    pub(crate) at: i64,
}

/// The cluster.
#[derive(Debug, Default)]
pub(crate) struct Kafka {
    pub(crate) is_down: bool,
    pub(crate) cluster: u64,
    pub(crate) partitions: BTreeMap<Slot, Partition>,
    /// The schema registry answers.
    pub(crate) registry_is_down: bool,
    /// Which process reads a partition for a consumer.
    pub(crate) assigned: BTreeMap<(Slot, String), u64>,
    /// Records fail, arrive without an answer, or twice.
    pub(crate) is_troubled: bool,
    losses: u64,
    /// The partitions that lost records, by which loss, and of which no leader has found out yet.
    pub(crate) unnoticed: BTreeMap<Slot, u64>,
    /// Those of them that lost everything, by which loss.
    pub(crate) wiped: BTreeMap<Slot, u64>,
}

impl Kafka {
    pub(crate) fn partition(&mut self, slot: &Slot) -> &mut Partition {
        self.partitions.entry(slot.clone()).or_default()
    }

    /// Appends a record and answers its offset.
    pub(crate) fn append(&mut self, slot: &Slot, position: i64) -> i64 {
        let partition = self.partition(slot);
        partition.records.push(position);
        partition.high() - 1
    }

    /// Loses everything; the cluster may have a new name then.
    pub(crate) fn wipe(&mut self, is_renamed: bool) {
        self.cluster += u64::from(is_renamed);
        self.losses += 1;
        let is_written = |slot: &Slot| self.partitions.get(slot).is_some_and(|lost| lost.high() > 0);
        self.wiped.extend(slots().filter(is_written).map(|slot| (slot, self.losses)));
        // Another cluster is one that nobody wrote to, also where nothing was to be lost.
        let lost = slots().filter(|slot| is_renamed || is_written(slot));
        self.unnoticed.extend(lost.map(|slot| (slot, self.losses)));
        self.partitions.clear();
    }

    /// Loses the ends of all partitions, as after an unclean election.
    pub(crate) fn truncate(&mut self, records: usize) {
        self.losses += 1;
        for (slot, partition) in &mut self.partitions {
            let kept = partition.records.len().saturating_sub(records);
            partition.records.truncate(kept);
            self.unnoticed.insert(slot.clone(), self.losses);
        }
    }

    /// Forgets old records.
    pub(crate) fn expire(&mut self, records: usize, read: &BTreeMap<Slot, Reader>) {
        for (slot, partition) in &mut self.partitions {
            let seen = read.get(slot).map_or(0, |reader| reader.offset - partition.low);
            let gone = records.min(partition.records.len()).min(usize::try_from(seen).unwrap_or_default());
            partition.records.drain(..gone);
            partition.low += gone as i64;
        }
    }
}
