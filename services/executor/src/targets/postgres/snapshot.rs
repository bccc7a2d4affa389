//! Snapshots: every version of each row, with when it was valid.

use super::catalog;
use super::incremental::add;
use super::materialize::{aside, in_the_way, swap};
use super::quote::{ident, idents, literal, relation};
use super::session::PgSession;
use super::statement::Statement;
use crate::targets::{Built, Changed, Column, Error, Fault, Name, RelationKind, Snapshot};

/// The moment of this transaction, as dbt takes it.
const NOW: &str = "now()::timestamp without time zone";
/// What we add to the source's columns while we compare.
const OURS: &str = "dvt_";

/// Brings a snapshot up to date.
pub(super) async fn build(session: &mut PgSession, name: &Name, wanted: &Snapshot) -> Result<Built, Error> {
    match catalog::kind(session, name).await? {
        None => first(session, name, wanted).await,
        Some(RelationKind::Table) => next(session, name, wanted).await,
        Some(kind @ (RelationKind::View | RelationKind::MaterializedView | RelationKind::External)) => {
            Err(in_the_way(name, kind, "snapshot"))
        }
    }
}

fn updated_at(wanted: &Snapshot) -> &str {
    match &wanted.changed {
        Changed::UpdatedAt(column) => column,
        Changed::Columns(_) => NOW,
    }
}

/// Writes the id of a row's version, as dbt hashes it.
fn scd_id(keys: &[String], updated_at: &str) -> String {
    let parts = keys.iter().map(String::as_str).chain([updated_at]);
    let parts: Vec<String> = parts.map(|part| format!("coalesce(cast({part} as varchar), '')")).collect();
    format!("md5({})", parts.join(" || '|' || "))
}

/// Writes the end of a version that is still valid; `updated_at` gives its type.
fn valid_to(wanted: &Snapshot, updated_at: &str) -> String {
    match wanted.valid_to_current.is_empty() {
        true => format!("nullif({updated_at}, {updated_at})"),
        false => format!("coalesce(nullif({updated_at}, {updated_at}), {})", wanted.valid_to_current),
    }
}

async fn first(session: &mut PgSession, name: &Name, wanted: &Snapshot) -> Result<Built, Error> {
    let (aside, at, columns) = (aside(name), updated_at(wanted), &wanted.columns);
    let before = format!(
        "create table {} as (select sbq.*, {} as {}, {at} as {}, {at} as {}, {} as {} from (",
        relation(&aside),
        scd_id(&wanted.unique_key, at),
        ident(&columns.scd_id),
        ident(&columns.updated_at),
        ident(&columns.valid_from),
        valid_to(wanted, at),
        ident(&columns.valid_to)
    );
    let rows = session.run(&Statement::around(&before, &wanted.sql, ") as sbq)")).await?;
    swap(session, name, (&aside, RelationKind::Table)).await?;
    Ok(Built { rows: Some(rows as i64), message: format!("SELECT {rows}") })
}

async fn next(session: &mut PgSession, name: &Name, wanted: &Snapshot) -> Result<Built, Error> {
    let (table, at, columns) = (relation(name), updated_at(wanted), &wanted.columns);
    let keys: Vec<String> = (1..=wanted.unique_key.len()).map(|n| format!("{OURS}key_{n}")).collect();
    let key_list: Vec<String> =
        wanted.unique_key.iter().zip(&keys).map(|(written, key)| format!("({written}) as {key}")).collect();
    let key_list = key_list.join(", ");
    let source = format!(
        "create temporary table {OURS}source on commit drop as (select sbq.*, {key_list}, ({at}) as {OURS}updated_at from ("
    );
    session.run(&Statement::around(&source, &wanted.sql, ") as sbq)")).await?;
    let (own, added) = source_columns(session, name, wanted).await?;
    add(session, &table, &added).await?;

    let current = match wanted.valid_to_current.is_empty() {
        true => format!("{} is null", ident(&columns.valid_to)),
        false => format!("({0} is null or {0} = {1})", ident(&columns.valid_to), wanted.valid_to_current),
    };
    let same: Vec<String> = keys.iter().map(|key| format!("old.{key} = new.{key}")).collect();
    let same = same.join(" and ");
    session
        .plain(format!(
            "create temporary table {OURS}change on commit drop as
            select new.*, old.{} as {OURS}old
            from {OURS}source as new
            left join (select t.*, {key_list} from {table} as t where {current}) as old on {same}
            where old.{} is null or ({})",
            ident(&columns.scd_id),
            ident(&columns.scd_id),
            changed(wanted, &own, &added)
        ))
        .await?;
    session
        .plain(format!(
            "update {table} as t set {} = change.{OURS}updated_at
            from {OURS}change as change
            where t.{} = change.{OURS}old and {current}",
            ident(&columns.valid_to),
            ident(&columns.scd_id)
        ))
        .await?;
    if wanted.invalidate_deleted {
        session
            .plain(format!(
                "update {table} as t set {0} = {NOW}
                from (select s.{1}, {key_list} from {table} as s where {current}) as old
                where t.{1} = old.{1} and {current} and not exists (select from {OURS}source as new where {same})",
                ident(&columns.valid_to),
                ident(&columns.scd_id)
            ))
            .await?;
    }
    let list = idents(own.iter().map(|column| column.name.as_str()));
    let at = format!("{OURS}updated_at");
    let added_by_us = [&columns.scd_id, &columns.updated_at, &columns.valid_from, &columns.valid_to];
    let rows = session
        .plain(format!(
            "insert into {table} ({list}, {})
            select {list}, {}, {at}, {at}, {} from {OURS}change",
            idents(added_by_us.map(String::as_str)),
            scd_id(&keys, &at),
            valid_to(wanted, &at)
        ))
        .await?;
    Ok(Built { rows: Some(rows as i64), message: format!("INSERT 0 {rows}") })
}

/// Lists the source's columns, and those of them that the snapshot does not have yet.
async fn source_columns(
    session: &mut PgSession,
    name: &Name,
    wanted: &Snapshot,
) -> Result<(Vec<Column>, Vec<Column>), Error> {
    let mut own = catalog::columns(session, &format!("pg_temp.{OURS}source")).await?;
    own.retain(|column| !column.name.starts_with(OURS));
    let old = catalog::columns(session, &relation(name)).await?;
    let columns = &wanted.columns;
    for needed in [&columns.scd_id, &columns.updated_at, &columns.valid_from, &columns.valid_to] {
        if !old.iter().any(|column| column.name == *needed) {
            let message = format!("{} is no snapshot: it has no column {}", relation(name), literal(needed));
            return Err(Error::Fault(Fault::new("SNAPSHOT_INVALID", message)));
        }
    }
    let is_new = |column: &&Column| !old.iter().any(|known| known.name == column.name);
    let added = own.iter().filter(is_new).cloned().collect();
    Ok((own, added))
}

/// Writes when a row has changed.
fn changed(wanted: &Snapshot, own: &[Column], added: &[Column]) -> String {
    match &wanted.changed {
        Changed::UpdatedAt(_) => format!("old.{} < new.{OURS}updated_at", ident(&wanted.columns.valid_from)),
        Changed::Columns(columns) if columns.is_empty() => match added.is_empty() {
            true => differs(own.iter().map(|column| column.name.as_str())),
            false => "true".to_owned(),
        },
        Changed::Columns(columns) => differs(columns.iter().map(String::as_str)),
    }
}

fn differs<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    let each = columns.map(|column| format!("old.{0} is distinct from new.{0}", ident(column)));
    each.collect::<Vec<_>>().join(" or ")
}
