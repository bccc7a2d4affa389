//! Seeds: a CSV file becomes a table by COPY.

use bytes::Bytes;

use super::catalog;
use super::materialize::in_the_way;
use super::quote::{ident, idents, relation};
use super::session::PgSession;
use crate::targets::{Built, Error, Name, RelationKind, Seed};

/// How much of a file is sent at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// Fills a seed's table: an existing one is emptied, as dbt does, unless the run builds it anew.
pub(super) async fn build(session: &mut PgSession, name: &Name, seed: &Seed) -> Result<Built, Error> {
    let table = relation(name);
    let exists = match catalog::kind(session, name).await? {
        None => false,
        Some(RelationKind::Table) if seed.full_refresh => {
            catalog::drop_cascade(session, name, RelationKind::Table).await?;
            false
        }
        Some(RelationKind::Table) => true,
        Some(kind @ (RelationKind::View | RelationKind::MaterializedView | RelationKind::External)) => {
            return Err(in_the_way(name, kind, "seed"));
        }
    };
    match exists {
        true => session.plain(format!("truncate table {table}")).await?,
        false => {
            let columns = seed.columns.iter().map(|(column, kind)| format!("{} {kind}", ident(column)));
            session.plain(format!("create table {table} ({})", columns.collect::<Vec<_>>().join(", "))).await?
        }
    };
    let columns = idents(seed.columns.iter().map(|(column, _)| column.as_str()));
    let rows = session.copy(&format!("copy {table} ({columns}) from stdin"), chunks(&seed.rows)).await?;
    Ok(Built { rows: Some(rows as i64), message: format!("COPY {rows}") })
}

/// Writes rows as COPY's text format.
fn chunks(rows: &[Vec<Option<String>>]) -> Vec<Bytes> {
    let (mut chunks, mut text) = (Vec::new(), String::new());
    for row in rows {
        for (index, cell) in row.iter().enumerate() {
            text.push_str(if index > 0 { "\t" } else { "" });
            match cell {
                None => text.push_str("\\N"),
                Some(cell) => escape(cell, &mut text),
            }
        }
        text.push('\n');
        if text.len() >= CHUNK {
            chunks.push(Bytes::from(std::mem::take(&mut text)));
        }
    }
    chunks.push(Bytes::from(text));
    chunks
}

fn escape(cell: &str, into: &mut String) {
    for c in cell.chars() {
        match c {
            '\\' => into.push_str("\\\\"),
            '\t' => into.push_str("\\t"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_copy_reads_back() {
        let rows = vec![vec![Some("a\tb\\N\n".to_owned()), None, Some(String::new())]];
        assert_eq!(chunks(&rows), [Bytes::from("a\\tb\\\\N\\n\t\\N\t\n")]);
    }
}
