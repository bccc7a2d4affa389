//! Changes small texts in every way they are written.

pub(crate) mod generated;

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;

const ORDER: &[&str] = &["version", "name", "description", "config", "data_tests", "tests", "columns"];

pub(super) fn editor(text: &str) -> Editor {
    Editor::new(&Arc::from("a.yml"), text, ORDER)
}

/// Reads a path as `models.0.name`.
pub(super) fn path(text: &str) -> Vec<Step> {
    let parts = text.split('.').filter(|part| !part.is_empty());
    parts.map(|part| part.parse::<usize>().map_or_else(|_| part.into(), Step::from)).collect()
}

fn set(text: &str, at: &str, value: Json) -> String {
    let mut editor = editor(text);
    editor.set(&path(at), &value).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    editor.text().to_owned()
}

fn push(text: &str, at: &str, value: Json) -> String {
    let mut editor = editor(text);
    editor.push(&path(at), &value).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    editor.text().to_owned()
}

fn remove(text: &str, at: &str) -> String {
    let mut editor = editor(text);
    editor.remove(&path(at)).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    editor.text().to_owned()
}

fn refused(text: &str, at: &str) -> Error {
    let mut editor = editor(text);
    let error = editor.set(&path(at), &json!("new")).expect_err("a refusal");
    assert_eq!(editor.text(), text);
    error
}

#[test]
fn a_scalar_keeps_its_quotes_and_its_comment() {
    assert_eq!(set("a: old # c\nb: 1\n", "a", json!("new")), "a: new # c\nb: 1\n");
    assert_eq!(set("a: 'old'   # c\r\nb: 1", "a", json!("it's")), "a: 'it''s'   # c\r\nb: 1");
    assert_eq!(set("a: \"old\"\n", "a", json!("say \"x\" \\")), "a: \"say \\\"x\\\" \\\\\"\n");
    assert_eq!(set("{a: old, b: 'x'}", "a", json!("x, y")), "{a: 'x, y', b: 'x'}");
    assert_eq!(set("- old # c\n- b", "0", json!("new")), "- new # c\n- b");
}

#[test]
fn what_yaml_1_1_would_not_read_as_a_string_is_quoted() {
    for text in [
        "off",
        "no",
        "1:30",
        "y",
        "010",
        "1e3",
        "2020-01-01",
        "~",
        "null",
        "",
        " a",
        "a: b",
        "a #b",
        "- a",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "{a",
        "[a",
        "a:",
        "?",
        "#a",
        "0x1f",
        "=",
        "<<",
        "1_000",
        "+1",
        ".5",
        "0o7",
        "a\tb",
        "'a",
        "\"a",
        "|",
        ">",
        "---",
        "\u{feff}a",
        "a\u{85}b",
    ] {
        let written = set("a: x\n", "a", json!(text));
        assert!(written.contains('"') || written.contains('\''), "{written}");
        let written = push("a: [x]\n", "a", json!(text));
        assert!(written.contains('"') || written.contains('\''), "{written}");
    }
    assert_eq!(set("a: x\n", "a", json!("All of them, paid or not (net).")), "a: All of them, paid or not (net).\n");
    assert_eq!(set("a: x\n", "a", json!("{{ doc('x') }}")), "a: \"{{ doc('x') }}\"\n");
    assert_eq!(set("a: 'x'\nb: 1\n", "b", json!(true)), "a: 'x'\nb: true\n");
}

#[test]
fn two_lines_become_a_block_and_a_block_stays_one() {
    assert_eq!(set("a:\n  b: old # c\n", "a.b", json!("one\n\ntwo")), "a:\n  b: |- # c\n    one\n\n    two\n");
    assert_eq!(set("a: 'x'\r\nb: 1\r\n", "a", json!("one\ntwo\n")), "a: |\r\n  one\r\n  two\r\nb: 1\r\n");
    assert_eq!(set("a: >\n    old\n    text\n\nb: 1\n", "a", json!("new\n")), "a: >\n    new\n\nb: 1\n");
    assert_eq!(set("a: | # c\n  old\nb: 1", "a", json!("new")), "a: |- # c\n  new\nb: 1");
    assert_eq!(set("a: two\n  lines # c\nb: 1\n", "a", json!("one")), "a: one # c\nb: 1\n");
    assert_eq!(set("a: \"two\n  lines\"\nb: 1\n", "a", json!("one")), "a: \"one\"\nb: 1\n");
    assert_eq!(set("{a: x}\n", "a", json!("one\ntwo")), "{a: \"one\\ntwo\"}\n");
    assert_eq!(set("a: x\n", "a", json!("one\n\n")), "a: \"one\\n\\n\"\n");
}

