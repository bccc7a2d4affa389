//! The manifest of a small project.

use super::*;
use crate::compile;
use crate::select::fixture::project;

#[test]
fn a_compiled_model_is_shown_with_its_sql_and_neighbours() {
    let project = project(&[
        ("dbt_project.yml", "name: p"),
        ("models/staging/a.sql", "select 1 as id"),
        ("models/b.sql", "select * from {{ ref('a') }}"),
        ("models/s.yml", "models: [{name: a, columns: [{name: id, data_tests: [unique, not_null]}]}]"),
    ]);
    let ids: Vec<String> = project.nodes().keys().cloned().collect();
    let compilations = compile::compile(project.engine(), &project, &ids, None);
    let metadata = Metadata { invocation_id: "i".into(), generated_at: "1970-01-01T00:00:00Z".into() };
    let manifest = manifest(&project, &compilations, &metadata);
    let (a, b) = (&manifest["nodes"]["model.p.a"], &manifest["nodes"]["model.p.b"]);
    assert_eq!(b["compiled_code"], r#"select * from "db"."s"."a""#);
    assert_eq!(b["relation_name"], r#""db"."s"."b""#);
    assert_eq!(a["path"], "staging/a.sql");
    assert_eq!(a["patch_path"], "p://models/s.yml");
    assert_eq!(a["primary_key"], serde_json::json!(["id"]));
    assert_eq!(a["compiled_path"], "target/compiled/p/models/staging/a.sql");
    assert_eq!(manifest["parent_map"]["model.p.b"], serde_json::json!(["model.p.a"]));
    assert_eq!(manifest["child_map"]["model.p.a"][0], "model.p.b");
    let test = &manifest["nodes"]["test.p.unique_a_id.f6a5f640da"];
    assert_eq!(test["compiled_path"], "target/compiled/p/models/s.yml/unique_a_id.sql");
}

#[test]
fn the_same_project_gives_the_same_bytes() {
    let files = [("dbt_project.yml", "name: p"), ("models/a.sql", "select 1"), ("models/b.sql", "{{ ref('a') }}")];
    let metadata = Metadata { invocation_id: "i".into(), generated_at: "1970-01-01T00:00:00Z".into() };
    let write = || manifest(&project(&files), &IndexMap::new(), &metadata).to_string();
    assert_eq!(write(), write());
}
