//! The commands on a folder, without a server.

use std::fs;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A project of a test, in a folder of its own.
struct Project(TempDir);

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a folder can be made");
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("the folder can be made");
            fs::write(path, text).expect("the file can be written");
        }
        Self(dir)
    }

    fn shop() -> Self {
        Self::new(&[
            ("dbt_project.yml", "name: shop\nprofile: shop\nmodels: {shop: {marts: {+materialized: table}}}\n"),
            ("profiles.yml", "shop: {target: dev, outputs: {dev: {type: postgres, dbname: db, schema: public}}}\n"),
            ("models/stg_orders.sql", "select * from {{ source('raw', 'orders') }}"),
            ("models/marts/orders.sql", "select *, {{ var('rate', 1) }} as rate from {{ ref('stg_orders') }}"),
            ("models/_raw.yml", "sources: [{name: raw, tables: [{name: orders}]}]\n"),
            ("models/_models.yml", "models: [{name: orders, columns: [{name: id, data_tests: [unique]}]}]\n"),
            ("analyses/look.sql", "select * from {{ ref('orders') }}"),
        ])
    }

    fn dvt(&self, args: &[&str]) -> Output {
        let (command, rest) = args.split_first().expect("a command is named");
        Command::new(env!("CARGO_BIN_EXE_dvt")).arg(command).arg(self.0.path()).args(rest).output().expect("dvt runs")
    }

    /// Runs a command that must work and answers its lines.
    fn lines(&self, args: &[&str]) -> Vec<String> {
        let output = self.dvt(args);
        assert!(output.status.success(), "dvt {args:?} failed: {}", text(&output.stderr));
        text(&output.stdout).lines().map(str::to_owned).collect()
    }

    fn manifest(&self) -> Value {
        let bytes = fs::read(self.0.path().join("target/manifest.json")).expect("the manifest is there");
        serde_json::from_slice(&bytes).expect("the manifest is JSON")
    }

    fn compiled(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join("target/compiled").join(path)).expect("the SQL is there")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn parse_writes_the_manifest() {
    let project = Project::shop();
    project.lines(&["parse"]);
    let manifest = project.manifest();
    let orders = &manifest["nodes"]["model.shop.orders"];
    assert_eq!(orders["depends_on"]["nodes"], json!(["model.shop.stg_orders"]));
    assert_eq!(orders["config"]["materialized"], "table");
    assert_eq!(orders["compiled_code"], Value::Null);
    assert_eq!(manifest["child_map"]["source.shop.raw.orders"], json!(["model.shop.stg_orders"]));
}

#[test]
fn compile_writes_the_manifest_and_the_sql() {
    let project = Project::shop();
    assert_eq!(project.lines(&["compile"]), ["4 compiled, 0 wait for their run, 0 broken"]);
    let sql = r#"select *, 1 as rate from "db"."public"."stg_orders""#;
    assert_eq!(project.compiled("shop/models/marts/orders.sql"), sql);
    assert_eq!(project.manifest()["nodes"]["model.shop.orders"]["compiled_code"], sql);
    assert!(project.compiled("shop/models/_models.yml/unique_orders_id.sql").contains("count(*)"));
}

#[test]
fn compile_takes_only_what_is_selected() {
    let project = Project::shop();
    let compiled = project.lines(&["compile", "--select", "stg_orders", "--json"]);
    assert_eq!(compiled, [r#"{"unique_id":"model.shop.stg_orders","status":"compiled"}"#]);
    assert!(!project.0.path().join("target/compiled/shop/models/marts").exists());
}

#[test]
fn variables_and_targets_reach_the_sql() {
    let project = Project::shop();
    let profile = "shop: {target: dev, outputs: {dev: {type: postgres, dbname: db, schema: public}, \
                   prod: {type: postgres, dbname: live, schema: \"{{ env_var('HOME', 'x') | length * 0 }}\"}}}";
    let profiles = Project::new(&[("profiles.yml", profile)]);
    let folder = profiles.0.path().to_str().expect("the path is UTF-8");
    let flags = ["--vars", "{rate: 7}", "--target", "prod", "--profiles-dir", folder, "--target-path", "out"];
    project.lines(&[&["compile"], &flags[..]].concat());
    let sql = fs::read_to_string(project.0.path().join("out/compiled/shop/models/marts/orders.sql"));
    assert_eq!(sql.expect("the SQL is there"), r#"select *, 7 as rate from "live"."0"."stg_orders""#);
}

#[test]
fn ls_prints_what_is_selected() {
    let project = Project::shop();
    assert_eq!(
        project.lines(&["ls"]),
        ["shop.marts.orders", "shop.stg_orders", "source:shop.raw.orders", "shop.unique_orders_id"].map(str::to_owned)
    );
    for (flags, expected) in [
        (&["--select", "source:raw+1", "--output", "name"][..], &["stg_orders", "raw.orders"][..]),
        (&["--select", "stg_orders+", "--resource-type", "model", "--exclude", "stg_orders"], &["shop.marts.orders"]),
        (&["--select", "orders", "--indirect-selection", "empty", "--output", "path"], &["models/marts/orders.sql"]),
        (&["--resource-type", "analysis"], &["shop.analysis.look"]),
        (
            &["--select", "config.materialized:table,orders", "--resource-type", "model", "--output", "json"][..],
            &[r#"{"config.materialized":"table","name":"orders"}"#],
        ),
    ] {
        let keys: &[&str] =
            if flags.contains(&"json") { &["--output-keys", "config.materialized", "name"] } else { &[] };
        assert_eq!(project.lines(&[&["ls"], flags, keys].concat()), expected, "{flags:?}");
    }
}

#[test]
fn one_broken_node_breaks_no_other() {
    let project = Project::shop();
    fs::write(project.0.path().join("models/bad.sql"), "select * from {{ ref('nothing') }}")
        .expect("it can be written");
    let output = project.dvt(&["compile", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let reports: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let broken = reports.iter().find(|report| report["status"] == "broken").expect("a node is broken");
    assert_eq!((&broken["unique_id"], &broken["code"]), (&json!("model.shop.bad"), &json!("REF_NOT_FOUND")));
    assert!(!project.compiled("shop/models/marts/orders.sql").is_empty());
}

#[test]
fn what_cannot_be_done_ends_with_status_two() {
    let empty = Project(tempfile::tempdir().expect("a folder can be made"));
    let shop = Project::shop();
    for (project, args, says) in [
        (&empty, &["parse"][..], "dbt_project.yml"),
        (&shop, &["ls", "--select", "colour:red"], "`colour` is no selection method"),
        (&shop, &["ls", "--select", "state:modified"], "`state` is not supported yet"),
        (&shop, &["ls", "--resource-type", "table"], "`table` is no kind of node"),
        (&shop, &["compile", "--target", "moon"], "has no target `moon`"),
        (&shop, &["compile", "--vars", "[1]"], "--vars is no YAML mapping"),
    ] {
        let output = project.dvt(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).contains(says), "{args:?}: {}", text(&output.stderr));
    }
}
