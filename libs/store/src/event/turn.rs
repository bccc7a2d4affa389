//! Whose turn a stream is among processes: set by `append_events`, ended by the holder's next append, in time, or here.

use uuid::Uuid;

use crate::{Connection, Error};

/// Says whether another process than `process` has the stream's turn.
///
/// # Errors
/// When the database does.
pub async fn is_reserved(c: &mut Connection, stream_id: Uuid, process: Uuid) -> Result<bool, Error> {
    let reserved = sqlx::query_scalar(
        "select reserved_by <> $2 and reserved_until > clock_timestamp()
        from stream_head
        where stream_id = $1 and reserved_by is not null",
    );
    Ok(reserved.bind(stream_id).bind(process).fetch_optional(c).await?.unwrap_or(false))
}

/// Ends the process's turn on a stream, if it has it.
///
/// # Errors
/// When the database does.
pub async fn release_turn(c: &mut Connection, process: Uuid, stream_id: Uuid) -> Result<(), Error> {
    sqlx::query("select release_turn($1, $2)").bind(process).bind(stream_id).execute(c).await?;
    Ok(())
}
