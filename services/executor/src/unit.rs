//! Unit tests: a model's SQL on rows that are given, compared with rows that are expected.

use std::sync::Arc;

use dvt_dbt::compile::Nodes;
use dvt_dbt::jinja::{Graph, Overrides, Quoting, Resolved};
use dvt_dbt::node::{Node, ResourceType};
use serde_json::{Map, Value as Json};

use crate::bridge::{Rendering, Stand, Unit, render};
use crate::csv;
use crate::targets::{Error, Fault, Given, Session, UnitTest};
use crate::task::{Failure, Kind, Made, Maker, Task, or_fail};

/// The macro that a unit test of an incremental model must answer for, by the name that dbt gives it.
const IS_INCREMENTAL: &str = "macro.dbt.is_incremental";

/// Is what a unit test gives for one relation.
struct Input<'a> {
    /// The node whose relation it stands for.
    node: &'a Node,
    given: Given,
}

impl Maker {
    /// Makes the task of a unit test.
    ///
    /// # Errors
    /// When rendering stops unexpectedly. The inner error fails the step.
    pub(crate) async fn unit_test(&self, mut session: Box<dyn Session>, node: &Node) -> Made<Task> {
        let Some(tested) = node.depends_on.nodes.first().and_then(|id| self.project.parsed.find(id)) else {
            return Ok((session, Err(invalid("the tested model is not there").into())));
        };
        let inputs = or_fail!(session, self.inputs(node, tested));
        let overrides = or_fail!(session, overrides(node, tested, &inputs));
        let expect = node.properties.get("expect").and_then(Json::as_object).cloned().unwrap_or_default();
        let expect = or_fail!(session, data(&expect, "expect"));
        let mut stands = Vec::with_capacity(inputs.len());
        for Input { node, given } in &inputs {
            let sql = session.given(&self.project.relation(node), given).await.map_err(failure);
            stands.push(stand(node, given, or_fail!(session, sql)));
        }
        let overrides = Arc::new(overrides);
        let unit = Unit { tested: tested.unique_id.clone(), given: stands, overrides };
        let rendering = Rendering {
            project: self.project.clone(),
            unique_id: node.unique_id.clone(),
            text: None,
            values: self.values.clone(),
            hidden: None,
            unit: Some(unit),
        };
        let (session, rendered) = render(rendering, session).await?;
        let sql = or_fail!(session, rendered);
        let test = UnitTest { sql: sql.text.clone(), expect };
        Ok((session, Ok(Task { sql, kind: Kind::Unit(test) })))
    }

    /// Reads what a unit test gives.
    fn inputs<'a>(&'a self, node: &Node, tested: &'a Node) -> Result<Vec<Input<'a>>, Failure> {
        let given = node.properties.get("given").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let input = |given| {
            let (of, given, input) = self.input((node, tested), given)?;
            let is_left_out = matches!(given.get("rows"), None | Some(Json::Null));
            let is_dict = given.get("format").and_then(Json::as_str).unwrap_or("dict") == "dict";
            let given = match is_left_out && is_dict {
                true => self.of_seed(of, input)?,
                false => data(given, input)?,
            };
            Ok(Input { node: of, given })
        };
        given.iter().map(input).collect()
    }

