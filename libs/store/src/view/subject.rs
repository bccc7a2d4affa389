//! Views `subject` and `node_identity`: which events are about a node, through all its renames.

use uuid::Uuid;

use super::Moment;
use crate::{Connection, Error};

/// Says that a node is called otherwise from an event on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    pub from: String,
    pub to: String,
}

/// Says what an event of a branch is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub branch_id: Uuid,
    pub position: i64,
    pub unique_id: String,
    pub property: String,
}

/// Notes what events are about, by the identities that nodes have now: so before [`rename`] of the same event.
///
/// # Errors
/// When the database does.
pub async fn add(c: &mut Connection, subjects: &[Subject]) -> Result<(), Error> {
    sqlx::query(
        "insert into subject (branch_id, node_key, position, property)
        select distinct n.branch_id, coalesce(i.node_key, n.unique_id), n.position, n.property
        from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[]) as n (branch_id, position, unique_id, property)
        left join node_identity i on i.branch_id = n.branch_id and i.unique_id = n.unique_id
        on conflict (branch_id, node_key, position, property) do nothing",
    )
    .bind(subjects.iter().map(|subject| subject.branch_id).collect::<Vec<_>>())
    .bind(subjects.iter().map(|subject| subject.position).collect::<Vec<_>>())
    .bind(subjects.iter().map(|subject| subject.unique_id.as_str()).collect::<Vec<_>>())
    .bind(subjects.iter().map(|subject| subject.property.as_str()).collect::<Vec<_>>())
    .execute(c)
    .await?;
    Ok(())
}

/// Moves nodes to other unique_ids, all at once; what comes to a name that was left is another node.
///
/// # Errors
/// When the database does.
pub async fn rename(c: &mut Connection, moment: &Moment, moves: &[Move]) -> Result<(), Error> {
    // A name that is left and taken in one event belongs to whom takes it.
    sqlx::query(
        "insert into node_identity (branch_id, unique_id, node_key)
        select distinct on (n.unique_id) $1::uuid, n.unique_id, n.node_key
        from (
            select m.to_id as unique_id, coalesce(i.node_key, m.from_id) as node_key, 1 as rank
            from unnest($3::text[], $4::text[]) as m (from_id, to_id)
            left join node_identity i on i.branch_id = $1 and i.unique_id = m.from_id
            union all
            select m.from_id, m.from_id || '#' || $2::bigint, 2
            from unnest($3::text[], $4::text[]) as m (from_id, to_id)
        ) as n
        order by n.unique_id, n.rank
        on conflict (branch_id, unique_id) do update set node_key = excluded.node_key",
    )
    .bind(moment.stream_id)
    .bind(moment.version)
    .bind(moves.iter().map(|moved| moved.from.as_str()).collect::<Vec<_>>())
    .bind(moves.iter().map(|moved| moved.to.as_str()).collect::<Vec<_>>())
    .execute(c)
    .await?;
    Ok(())
}

/// Answers the identity of the node that is called `unique_id` now.
///
/// # Errors
/// When the database does.
pub async fn node_key(c: &mut Connection, branch_id: Uuid, unique_id: &str) -> Result<String, Error> {
    let key: Option<String> =
        sqlx::query_scalar("select node_key from node_identity where branch_id = $1 and unique_id = $2")
            .bind(branch_id)
            .bind(unique_id)
            .fetch_optional(c)
            .await?;
    Ok(key.unwrap_or_else(|| unique_id.to_owned()))
}

/// Lists the unique_ids of a branch whose identity is another text, with it.
///
/// # Errors
/// When the database does.
pub async fn list_identities(c: &mut Connection, branch_id: Uuid) -> Result<Vec<(String, String)>, Error> {
    Ok(sqlx::query_as("select unique_id, node_key from node_identity where branch_id = $1 order by unique_id")
        .bind(branch_id)
        .fetch_all(c)
        .await?)
}

/// Lists up to `limit` positions of events about a node before a position, newest first.
///
/// # Errors
/// When the database does.
pub async fn list_before(c: &mut Connection, of: (Uuid, &str), before: i64, limit: i64) -> Result<Vec<i64>, Error> {
    Ok(sqlx::query_scalar(
        "select distinct position
        from subject
        where branch_id = $1 and node_key = $2 and position < $3
        order by position desc
        limit $4",
    )
    .bind(of.0)
    .bind(of.1)
    .bind(before)
    .bind(limit)
    .fetch_all(c)
    .await?)
}
