//! Table `relay_cursor`: how far the log is published to a Kafka cluster, by topic and partition.

use crate::{Connection, Error};

/// Says that everything up to `position` of a topic and partition is published.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Cursor {
    pub cluster_id: String,
    pub topic: String,
    pub partition: i16,
    pub position: i64,
    /// The offset of its record; None where nothing was acknowledged since publishing began at the position.
    pub offset: Option<i64>,
}

/// Lists the cursors of a cluster (at most 16 a topic).
///
/// # Errors
/// When the database does.
pub async fn list(c: &mut Connection, cluster_id: &str) -> Result<Vec<Cursor>, Error> {
    Ok(sqlx::query_as(
        "select cluster_id, topic, partition, position, record_offset as \"offset\"
        from relay_cursor
        where cluster_id = $1
        order by topic, partition",
    )
    .bind(cluster_id)
    .fetch_all(c)
    .await?)
}

/// Moves cursors forward under a lease's epoch; false: a newer leader has moved one since, or it is ahead already.
///
/// # Errors
/// When the database does.
pub async fn advance(c: &mut Connection, cursors: &[Cursor], epoch: i64) -> Result<bool, Error> {
    Ok(put(c, cursors, (epoch, false)).await? == cursors.len() as u64)
}

/// Sets cursors, backwards too: publishing begins there. False: a newer leader has moved one since.
///
/// # Errors
/// When the database does.
pub async fn begin(c: &mut Connection, cursors: &[Cursor], epoch: i64) -> Result<bool, Error> {
    Ok(put(c, cursors, (epoch, true)).await? == cursors.len() as u64)
}

async fn put(c: &mut Connection, cursors: &[Cursor], (epoch, backwards): (i64, bool)) -> Result<u64, Error> {
    let done = sqlx::query(
        "insert into relay_cursor as r (cluster_id, topic, partition, position, record_offset, epoch)
        select cluster_id, topic, partition, position, record_offset, $6
        from unnest($1::text[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[])
            as c (cluster_id, topic, partition, position, record_offset)
        on conflict (cluster_id, topic, partition) do update
            set position = excluded.position, record_offset = excluded.record_offset, epoch = excluded.epoch
            where r.epoch <= excluded.epoch and (r.position < excluded.position or $7)",
    )
    .bind(cursors.iter().map(|cursor| cursor.cluster_id.as_str()).collect::<Vec<_>>())
    .bind(cursors.iter().map(|cursor| cursor.topic.as_str()).collect::<Vec<_>>())
    .bind(cursors.iter().map(|cursor| cursor.partition).collect::<Vec<_>>())
    .bind(cursors.iter().map(|cursor| cursor.position).collect::<Vec<_>>())
    .bind(cursors.iter().map(|cursor| cursor.offset).collect::<Vec<_>>())
    .bind(epoch)
    .bind(backwards)
    .execute(c)
    .await?;
    Ok(done.rows_affected())
}
