//! Makes the views anew beside the old ones, and puts them in their place in one transaction.

use crate::{Connection, Error, Sha256};

/// Makes every view again, empty, beside the old ones; what an interrupted rebuild left is dropped.
///
/// # Errors
/// When the database does.
pub async fn start(c: &mut Connection) -> Result<(), Error> {
    sqlx::query("select views.start_rebuild()").execute(c).await?;
    Ok(())
}

/// Lets all statements of this transaction that name a view mean the new one.
///
/// # Errors
/// When the database does.
pub async fn use_new(c: &mut Connection) -> Result<(), Error> {
    sqlx::query("set local search_path = views_next, dvt").execute(&mut *c).await?;
    // A rebuild's last transaction waits for whoever reads the old views.
    sqlx::query("set local lock_timeout = '60s'").execute(&mut *c).await?;
    sqlx::query("set local statement_timeout = '10min'").execute(&mut *c).await?;
    sqlx::query("set local idle_in_transaction_session_timeout = '10min'").execute(c).await?;
    Ok(())
}

/// Locks every checkpoint of a consumer to the end of the transaction, waiting for their holders.
///
/// # Errors
/// When the database does.
pub async fn lock_checkpoints(c: &mut Connection, consumer: &str) -> Result<(), Error> {
    sqlx::query("select from checkpoint where consumer = $1 order by topic, partition for update")
        .bind(consumer)
        .execute(c)
        .await?;
    Ok(())
}

/// Puts the new views in the place of the old ones.
///
/// # Errors
/// When the database does.
pub async fn finish(c: &mut Connection) -> Result<(), Error> {
    sqlx::query("select views.finish_rebuild()").execute(c).await?;
    Ok(())
}

/// Answers each view's name and a hash over all its rows and columns.
///
/// # Errors
/// When the database does.
pub async fn hashes(c: &mut Connection) -> Result<Vec<(String, Sha256)>, Error> {
    Ok(sqlx::query_as("select view_name, view_hash from views.hashes('views') order by view_name").fetch_all(c).await?)
}
