//! Builds relations: aside first, then swapped in, all in the transaction of the ledger's row.

use super::quote::{ident, idents, literal, relation, suffixed};
use super::session::PgSession;
use super::statement::Statement;
use super::{catalog, contract, incremental, ledger, outfit, seed, snapshot};
use crate::targets::{Built, Error, Fault, Index, Key, Materialization, Name, RelationKind, Table, Work};

/// Does a step's work in one transaction with its ledger row, between the hooks that want none.
pub(super) async fn build(session: &mut PgSession, key: &Key, work: &Work) -> Result<Built, Error> {
    hooks(session, &work.before.outside).await?;
    ledger::begin(session, key).await?;
    hooks(session, &work.before.inside).await?;
    let name = &work.relation;
    // What is built aside begins without grants; what is only filled keeps them.
    let before = oid(session, work).await?;
    let built = match &work.materialization {
        Materialization::View { sql, contract } => {
            if let Some(contract) = contract {
                contract::check(session, sql, contract).await?;
            }
            view(session, name, sql).await?
        }
        Materialization::Table(wanted) => table(session, name, wanted).await?,
        Materialization::Incremental(wanted) => incremental::build(session, name, wanted).await?,
        Materialization::Seed(wanted) => seed::build(session, name, wanted).await?,
        Materialization::Snapshot(wanted) => snapshot::build(session, name, wanted).await?,
        Materialization::Statements(sql) => {
            let rows = session.run(&Statement::around("", sql, "")).await?;
            Built { rows: None, message: format!("OK {rows}") }
        }
    };
    // In dbt's order: the hooks of a table see it before its grants, those of all else after them.
    let is_table = matches!(work.materialization, Materialization::Table(_));
    if is_table {
        hooks(session, &work.after.inside).await?;
    }
    let is_new = before.is_none() || before != oid(session, work).await?;
    outfit::grant(session, name, (&work.grants, is_new)).await?;
    outfit::comment(session, name, &work.docs).await?;
    if !is_table {
        hooks(session, &work.after.inside).await?;
    }
    ledger::commit(session, key, &built).await?;
    hooks(session, &work.after.outside).await?;
    Ok(built)
}

/// Tells a relation from another of its name, where its grants are of interest.
async fn oid(session: &mut PgSession, work: &Work) -> Result<Option<String>, Error> {
    if work.grants.is_empty() {
        return Ok(None);
    }
    let oid = format!("select to_regclass({})::oid", literal(&relation(&work.relation)));
    Ok(session.text(&oid).await?.into_iter().flatten().flatten().next())
}

/// Runs hooks. Where one of them is wrong is no place in the node's own SQL.
async fn hooks(session: &mut PgSession, hooks: &[String]) -> Result<(), Error> {
    for hook in hooks {
        session.plain(hook.as_str()).await?;
    }
    Ok(())
}

pub(super) async fn view(session: &mut PgSession, name: &Name, sql: &str) -> Result<Built, Error> {
    let aside = aside(name);
    session.run(&Statement::around(&format!("create view {} as (", relation(&aside)), sql, ")")).await?;
    swap(session, name, (&aside, RelationKind::View)).await?;
    Ok(Built { rows: None, message: "CREATE VIEW".into() })
}

/// Builds a table anew, whatever was there.
pub(super) async fn table(session: &mut PgSession, name: &Name, table: &Table) -> Result<Built, Error> {
    let aside = aside(name);
    let unlogged = if table.unlogged { "unlogged " } else { "" };
    let rows = match &table.contract {
        None => {
            let before = format!("{}\ncreate {unlogged}table {} as (", table.header, relation(&aside));
            session.run(&Statement::around(before.trim_start(), &table.sql, ")")).await?
        }
        Some(contract) => {
            header(session, table).await?;
            contract::check(session, &table.sql, contract).await?;
            contract::create(session, (&aside, unlogged), (&table.sql, contract)).await?
        }
    };
    swap(session, name, (&aside, RelationKind::Table)).await?;
    create_indexes(session, name, &table.indexes).await?;
    Ok(Built { rows: Some(rows as i64), message: format!("SELECT {rows}") })
}

/// Runs what goes before a table's statement.
pub(super) async fn header(session: &mut PgSession, table: &Table) -> Result<(), Error> {
    match table.header.is_empty() {
        true => Ok(()),
        false => session.plain(&*table.header).await.map(drop),
    }
}

/// Answers the name that a relation has until it is swapped in.
pub(super) fn aside(name: &Name) -> Name {
    Name::new(&*name.schema, suffixed(&name.identifier, "__dvt_tmp"))
}

/// Puts a relation that was built aside in the place of whatever has its name.
pub(super) async fn swap(
    session: &mut PgSession,
    name: &Name,
    (aside, kind): (&Name, RelationKind),
) -> Result<(), Error> {
    if let Some(existing) = catalog::kind(session, name).await? {
        catalog::drop_cascade(session, name, existing).await?;
    }
    let rename = format!("alter {} {} rename to {}", catalog::word(kind), relation(aside), ident(&name.identifier));
    session.plain(rename).await.map(drop)
}

async fn create_indexes(session: &mut PgSession, name: &Name, indexes: &[Index]) -> Result<(), Error> {
    for index in indexes {
        let unique = if index.unique { "unique " } else { "" };
        let method = if index.method.is_empty() { String::new() } else { format!(" using {}", ident(&index.method)) };
        let columns = idents(index.columns.iter().map(String::as_str));
        session.plain(format!("create {unique}index on {}{method} ({columns})", relation(name))).await?;
    }
    Ok(())
}

/// Says that a relation of another kind is in the way.
pub(super) fn in_the_way(name: &Name, kind: RelationKind, wanted: &str) -> Error {
    let message = format!("{} is a {}; a {wanted} cannot take its place", relation(name), kind.as_str());
    Error::Fault(Fault::new("RELATION_KIND", message))
}
