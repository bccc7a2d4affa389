//! New models.

use super::*;

fn add(name: &str) -> AddNode {
    AddNode { name: name.into(), layer: None, folder: None, sql: None, from: Vec::new() }
}

fn world() -> World {
    World::new(&[
        ("models/staging/rail/stg_rail__lines.sql", "select * from {{ source('rail', 'lines') }}"),
        (
            "models/staging/rail/_rail__sources.yml",
            "sources:\n  - name: rail\n    tables: [{name: lines}, {name: stops}]\n",
        ),
        ("models/marts/finance/fares.sql", "select 1"),
    ])
}

#[test]
fn a_model_stands_where_its_layer_does_and_reads_its_parents() {
    let from = vec!["model.shop.fares".to_owned(), "source.shop.rail.stops".to_owned()];
    let after = world().edit(&Intent::AddNode(AddNode { from, ..add("fct_stops") }));
    assert_eq!(
        after.text("models/marts/finance/fct_stops.sql"),
        "with\n\nfares as (\n    select * from {{ ref('fares') }}\n),\n\nstops as (\n    select * from {{ source('rail', 'stops') }}\n),\n\nfinal as (\n    select * from fares\n)\n\nselect * from final\n"
    );
    let cases = [
        (add("stg_rail__stops"), "models/staging/rail/stg_rail__stops.sql"),
        (
            AddNode { from: vec!["source.shop.rail.stops".into()], ..add("stg_stops") },
            "models/staging/rail/stg_stops.sql",
        ),
        (add("int_stops_joined"), "models/intermediate/int_stops_joined.sql"),
        (AddNode { layer: Some("staging".into()), ..add("stops") }, "models/staging/stops.sql"),
        (
            AddNode { folder: Some("models/other/".into()), sql: Some("select 2".into()), ..add("x") },
            "models/other/x.sql",
        ),
    ];
    for (asked, path) in cases {
        let decided = world().decide(&Intent::AddNode(asked)).expect("a new model");
        assert_eq!(decided.files[0].path().as_ref(), path);
    }
}

#[test]
fn refuses_what_cannot_be() {
    let refusal = |asked: AddNode| {
        let refusal = world().refusal(&Intent::AddNode(asked));
        (refusal.code, refusal.field)
    };
    assert_eq!(refusal(add("a b")), (Code::IdentifierInvalid, Some("/name")));
    assert_eq!(refusal(add("fares")), (Code::ModelDuplicate, Some("/name")));
    assert_eq!(refusal(AddNode { layer: Some("gold".into()), ..add("x") }).1, Some("/layer"));
    assert_eq!(
        refusal(AddNode { from: vec!["model.shop.gone".into()], ..add("x") }),
        (Code::NodeNotFound, Some("/from"))
    );
    assert_eq!(refusal(AddNode { folder: Some("../x".into()), ..add("x") }), (Code::PathInvalid, Some("/folder")));
    assert_eq!(refusal(AddNode { folder: Some("docs".into()), ..add("x") }).0, Code::EditNotExpressible);
    assert_eq!(refusal(AddNode { sql: Some("{{ ref('gone') }}".into()), ..add("x") }).0, Code::RefNotFound);
    assert_eq!(refusal(AddNode { sql: Some("{% if".into()), ..add("x") }).0, Code::TemplateSyntax);
    assert_eq!(refusal(AddNode { sql: Some("x".repeat(1024 * 1024 + 1)), ..add("x") }).0, Code::SqlTooLarge);
    let clash = AddNode { sql: Some("{{ config(alias='FARES') }} select 1".into()), ..add("x") };
    assert_eq!(refusal(clash).0, Code::RelationClash);
}
