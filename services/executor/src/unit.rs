//! Unit tests: a model's SQL on rows that are given, compared with rows that are expected.

use dvt_dbt::compile::Nodes;
use dvt_dbt::jinja::Graph;
use dvt_dbt::node::Node;
use serde_json::{Map, Value as Json};

use crate::bridge::{Rendering, render};
use crate::csv;
use crate::targets::{Error, Fault, Given, Name, Session, UnitTest};
use crate::task::{Failure, Kind, Made, Maker, Task, or_fail};

impl Maker {
    /// Makes the task of a unit test.
    ///
    /// # Errors
    /// When rendering stops unexpectedly. The inner error fails the step.
    pub(crate) async fn unit_test(&self, mut session: Box<dyn Session>, node: &Node) -> Made<Task> {
        let inputs = or_fail!(session, self.inputs(node));
        let expect = node.properties.get("expect").and_then(Json::as_object).cloned().unwrap_or_default();
        let expect = or_fail!(session, data(&expect, "expect"));
        let mut given = Vec::with_capacity(inputs.len());
        for (unique_id, name, rows) in inputs {
            let sql = session.given(&name, &rows).await.map_err(failure);
            given.push((unique_id, or_fail!(session, sql)));
        }
        let Some(tested) = node.depends_on.nodes.first().and_then(|id| self.project.parsed.find(id)) else {
            return Ok((session, Err(invalid("the tested model is not there").into())));
        };
        let rendering = Rendering {
            project: self.project.clone(),
            unique_id: tested.unique_id.clone(),
            text: None,
            values: self.values.clone(),
            hidden: Some(self.project.relation(tested)),
            given: Some(given),
        };
        let (session, rendered) = render(rendering, session).await?;
        let sql = or_fail!(session, rendered);
        let test = UnitTest { sql: sql.text.clone(), expect };
        Ok((session, Ok(Task { sql, kind: Kind::Unit(test) })))
    }

    /// Reads what a unit test gives: the node whose rows it stands for, that one's relation, and the rows.
    fn inputs(&self, node: &Node) -> Result<Vec<(String, Name, Given)>, Failure> {
        let is_set = |key: &str| node.properties.get(key).and_then(Json::as_object).is_some_and(|map| !map.is_empty());
        if is_set("overrides") {
            return Err(Fault::new("NOT_SUPPORTED", "`overrides` of a unit test are not supported yet").into());
        }
        let given = node.properties.get("given").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        given.iter().map(|given| self.input(node, given)).collect()
    }

    fn input(&self, node: &Node, given: &Json) -> Result<(String, Name, Given), Failure> {
        let given = given.as_object().ok_or_else(|| invalid("an entry of `given` is no mapping"))?;
        let input = given.get("input").and_then(Json::as_str).unwrap_or_default().trim();
        if input == "this" {
            return Err(Fault::new("NOT_SUPPORTED", "the input `this` of a unit test is not supported yet").into());
        }
        let parsed = &self.project.parsed;
        let context = parsed.context(&node.unique_id).ok_or_else(|| invalid("the unit test is not there"))?;
        let broken = |error: dvt_dbt::jinja::Error| Failure::new(error.code.as_str(), error.message);
        let found = parsed.engine().parse_text(&context, &format!("{{{{ {input} }}}}")).map_err(broken)?;
        let resolved = match (found.refs.as_slice(), found.sources.as_slice()) {
            ([call], []) => parsed.resolve_ref(&context, call),
            ([], [[source, table]]) => parsed.resolve_source(&context, source, table),
            _ => return Err(invalid(&format!("the input `{input}` is neither ref() nor source()")).into()),
        };
        let unique_id = resolved.map_err(broken)?.unique_id;
        let of = parsed.find(&unique_id).ok_or_else(|| invalid("an input is not there"))?;
        Ok((unique_id, self.project.relation(of), data(given, input)?))
    }
}

/// Reads the rows of a unit test in any of dbt's formats.
fn data(given: &Map<String, Json>, of: &str) -> Result<Given, Fault> {
    if given.get("fixture").is_some_and(|fixture| !fixture.is_null()) {
        return Err(Fault::new("NOT_SUPPORTED", "a `fixture` file of a unit test is not supported yet"));
    }
    let format = given.get("format").and_then(Json::as_str).unwrap_or("dict");
    match (format, given.get("rows")) {
        ("dict", None | Some(Json::Null)) => Ok(Given::Rows(Vec::new())),
        ("dict", Some(Json::Array(rows))) => {
            let row = |row: &Json| row.as_object().cloned();
            let rows: Option<Vec<_>> = rows.iter().map(row).collect();
            rows.map(Given::Rows).ok_or_else(|| invalid(&format!("a row of {of} is no mapping")))
        }
        ("csv", Some(Json::String(text))) => {
            let table = csv::table(text, ',', &|_| true).map_err(|error| invalid(&format!("{of}: {error}")))?;
            let names: Vec<String> = table.columns.into_iter().map(|(name, _)| name.trim().to_owned()).collect();
            let cell = |cell: Option<String>| cell.map_or(Json::Null, |cell| Json::from(cell.trim()));
            let row = |row: Vec<Option<String>>| names.iter().cloned().zip(row.into_iter().map(cell)).collect();
            Ok(Given::Rows(table.rows.into_iter().map(row).collect()))
        }
        ("sql", Some(Json::String(sql))) => Ok(Given::Sql(sql.clone())),
        (format, _) => Err(invalid(&format!("the rows of {of} are not what the format `{format}` has"))),
    }
}

fn invalid(message: &str) -> Fault {
    Fault::new("UNIT_TEST_INVALID", message)
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Fault(fault) => fault.into(),
        error => Failure::new("DATABASE_ERROR", error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(given: Json) -> Result<Given, String> {
        data(given.as_object().expect("a mapping"), "expect").map_err(|fault| fault.message)
    }

    #[test]
    fn reads_rows_in_each_of_dbts_formats() {
        let row = json!({"a": "1", "b": null}).as_object().cloned().expect("a mapping");
        let rows = Ok(Given::Rows(vec![row]));
        assert_eq!(read(json!({"rows": [{"a": "1", "b": null}]})), rows);
        assert_eq!(read(json!({"format": "csv", "rows": "a,b\n1,\n"})), rows);
        assert_eq!(read(json!({"format": "sql", "rows": "select 1"})), Ok(Given::Sql("select 1".into())));
        assert_eq!(read(json!({})), Ok(Given::Rows(Vec::new())));
    }

    #[test]
    fn says_what_it_cannot_read() {
        assert_eq!(read(json!({"rows": [1]})), Err("a row of expect is no mapping".into()));
        assert_eq!(
            read(json!({"format": "csv", "rows": []})),
            Err("the rows of expect are not what the format `csv` has".into())
        );
    }
}