#[test]
fn an_empty_key_gets_its_value_where_it_stands() {
    assert_eq!(set("a:\nb: 1\n", "a", json!("x")), "a: x\nb: 1\n");
    assert_eq!(set("a: # c\nb: 1\n", "a.k", json!("x")), "a: # c\n  k: x\nb: 1\n");
    assert_eq!(
        push("m:\n  - name: a\n    columns: ~ # c\n", "m.0.columns", json!({"name": "id"})),
        "m:\n  - name: a\n    columns: # c\n      - name: id\n"
    );
    assert_eq!(push("columns: []\n", "columns", json!({"name": "id"})), "columns:\n  - name: id\n");
    assert_eq!(set("", "version", json!(2)), "version: 2\n");
    assert_eq!(set("# only this", "version", json!(2)), "# only this\nversion: 2\n");
}

#[test]
fn a_new_key_stands_where_the_order_puts_it() {
    let text = "models:\n- name: a # c\n  columns:\n  - name: id\n\n- name: b\n";
    assert_eq!(
        set(text, "models.0.description", json!("x")),
        "models:\n- name: a # c\n  description: x\n  columns:\n  - name: id\n\n- name: b\n"
    );
    assert_eq!(
        set(text, "models.1.config.meta", json!({"a": [1, {"b": "off"}]})),
        "models:\n- name: a # c\n  columns:\n  - name: id\n\n- name: b\n  config:\n    meta:\n      a:\n      - 1\n      - b: \"off\"\n"
    );
    assert_eq!(push(text, "models", json!({"name": "c"})), format!("{text}\n- name: c\n"));
    assert_eq!(
        push("a:\n    -   b: 1\n        c: 2", "a", json!({"b": 3, "c": 4})),
        "a:\n    -   b: 1\n        c: 2\n    -   b: 3\n        c: 4"
    );
    assert_eq!(set("version: 2\n\nmodels: []\n", "x", json!(["a"])), "version: 2\n\nmodels: []\n\nx:\n  - a\n");
}

#[test]
fn lists_and_mappings_in_brackets_are_extended_in_place() {
    assert_eq!(push("t: [unique] # c\n", "t", json!("not_null")), "t: [unique, not_null] # c\n");
    assert_eq!(push("t: [\n  a, # one\n  b\n]\n", "t", json!("c")), "t: [\n  a, # one\n  b,\n  c\n]\n");
    assert_eq!(push("t: [a,]\n", "t", json!({"b": {"c": "d"}})), "t: [a, {b: {c: d}},]\n");
    assert_eq!(
        set("c: {name: id, x: 1}\n", "c.description", json!("a, b")),
        "c: {name: id, description: \"a, b\", x: 1}\n"
    );
    assert_eq!(set("c: [a, b]\nd:\n  - x: 1\n", "d.0.c", json!(["e"])), "c: [a, b]\nd:\n  - x: 1\n    c: [e]\n");
}

#[test]
fn siblings_in_brackets_survive_a_removal() {
    assert_eq!(remove("c: {a: 1, b: 2, c: 3}\n", "c.b"), "c: {a: 1, c: 3}\n");
    assert_eq!(remove("c: {a: 1, b: 2}\n", "c.a"), "c: {b: 2}\n");
    assert_eq!(remove("c: {a: 1, b: 2}\n", "c.b"), "c: {a: 1}\n");
    assert_eq!(remove("t: [a, b,]\n", "t.1"), "t: [a,]\n");
    assert_eq!(
        remove("t: [\n  a, # one\n  b, # two\n  c # three\n]\n", "t.1"),
        "t: [\n  a, # one\n  # two\n  c # three\n]\n"
    );
    assert_eq!(remove("t: [\n  a,\n  b\n]\n", "t.1"), "t: [\n  a\n]\n");
    assert_eq!(remove("t: [\n  a,\n  b\n]\n", "t.0"), "t: [\n  b\n]\n");
}

