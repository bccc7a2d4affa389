//! Table `relay_cursor`: how far the log is published to a Kafka cluster, by topic and partition.

use crate::{Connection, Error};

/// Says that everything up to `position` of a topic and partition is published.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Cursor {
    pub cluster_id: String,
    pub topic: String,
    pub partition: i16,
    pub position: i64,
}

/// Lists the cursors of a cluster (at most 16 a topic).
///
/// # Errors
/// When the database does.
pub async fn list(c: &mut Connection, cluster_id: &str) -> Result<Vec<Cursor>, Error> {
    Ok(sqlx::query_as(
        "select cluster_id, topic, partition, position
        from relay_cursor
        where cluster_id = $1
        order by topic, partition",
    )
    .bind(cluster_id)
    .fetch_all(c)
    .await?)
}

/// Moves a cursor forward under a lease's epoch; false: a newer leader has moved it since, or it is ahead already.
///
/// # Errors
/// When the database does.
pub async fn advance(c: &mut Connection, cursor: &Cursor, epoch: i64) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into relay_cursor as r (cluster_id, topic, partition, position, epoch)
        values ($1, $2, $3, $4, $5)
        on conflict (cluster_id, topic, partition) do update
            set position = excluded.position, epoch = excluded.epoch
            where r.epoch <= excluded.epoch and r.position < excluded.position",
    )
    .bind(&cursor.cluster_id)
    .bind(&cursor.topic)
    .bind(cursor.partition)
    .bind(cursor.position)
    .bind(epoch)
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Sets a cursor, backwards too: the cluster has lost records. False: a newer leader has moved it since.
///
/// # Errors
/// When the database does.
pub async fn rewind(c: &mut Connection, cursor: &Cursor, epoch: i64) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into relay_cursor as r (cluster_id, topic, partition, position, epoch)
        values ($1, $2, $3, $4, $5)
        on conflict (cluster_id, topic, partition) do update
            set position = excluded.position, epoch = excluded.epoch
            where r.epoch <= excluded.epoch",
    )
    .bind(&cursor.cluster_id)
    .bind(&cursor.topic)
    .bind(cursor.partition)
    .bind(cursor.position)
    .bind(epoch)
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}
