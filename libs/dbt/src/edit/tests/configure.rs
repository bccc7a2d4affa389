//! Configs.

use serde_json::json;

use super::*;
use crate::edit::Json;

fn at(unique_id: &str, key: &str, value: serde_json::Value, place: Option<&str>) -> Intent {
    Intent::Configure(Configure {
        unique_id: unique_id.into(),
        key: key.into(),
        value: Json(value),
        place: place.map(str::to_owned),
    })
}

fn configure(key: &str, value: serde_json::Value) -> Intent {
    at("model.shop.orders", key, value, None)
}

const PATH: &str = "models/orders.sql";

fn world(sql: &str) -> World {
    World::new(&[(PATH, sql)])
}

#[test]
fn a_call_is_changed_in_its_style() {
    let cases = [
        (
            "{{ config(materialized='view') }}\nselect 1",
            "materialized",
            json!("table"),
            "{{ config(materialized='table') }}\nselect 1",
        ),
        (
            "{{ config(materialized = \"view\") }}\nselect 1",
            "tags",
            json!(["a", "b"]),
            "{{ config(materialized = \"view\", tags = [\"a\", \"b\"]) }}\nselect 1",
        ),
        (
            "{{\r\n    config(\r\n        materialized='view',\r\n        alias='x',\r\n    )\r\n}}\r\nselect 1",
            "enabled",
            json!(true),
            "{{\r\n    config(\r\n        materialized='view',\r\n        alias='x',\r\n    )\r\n}}\r\nselect 1",
        ),
        (
            "{{\r\n    config(\r\n        alias='x',\r\n    )\r\n}}\r\nselect 1",
            "materialized",
            json!("table"),
            "{{\r\n    config(\r\n        alias='x',\r\n        materialized='table',\r\n    )\r\n}}\r\nselect 1",
        ),
        (
            "{{- config({'alias': 'x'}) -}}select 1",
            "materialized",
            json!("table"),
            "{{- config({'alias': 'x', 'materialized': 'table'}) -}}select 1",
        ),
        ("{{ config() }}select 1", "pre_hook", json!("it's"), "{{ config(pre_hook='it\\'s') }}select 1"),
        (
            "{{ config(full_refresh=True) }}select 1",
            "persist_docs",
            json!({"relation": true}),
            "{{ config(full_refresh=True, persist_docs={'relation': True}) }}select 1",
        ),
        ("select 1\n", "materialized", json!("table"), "{{ config(materialized='table') }}\n\nselect 1\n"),
        (
            "\u{feff}select 1\r\n",
            "meta",
            json!({"a": [1, null]}),
            "\u{feff}{{ config(meta={'a': [1, none]}) }}\r\n\r\nselect 1\r\n",
        ),
    ];
    for (before, key, value, expected) in cases {
        let intent = configure(key, value);
        let after = world(before).edit(&intent);
        assert_eq!(after.text(PATH), expected);
        assert_eq!(after.decide(&intent).expect("nothing").files, []);
    }
}

#[test]
fn null_takes_the_value_away() {
    let cases = [
        ("{{ config(alias='x', materialized='view') }}\nselect 1", "{{ config(materialized='view') }}\nselect 1"),
        ("{{ config(materialized='view', alias='x') }}\nselect 1", "{{ config(materialized='view') }}\nselect 1"),
        ("{{ config(alias=\"a, (b\") }}\n\nselect 1", "select 1"),
        ("\u{feff}{{ config(alias='x') }}\r\nselect 1", "\u{feff}select 1"),
        ("-- top\n{{ config(alias='x') }}\n\nselect 1", "-- top\n\nselect 1"),
    ];
    for (before, expected) in cases {
        assert_eq!(world(before).edit(&configure("alias", json!(null))).text(PATH), expected);
    }
    assert_eq!(world("select 1").decide(&configure("alias", json!(null))).expect("nothing").files, []);
}

#[test]
fn a_value_in_yaml_is_changed_there() {
    let yaml = "models:\n- name: orders\n  config: {materialized: view, tags: [a]} # c\n  meta:\n    x: 1\n";
    let world = World::new(&[(PATH, "select 1"), ("models/s.yml", yaml)]);
    let after = world.edit(&configure("materialized", json!("table"))).edit(&configure("tags", json!(["a", "off"])));
    let after = after.edit(&configure("meta", json!({"x": 2, "y": 1}))).edit(&configure("alias", json!("o")));
    assert_eq!(
        after.text("models/s.yml"),
        "models:\n- name: orders\n  config: {materialized: table, tags: [a, \"off\"], alias: o} # c\n  meta:\n    x: 2\n    \"y\": 1\n"
    );
    assert_eq!(after.text(PATH), "select 1");
    let seed = World::new(&[("seeds/codes.csv", "id\n1\n")]);
    let after = seed.edit(&at("seed.shop.codes", "column_types", json!({"id": "int"}), None));
    assert_eq!(
        after.text("seeds/_seeds.yml"),
        "version: 2\n\nseeds:\n  - name: codes\n    config:\n      column_types:\n        id: int\n"
    );
}

