//! The import directions of the house, checked on what cargo says of the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Which of our own crates a library may name. Services may name any library but `dvt-embedded`.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("dvt-dbt", &[]),
    ("dvt-mutant", &[]),
    ("dvt-domain", &["dvt-dbt", "dvt-mutant"]),
    ("dvt-codec", &["dvt-dbt", "dvt-domain"]),
    ("dvt-store", &["dvt-dbt", "dvt-domain", "dvt-mutant", "dvt-runtime"]),
    ("dvt-log", &["dvt-dbt", "dvt-domain", "dvt-codec", "dvt-store"]),
    ("dvt-bus", &["dvt-dbt", "dvt-domain", "dvt-codec", "dvt-store", "dvt-log", "dvt-mutant", "dvt-runtime"]),
    ("dvt-runtime", &[]),
    ("dvt-embedded", &["dvt-runtime"]),
    ("dvt-sim", &["dvt-dbt", "dvt-domain", "dvt-codec", "dvt-store", "dvt-bus", "dvt-mutant"]),
    // These see from outside what they check.
    ("dvt-bench", &[]),
    ("dvt-faults", &[]),
];
const SERVICES: &[&str] = &["dvt-artifact", "dvt-executor", "dvt-gateway", "dvt-projector"];
const STANDALONE: &str = "dvt-standalone";
const EMBEDDED: &str = "dvt-embedded";

/// The homes of the dependencies that only some crates may name.
const HOMES: &[(&str, &[&str])] = &[
    ("apache-avro", &["dvt-codec", "dvt-embedded"]),
    ("git2", &["dvt-artifact"]),
    ("json-subscriber", &["dvt-runtime"]),
    ("metrics", &["dvt-runtime"]),
    ("minijinja", &["dvt-dbt"]),
    ("opentelemetry", &["dvt-runtime"]),
    ("opentelemetry_sdk", &["dvt-runtime"]),
    ("rdkafka", &["dvt-bus", "dvt-embedded", "dvt-faults"]),
    ("schema_registry_converter", &["dvt-bus"]),
    ("sqlparser", &["dvt-dbt"]),
    ("sqlx", &["dvt-store"]),
    ("tracing-opentelemetry", &["dvt-runtime"]),
    ("tree-sitter", &["dvt-dbt"]),
    ("tree-sitter-yaml", &["dvt-dbt"]),
];

/// What one crate of the workspace names.
#[derive(Default)]
struct Crate {
    normal: BTreeSet<String>,
    dev: BTreeSet<String>,
}

fn workspace() -> BTreeMap<String, Crate> {
    packages().iter().map(|package| (text(&package["name"]), named_by(package))).collect()
}

/// Lists the crates of the workspace as cargo tells them.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    metadata["packages"].as_array().expect("there are packages").clone()
}

fn named_by(package: &Value) -> Crate {
    let mut named = Crate::default();
    for dependency in package["dependencies"].as_array().expect("a package lists its dependencies") {
        let kind = if dependency["kind"] == "dev" { &mut named.dev } else { &mut named.normal };
        kind.insert(text(&dependency["name"]));
    }
    named
}

fn text(value: &Value) -> String {
    value.as_str().expect("a name is text").to_owned()
}

/// Says whether `from` may name our crate `to`.
fn is_allowed(from: &str, to: &str) -> bool {
    let libraries: BTreeMap<_, _> = LIBRARIES.iter().copied().collect();
    match libraries.get(from) {
        Some(allowed) => allowed.contains(&to),
        None if from == STANDALONE => true,
        None => libraries.contains_key(to) && to != EMBEDDED,
    }
}

fn is_ours(name: &str) -> bool {
    name.starts_with("dvt-")
}

#[test]
fn every_crate_has_its_place_in_the_house() {
    let known: BTreeSet<_> = LIBRARIES.iter().map(|(name, _)| *name).chain(SERVICES.iter().copied()).collect();
    let strangers: Vec<_> =
        workspace().into_keys().filter(|name| !known.contains(&**name) && name != STANDALONE).collect();
    assert!(strangers.is_empty(), "give these a place in this test and in the design: {strangers:?}");
}

#[test]
fn crates_import_only_in_the_direction_of_the_house() {
    let mut wrong = Vec::new();
    for (from, named) in workspace() {
        for to in named.normal.iter().filter(|to| is_ours(to) && !is_allowed(&from, to)) {
            wrong.push(format!("{from} imports {to}"));
        }
        for to in named.dev.iter().filter(|to| is_ours(to) && *to != EMBEDDED && !is_allowed(&from, to)) {
            wrong.push(format!("the tests of {from} import {to}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_dependency_lives_in_its_home() {
    let mut wrong = Vec::new();
    for (name, named) in workspace() {
        for (dependency, homes) in HOMES {
            if named.normal.contains(*dependency) && !homes.contains(&&*name) {
                wrong.push(format!("{name} imports {dependency}, which lives in {homes:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What only the tests of faults turn on: places to die at, and seeded bugs.
const SWITCHES: [&str; 2] = ["failpoints", "mutants"];

#[test]
fn no_crate_breaks_unless_asked() {
    let is_on = |package: &Value, switch: &str| {
        let defaults = package["features"]["default"].as_array().into_iter().flatten();
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        let asked = dependencies.flat_map(|dependency| dependency["features"].as_array().into_iter().flatten());
        defaults.chain(asked).filter_map(Value::as_str).any(|feature| feature.contains(switch))
    };
    let packages = packages();
    let wrong = packages.iter().filter(|package| SWITCHES.iter().any(|switch| is_on(package, switch)));
    let wrong: Vec<_> = wrong.map(|package| text(&package["name"])).collect();
    assert!(wrong.is_empty(), "these turn one of {SWITCHES:?} on for all: {wrong:?}");
}
