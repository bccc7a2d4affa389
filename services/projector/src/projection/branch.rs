//! Views `branch`, `subject` and `node_identity`, from the branch's stream.
//!
//! Most events of a log are edits, so these are written together: once a batch for each branch.

use std::collections::BTreeMap;

use dvt_domain::branch::Event;
use dvt_store::view::subject::{self, Move, Subject};
use dvt_store::view::{Moment, project};
use dvt_store::{Connection, Error};
use uuid::Uuid;

/// Collects what edits change.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// The last event of each branch, and its summary.
    last: BTreeMap<Uuid, (Moment, String)>,
    subjects: Vec<Subject>,
}

impl Edits {
    pub(super) async fn add(&mut self, c: &mut Connection, moment: Moment, event: &Event) -> Result<(), Error> {
        self.subjects.extend(event.subjects().iter().map(|subject| Subject {
            branch_id: moment.stream_id,
            position: moment.position,
            unique_id: subject.node.clone(),
            property: subject.property.clone(),
        }));
        let moves: Vec<Move> =
            event.moved().iter().map(|moved| Move { from: moved.from.clone(), to: moved.to.clone() }).collect();
        if !moves.is_empty() {
            // What came before is about the nodes that had these names then.
            self.write(c).await?;
            subject::rename(c, &moment, &moves).await?;
        }
        self.last.insert(moment.stream_id, (moment, event.summary()));
        Ok(())
    }

    pub(super) async fn write(&mut self, c: &mut Connection) -> Result<(), Error> {
        for (moment, summary) in std::mem::take(&mut self.last).into_values() {
            project::edit_branch(c, &moment, &summary).await?;
        }
        let subjects = std::mem::take(&mut self.subjects);
        if subjects.is_empty() {
            return Ok(());
        }
        subject::add(c, &subjects).await
    }
}
