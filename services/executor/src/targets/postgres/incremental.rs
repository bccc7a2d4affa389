//! Incremental models: new rows meet the old ones.

use super::materialize::{header, in_the_way, table};
use super::quote::{ident, idents, relation, suffixed};
use super::session::PgSession;
use super::statement::Statement;
use super::{catalog, contract};
use crate::targets::{Built, Column, Error, Fault, Incremental, Name, OnSchemaChange, Refusal, RelationKind, Strategy};

/// Builds an incremental model.
pub(super) async fn build(session: &mut PgSession, name: &Name, wanted: &Incremental) -> Result<Built, Error> {
    match catalog::kind(session, name).await? {
        None => return table(session, name, &wanted.table).await,
        Some(RelationKind::Table) if !wanted.full_refresh => {}
        Some(RelationKind::Table | RelationKind::View) => return table(session, name, &wanted.table).await,
        Some(kind @ (RelationKind::MaterializedView | RelationKind::External)) => {
            return Err(in_the_way(name, kind, "table"));
        }
    }
    let new = ident(&suffixed(&name.identifier, "__dvt_new"));
    header(session, &wanted.table).await?;
    if let Some(contract) = &wanted.table.contract {
        contract::check(session, &wanted.table.sql, contract).await?;
    }
    let before = format!("create temporary table {new} on commit drop as (");
    session.run(&Statement::around(&before, &wanted.table.sql, ")")).await?;
    let columns = settle_columns(session, (name, &format!("pg_temp.{new}")), wanted.on_schema_change).await?;
    let rows = match wanted.strategy {
        Strategy::Append => insert(session, name, &new, &columns).await?,
        Strategy::DeleteInsert => {
            delete(session, name, &new, wanted).await?;
            insert(session, name, &new, &columns).await?
        }
        Strategy::Merge => {
            let merged = session.plain(merge(name, &new, &columns, wanted)).await;
            merged.map_err(|error| of_config(error, wanted))?
        }
    };
    let verb = if wanted.strategy == Strategy::Merge { "MERGE" } else { "INSERT 0" };
    Ok(Built { rows: Some(rows as i64), message: format!("{verb} {rows}") })
}

/// Brings the table's columns to what the model says, as far as it wants that; answers the columns to fill.
async fn settle_columns(
    session: &mut PgSession,
    (name, new): (&Name, &str),
    change: OnSchemaChange,
) -> Result<Vec<String>, Error> {
    let names = |columns: Vec<Column>| columns.into_iter().map(|column| column.name).collect();
    let old = catalog::columns(session, &relation(name)).await?;
    if change == OnSchemaChange::Ignore {
        return Ok(names(old));
    }
    let new = catalog::columns(session, new).await?;
    let missing = |of: &[Column], from: &[Column]| -> Vec<Column> {
        of.iter().filter(|column| !from.iter().any(|known| known.name == column.name)).cloned().collect()
    };
    let (added, removed) = (missing(&new, &old), missing(&old, &new));
    let retyped =
        |column: &&Column| old.iter().any(|known| known.name == column.name && known.ddl_type != column.ddl_type);
    let retyped: Vec<&Column> = new.iter().filter(retyped).collect();
    let table = relation(name);
    match change {
        OnSchemaChange::Ignore => {}
        OnSchemaChange::Fail if added.is_empty() && removed.is_empty() && retyped.is_empty() => {}
        OnSchemaChange::Fail => {
            let list =
                |columns: &[Column]| columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>().join(", ");
            let types: Vec<_> = retyped.iter().map(|column| format!("{} {}", column.name, column.ddl_type)).collect();
            let message = format!(
                "the columns of {table} changed and on_schema_change is fail: new [{}], gone [{}], of another type [{}]",
                list(&added),
                list(&removed),
                types.join(", ")
            );
            return Err(Error::Fault(Fault::new("SCHEMA_CHANGED", message)));
        }
        OnSchemaChange::AppendNewColumns => add(session, &table, &added).await?,
        OnSchemaChange::SyncAllColumns => {
            add(session, &table, &added).await?;
            for column in &removed {
                session.plain(format!("alter table {table} drop column {} cascade", ident(&column.name))).await?;
            }
            for column in retyped {
                let (name, kind) = (ident(&column.name), &column.ddl_type);
                session
                    .plain(format!("alter table {table} alter column {name} type {kind} using {name}::{kind}"))
                    .await?;
            }
        }
    }
    Ok(names(catalog::columns(session, &table).await?))
}

