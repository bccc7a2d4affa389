//! Renames.

use super::*;

fn rename(unique_id: &str, to: &str) -> Intent {
    Intent::RenameNode(RenameNode { unique_id: unique_id.into(), to: to.into() })
}

fn shop() -> World {
    World::new(&[
        ("models/orders.sql", "select 1 as id\n"),
        (
            "models/late.sql",
            "{{ config(materialized='view') }}\r\n{% if x is defined %}{{ ref(\"orders\") }}{% endif %}\r\nselect * from {{ ref('shop', 'orders') }} -- orders\r\n",
        ),
        ("models/other.sql", "select * from {{ ref('late') }} where kind = 'orders'"),
        ("tests/no_orders.sql", "select * from {{ ref( 'orders' ) }}"),
        (
            "models/schema.yml",
            "models:\n- name: \"orders\" # the one\n  description: All orders.\n  columns:\n  - name: id\n    data_tests: [unique, not_null]\n- name: late\n  columns:\n  - name: id\n    data_tests:\n    - relationships: {to: \"ref('orders')\", field: id}\n    - relationships:\n        to: 'ref(''orders'')'\n        field: 'other'",
        ),
        ("seeds/codes.csv", "id\n1\n"),
    ])
}

#[test]
fn every_literal_name_follows_and_nothing_else() {
    let before = shop();
    let after = before.edit(&rename("model.shop.orders", "fct_orders"));
    assert_eq!(after.text("models/fct_orders.sql"), "select 1 as id\n");
    assert!(after.tree.find("models/orders.sql").is_none());
    for (path, file) in before.tree.iter().filter(|(path, _)| &***path != "models/orders.sql") {
        let expected = file.text().expect("text");
        let named = [
            "ref(\"orders\")",
            "'shop', 'orders')",
            "ref( 'orders' )",
            "name: \"orders\"",
            "ref('orders')",
            "ref(''orders'')",
        ];
        let expected = named
            .iter()
            .fold(expected.to_owned(), |text, name| text.replace(name, &name.replace("orders", "fct_orders")));
        assert_eq!(after.text(path), expected);
    }
}

#[test]
fn tells_which_nodes_moved() {
    let decided = shop().decide(&rename("model.shop.orders", "fct_orders")).expect("the rename");
    assert_eq!(decided.summary, "renamed orders to fct_orders");
    assert_eq!(decided.moved, [Moved { from: "model.shop.orders".into(), to: "model.shop.fct_orders".into() }]);
    assert_eq!(decided.project.find("model.shop.late").expect("late").depends_on.nodes, ["model.shop.fct_orders"]);
    let tests = |project: &Project| project.nodes().values().filter(|node| node.test.is_some()).count();
    assert_eq!(tests(&decided.project), 4);
}

#[test]
fn a_test_whose_long_name_dbt_shortens_follows() {
    let entry = "models:\n- name: orders\n  columns:\n  - name: identifier_of_the_order\n    data_tests:\n    - relationships: {to: ref('customers_of_the_shop'), field: identifier_of_the_customer}\n";
    let before = World::new(&[
        ("models/orders.sql", "select 1 as id"),
        ("models/customers_of_the_shop.sql", "select 1 as id"),
        ("models/schema.yml", entry),
    ]);
    let after = before.edit(&rename("model.shop.customers_of_the_shop", "customers_of_our_shop"));
    assert_eq!(after.text("models/schema.yml"), entry.replace("of_the_shop", "of_our_shop"));
}

#[test]
fn refuses_names_that_cannot_be() {
    let world = shop();
    let code = |to: &str| world.refusal(&rename("model.shop.orders", to));
    assert_eq!(code("; drop").code, Code::IdentifierInvalid);
    assert_eq!(code("").code, Code::IdentifierInvalid);
    let long = code(&"é".repeat(32));
    assert_eq!((long.code, long.limit, long.field), (Code::IdentifierTooLong, Some(63), Some("/to")));
    assert_eq!(code("late").code, Code::ModelDuplicate);
    assert_eq!(code("codes").code, Code::ModelDuplicate);
    assert_eq!(world.refusal(&rename("model.shop.gone", "x")).code, Code::NodeNotFound);
    assert_eq!(world.decide(&rename("model.shop.orders", "orders")).expect("nothing").files, []);
}

#[test]
fn refuses_where_a_name_is_computed() {
    let world = World::new(&[
        ("models/orders.sql", "select 1"),
        ("models/all.sql", "{% for m in ['orders'] %}select * from {{ ref(m) }}{% endfor %}"),
    ]);
    let refusal = world.refusal(&rename("model.shop.orders", "x"));
    assert_eq!(refusal.code, Code::RefNotFound);
}

#[test]
fn a_broken_neighbour_does_not_hinder() {
    let world = World::new(&[
        ("models/orders.sql", "select 1"),
        ("models/broken.sql", "select * from {{ ref('nowhere') }}"),
        ("models/a.yml", "models: [{name: orders"),
    ]);
    let after = world.edit(&rename("model.shop.orders", "no"));
    assert_eq!(after.text("models/no.sql"), "select 1");
}

#[test]
fn an_entry_through_an_anchor_is_refused() {
    let world = World::new(&[
        ("models/orders.sql", "select 1"),
        ("models/a.yml", "anchors:\n  - &base {name: orders}\nmodels:\n  - <<: *base\n    description: x\n"),
    ]);
    assert_eq!(world.refusal(&rename("model.shop.orders", "x")).code, Code::YamlAlias);
}

#[test]
fn a_config_by_name_and_a_yaml_file_by_name_follow() {
    let world = World::new(&[
        (
            "dbt_project.yml",
            "name: shop\nmodels:\n  shop:\n    marts:\n      orders:\n        +materialized: table # big\n",
        ),
        ("models/marts/orders.sql", "select 1"),
        ("models/marts/orders.yml", "models:\n  - name: orders\n"),
    ]);
    let after = world.edit(&rename("model.shop.orders", "no"));
    assert!(after.text("dbt_project.yml").contains("      \"no\":\n        +materialized"));
    assert_eq!(after.text("models/marts/no.yml"), "models:\n  - name: \"no\"\n");
}

#[test]
fn a_preview_shows_the_lines_and_the_strings_that_only_mention() {
    let world = World::new(&[
        ("models/orders.sql", "select 1"),
        ("models/all.sql", "{% set m = 'orders' %}\nselect * from {{ ref('orders') }}\n"),
        ("models/docs.md", "All of the orders.\n"),
    ]);
    let preview = world.with(|input| preview_rename(input, "model.shop.orders", "x")).expect("a preview");
    let hunk = Hunk {
        line: 2,
        before: "select * from {{ ref('orders') }}\n".into(),
        after: "select * from {{ ref('x') }}\n".into(),
    };
    assert_eq!(
        preview.files[0],
        FilePreview { path: "models/all.sql".into(), is_removed: false, moved_to: None, hunks: vec![hunk] }
    );
    assert_eq!(preview.files[1].moved_to.as_deref(), Some("models/x.sql"));
    let mentions: Vec<_> = preview.mentions.iter().map(|mention| (&*mention.path, mention.line)).collect();
    assert_eq!(mentions, [("models/all.sql", 1), ("models/docs.md", 1)]);
    assert!(preview.target.contains("the next run makes db.s.x"), "{}", preview.target);
}
