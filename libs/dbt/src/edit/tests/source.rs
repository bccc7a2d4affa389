//! Declared sources.

use super::*;

fn declare(source: &str, schema: Option<&str>, tables: &[&str]) -> Intent {
    Intent::DeclareSource(DeclareSource {
        source: source.into(),
        schema: schema.map(str::to_owned),
        database: None,
        tables: tables.iter().map(|table| table.to_string()).collect(),
    })
}

#[test]
fn a_new_source_gets_a_file_where_the_project_has_them() {
    let plain = World::new(&[("models/a.sql", "select 1")]);
    let after = plain.edit(&declare("rail", None, &["lines", "no"]));
    let expected = "version: 2\n\nsources:\n  - name: rail\n    tables:\n      - name: lines\n      - name: \"no\"\n";
    assert_eq!(after.text("models/staging/rail/_rail__sources.yml"), expected);
    let more = after.edit(&declare("booking", Some("raw"), &["fares"]));
    let expected = "version: 2\n\nsources:\n  - name: booking\n    schema: raw\n    tables:\n      - name: fares\n";
    assert_eq!(more.text("models/staging/booking/_booking__sources.yml"), expected);
    let one = World::new(&[("models/sources.yml", "sources:\n- name: a\n  tables: [{name: x}]\n")]);
    let after = one.edit(&declare("b", None, &["y"]));
    assert_eq!(
        after.text("models/sources.yml"),
        "sources:\n- name: a\n  tables: [{name: x}]\n- name: b\n  tables:\n  - name: \"y\"\n"
    );
    let flat = World::new(&[("models/src_a.yml", "sources:\n- name: a\n  tables: [{name: x}]\n")]);
    assert!(flat.edit(&declare("b", None, &["x"])).tree.find("models/src_b.yml").is_some());
}

#[test]
fn tables_come_to_a_source_that_is_there() {
    let text = "sources:\n  - name: rail\n    tables: [{name: lines}] # all\n";
    let world = World::new(&[("models/s.yml", text)]);
    let after = world.edit(&declare("rail", None, &["lines", "stations"]));
    assert_eq!(after.text("models/s.yml"), text.replace("}]", "}, {name: stations}]"));
    assert_eq!(after.decide(&declare("rail", None, &["lines"])).expect("nothing").files, []);
    let moved = after.edit(&declare("rail", Some("raw"), &[]));
    assert!(moved.text("models/s.yml").contains("  - name: rail\n    schema: raw\n    tables:"));
}

#[test]
fn refuses_names_that_cannot_be() {
    let world = World::new(&[("models/a.sql", "select 1")]);
    assert_eq!(world.refusal(&declare("a'b", None, &["x"])).field, Some("/source"));
    assert_eq!(world.refusal(&declare("a", None, &["x y"])).code, Code::IdentifierInvalid);
    assert_eq!(world.refusal(&declare("a", None, &[])).field, Some("/tables"));
}
