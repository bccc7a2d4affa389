//! Waiting for the views: a read that follows a write sees it.

use std::time::Duration;

use dvt_domain::envelope::{Topic, partition};
use dvt_domain::id::ProjectId;
use dvt_store::checkpoint::{self, Key};
use dvt_store::view;
use tokio::time::Instant;

use crate::app::App;
use crate::http::problem::Problem;

/// How long a read waits for the version that it asks for.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How often the projector's checkpoint is read while something waits for it and hears nothing.
const POLL: Duration = Duration::from_millis(50);

/// Waits until the views hold a project's events of a topic up to `position`; false where they do not in time.
///
/// # Errors
/// 503 where the database does not answer.
pub async fn reach(app: &App, (topic, project): (Topic, ProjectId), position: i64) -> Result<bool, Problem> {
    let partition = i16::try_from(partition(project.uuid())).expect("invariant: there are 16 partitions");
    let key = Key { consumer: view::WRITER.to_owned(), topic: topic.as_str().to_owned(), partition };
    let patience = Instant::now() + PATIENCE;
    let mut waking = app.wakes.subscribe();
    loop {
        let reached = checkpoint::position(&mut *app.connection().await?, &key).await?;
        match reached >= position {
            true => return Ok(true),
            false if Instant::now() >= patience => return Ok(false),
            false => drop(tokio::time::timeout(POLL, waking.woken(project.uuid())).await),
        }
    }
}
