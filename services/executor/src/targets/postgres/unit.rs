//! Unit tests: rows that are given become queries, and a query's rows are compared with those that are expected.

use serde_json::{Map, Value as Json};

use super::catalog;
use super::quote::{ident, idents, literal, relation};
use super::session::PgSession;
use crate::targets::{Error, Fault, Given, Name, Rows, UnitTest};

/// How many differences are shown.
const SHOWN: i64 = 20;

/// Writes given data as a query with the columns of a relation, as dbt does.
pub(super) async fn given(session: &mut PgSession, name: &Name, given: &Given) -> Result<String, Error> {
    let rows = match given {
        Given::Sql(sql) => return Ok(sql.clone()),
        Given::Rows(rows) => rows,
    };
    let columns = catalog::columns(session, &relation(name)).await?;
    if columns.is_empty() {
        let message = format!("{} does not exist, so the types of its columns are not known", relation(name));
        return Err(Fault::new("UNIT_TEST_INVALID", message).into());
    }
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    check(rows, &names, &relation(name))?;
    let select = |row: Option<&Map<String, Json>>| {
        let cells = columns.iter().map(|column| {
            let value = row.and_then(|row| find(row, &column.name)).unwrap_or(&Json::Null);
            format!("{} as {}", cast(value, &column.ddl_type), ident(&column.name))
        });
        format!("select {}", cells.collect::<Vec<_>>().join(", "))
    };
    Ok(match rows.is_empty() {
        true => format!("{} limit 0", select(None)),
        false => rows.iter().map(|row| select(Some(row))).collect::<Vec<_>>().join("\nunion all\n"),
    })
}

/// Compares what a query answers with what is expected, in no order; a row that is there twice is expected twice.
pub(super) async fn differences(session: &mut PgSession, test: &UnitTest) -> Result<Rows, Error> {
    let UnitTest { sql, expect } = test;
    let all = session.shape(sql).await?;
    let names: Vec<String> = all.iter().map(|(name, _)| name.clone()).collect();
    let (columns, expected) = match expect {
        Given::Sql(sql) => (names, sql.clone()),
        Given::Rows(rows) => {
            check(rows, &names, "the expected rows")?;
            let first = rows.first();
            let wanted = |(column, _): &(String, String)| first.is_none_or(|first| find(first, column).is_some());
            let columns: Vec<(String, String)> = all.into_iter().filter(wanted).collect();
            let expected = expected(rows, &columns);
            (columns.into_iter().map(|(name, _)| name).collect(), expected)
        }
    };
    let list = idents(columns.iter().map(String::as_str));
    let compared = format!(
        "with dvt_query as (\n{sql}\n),
        dvt_actual as (select {list} from dvt_query),
        dvt_expected as (select {list} from (\n{expected}\n) as dvt_rows)
        select 'missing' as found, * from (select * from dvt_expected except all select * from dvt_actual) as dvt_missing
        union all
        select 'unexpected', * from (select * from dvt_actual except all select * from dvt_expected) as dvt_unexpected"
    );
    session.read_in_transaction(&compared, Some(SHOWN)).await
}

/// Writes expected rows with the names and types of the columns; without rows, a query that has none.
fn expected(rows: &[Map<String, Json>], columns: &[(String, String)]) -> String {
    let row = |row: &Map<String, Json>| {
        let cells = columns.iter().map(|(column, kind)| {
            format!("{} as {}", cast(find(row, column).unwrap_or(&Json::Null), kind), ident(column))
        });
        format!("select {}", cells.collect::<Vec<_>>().join(", "))
    };
    match rows.is_empty() {
        true => "select * from dvt_actual where false".to_owned(),
        false => rows.iter().map(row).collect::<Vec<_>>().join("\nunion all\n"),
    }
}

/// Finds a value; names are compared as dbt compares them here, in any case.
fn find<'a>(row: &'a Map<String, Json>, column: &str) -> Option<&'a Json> {
    row.iter().find(|(name, _)| name.eq_ignore_ascii_case(column)).map(|(_, value)| value)
}

fn check(rows: &[Map<String, Json>], columns: &[String], of: &str) -> Result<(), Fault> {
    let is_known = |name: &&String| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    match rows.iter().flat_map(Map::keys).find(|name| !is_known(name)) {
        None => Ok(()),
        Some(name) => {
            let message = format!("{of} have no column `{name}`; there are {}", columns.join(", "));
            Err(Fault::new("UNIT_TEST_INVALID", message))
        }
    }
}

/// Writes a value of a type as dbt does: a text keeps all of its characters, however long the column may be.
fn cast(value: &Json, kind: &str) -> String {
    let (written, kind) = match value {
        Json::Null => ("null".to_owned(), kind),
        Json::String(text) if kind.contains("varying") => (literal(text), kind.split('(').next().unwrap_or(kind)),
        Json::String(text) => (literal(text), kind),
        Json::Bool(_) | Json::Number(_) => (value.to_string(), kind),
        Json::Array(_) | Json::Object(_) => (literal(&value.to_string()), kind),
    };
    format!("cast({written} as {kind})")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn writes_values_of_the_type_of_their_column() {
        let row = json!({"a": 1, "B": "it's", "c": true});
        let row = row.as_object().cloned().unwrap_or_default();
        let columns = [("a", "numeric(6,2)"), ("b", "character varying(2)"), ("c", "boolean"), ("d", "date")];
        let columns = columns.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
        assert_eq!(
            expected(&[row], &columns),
            "select cast(1 as numeric(6,2)) as \"a\", cast('it''s' as character varying) as \"b\", \
             cast(true as boolean) as \"c\", cast(null as date) as \"d\""
        );
    }

    #[test]
    fn names_a_column_that_is_not_there() {
        let row = json!({"x": 1}).as_object().cloned().unwrap_or_default();
        let fault = check(&[row], &["a".to_owned()], "the expected rows").expect_err("there is no x");
        assert_eq!(fault.message, "the expected rows have no column `x`; there are a");
    }
}
