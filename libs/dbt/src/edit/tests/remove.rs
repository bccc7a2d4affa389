//! Removals.

use super::*;

fn remove(unique_id: &str) -> Intent {
    Intent::RemoveNode(RemoveNode { unique_id: unique_id.into() })
}

fn shop() -> World {
    World::new(&[
        ("models/orders.sql", "select 1 as id"),
        ("models/late.sql", "select 1\nfrom {{ ref('orders') }}"),
        (
            "models/schema.yml",
            "# all\nmodels:\n  - name: orders\n    columns: [{name: id, data_tests: [unique]}]\n\n  - name: late\n    columns:\n      - name: id\n        data_tests:\n          - relationships: {to: ref('orders'), field: id}\n\nunit_tests:\n  - name: u\n    model: late\n    given: []\n    expect: {rows: []}\n",
        ),
        (
            "models/board.yml",
            "exposures:\n  - name: board\n    type: dashboard\n    owner: {name: ada}\n    depends_on: [ref('late')]\n",
        ),
    ])
}

#[test]
fn a_node_goes_with_its_file_its_entry_and_its_unit_tests() {
    let after = shop().edit(&remove("exposure.shop.board"));
    assert!(after.tree.find("models/board.yml").is_none());
    let after = after.edit(&remove("model.shop.late"));
    assert!(after.tree.find("models/late.sql").is_none());
    assert_eq!(
        after.text("models/schema.yml"),
        "# all\nmodels:\n  - name: orders\n    columns: [{name: id, data_tests: [unique]}]\n"
    );
    let after = after.edit(&remove("model.shop.orders"));
    assert_eq!(after.text("models/schema.yml"), "# all\n");
}

#[test]
fn what_others_name_is_refused_with_the_places() {
    let refusal = shop().refusal(&remove("model.shop.orders"));
    assert_eq!(refusal.code, Code::RefNotFound);
    let places: Vec<_> = refusal.places.iter().map(|place| (&*place.path, place.line)).collect();
    assert_eq!(places, [("models/late.sql", 2), ("models/schema.yml", 6)]);
    assert_eq!(shop().refusal(&remove("model.shop.late")).places[0].path.as_ref(), "models/board.yml");
    let mentioned =
        World::new(&[("models/a.sql", "select 1"), ("macros/m.sql", "{% macro m() %}{{ ref('a') }}{% endmacro %}")]);
    assert_eq!(mentioned.refusal(&remove("model.shop.a")).places[0].path.as_ref(), "macros/m.sql");
}

#[test]
fn a_source_goes_with_its_last_table() {
    let text = "version: 2\nsources:\n  - name: raw\n    tables:\n      - name: a\n      - name: b\n";
    let after = World::new(&[("models/s.yml", text)]).edit(&remove("source.shop.raw.a"));
    assert_eq!(after.text("models/s.yml"), text.replace("      - name: a\n", ""));
    assert!(after.edit(&remove("source.shop.raw.b")).tree.find("models/s.yml").is_none());
}

#[test]
fn a_preview_names_what_would_break() {
    let preview = shop().with(|input| preview_removal(input, "model.shop.orders")).expect("a preview");
    assert_eq!(
        preview.files.iter().map(|file| (&*file.path, file.is_removed)).collect::<Vec<_>>(),
        [("models/orders.sql", true), ("models/schema.yml", false)]
    );
    assert_eq!(preview.breaks[0].text, "from {{ ref('orders') }}");
    assert!(preview.target.contains("db.s.orders stays"), "{}", preview.target);
}