#[test]
fn a_key_goes_with_its_last_item() {
    let text = "models:\n  - name: a\n    columns:\n      - name: id\n        data_tests:\n          - unique # c\n      - name: b\n";
    assert_eq!(
        remove(text, "models.0.columns.0.data_tests.0"),
        "models:\n  - name: a\n    columns:\n      - name: id\n      - name: b\n"
    );
    assert_eq!(remove("a: 1\nb: {c: {d: [x]}} # z\n", "b.c.d.0"), "a: 1\n");
    assert_eq!(remove("a: 1", "a"), "");
}

#[test]
fn what_stands_behind_a_dash_is_pulled_up() {
    assert_eq!(remove("- description: x # c\n  # d\n  name: a\n", "0.description"), "- # d\n  name: a\n");
    assert_eq!(remove("- description: |\n    x\n\n  name: a\n- b: 1\n", "0.description"), "- name: a\n- b: 1\n");
    assert_eq!(remove("- a: 1\n- b: 1\n", "1"), "- a: 1\n");
}

#[test]
fn of_two_gaps_one_is_left() {
    let text = "models:\n  - name: a\n\n  - name: b\n\n  - name: c\n";
    assert_eq!(remove(text, "models.1"), "models:\n  - name: a\n\n  - name: c\n");
    assert_eq!(remove(text, "models.2"), "models:\n  - name: a\n\n  - name: b\n");
    assert_eq!(remove("a: 1\r\n\r\nb: 2", "b"), "a: 1");
    assert_eq!(remove("a: |+\n  x\n\n\nb: 2\n\nc: 3\n", "b"), "a: |+\n  x\n\n\nc: 3\n");
}

#[test]
fn what_is_shared_is_refused_with_the_anchor_and_its_users() {
    let text = "a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n  l: 2\nd: &y\n  z: 1\n";
    let users = vec![text.find("*x\nc").expect("b"), text.find("*x\n  l").expect("c")];
    let shared = Error::Shared(Sharing { name: "x".to_owned(), anchor: 3, users });
    for at in ["a.k", "a.new", "b.k", "b.new", "c.k", "b"] {
        assert_eq!(refused(text, at), shared, "{at}");
    }
    assert_eq!(set(text, "c.new", json!(1)), text.replace("  l: 2\n", "  l: 2\n  new: 1\n"));
    assert_eq!(set(text, "d.z", json!(2)), text.replace("z: 1", "z: 2"));
    assert_eq!(editor(text).remove(&path("a")), Err(shared));
    assert_eq!(remove(text, "d"), text.replace("d: &y\n  z: 1\n", ""));
}

#[test]
fn a_value_of_another_kind_takes_the_place() {
    assert_eq!(set("a: # c\n  - x\n  # d\nb: 1\n", "a", json!("z")), "a: z # c\n  # d\nb: 1\n");
    assert_eq!(set("a: x # c\nb: 1\n", "a", json!(["z"])), "a: # c\n  - z\nb: 1\n");
    assert_eq!(
        set("t:\n  - unique # c\n", "t.0", json!({"unique": {"config": {"severity": "warn"}}})),
        "t:\n  - unique:\n      config:\n        severity: warn # c\n"
    );
    assert_eq!(set("t: [a, b, c]\n", "t", json!(["a", "c", "d"])), "t: [a, c, d]\n");
    assert_eq!(set("m:\n  a: 1 # c\n  b: 2\n", "m", json!({"a": 1, "c": 3})), "m:\n  a: 1 # c\n  c: 3\n");
}

#[test]
fn a_broken_text_is_refused() {
    assert!(matches!(refused("a: [1\nb: 2\n", "b"), Error::Syntax(_)));
}
