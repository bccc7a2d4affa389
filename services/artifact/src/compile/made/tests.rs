use super::super::inputs::tests::inputs;
use super::*;

const PROJECT: (&str, &str) = ("dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\n");

fn made(files: &[(&str, &str)]) -> Made {
    let inputs = inputs(files);
    make(&inputs, inputs.key())
}

fn artifact(files: &[(&str, &str)]) -> (Index, BTreeMap<String, Arc<[u8]>>) {
    match made(files) {
        Made::Artifact { index, files } => (index, files.into_iter().collect()),
        Made::Failed(failed) => panic!("failed: {failed:?}"),
    }
}

fn failed(files: &[(&str, &str)]) -> CompileFailed {
    match made(files) {
        Made::Failed(failed) => failed,
        Made::Artifact { index, .. } => panic!("compiled: {index:?}"),
    }
}

#[test]
fn holds_the_manifest_and_the_sql_at_dbts_paths() {
    let (index, files) = artifact(&[
        PROJECT,
        ("models/marts/a.sql", "select 1 as id\n"),
        ("models/b.sql", "select * from {{ ref('a') }}\n"),
    ]);
    let paths: Vec<&str> = files.keys().map(String::as_str).collect();
    let compiled = ["compiled/shop/models/b.sql", "compiled/shop/models/marts/a.sql"];
    assert_eq!(paths, [compiled[0], compiled[1], "index.json", "manifest.json", "source_map.json"]);
    assert_eq!(&files[compiled[0]][..], br#"select * from "shop"."dev"."a""#);
    let artifact::Node::Compiled { sql } = &index.nodes["model.shop.b"] else { panic!("{index:?}") };
    assert_eq!((sql.path.as_str(), sql.sha256), (compiled[0], Sha256::of(&files[compiled[0]]).0));
    let manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).expect("JSON");
    assert_eq!(manifest["metadata"]["generated_at"], EPOCH);
    assert_eq!(manifest["nodes"]["model.shop.b"]["compiled_code"], r#"select * from "shop"."dev"."a""#);
    assert_eq!(Index::from_bytes(&files["index.json"]).expect("an index"), index);
}

#[test]
fn leads_from_sql_back_to_the_files() {
    let (_, files) = artifact(&[PROJECT, ("models/a.sql", "select 1 as id -- {{ 1 + 1 }}\n")]);
    let map = SourceMap::from_bytes(&files["source_map.json"]).expect("a source map");
    assert_eq!(map.paths, ["models/a.sql"]);
    let first = map.nodes["model.shop.a"].sql[0];
    assert_eq!((first.output.0, first.source.0), (0, 0));
}

#[test]
fn keeps_both_renderings_of_what_only_asks_whether_it_is_incremental() {
    let text = "{{ config(materialized='incremental') }}select 1{% if is_incremental() %} where true{% endif %}\n";
    let (index, files) = artifact(&[PROJECT, ("models/a.sql", text)]);
    let artifact::Node::Deferred { sql: Some(full), incremental: Some(incremental), .. } = &index.nodes["model.shop.a"]
    else {
        panic!("{index:?}")
    };
    assert_eq!(&files[&full.path][..], b"select 1");
    assert_eq!(incremental.path, "incremental/shop/models/a.sql");
    assert_eq!(&files[&incremental.path][..], b"select 1 where true");
}

#[test]
fn one_broken_node_breaks_no_other() {
    let (index, _) =
        artifact(&[PROJECT, ("models/a.sql", "select 1\n"), ("models/b.sql", "select * from {{ ref('x') }}\n")]);
    let artifact::Node::Broken(broken) = &index.nodes["model.shop.b"] else { panic!("{index:?}") };
    assert_eq!(broken.code, "REF_NOT_FOUND");
    assert!(matches!(index.nodes["model.shop.a"], artifact::Node::Compiled { .. }));
    let Command::Finish(compiled) = finished(Sha256([0; 32]), &index) else { panic!("it is finished") };
    assert_eq!((compiled.compiled, compiled.deferred, compiled.broken), (1, 0, 1));
    let place = compiled.nodes.iter().find_map(|node| node.place.as_ref()).expect("a place");
    assert_eq!((&*place.path, place.line), ("models/b.sql", 1));
}

#[test]
fn fails_only_without_a_project_or_where_no_node_compiles() {
    assert_eq!(failed(&[("models/a.sql", "select 1")]).code, "PROJECT_INVALID");
    assert_eq!(failed(&[("dbt_project.yml", "version: 1")]).code, "PROJECT_INVALID");
    assert_eq!(failed(&[PROJECT, ("models/a.sql", "{{ ref('x') }}")]).code, "REF_NOT_FOUND");
    assert!(artifact(&[PROJECT]).0.nodes.is_empty());
}

#[test]
fn equal_inputs_give_equal_bytes() {
    let files = [
        PROJECT,
        ("models/a.sql", "select {{ var('x', 1) }}\n"),
        ("models/schema.yml", "models:\n- name: a\n  columns:\n  - name: id\n    data_tests: [unique, not_null]\n"),
        ("macros/m.sql", "{% macro m() %}1{% endmacro %}\n"),
    ];
    assert_eq!(artifact(&files).1, artifact(&files).1);
}
