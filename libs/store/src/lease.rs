//! Table `lease`: leadership for a time, on the database's clock.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{Connection, Error};

/// Says who leads, and until when unless renewed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Lease {
    pub name: String,
    pub holder: Uuid,
    /// Grows with each change of the holder: work done under an older epoch is stale.
    pub epoch: i64,
    pub expires_at: DateTime<Utc>,
}

/// Takes a lease that is free, expired or ours already. None: another holds it.
///
/// # Errors
/// When the database does.
pub async fn acquire(c: &mut Connection, name: &str, holder: Uuid, ttl: Duration) -> Result<Option<Lease>, Error> {
    Ok(sqlx::query_as(
        "insert into lease as l (name, holder, epoch, expires_at)
        values ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
        on conflict (name) do update
            set holder = excluded.holder,
                epoch = case when l.holder = excluded.holder then l.epoch else l.epoch + 1 end,
                expires_at = excluded.expires_at
            where l.holder = excluded.holder or l.expires_at <= clock_timestamp()
        returning name, holder, epoch, expires_at",
    )
    .bind(name)
    .bind(holder)
    .bind(ttl.as_secs_f64())
    .fetch_optional(c)
    .await?)
}

/// Prolongs a lease; false: it is no longer ours.
///
/// # Errors
/// When the database does.
pub async fn renew(c: &mut Connection, lease: &Lease, ttl: Duration) -> Result<bool, Error> {
    let done = sqlx::query(
        "update lease
        set expires_at = clock_timestamp() + make_interval(secs => $4)
        where name = $1 and holder = $2 and epoch = $3",
    )
    .bind(&lease.name)
    .bind(lease.holder)
    .bind(lease.epoch)
    .bind(ttl.as_secs_f64())
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives a lease back before its time; the row stays, so that epochs go on growing. False: it is no longer ours.
///
/// # Errors
/// When the database does.
pub async fn release(c: &mut Connection, lease: &Lease) -> Result<bool, Error> {
    let done = sqlx::query(
        "update lease
        set expires_at = '-infinity'
        where name = $1 and holder = $2 and epoch = $3",
    )
    .bind(&lease.name)
    .bind(lease.holder)
    .bind(lease.epoch)
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds who holds a lease now.
///
/// # Errors
/// When the database does.
pub async fn find(c: &mut Connection, name: &str) -> Result<Option<Lease>, Error> {
    Ok(sqlx::query_as(
        "select name, holder, epoch, expires_at
        from lease
        where name = $1 and expires_at > clock_timestamp()",
    )
    .bind(name)
    .fetch_optional(c)
    .await?)
}