    /// Finds the node whose rows an entry of `given` stands for.
    fn input<'a, 'g>(
        &'a self,
        (node, tested): (&Node, &'a Node),
        given: &'g Json,
    ) -> Result<(&'a Node, &'g Map<String, Json>, &'g str), Failure> {
        let given = given.as_object().ok_or_else(|| invalid("an entry of `given` is no mapping"))?;
        let input = given.get("input").and_then(Json::as_str).unwrap_or_default().trim();
        if input == "this" {
            return Ok((tested, given, input));
        }
        let neither = || invalid(&format!("the input `{input}` is neither ref(), source() nor this"));
        Ok((self.referred(node, input)?.ok_or_else(neither)?, given, input))
    }

    /// Finds the node that a text of another's YAML names; None where it is no call of ref() or source().
    ///
    /// # Errors
    /// When what is called for is not there.
    pub(crate) fn referred(&self, node: &Node, text: &str) -> Result<Option<&Node>, Failure> {
        let parsed = &self.project.parsed;
        let context = parsed.context(&node.unique_id).ok_or_else(|| invalid("the node is not there"))?;
        let broken = |error: dvt_dbt::jinja::Error| Failure::new(error.code.as_str(), error.message);
        let found = parsed.engine().parse_text(&context, &format!("{{{{ {text} }}}}")).map_err(broken)?;
        let resolved = match (found.refs.as_slice(), found.sources.as_slice()) {
            ([call], []) => parsed.resolve_ref(&context, call),
            ([], [[source, table]]) => parsed.resolve_source(&context, source, table),
            _ => return Ok(None),
        };
        Ok(parsed.find(&resolved.map_err(broken)?.unique_id))
    }

    /// Reads the rows of a seed, which stand for themselves where a unit test gives none.
    fn of_seed(&self, node: &Node, input: &str) -> Result<Given, Fault> {
        let file = self.project.file(&node.original_file_path).filter(|_| node.resource_type == ResourceType::Seed);
        let text = file.and_then(|file| file.text());
        let missing = || invalid(&format!("the input `{input}` has no rows; only a seed may be given without"));
        let (names, rows) = csv::cells(text.ok_or_else(missing)?, ',').map_err(|error| invalid(&error))?;
        Ok(Given::Rows(objects(&names, rows, &|_| false)))
    }
}

/// Answers what a unit test puts in the place of its model's surroundings.
fn overrides(node: &Node, tested: &Node, inputs: &[Input<'_>]) -> Result<Overrides, Fault> {
    let all = node.properties.get("overrides").and_then(Json::as_object);
    let part = |key: &str| all.and_then(|all| all.get(key)?.as_object().cloned()).unwrap_or_default();
    let (macros, vars, env_vars) = (part("macros"), part("vars"), part("env_vars"));
    let has_this = inputs.iter().any(|input| input.node.unique_id == tested.unique_id);
    if tested.depends_on.macros.iter().any(|called| called == IS_INCREMENTAL) {
        match macros.get("is_incremental").and_then(Json::as_bool) {
            None => {
                let message =
                    format!("`overrides: macros: is_incremental:` must say true or false, as {} asks it", tested.name);
                return Err(invalid(&message));
            }
            Some(true) if !has_this => {
                return Err(invalid("an incremental model whose is_incremental is true needs the input `this`"));
            }
            Some(_) => {}
        }
    }
    let this = has_this.then(|| Resolved {
        unique_id: tested.unique_id.clone(),
        database: None,
        schema: String::new(),
        identifier: stand_name(tested),
        quoting: Quoting::default(),
        ephemeral: true,
        resource_type: tested.resource_type.as_str().to_owned(),
    });
    Ok(Overrides { this, macros, vars, env_vars })
}

/// Makes what stands for a node's relation. SQL that the test gives is a template, as in dbt.
fn stand(node: &Node, given: &Given, sql: String) -> Stand {
    let raw_code = match given {
        Given::Sql(_) => sql,
        Given::Rows(_) => format!("{{% raw %}}{sql}{{% endraw %}}"),
    };
    Stand { unique_id: node.unique_id.clone(), name: stand_name(node), raw_code }
}

/// Names what stands for a node's relation as dbt does.
fn stand_name(node: &Node) -> String {
    match &node.source_name {
        Some(source) => format!("{source}__{}", node.name),
        None => node.alias.clone(),
    }
}

/// Reads the rows of a unit test in any of dbt's formats.
fn data(given: &Map<String, Json>, of: &str) -> Result<Given, Fault> {
    let format = given.get("format").and_then(Json::as_str).unwrap_or("dict");
    match (format, given.get("rows")) {
        ("dict", Some(Json::Array(rows))) => {
            let row = |row: &Json| row.as_object().cloned();
            let rows: Option<Vec<_>> = rows.iter().map(row).collect();
            rows.map(Given::Rows).ok_or_else(|| invalid(&format!("a row of {of} is no mapping")))
        }
        ("csv", Some(Json::String(text))) => {
            let (names, rows) = csv::cells(text, ',').map_err(|error| invalid(&format!("{of}: {error}")))?;
            Ok(Given::Rows(objects(&names, rows, &str::is_empty)))
        }
        ("sql", Some(Json::String(sql))) => Ok(Given::Sql(sql.clone())),
        (format, _) => Err(invalid(&format!("the rows of {of} are not what the format `{format}` has"))),
    }
}

/// Makes rows of cells; a cell that is not there is null.
fn objects(names: &[String], rows: Vec<Vec<Option<String>>>, is_null: &dyn Fn(&str) -> bool) -> Vec<Map<String, Json>> {
    let cell = |cell: Option<String>| cell.filter(|cell| !is_null(cell)).map_or(Json::Null, Json::from);
    rows.into_iter().map(|row| names.iter().cloned().zip(row.into_iter().map(cell)).collect()).collect()
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
        assert_eq!(read(json!({"rows": []})), Ok(Given::Rows(Vec::new())));
    }

    #[test]
    fn says_what_it_cannot_read() {
        assert_eq!(read(json!({})), Err("the rows of expect are not what the format `dict` has".into()));
        assert_eq!(read(json!({"rows": [1]})), Err("a row of expect is no mapping".into()));
        assert_eq!(
            read(json!({"format": "csv", "rows": []})),
            Err("the rows of expect are not what the format `csv` has".into())
        );
    }
}
