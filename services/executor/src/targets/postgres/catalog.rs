//! What there is in a database.

use super::quote::{literal, relation};
use super::session::PgSession;
use crate::targets::{Column, Error, Name, RelationKind};

/// Finds a relation's kind.
pub(super) async fn kind(session: &mut PgSession, name: &Name) -> Result<Option<RelationKind>, Error> {
    let rows = session
        .text(&format!(
            "select c.relkind
            from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where n.nspname = {} and c.relname = {} and c.relkind in ('r', 'p', 'v', 'm', 'f')",
            literal(&name.schema),
            literal(&name.identifier)
        ))
        .await?;
    Ok(rows.first().and_then(|row| row.first()).and_then(|kind| kind_of(kind.as_deref())))
}

/// Lists the relations of a schema.
pub(super) async fn list(session: &mut PgSession, schema: &str) -> Result<Vec<(String, RelationKind)>, Error> {
    let rows = session
        .text(&format!(
            "select c.relname, c.relkind
            from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where lower(n.nspname) = lower({}) and c.relkind in ('r', 'p', 'v', 'm', 'f')
            order by c.relname",
            literal(schema)
        ))
        .await?;
    let found = |row: Vec<Option<String>>| match &row[..] {
        [Some(name), kind] => kind_of(kind.as_deref()).map(|kind| (name.clone(), kind)),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(found).collect())
}

fn kind_of(relkind: Option<&str>) -> Option<RelationKind> {
    match relkind? {
        "r" | "p" => Some(RelationKind::Table),
        "v" => Some(RelationKind::View),
        "m" => Some(RelationKind::MaterializedView),
        "f" => Some(RelationKind::External),
        _ => None,
    }
}

/// Lists the columns of a relation that is written as SQL.
pub(super) async fn columns(session: &mut PgSession, written: &str) -> Result<Vec<Column>, Error> {
    let rows = session
        .text(&format!(
            "select a.attname,
                case
                    when t.typelem <> 0 and t.typlen = -1 then 'ARRAY'
                    when n.nspname = 'pg_catalog' then format_type(a.atttypid, null)
                    else 'USER-DEFINED'
                end,
                information_schema._pg_char_max_length(a.atttypid, a.atttypmod),
                information_schema._pg_numeric_precision(a.atttypid, a.atttypmod),
                information_schema._pg_numeric_scale(a.atttypid, a.atttypmod),
                format_type(a.atttypid, a.atttypmod),
                not a.attnotnull
            from pg_catalog.pg_attribute a
            join pg_catalog.pg_type t on t.oid = a.atttypid
            join pg_catalog.pg_namespace n on n.oid = t.typnamespace
            where a.attrelid = to_regclass({}) and a.attnum > 0 and not a.attisdropped
            order by a.attnum",
            literal(written)
        ))
        .await?;
    let column = |row: Vec<Option<String>>| {
        let text = |column: usize| row.get(column).cloned().flatten().unwrap_or_default();
        let number = |column: usize| text(column).parse().ok();
        Column {
            name: text(0),
            data_type: text(1),
            char_size: number(2),
            numeric_precision: number(3),
            numeric_scale: number(4),
            ddl_type: text(5),
            is_nullable: text(6) == "t",
        }
    };
    Ok(rows.into_iter().map(column).collect())
}

/// Writes the word that DDL wants for a kind of relation.
pub(super) fn word(kind: RelationKind) -> &'static str {
    match kind {
        RelationKind::Table => "table",
        RelationKind::View => "view",
        RelationKind::MaterializedView => "materialized view",
        RelationKind::External => "foreign table",
    }
}

/// Drops a relation and the views that read it.
pub(super) async fn drop_cascade(session: &mut PgSession, name: &Name, kind: RelationKind) -> Result<(), Error> {
    session.plain(format!("drop {} {} cascade", word(kind), relation(name))).await.map(drop)
}