/// Adds columns to a table.
pub(super) async fn add(session: &mut PgSession, table: &str, columns: &[Column]) -> Result<(), Error> {
    for column in columns {
        session.plain(format!("alter table {table} add column {} {}", ident(&column.name), column.ddl_type)).await?;
    }
    Ok(())
}

async fn insert(session: &mut PgSession, name: &Name, new: &str, columns: &[String]) -> Result<u64, Error> {
    let columns = idents(columns.iter().map(String::as_str));
    session.plain(format!("insert into {} ({columns}) select {columns} from {new}", relation(name))).await
}

async fn delete(session: &mut PgSession, name: &Name, new: &str, wanted: &Incremental) -> Result<(), Error> {
    if wanted.unique_key.is_empty() {
        return Ok(());
    }
    let keys = wanted.unique_key.join(", ");
    let known = format!("({keys}) in (select distinct {keys} from {new} as DBT_INTERNAL_SOURCE)");
    let conditions: Vec<String> = [known].into_iter().chain(wanted.predicates.iter().cloned()).collect();
    let table = relation(name);
    session
        .plain(format!("delete from {table} as DBT_INTERNAL_DEST where {}", conditions.join(" and ")))
        .await
        .map(drop)
        .map_err(|error| of_config(error, wanted))
}

/// Says of an error of a statement that is made of configs which of them leads to its place.
fn of_config(error: Error, wanted: &Incremental) -> Error {
    let config = if wanted.unique_key.is_empty() { "incremental_predicates" } else { "unique_key" };
    match error {
        Error::Refused(refusal) => Error::Refused(Refusal { config: Some(config), ..refusal }),
        other => other,
    }
}

/// Writes the merge of new rows; the aliases are dbt's, as predicates name them.
fn merge(name: &Name, new: &str, columns: &[String], wanted: &Incremental) -> String {
    let same = wanted.unique_key.iter().map(|key| format!("DBT_INTERNAL_SOURCE.{key} = DBT_INTERNAL_DEST.{key}"));
    let mut conditions: Vec<String> = wanted.predicates.iter().cloned().chain(same).collect();
    if wanted.unique_key.is_empty() {
        conditions.push("false".into());
    }
    let is = |list: &[String], column: &str| list.iter().any(|known| known.eq_ignore_ascii_case(column));
    let updated = columns.iter().filter(|column| {
        (wanted.update_columns.is_empty() || is(&wanted.update_columns, column)) && !is(&wanted.exclude_columns, column)
    });
    let set: Vec<String> = updated.map(|column| format!("{0} = DBT_INTERNAL_SOURCE.{0}", ident(column))).collect();
    let matched = match wanted.unique_key.is_empty() || set.is_empty() {
        true => String::new(),
        false => format!("when matched then update set {}\n", set.join(", ")),
    };
    let values: Vec<String> = columns.iter().map(|column| format!("DBT_INTERNAL_SOURCE.{}", ident(column))).collect();
    format!(
        "merge into {} as DBT_INTERNAL_DEST\nusing {new} as DBT_INTERNAL_SOURCE\non ({})\n{matched}when not matched then insert ({}) values ({})",
        relation(name),
        conditions.join(") and ("),
        idents(columns.iter().map(String::as_str)),
        values.join(", ")
    )
}
