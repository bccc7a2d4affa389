//! What a broken file of an import gets: it is kept as it was, and a diagnostic says what is wrong with it.

use std::fmt::Write as _;

use dvt_dbt::tree::{File, Mode, Sha256, Tree};
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::{Server, import, zip};
use crate::world::{imported, packed, start_workers};

const PROJECT: &str = "name: shop\nprofile: shop\nversion: '1.0'\n";

/// Its name has 64 bytes.
const LONG: &str = "models/éééééééééééééééééééééééééééééééé.sql";

/// Is one row: its name, a file of a project, and the diagnostic it gets: code, line and column.
struct Row {
    name: &'static str,
    path: &'static str,
    content: Vec<u8>,
    expected: (&'static str, &'static str, Option<(u32, u32)>),
}

fn row(
    name: &'static str,
    (path, content): (&'static str, impl Into<Vec<u8>>),
    expected: (&'static str, &'static str, Option<(u32, u32)>),
) -> Row {
    Row { name, path, content: content.into(), expected }
}

/// Writes nine levels of nine aliases each.
fn bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    text
}

/// The rows of SQL and its templates: B26 to B31.
fn templates() -> Vec<Row> {
    let endless = "select 1 {% for i in range(10**9) %}{% for j in range(10**9) %}{% endfor %}{% endfor %}";
    let secret = "select '{{ env_var('GITHUB_TOKEN') }}'";
    let large = format!("select '{}'", "x".repeat(1024 * 1024));
    let nested = format!("select {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let cycle = "{% macro a() %}{{ a() }}{% endmacro %}select {{ a() }}";
    vec![
        row("B26", ("models/a.sql", large), ("error", "SQL_TOO_LARGE", None)),
        row("B28", ("models/a.sql", endless), ("error", "TEMPLATE_BUDGET", Some((1, 22)))),
        row("B29", ("models/a.sql", secret), ("error", "ENV_VAR_NOT_DEFINED", Some((1, 12)))),
        row("B24", ("models/a.sql", "select 1;\n drop table t"), ("error", "SQL_MULTIPLE_STATEMENTS", Some((2, 2)))),
        row("B25", ("models/a.sql", "select ,\nfrom t"), ("warning", "SQL_SYNTAX", Some((1, 8)))),
        row("B25 certain", ("models/a.sql", "select 1\nfrom (select 1"), ("error", "SQL_SYNTAX", Some((2, 6)))),
        row("B27", ("models/a.sql", nested), ("error", "SQL_TOO_NESTED", Some((1, 208)))),
        row("B30", ("models/a.sql", "select 1\nfrom {{ ref('ordres') }}"), ("error", "REF_NOT_FOUND", Some((2, 9)))),
        row("B31", ("models/a.sql", "select 1\n{% if x %}"), ("error", "TEMPLATE_SYNTAX", Some((2, 9)))),
        row("B31 cycle", ("models/a.sql", cycle), ("error", "TEMPLATE_CYCLE", None)),
    ]
}

/// The rows of YAML and of whole files: B32 to B34, B40.
fn files() -> Vec<Row> {
    let tag = "models:\n  - name: !!python/object:os.system x\n";
    let twice = "models:\n  - name: orders\n    description: a\n    description: b\n";
    let maybe = "models:\n  - name: orders\n    config:\n      enabled: maybe\n";
    let utf16: Vec<u8> = "select 1".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = [vec![0xff, 0xfe], utf16].concat();
    vec![
        row("B17", ("models/a.sql", "select * from {{ ref('a') }}"), ("error", "GRAPH_CYCLE", None)),
        row("B20", ("models/a.sql", "{{ config(alias='orders') }} select 1"), ("error", "RELATION_CLASH", None)),
        row("B21", ("models/a;.sql", "select 1"), ("warning", "IDENTIFIER_INVALID", None)),
        row("B22", (LONG, "select 1"), ("warning", "IDENTIFIER_TOO_LONG", None)),
        row("B23", ("models/select.sql", "select 1"), ("warning", "IDENTIFIER_QUOTED", None)),
        row("B32", ("models/a.yml", bomb()), ("error", "YAML_TOO_LARGE", None)),
        row("B33 tab", ("models/a.yml", "models:\n\t- name: orders\n"), ("error", "YAML_SYNTAX", Some((2, 1)))),
        row("B33 syntax", ("models/a.yml", "models: [\n"), ("error", "YAML_SYNTAX", None)),
        row("B33 tag", ("models/a.yml", tag), ("error", "YAML_TAG", Some((2, 11)))),
        row("B33 twice", ("models/a.yml", twice), ("warning", "YAML_DUPLICATE_KEY", Some((4, 5)))),
        row("B34", ("models/a.yml", maybe), ("error", "CONFIG_TYPE", Some((4, 7)))),
        row("B40 twice", ("models/b/orders.sql", "select 2"), ("error", "MODEL_DUPLICATE", None)),
        row(
            "B40 BOM and CRLF",
            ("models/a.sql", "\u{feff}select 1 as a\r\nfrom {{ ref('x') }}\r\n"),
            ("error", "REF_NOT_FOUND", Some((2, 9))),
        ),
        row("B40 UTF-16", ("models/a.sql", utf16), ("error", "FILE_ENCODING", None)),
    ]
}

/// Imports a good model and the row's file.
async fn report(server: &Server, row: &Row) -> Value {
    let files = [
        ("dbt_project.yml", PROJECT.as_bytes().to_vec()),
        ("models/orders.sql", b"select 1 as id".to_vec()),
        (row.path, row.content.clone()),
    ];
    let tree = Tree::from_iter(files.map(|(path, content)| (path.to_owned(), File::new(Mode::Regular, content))));
    let (status, body) = server.send(import(Uuid::now_v7(), zip(&tree))).await;
    assert_eq!(status, 201, "{}: {}", row.name, String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

/// Says how the diagnostics of a report differ from what the row expects.
fn difference(row: &Row, report: &Value) -> Option<String> {
    let (severity, code, place) = row.expected;
    let found = report["diagnostics"].as_array().unwrap().iter().find(|found| {
        found["code"] == code
            && found["severity"] == severity
            && found["place"]["path"] == row.path
            && place.is_none_or(|(line, column)| found["place"]["line"] == line && found["place"]["column"] == column)
    });
    found.is_none().then(|| format!("{}: expected {:?}, got {}", row.name, row.expected, report["diagnostics"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_is_kept_and_gets_a_diagnostic() {
    let server = Server::start("gateway_broken").await;
    let mut wrong = Vec::new();
    for row in templates().into_iter().chain(files()) {
        let report = report(&server, &row).await;
        wrong.extend(difference(&row, &report));
        let project = report["project_id"].as_str().unwrap();
        let kept = server.get(&format!("/api/v1/projects/{project}/files/{}", row.path)).await;
        if kept["sha256"] != Sha256::of(&row.content).to_string() {
            wrong.push(format!("{}: the file is not what was imported", row.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Makes what breaks each in its own way, and one good model.
fn broken() -> Vec<(&'static str, &'static str)> {
    vec![
        ("dbt_project.yml", PROJECT),
        ("models/orders.sql", "select 1 as id"),
        ("models/dangling.sql", "select * from {{ ref('missing') }}"),
        ("models/two.sql", "select {% if execute %}1; select 2{% endif %}"),
        ("models/large.sql", "select '{{ 'x' * (1024 * 1024 + 1) }}'"),
        ("models/own.sql", "{{ config(materialized='own') }} select 1; select 2"),
        ("macros/own.sql", "{% materialization own, default %}{% endmaterialization %}"),
        ("models/bad.yml", "models: [\n"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_nodes_are_broken_in_the_compilation_and_the_others_are_not() {
    let database = "gateway_partly";
    let server = Server::start(database).await;
    let stop = start_workers(database, Vec::new()).await;
    let project = imported(&server, &broken()).await;
    let asked = server.post(&format!("{project}/compilations"), json!({})).await;
    let address = format!("{project}/compilations/{}", asked["compilation_id"].as_str().unwrap());
    let compilation = server.until(&address, |compilation| compilation["state"] != "requested").await;
    stop.cancel();
    assert_eq!((&compilation["state"], &compilation["compiled"]), (&json!("compiled"), &json!(1)), "{compilation}");
    let nodes = compilation["nodes"].as_array().unwrap().iter();
    let codes: Vec<_> =
        nodes.map(|node| (node["unique_id"].as_str().unwrap(), node["code"].as_str().unwrap())).collect();
    let expected = [
        ("model.shop.dangling", "REF_NOT_FOUND"),
        ("model.shop.large", "SQL_TOO_LARGE"),
        ("model.shop.own", "MATERIALIZATION_CUSTOM"),
        ("model.shop.two", "SQL_MULTIPLE_STATEMENTS"),
    ];
    assert_eq!(codes, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_shows_a_hundred_diagnostics_and_counts_all() {
    let server = Server::start("gateway_many_broken").await;
    let models: Vec<String> = (0..150).map(|at| format!("models/m{at}.sql")).collect();
    let models = models.iter().map(|path| (path.as_str(), "select * from {{ ref('missing') }}"));
    let files: Vec<_> = [("dbt_project.yml", PROJECT)].into_iter().chain(models).collect();
    let (status, body) = server.send(import(Uuid::now_v7(), packed(&files))).await;
    let report: Value = serde_json::from_slice(&body).unwrap();
    let shown = report["diagnostics"].as_array().map(Vec::len);
    assert_eq!((status.as_u16(), shown, &report["diagnostic_count"]), (201, Some(100), &json!(150)), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raw_edit_answers_what_is_wrong_in_its_file() {
    let server = Server::start("gateway_raw_broken").await;
    let project = imported(&server, &[("dbt_project.yml", PROJECT), ("models/orders.sql", "select 1 as id")]).await;
    for (version, (sql, code)) in [
        ("select 1; drop table t", "SQL_MULTIPLE_STATEMENTS"),
        ("select ,", "SQL_SYNTAX"),
        ("select * from {{ ref('orders') }}", "GRAPH_CYCLE"),
        ("{{ config(alias='order') }} select 1 as id", "IDENTIFIER_QUOTED"),
    ]
    .into_iter()
    .enumerate()
    {
        let command = json!({"type": "save_file", "path": "models/orders.sql", "text": sql});
        let item = json!({"idempotency_key": Uuid::now_v7(), "base_version": version + 1, "command": command});
        let commands = json!({"commands": [item]});
        let first = server.post(&format!("{project}/commands"), commands.clone()).await;
        let found = &first["results"][0]["diagnostics"];
        assert_eq!(found[0]["code"], code, "{sql}: {first}");
        assert_eq!(server.post(&format!("{project}/commands"), commands).await, first);
        let kept = server.get(&format!("{project}/files/models/orders.sql")).await;
        assert_eq!(kept["text"], sql);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_names_the_packages_that_did_not_come_with_it() {
    let server = Server::start("gateway_packages").await;
    let packages = "packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.3.0\n";
    let row = row("packages", ("packages.yml", packages), ("", "", None));
    let report = report(&server, &row).await;
    assert_eq!(report["packages_missing"][0]["name"], json!("dbt-labs/dbt_utils"));
}
