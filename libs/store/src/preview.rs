//! Table `preview`: a question to a target and its answer, for 15 minutes. Never an event.

use std::time::Duration;

use uuid::Uuid;

use crate::{Connection, Error};

/// How long a preview can be read.
pub const LIFE: Duration = Duration::from_secs(15 * 60);

/// A question for the executor; both sides agree on the bytes.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Preview {
    pub preview_id: Uuid,
    pub project_id: Uuid,
    pub request: Vec<u8>,
}

/// Says how a preview stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Pending,
    Done(Vec<u8>),
}

/// Asks.
///
/// # Errors
/// When the database does.
pub async fn create(c: &mut Connection, preview: &Preview) -> Result<(), Error> {
    sqlx::query(
        "insert into preview (preview_id, project_id, request, expires_at)
        values ($1, $2, $3, now() + make_interval(secs => $4))",
    )
    .bind(preview.preview_id)
    .bind(preview.project_id)
    .bind(&preview.request)
    .bind(LIFE.as_secs_f64())
    .execute(c)
    .await?;
    Ok(())
}

/// Claims the oldest question; another worker may claim it again when `patience` is over.
///
/// # Errors
/// When the database does.
pub async fn claim(c: &mut Connection, patience: Duration) -> Result<Option<Preview>, Error> {
    Ok(sqlx::query_as(
        "update preview
        set state = 'claimed', due_at = clock_timestamp() + make_interval(secs => $1)
        where preview_id = (
            select p.preview_id
            from preview p
            where p.state <> 'done' and p.due_at <= clock_timestamp() and p.expires_at > clock_timestamp()
            order by p.created_at
            limit 1
            for update skip locked
        )
        returning preview_id, project_id, request",
    )
    .bind(patience.as_secs_f64())
    .fetch_optional(c)
    .await?)
}

/// Answers a question; a second answer changes nothing.
///
/// # Errors
/// When the database does.
pub async fn finish(c: &mut Connection, preview_id: Uuid, result: &[u8]) -> Result<(), Error> {
    sqlx::query("update preview set state = 'done', result = $2 where preview_id = $1 and state <> 'done'")
        .bind(preview_id)
        .bind(result)
        .execute(c)
        .await?;
    Ok(())
}

/// Finds the answer; None: there is no such preview, or its life is over.
///
/// # Errors
/// When the database does.
pub async fn find(c: &mut Connection, preview_id: Uuid) -> Result<Option<Answer>, Error> {
    let result: Option<Option<Vec<u8>>> =
        sqlx::query_scalar("select result from preview where preview_id = $1 and expires_at > clock_timestamp()")
            .bind(preview_id)
            .fetch_optional(c)
            .await?;
    Ok(result.map(|result| result.map_or(Answer::Pending, Answer::Done)))
}

/// Deletes previews whose life is over; answers how many.
///
/// # Errors
/// When the database does.
pub async fn sweep(c: &mut Connection) -> Result<u64, Error> {
    let done = sqlx::query("delete from preview where expires_at <= clock_timestamp()").execute(c).await?;
    Ok(done.rows_affected())
}
