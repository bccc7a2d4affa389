//! Table `presence`: who looks at which project right now. Never an event; seconds of life.

use std::time::Duration;

use uuid::Uuid;

use crate::{Connection, Error};

/// How long a page is taken to be there after it said so.
pub const LIFE: Duration = Duration::from_secs(20);

/// An open page.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Presence {
    pub session_id: Uuid,
    pub actor: String,
    /// The node it shows.
    pub unique_id: Option<String>,
}

/// Notes that a page is there, and forgets those of the project that went.
///
/// # Errors
/// When the database does.
pub async fn note(c: &mut Connection, project_id: Uuid, presence: &Presence) -> Result<(), Error> {
    sqlx::query("delete from presence where project_id = $1 and seen_at < now() - make_interval(secs => $2)")
        .bind(project_id)
        .bind(LIFE.as_secs_f64())
        .execute(&mut *c)
        .await?;
    sqlx::query(
        "insert into presence (project_id, session_id, actor, unique_id)
        values ($1, $2, $3, $4)
        on conflict (project_id, session_id)
        do update set actor = excluded.actor, unique_id = excluded.unique_id, seen_at = now()",
    )
    .bind(project_id)
    .bind(presence.session_id)
    .bind(&presence.actor)
    .bind(&presence.unique_id)
    .execute(c)
    .await?;
    Ok(())
}

/// Lists the pages that are there.
///
/// # Errors
/// When the database does.
pub async fn list(c: &mut Connection, project_id: Uuid) -> Result<Vec<Presence>, Error> {
    Ok(sqlx::query_as(
        "select session_id, actor, unique_id
        from presence
        where project_id = $1 and seen_at >= now() - make_interval(secs => $2)
        order by actor, session_id",
    )
    .bind(project_id)
    .bind(LIFE.as_secs_f64())
    .fetch_all(c)
    .await?)
}
