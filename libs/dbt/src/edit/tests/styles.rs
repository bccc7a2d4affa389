//! Every edit of YAML on every style of it: only what is meant differs, and the inverse gives the bytes back.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::*;
use crate::edit::Json;
use crate::yaml::edit::tests::generated::{Look, gone, looks, texts};

/// The files that entries stand in: one for a folder, for a model, and as dbt's first projects had it.
const FILES: [&str; 3] = ["models/marts/_marts__models.yml", "models/marts/orders.yml", "models/schema.yml"];

const ORDERS: &str = "model.shop.orders";

fn world(path: &str, text: &str) -> World {
    World::new(&[
        ("models/marts/orders.sql", "select 1 as id"),
        ("models/marts/customers.sql", "select 1"),
        (path, text),
    ])
}

fn intents(text: &str) -> Vec<Intent> {
    let id = || ORDERS.to_owned();
    let test = |column: Option<&str>, test: &str, arguments: serde_json::Value| {
        let (column, test, arguments) = (column.map(str::to_owned), test.to_owned(), Some(Json(arguments)));
        Intent::AddTest(AddTest { unique_id: id(), column, test, arguments, config: None })
    };
    let column = |column: &str| {
        Intent::DescribeColumn(DescribeColumn { unique_id: id(), column: column.into(), text: text.into() })
    };
    let tags = Configure { unique_id: id(), key: "tags".into(), value: Json(json!(["off", text])), place: None };
    vec![
        Intent::DescribeNode(DescribeNode { unique_id: id(), text: text.into() }),
        column("id"),
        column("other"),
        test(Some("kind"), "accepted_values", json!({"values": ["no", text, 1]})),
        test(Some("other"), "unique", json!({})),
        test(None, "unique", json!({"column_name": "total"})),
        Intent::Configure(tags),
        Intent::RemoveNode(RemoveNode { unique_id: id() }),
    ]
}

fn plain_texts() -> impl Strategy<Value = String> {
    let is_plain = |text: &String| !text.contains('{') && !text.trim().is_empty();
    texts().prop_filter("a template or nothing", is_plain)
}

fn check(look: &Look, path: &str, intent: &Intent) -> Result<(), TestCaseError> {
    let text = look.text();
    let before = world(path, &text);
    let after = before.edit(intent);
    for (path, file) in before.tree.iter().filter(|(other, _)| ***other != *path && !other.ends_with("orders.sql")) {
        prop_assert_eq!(after.tree.find(path).map(|file| file.sha256), Some(file.sha256));
    }
    let now = after.text(path);
    let most = if matches!(intent, Intent::RemoveNode(_)) { 24 } else { 2 };
    prop_assert!(gone(&text, now).len() <= most, "{}", now);
    let ends = now.matches('\n').count();
    prop_assert_eq!(now.matches("\r\n").count() == ends, text.contains("\r\n"));
    prop_assert_eq!(now.ends_with('\n'), text.ends_with('\n'), "{}", now);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_what_is_meant_differs(look in looks(), path in select(FILES.to_vec()), text in plain_texts()) {
        for intent in intents(&text) {
            check(&look, path, &intent)?;
        }
    }
}

#[test]
fn what_an_anchor_shares_is_refused_by_every_edit() {
    let text = "base: &base\n  name: orders\n  description: shared\n  columns: [{name: id}, {name: kind}]\nmodels:\n  - *base\n";
    let shared = world(FILES[2], text);
    for intent in
        intents("new").into_iter().filter(|intent| !matches!(intent, Intent::RemoveNode(_) | Intent::Configure(_)))
    {
        let refusal = shared.refusal(&intent);
        let lines: Vec<_> = refusal.places.iter().map(|place| place.line).collect();
        assert_eq!((refusal.code, lines), (Code::YamlAlias, vec![1, 6]), "{intent:?}");
    }
}
