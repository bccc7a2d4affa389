//! The rows of edits: commands, the graph, SQL.

use super::*;

const LINES: &str = "model.night_trains.stg_rail__lines";
/// Reads what `LINES` makes.
const DOWNSTREAM: &str = "model.night_trains.dim_lines";

/// The rows of the graph: B16 to B22.
pub(super) fn graph(project: &str) -> Vec<Row> {
    let stations = "model.night_trains.stg_rail__stations";
    let source = "source.night_trains.rail.lines";
    let connect = |from: &str, to: &str| edit(project, json!({"type": "connect", "from": from, "to": to}));
    let rename = |to: &str| edit(project, json!({"type": "rename_node", "unique_id": LINES, "to": to}));
    let at = |field: &'static str| Some(field);
    let enabled = json!({"type": "configure", "unique_id": LINES, "key": "enabled", "value": "maybe"});
    let alias = json!({"type": "configure", "unique_id": LINES, "key": "alias", "value": "stg_rail__stations"});
    vec![
        row("B16 to", connect(LINES, "model.x.y"), (422, "NODE_NOT_FOUND", at("/commands/0/command/to"))),
        row("B16 from", connect("model.x.y", LINES), (422, "NODE_NOT_FOUND", at("/commands/0/command/from"))),
        row("B17", connect(DOWNSTREAM, LINES), (422, "GRAPH_CYCLE", at("/commands/0/command/to"))),
        row("B18 self", connect(LINES, LINES), (422, "EDGE_SELF", at("/commands/0/command/to"))),
        row("B18 duplicate", connect(source, LINES), (422, "EDGE_DUPLICATE", at("/commands/0/command/to"))),
        row("B34", edit(project, enabled), (422, "CONFIG_TYPE", at("/commands/0"))),
        row("B20", edit(project, alias), (422, "RELATION_CLASH", at("/commands/0"))),
        row("B21", rename("\"; drop table x; --"), (422, "IDENTIFIER_INVALID", at("/commands/0/command/to"))),
        row("B22", rename(&"é".repeat(32)), (422, "IDENTIFIER_TOO_LONG", at("/commands/0/command/to"))),
        row(
            "a name that is taken",
            rename("stg_rail__stations"),
            (422, "MODEL_DUPLICATE", at("/commands/0/command/to")),
        ),
        row(
            "B16 target",
            connect(stations, "exposure.night_trains.none"),
            (422, "NODE_NOT_FOUND", at("/commands/0/command/to")),
        ),
    ]
}

/// The rows of commands: B14 and B15.
pub(super) fn commands(project: &str) -> Vec<Row> {
    let rename = |to: &str| json!({"type": "rename_node", "unique_id": LINES, "to": to});
    let without_base = json!({"idempotency_key": Uuid::now_v7(), "command": rename("x")});
    let without_base = post(&format!("{project}/commands"), &json!({"commands": [without_base]}).to_string());
    let empty = post(&format!("{project}/commands"), r#"{"commands": []}"#);
    vec![
        row("no base", without_base, (400, "BASE_VERSION_REQUIRED", Some("/commands/0/base_version"))),
        row("no commands", empty, (400, "PARAM_RANGE", Some("/commands"))),
        row("B14 ahead", edit_on(project, 99, rename("x")), (409, "VERSION_AHEAD", Some("/commands/0/base_version"))),
        row("B15", edit(project, json!({"type": "paint"})), (422, "COMMAND_UNKNOWN", Some("/commands/0/command"))),
        row(
            "no node",
            edit(project, json!({"type": "set_sql", "unique_id": "model.x.y", "sql": "select 1"})),
            (422, "NODE_NOT_FOUND", Some("/commands/0/command/unique_id")),
        ),
        row(
            "place",
            edit(project, json!({"type": "place_node", "node_key": LINES, "x": 1e9, "y": 0})),
            (422, "NUMBER_RANGE", Some("/commands/0/command/x")),
        ),
    ]
}

/// B24 to B31 in a command that carries SQL.
pub(super) fn sql(project: &str) -> Vec<Row> {
    let nested = format!("select {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let large = format!("select '{}'", "x".repeat(1024 * 1024));
    let rows: [(&str, &str, &str); 13] = [
        ("B24", "select 1; drop table t", "SQL_MULTIPLE_STATEMENTS"),
        ("B25", "select , from t", "SQL_SYNTAX"),
        ("B25 string", "select 'a", "SQL_SYNTAX"),
        ("B25 comment", "select 1 /* a", "SQL_SYNTAX"),
        ("B25 parentheses", "select (1", "SQL_SYNTAX"),
        ("B25 injected", "select 1); drop table t; select (1", "SQL_SYNTAX"),
        ("B26", &large, "SQL_TOO_LARGE"),
        ("B27", &nested, "SQL_TOO_NESTED"),
        ("B28", "{% for i in range(10**9) %}{% for j in range(10**9) %}{% endfor %}{% endfor %}", "TEMPLATE_BUDGET"),
        ("B29", "select '{{ env_var('GITHUB_TOKEN') }}'", "ENV_VAR_NOT_DEFINED"),
        ("B30", "select * from {{ ref('missing') }}", "REF_NOT_FOUND"),
        ("B31", "select 1 {% if x %}", "TEMPLATE_SYNTAX"),
        ("B31 cycle", "{% macro a() %}{{ a() }}{% endmacro %}select {{ a() }}", "TEMPLATE_CYCLE"),
    ];
    let add = |sql: &str| edit(project, json!({"type": "add_node", "name": "extra", "sql": sql}));
    rows.into_iter()
        .map(|(name, sql, code)| row(name, add(sql), (422, code, Some("/commands/0/command/sql"))))
        .collect()
}

/// B14, and the codes that the text names.
pub(super) fn other(setting: &Setting) -> Vec<Row> {
    let (shop, quick) = (&setting.shop, "model.shop.quick");
    let conflict = json!({"type": "set_sql", "unique_id": quick, "sql": "select 3 as x"});
    let seed = json!({"type": "set_sql", "unique_id": "seed.shop.colours", "sql": "x"});
    let alias = json!({"type": "describe_node", "unique_id": "model.shop.quick", "text": "b"});
    let path = |path: &str| edit(shop, json!({"type": "add_file", "path": path, "text": ""}));
    vec![
        row("B14", edit_on(shop, 1, conflict), (409, "EDIT_CONFLICT", Some("/commands/0"))),
        row("seed", edit(shop, seed), (422, "EDIT_NOT_EXPRESSIBLE", Some("/commands/0/command/unique_id"))),
        row("alias", edit(shop, alias), (422, "YAML_ALIAS", Some("/commands/0"))),
        row("path", path("../a"), (422, "PATH_INVALID", Some("/commands/0/command/path"))),
        row("path taken", path("models/quick.sql"), (409, "FILE_EXISTS", Some("/commands/0/command/path"))),
    ]
}
