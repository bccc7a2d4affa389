//! Table `held_relation`: which run may build a relation of a target.
//!
//! Rows come in the transaction that appends the run's request, so a row stands for a run that is in the log. They are
//! never given back: whoever comes next takes those of a run that has finished.

use uuid::Uuid;

use crate::{Connection, Error};

/// Names the relations that a run will build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub run_id: Uuid,
    pub target: String,
    pub database: String,
    /// Without repetitions.
    pub relations: Vec<String>,
}

/// Names a relation that another run holds.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Held {
    pub run_id: Uuid,
    pub relation: String,
}

/// Takes relations for a run; Some: one is held by a run without an event of the type `end`. Of two transactions at
/// once, the second waits for the first. What was taken stays only if the transaction commits.
///
/// # Errors
/// When the database does.
pub async fn take(c: &mut Connection, claim: &Claim, end: &str) -> Result<Option<Held>, Error> {
    // In one order, so that no two transactions wait for each other.
    let taken = sqlx::query(
        "insert into held_relation as held (target, database, relation, run_id)
        select $1, $2, wanted, $3
        from unnest($4::text[]) as wanted
        order by wanted
        on conflict on constraint held_relation_pkey do update
            set run_id = excluded.run_id
            where exists (select from event e where e.stream_id = held.run_id and e.event_type = $5)",
    )
    .bind(&claim.target)
    .bind(&claim.database)
    .bind(claim.run_id)
    .bind(&claim.relations)
    .bind(end)
    .execute(&mut *c)
    .await?;
    if taken.rows_affected() == claim.relations.len() as u64 {
        return Ok(None);
    }
    Ok(sqlx::query_as(
        "select run_id, relation
        from held_relation
        where target = $1 and database = $2 and relation = any ($3) and run_id <> $4
        order by relation
        limit 1",
    )
    .bind(&claim.target)
    .bind(&claim.database)
    .bind(&claim.relations)
    .bind(claim.run_id)
    .fetch_optional(c)
    .await?)
}
