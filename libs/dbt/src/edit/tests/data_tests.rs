//! Generic tests.

use serde_json::json;

use super::*;
use crate::edit::Json;

fn add(column: Option<&str>, test: &str, arguments: serde_json::Value) -> Intent {
    Intent::AddTest(AddTest {
        unique_id: "model.shop.orders".into(),
        column: column.map(str::to_owned),
        test: test.into(),
        arguments: Some(Json(arguments)),
        config: None,
    })
}

fn remove_test(world: &World, name: &str, column: Option<&str>) -> Intent {
    let is = |test: &crate::node::GenericTest| test.name == name && test.column_name.as_deref() == column;
    let id = world.with(|input| {
        let found = input.project.nodes().values().find(|node| node.test.as_ref().is_some_and(is));
        found.unwrap_or_else(|| panic!("there is no test {name}")).unique_id.clone()
    });
    Intent::RemoveTest(RemoveTest { unique_id: id })
}

fn world(yaml: &str) -> World {
    World::new(&[
        ("models/orders.sql", "select 1 as id"),
        ("models/lines.sql", "select 1 as id"),
        ("models/schema.yml", yaml),
        ("tests/generic/positive.sql", "{% test positive(model, column_name, than=0) %}select 1{% endtest %}"),
    ])
}

#[test]
fn a_test_follows_the_key_and_the_brackets_of_the_file() {
    let cases = [
        (
            "models:\n- name: orders\n  columns:\n  - name: id\n    tests: [unique]\n",
            "models:\n- name: orders\n  columns:\n  - name: id\n    tests: [unique, not_null]\n",
        ),
        (
            "models:\n- name: orders\n  columns:\n  - name: id # c\n  - name: k\n    data_tests: [unique]\n",
            "models:\n- name: orders\n  columns:\n  - name: id # c\n    data_tests: [not_null]\n  - name: k\n    data_tests: [unique]\n",
        ),
        (
            "models:\n- name: lines\n  tests:\n  - unique:\n      column_name: id\n- name: orders\n",
            "models:\n- name: lines\n  tests:\n  - unique:\n      column_name: id\n- name: orders\n  columns:\n  - name: id\n    tests:\n    - not_null\n",
        ),
        (
            "models: [{name: orders, columns: [{name: id}]}]",
            "models: [{name: orders, columns: [{name: id, data_tests: [not_null]}]}]",
        ),
    ];
    for (before, expected) in cases {
        let world = world(before);
        let after = world.edit(&add(Some("id"), "not_null", json!({})));
        assert_eq!(after.text("models/schema.yml"), expected);
        let back = after.edit(&remove_test(&after, "not_null", Some("id")));
        let columns = |text: &str| {
            text.replace("\n  columns:\n  - name: id\n- ", "\n- ").replace("\n  columns:\n  - name: id\n", "\n")
        };
        assert_eq!(columns(back.text("models/schema.yml")), columns(before));
        assert_eq!(after.refusal(&add(Some("id"), "not_null", json!({}))).code, Code::TestDuplicate);
    }
}

#[test]
fn arguments_stand_where_the_file_puts_them() {
    let world = world(
        "models:\n  - name: orders\n    columns:\n      - name: id\n        data_tests:\n          - relationships: {to: ref('lines'), field: id}\n",
    );
    let after = world.edit(&add(Some("id"), "accepted_values", json!({"values": ["off", 1]})));
    let expected =
        "          - accepted_values:\n              values:\n                - \"off\"\n                - 1\n";
    assert!(after.text("models/schema.yml").ends_with(expected), "{}", after.text("models/schema.yml"));
    let plain = World::new(&[("models/orders.sql", "select 1 as id")]);
    let after = plain.edit(&add(Some("id"), "accepted_values", json!({"values": [1]})));
    let expected = "      - name: id\n        data_tests:\n          - accepted_values:\n              arguments:\n                values:\n                  - 1\n";
    assert!(after.text("models/_models.yml").ends_with(expected), "{}", after.text("models/_models.yml"));
    let after = after.edit(&remove_test(&after, "accepted_values", Some("id")));
    assert!(after.text("models/_models.yml").ends_with("      - name: id\n"));
}

#[test]
fn of_tests_of_one_name_the_one_with_the_arguments_goes() {
    let text = "models:\n  - name: orders\n    columns:\n      - name: id\n        tests:\n          - positive # plain\n          - positive: {than: 1, severity: warn}\n          - positive:\n              name: two\n              arguments:\n                than: 2\n";
    let world = world(text);
    let id = world.with(|input| {
        let one = input
            .project
            .nodes()
            .values()
            .find(|node| node.test.as_ref().is_some_and(|test| test.kwargs.get("than") == Some(&json!(1))));
        one.expect("the test").unique_id.clone()
    });
    let after = world.edit(&Intent::RemoveTest(RemoveTest { unique_id: id }));
    assert_eq!(after.text("models/schema.yml"), text.replace("          - positive: {than: 1, severity: warn}\n", ""));
    let after = after.edit(&Intent::RemoveTest(RemoveTest { unique_id: after.id_of_test("two") }));
    assert!(after.text("models/schema.yml").ends_with("- positive # plain\n"));
}

#[test]
fn a_singular_test_goes_with_its_file() {
    let world = World::new(&[("tests/none.sql", "select 1"), ("tests/t.yml", "data_tests:\n  - name: none\n")]);
    let after = world.edit(&Intent::RemoveTest(RemoveTest { unique_id: "test.shop.none".into() }));
    assert!(after.tree.find("tests/none.sql").is_none() && after.tree.find("tests/t.yml").is_none());
}

#[test]
fn refuses_what_is_no_test() {
    let world = world("models: []\n");
    let refusal = world.refusal(&add(None, "uniqe", json!({})));
    assert_eq!((refusal.code, refusal.field), (Code::TestNotFound, Some("/test")));
    assert_eq!(world.refusal(&add(Some("id"), "unique", json!([1]))).code, Code::ConfigType);
    assert_eq!(world.refusal(&add(Some(""), "unique", json!({}))).code, Code::IdentifierInvalid);
    assert_eq!(
        world.refusal(&add(Some("id"), "relationships", json!({"to": "ref('gone')", "field": "id"}))).code,
        Code::RefNotFound
    );
    assert_eq!(
        world.refusal(&Intent::RemoveTest(RemoveTest { unique_id: "test.shop.x".into() })).code,
        Code::TestNotFound
    );
}
