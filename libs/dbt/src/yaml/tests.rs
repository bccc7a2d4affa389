//! Reads small texts as PyYAML does.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;

fn json_of(text: &str) -> Json {
    let document = read(&Arc::from("a.yml"), text);
    document.value.unwrap_or_else(|| panic!("{text}: {:?}", document.diagnostics)).to_json()
}

fn code_of(text: &str) -> String {
    read(&Arc::from("a.yml"), text).diagnostics[0].code.clone()
}

#[test]
fn scalars_have_the_types_of_yaml_1_1() {
    assert_eq!(
        json_of("[yes, off, 010, 0x1f, 1:30, 1_000, 1.5, 1e3, ~, y]"),
        json!([true, false, 8, 31, 90, 1000, 1.5, "1e3", null, "y"])
    );
    assert_eq!(
        json_of("{a: 2020-01-01, 'b': 'it''s', \"c\": \"x\\n\\u00e9\"}"),
        json!({"a": "2020-01-01", "b": "it's", "c": "x\né"})
    );
}

#[test]
fn block_scalars_fold_and_chomp() {
    assert_eq!(
        json_of("a: |\n  x\n    y\n\nb: >-\n  one\n  two\n\n  three\n"),
        json!({"a": "x\n  y\n", "b": "one two\nthree"})
    );
    assert_eq!(json_of("a: one\n  two\nb: 'x\n\n  y'\n"), json!({"a": "one two", "b": "x\ny"}));
}

#[test]
fn a_backslash_takes_a_break_away_in_double_quotes_only() {
    assert_eq!(
        json_of("a: \"MITx\\\n  \\ Online\\\\\n  x\"\nb: one\\\n  two\nc: 'one\\\n\n  two'\n"),
        json!({"a": "MITx Online\\ x", "b": "one\\ two", "c": "one\\\ntwo"})
    );
}

#[test]
fn anchors_merge_and_the_last_key_wins() {
    assert_eq!(
        json_of("a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  l: 3\n"),
        json!({"a": {"k": 1, "l": 2}, "b": {"k": 1, "l": 3}})
    );
    assert_eq!(json_of("a: 1\na: 2\n"), json!({"a": 2}));
    assert_eq!(code_of("a: 1\na: 2\n"), "YAML_DUPLICATE_KEY");
}

#[test]
fn names_what_is_wrong() {
    assert_eq!(code_of("a: [1\nb: 2\n"), "YAML_SYNTAX");
    assert_eq!(code_of("a: !!python/object x\n"), "YAML_TAG");
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let inner = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    assert_eq!(code_of(&bomb), "YAML_TOO_LARGE");
}
