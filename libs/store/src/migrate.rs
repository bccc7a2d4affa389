//! Brings a database to the schema that this build expects.

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection as _};

use crate::Error;

static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// Applies the migrations that the database at `url` lacks, each in a transaction of its own, one process at a time.
///
/// The login must own the database and be a superuser or may create roles.
///
/// # Errors
/// When the database cannot be reached or a migration fails; running it again continues there.
pub async fn migrate(url: &str) -> Result<(), Error> {
    let options: PgConnectOptions = url.parse().map_err(Error::Address)?;
    let mut connection = options.application_name("dvt-migrate").connect().await?;
    MIGRATOR.run(&mut connection).await.map_err(Error::Migrate)?;
    Ok(connection.close().await?)
}