#[test]
fn a_value_of_a_folder_asks_for_whom_it_is() {
    let project =
        "name: shop\nmodels:\n  shop:\n    +materialized: table # all\n    +tags: [far]\n    marts:\n      schema: x\n";
    let world = World::new(&[("dbt_project.yml", project), (PATH, "select 1"), ("models/marts/b.sql", "select 1")]);
    let refusal = world.refusal(&configure("materialized", json!("view")));
    assert_eq!((refusal.field, refusal.places[0].line), (Some("/place"), 4));
    assert!(refusal.message.contains("2 nodes"), "{}", refusal.message);
    let id = "model.shop.orders";
    let all = world.edit(&at(id, "materialized", json!("view"), Some("folder")));
    assert_eq!(all.text("dbt_project.yml"), project.replace("table #", "view #"));
    let one = world.edit(&at(id, "materialized", json!("view"), Some("node")));
    assert_eq!(one.text(PATH), "{{ config(materialized='view') }}\n\nselect 1");
    let tagged = world.edit(&at(id, "tags", json!(["far", "near"]), Some("node")));
    assert_eq!(tagged.text(PATH), "{{ config(tags=['near']) }}\n\nselect 1");
    let tagged = tagged.edit(&configure("tags", json!(["far", "other"])));
    assert_eq!(tagged.text(PATH), "{{ config(tags=['other']) }}\n\nselect 1");
    assert_eq!(tagged.refusal(&configure("tags", json!(["other"]))).field, Some("/value"));
    assert_eq!(world.refusal(&at(id, "materialized", json!(null), Some("node"))).field, Some("/place"));
    let gone = world.edit(&at("model.shop.b", "schema", json!(null), Some("folder")));
    assert_eq!(gone.text("dbt_project.yml"), project.replace("    marts:\n      schema: x\n", ""));
}

#[test]
fn a_test_has_configs_too() {
    let yaml = "models:\n  - name: orders\n    columns:\n      - name: id\n        data_tests: [unique, not_null]\n";
    let world = World::new(&[(PATH, "select 1 as id"), ("models/s.yml", yaml)]);
    let id = world.id_of_test("unique_orders_id");
    let after = world.edit(&at(&id, "severity", json!("warn"), None));
    assert_eq!(after.text("models/s.yml"), yaml.replace("[unique,", "[{unique: {config: {severity: warn}}},"));
    assert_eq!(after.edit(&at(&id, "severity", json!(null), None)).text("models/s.yml"), yaml);
}

#[test]
fn a_node_is_switched_off_and_on_unless_others_need_it() {
    let files = [
        (PATH, "select 1 as id"),
        ("models/s.yml", "models: [{name: orders, columns: [{name: id, data_tests: [unique]}]}]\n"),
    ];
    let off = World::new(&files).edit(&configure("enabled", json!(false)));
    assert_eq!(off.edit(&configure("enabled", json!(true))).text(PATH), "{{ config(enabled=true) }}\n\nselect 1 as id");
    let needed = World::new(&[files[0], ("models/late.sql", "select * from {{ ref('orders') }}")]);
    assert_eq!(needed.refusal(&configure("enabled", json!(false))).code, Code::NodeDisabled);
}

#[test]
fn refuses_what_a_config_cannot_be() {
    let world = World::new(&[(PATH, "{{ config(alias=var('a', 'b')) }} select 1"), ("models/b.sql", "select 1")]);
    assert_eq!(world.refusal(&configure("enabled", json!("maybe"))).code, Code::ConfigType);
    assert_eq!(world.refusal(&configure("a b", json!(1))).field, Some("/key"));
    assert_eq!(world.refusal(&at("model.shop.orders", "alias", json!("x"), Some("world"))).field, Some("/place"));
    assert_eq!(world.refusal(&at("model.shop.orders", "alias", json!("x"), Some("folder"))).field, Some("/place"));
    let clash = world.edit(&configure("alias", json!("c"))).refusal(&at("model.shop.b", "alias", json!("C"), None));
    assert_eq!(clash.code, Code::RelationClash);
    let broken = World::new(&[(PATH, "select 1"), ("models/b.sql", "{{ config(alias='orders') }}select 1")]);
    broken.edit(&configure("tags", json!(["a"])));
    let computed = World::new(&[(PATH, "{{ config(**{'alias': 'x'}) }} select 1")]);
    assert_eq!(computed.refusal(&configure("alias", json!("y"))).code, Code::EditNotExpressible);
}
