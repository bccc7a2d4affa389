//! Edges.

use super::*;

fn connect(from: &str, to: &str) -> Intent {
    Intent::Connect(Connect { from: from.into(), to: to.into() })
}

fn disconnect(from: &str, to: &str) -> Intent {
    Intent::Disconnect(Disconnect { from: from.into(), to: to.into() })
}

const PATH: &str = "models/late.sql";

fn world(sql: &str) -> World {
    World::new(&[
        ("models/a.sql", "select 1 as id"),
        ("models/b.sql", "select * from {{ ref('a') }}"),
        (PATH, sql),
        (
            "models/s.yml",
            "sources: [{name: raw, tables: [{name: a}]}]\nexposures:\n- name: board\n  type: dashboard\n  owner: {name: ada}\n  depends_on: [ref('a')] # c\n",
        ),
        ("tests/t.sql", "select 1"),
    ])
}

#[test]
fn an_import_is_written_as_the_others_are() {
    let cases = [
        (
            "with\n\na as (\n    select * from {{ ref('a') }}\n),\n\nfinal as (select 1 from a)\n\nselect * from final\n",
            "with\n\na as (\n    select * from {{ ref('a') }}\n),\n\nb as (\n    select * from {{ ref('b') }}\n),\n\nfinal as (select 1 from a)\n\nselect * from final\n",
        ),
        (
            "WITH b AS (\r\n\r\n  SELECT id FROM {{ ref('a') }} WHERE id > 1\r\n\r\n)\r\nselect * from b",
            "WITH b AS (\r\n\r\n  SELECT id FROM {{ ref('a') }} WHERE id > 1\r\n\r\n),\r\n\r\nb_in AS (\r\n\r\n  SELECT * FROM {{ ref('b') }}\r\n\r\n)\r\nselect * from b",
        ),
        (
            "with x as (select * from {{ ref('a') }})\n, y as (select ')' from x)\nselect * from y",
            "with x as (select * from {{ ref('a') }})\n, b as (select * from {{ ref('b') }})\n, y as (select ')' from x)\nselect * from y",
        ),
        (
            "-- with x as (\nselect * from {{ ref('a') }}\n",
            "-- depends_on: {{ ref('b') }}\n-- with x as (\nselect * from {{ ref('a') }}\n",
        ),
        ("with x as (select 1) select * from x", "-- depends_on: {{ ref('b') }}\nwith x as (select 1) select * from x"),
    ];
    for (before, expected) in cases {
        let after = world(before).edit(&connect("model.shop.b", "model.shop.late"));
        assert_eq!(after.text(PATH), expected);
        assert_eq!(after.edit(&disconnect("model.shop.b", "model.shop.late")).text(PATH), before);
    }
    let sourced = world("with a as (select * from {{ ref('a') }}) select 1 from a")
        .edit(&connect("source.shop.raw.a", "model.shop.late"));
    assert_eq!(
        sourced.text(PATH),
        "with a as (select * from {{ ref('a') }}),\n\nraw_a as (select * from {{ source('raw', 'a') }}) select 1 from a"
    );
}

#[test]
fn an_exposure_lists_what_it_depends_on() {
    let before = world("select 1");
    let after = before.edit(&connect("model.shop.b", "exposure.shop.board"));
    assert_eq!(after.text("models/s.yml"), before.text("models/s.yml").replace("[ref('a')]", "[ref('a'), ref('b')]"));
    let after = after.edit(&disconnect("model.shop.a", "exposure.shop.board"));
    assert!(after.text("models/s.yml").ends_with("  depends_on: [ref('b')] # c\n"));
    let after = after.edit(&disconnect("model.shop.b", "exposure.shop.board"));
    assert!(after.text("models/s.yml").ends_with("  owner: {name: ada}\n"));
}

#[test]
fn what_is_used_stays_connected() {
    let sql = "with a as (select * from {{ ref('a') }})\nselect * from a join {{ ref('b') }} using (id)";
    let refusal = world(sql).refusal(&disconnect("model.shop.b", "model.shop.late"));
    assert_eq!((refusal.code, refusal.places[0].line), (Code::EditNotExpressible, 2));
    let refusal = world(sql).refusal(&disconnect("model.shop.a", "model.shop.late"));
    assert_eq!((refusal.code, refusal.places[0].line), (Code::EditNotExpressible, 1));
    let computed = world("{% set n = 'a' %}select * from {{ ref(n) }}");
    assert_eq!(computed.refusal(&disconnect("model.shop.a", "model.shop.late")).field, Some("/from"));
    assert_eq!(world("select 1").decide(&disconnect("model.shop.a", "model.shop.late")).expect("nothing").files, []);
    let unused = world("with a as (select * from {{ ref('a') }})\n\nselect 1 -- a\n");
    assert_eq!(unused.edit(&disconnect("model.shop.a", "model.shop.late")).text(PATH), "select 1 -- a\n");
}

#[test]
fn refuses_what_breaks_the_graph() {
    let world = world("select * from {{ ref('b') }}");
    let code = |from: &str, to: &str| {
        let refusal = world.refusal(&connect(from, to));
        (refusal.code, refusal.field)
    };
    assert_eq!(code("model.shop.a", "model.shop.a"), (Code::EdgeSelf, Some("/to")));
    assert_eq!(code("model.shop.a", "model.shop.b"), (Code::EdgeDuplicate, Some("/to")));
    assert_eq!(code("model.shop.x", "model.shop.b"), (Code::NodeNotFound, Some("/from")));
    assert_eq!(code("model.shop.a", "model.shop.x"), (Code::NodeNotFound, Some("/to")));
    assert_eq!(code("test.shop.t", "model.shop.a"), (Code::EditNotExpressible, Some("/from")));
    assert_eq!(code("model.shop.a", "source.shop.raw.a"), (Code::EditNotExpressible, Some("/to")));
    let cycle = world.refusal(&connect("model.shop.late", "model.shop.a"));
    assert_eq!(cycle.code, Code::GraphCycle);
    assert!(cycle.message.ends_with("late → a → b → late"), "{}", cycle.message);
}
