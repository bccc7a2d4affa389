//! Reads small projects.

mod update;

use serde_json::Map;

use super::*;
use crate::diagnostic::Severity;
use crate::environment::Adapter;
use crate::tree::{File, Mode};

fn project(files: &[(&str, &str)]) -> Project {
    with_packages(files, &[])
}

fn with_packages(files: &[(&str, &str)], packages: &[(&str, &str)]) -> Project {
    let file = |(path, text): &(&str, &str)| (path.to_string(), File::new(Mode::Regular, text.as_bytes()));
    let [tree, packages]: [Tree; 2] = [files, packages].map(|files| files.iter().map(file).collect());
    parse(ParseInput { tree: &tree, root: "", packages: &packages, environment: &environment() })
}

fn environment() -> Environment {
    Environment {
        name: "dev".into(),
        adapter: Adapter::Postgres,
        database: "db".into(),
        schema: "s".into(),
        threads: 1,
        profile: "p".into(),
        user: String::new(),
        vars: Map::new(),
        env: IndexMap::new(),
    }
}

#[test]
fn reads_models_sources_and_tests_with_their_edges() {
    let project = project(&[
        ("dbt_project.yml", "name: p\nmodels:\n  p:\n    staging:\n      +materialized: table\n      +schema: stg\n"),
        ("models/staging/a.sql", "select * from {{ source('raw', 't') }}"),
        ("models/b.sql", "{{ config(tags='x') }} select * from {{ ref('a') }}"),
        (
            "models/s.yml",
            "sources: [{name: raw, tables: [{name: t}]}]\nmodels: [{name: a, columns: [{name: id, data_tests: [unique]}]}]\n",
        ),
    ]);
    assert_eq!(project.diagnostics(), []);
    let a = project.find("model.p.a").expect("a");
    assert_eq!((a.materialized(), a.schema.as_str()), ("table", "s_stg"));
    assert_eq!(a.depends_on.nodes, ["source.p.raw.t"]);
    assert_eq!(project.find("model.p.b").expect("b").tags, ["x"]);
    let test = project.nodes().values().find(|node| node.test.is_some()).expect("a test");
    assert_eq!(test.unique_id, "test.p.unique_a_id.f6a5f640da");
    assert_eq!(test.depends_on.nodes, ["model.p.a"]);
}

#[test]
fn a_dangling_ref_breaks_only_its_node() {
    let project = project(&[
        ("dbt_project.yml", "name: p"),
        ("models/a.sql", "select * from {{ ref('none') }}"),
        ("models/b.sql", "select 1"),
    ]);
    assert_eq!(project.diagnostics()[0].code, "REF_NOT_FOUND");
    assert_eq!(project.nodes().len(), 2);
}

#[test]
fn a_local_package_is_read_where_it_can_be_edited() {
    let files = [
        ("dbt_project.yml", "name: p"),
        ("packages.yml", "packages: [{local: local/utils}]"),
        ("local/utils/dbt_project.yml", "name: utils"),
        ("local/utils/models/u.sql", "select 'edited'"),
    ];
    let installed = [
        ("dbt_packages/other/dbt_project.yml", "name: other"),
        ("dbt_packages/utils/dbt_project.yml", "name: utils"),
        ("dbt_packages/utils/models/u.sql", "select 'as it was installed'"),
    ];
    let project = with_packages(&files, &installed);
    assert_eq!(project.diagnostics(), []);
    assert_eq!(project.find("model.utils.u").expect("u").raw_code, "select 'edited'");
}

#[test]
fn wrong_sql_is_found_at_its_place_in_the_file() {
    let text = "\n\n{{ config(tags='x') }}\nselect 1 as x\n  ; drop table {{ ref('b') }}";
    let project = project(&[
        ("dbt_project.yml", "name: p"),
        ("macros/m.sql", "{% macro open() %}\n  1 + (\n{% endmacro %}"),
        ("models/a.sql", text),
        ("models/b.sql", "select {{ open() }} 2"),
        ("models/c.sql", "select , {{ missing }}"),
        ("models/d.sql", "select {% if execute %} 1 {% endif %} from (select 1"),
        ("models/crlf.sql", "select 1\r\n  as x\r\nfrom 'a"),
        ("models/off.sql", "{{ config(enabled=false) }} select 'a"),
    ]);
    let found: Vec<_> = project
        .diagnostics()
        .iter()
        .map(|found| {
            let place = found.place.as_ref().expect("a place");
            (found.code.as_str(), found.severity, &*place.path, place.line, place.column)
        })
        .collect();
    let expected = [
        ("SQL_MULTIPLE_STATEMENTS", Severity::Error, "models/a.sql", 5, 5),
        ("SQL_SYNTAX", Severity::Error, "macros/m.sql", 2, 7),
        ("SQL_SYNTAX", Severity::Warning, "models/c.sql", 1, 8),
        ("SQL_SYNTAX", Severity::Error, "models/crlf.sql", 3, 6),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_template_error_is_found_at_its_place_below_empty_lines() {
    let snapshot = "{# c #}\n{% snapshot s %}\n  select {{ 1 + none }}\n{% endsnapshot %}";
    let project = project(&[
        ("dbt_project.yml", "name: p"),
        ("models/a.sql", "\n\nselect {{ 1 + none }}"),
        ("snapshots/s.sql", snapshot),
    ]);
    let place = |id: &str| {
        let found = project.diagnostics().iter().find(|found| found.unique_id.as_deref() == Some(id));
        found.and_then(|found| found.place.clone()).map(|place| (place.line, place.column))
    };
    assert_eq!(place("model.p.a"), Some((3, 11)));
    assert_eq!(place("snapshot.p.s"), Some((3, 13)));
}

#[test]
fn relations_that_clash_and_names_that_need_care_are_reported() {
    let project = project(&[
        ("dbt_project.yml", "name: p"),
        ("models/a.sql", "{{ config(alias='same') }} select 1 as x"),
        ("models/b.sql", "{{ config(alias='same') }} select 1 as x"),
        ("models/c.sql", "{{ config(alias='SAME') }} select 1 as x"),
        ("models/select.sql", "select 1 as x"),
        ("models/my model.sql", "select 1 as x"),
    ]);
    let mut found: Vec<_> = project
        .diagnostics()
        .iter()
        .map(|found| (found.code.as_str(), found.unique_id.as_deref().unwrap_or_default()))
        .collect();
    found.sort_unstable();
    let expected = [
        ("IDENTIFIER_INVALID", "model.p.my model"),
        ("IDENTIFIER_QUOTED", "model.p.select"),
        ("RELATION_CLASH", "model.p.a"),
        ("RELATION_CLASH", "model.p.b"),
    ];
    assert_eq!(found, expected);
}
