//! Descriptions.

use super::*;

fn describe(unique_id: &str, text: &str) -> Intent {
    Intent::DescribeNode(DescribeNode { unique_id: unique_id.into(), text: text.into() })
}

fn describe_column(unique_id: &str, column: &str, text: &str) -> Intent {
    Intent::DescribeColumn(DescribeColumn { unique_id: unique_id.into(), column: column.into(), text: text.into() })
}

fn world(path: &str, text: &str) -> World {
    World::new(&[("models/marts/orders.sql", "select 1 as id"), ("models/marts/late.sql", "select 1"), (path, text)])
}

#[test]
fn a_description_is_written_where_the_entry_stands() {
    let path = "models/marts/_marts__models.yml";
    let world = world(path, "version: 2\r\n\r\nmodels:\r\n- name: orders # the one\r\n  columns: [{name: id}]\r\n");
    let after = world.edit(&describe("model.shop.orders", "All: of them"));
    assert_eq!(
        after.text(path),
        "version: 2\r\n\r\nmodels:\r\n- name: orders # the one\r\n  description: \"All: of them\"\r\n  columns: [{name: id}]\r\n"
    );
    assert_eq!(after.decide(&describe("model.shop.orders", "All: of them")).expect("nothing").files, []);
    assert_eq!(after.edit(&describe("model.shop.orders", "")).text(path), world.text(path));
    let after = after.edit(&describe_column("model.shop.orders", "id", "One\nTwo"));
    assert!(after.text(path).contains("  columns: [{name: id, description: \"One\\nTwo\"}]\r\n"));
    let after = after.edit(&describe_column("model.shop.orders", "new", "x"));
    assert!(after.text(path).ends_with(", {name: new, description: x}]\r\n"), "{}", after.text(path));
    let declared = after.edit(&describe_column("model.shop.orders", "bare", ""));
    assert!(declared.text(path).ends_with(", {name: bare}]\r\n"), "{}", declared.text(path));
}

#[test]
fn columns_are_declared_with_their_types_in_one_edit() {
    let path = "models/schema.yml";
    let world =
        world(path, "models:\n  - name: orders\n    columns:\n      - name: id\n        description: The key.\n");
    let column = |name: &str, data_type: Option<&str>| DeclaredColumn {
        name: name.into(),
        data_type: data_type.map(str::to_owned),
    };
    let columns = vec![column("id", Some("bigint")), column("at", Some("date")), column("bare", None)];
    let declare = |columns| Intent::DeclareColumns(DeclareColumns { unique_id: "model.shop.orders".into(), columns });
    let after = world.edit(&declare(columns.clone()));
    assert_eq!(
        after.text(path),
        "models:\n  - name: orders\n    columns:\n      - name: id\n        description: The key.\n        data_type: bigint\n      - name: at\n        data_type: date\n      - name: bare\n"
    );
    let decided = world.decide(&declare(columns.clone())).expect("it can be said");
    assert_eq!(decided.summary, "declared 3 columns of orders");
    assert_eq!(decided.subjects[0].property, "columns.id.data_type");
    assert_eq!(after.decide(&declare(columns)).expect("nothing").files, []);
    assert_eq!(world.refusal(&declare(Vec::new())).field, Some("/columns"));
    assert_eq!(world.refusal(&declare(vec![column(" ", None)])).code, Code::IdentifierInvalid);
}

#[test]
fn a_block_keeps_its_last_line_feed() {
    let path = "models/schema.yml";
    let world =
        world(path, "models:\n  - name: orders\n    description: >\n      Old\n      words.\n\n  - name: late\n");
    assert_eq!(world.decide(&describe("model.shop.orders", "Old words.")).expect("nothing").files, []);
    let after = world.edit(&describe("model.shop.orders", "New words."));
    assert_eq!(after.text(path), "models:\n  - name: orders\n    description: >\n      New words.\n\n  - name: late\n");
}

#[test]
fn a_new_entry_follows_the_project() {
    let cases = [
        (
            "models/marts/_marts__models.yml",
            "models:\n- name: late\n",
            "models/marts/_marts__models.yml",
            "models:\n- name: late\n- name: orders\n  description: x\n",
        ),
        (
            "models/marts/late.yml",
            "version: 2\nmodels: [{name: late}]\n",
            "models/marts/orders.yml",
            "version: 2\n\nmodels:\n  - name: orders\n    description: x\n",
        ),
        (
            "models/schema.yml",
            "models:\n    -   name: late\n",
            "models/schema.yml",
            "models:\n    -   name: late\n    -   name: orders\n        description: x\n",
        ),
        (
            "models/marts/schema.yml",
            "version: 2\n",
            "models/marts/schema.yml",
            "version: 2\nmodels:\n  - name: orders\n    description: x\n",
        ),
        (
            "models/marts/_marts__sources.yml",
            "sources: []\n",
            "models/marts/_marts__models.yml",
            "version: 2\n\nmodels:\n  - name: orders\n    description: x\n",
        ),
    ];
    for (path, text, home, expected) in cases {
        let after = world(path, text).edit(&describe("model.shop.orders", "x"));
        assert_eq!(after.text(home), expected, "{path}");
    }
    let staged = World::new(&[
        ("models/a/one.sql", "select 1"),
        ("models/a/_a__models.yml", "models:\n  - name: one\n"),
        ("models/b/two.sql", "select 1"),
    ]);
    assert_eq!(
        staged.edit(&describe("model.shop.two", "x")).text("models/b/_b__models.yml"),
        "models:\n  - name: two\n    description: x\n"
    );
}

#[test]
fn sources_exposures_seeds_and_singular_tests_are_described_too() {
    let world = World::new(&[
        (
            "models/s.yml",
            "sources:\n  - name: raw\n    tables:\n      - name: orders\n      - {name: lines}\nexposures:\n  - name: board\n    type: dashboard\n    owner: {name: ada}\n",
        ),
        ("seeds/codes.csv", "id\n1\n"),
        ("tests/none.sql", "select 1 where false"),
    ]);
    let after = world.edit(&describe("source.shop.raw.lines", "x")).edit(&describe("exposure.shop.board", "y"));
    let after = after.edit(&describe_column("source.shop.raw.orders", "id", "z"));
    assert_eq!(
        after.text("models/s.yml"),
        "sources:\n  - name: raw\n    tables:\n      - name: orders\n        columns:\n          - name: id\n            description: z\n      - {name: lines, description: x}\nexposures:\n  - name: board\n    type: dashboard\n    description: \"y\"\n    owner: {name: ada}\n"
    );
    let after = after.edit(&describe("seed.shop.codes", "x")).edit(&describe("test.shop.none", "y"));
    assert_eq!(
        after.text("seeds/_seeds.yml"),
        "models:\n".replace("models", "seeds") + "  - name: codes\n    description: x\n"
    );
    assert!(after.text("tests/_data_tests.yml").contains("  - name: none\n    description: \"y\"\n"));
}

#[test]
fn what_is_shared_or_broken_is_refused() {
    let world = world(
        "models/a.yml",
        "base: &base\n  description: shared\nmodels:\n  - name: orders\n    <<: *base\n  - <<: *base\n    name: late\n",
    );
    let refusal = world.refusal(&describe("model.shop.orders", "x"));
    assert_eq!(refusal.code, Code::YamlAlias);
    assert_eq!(refusal.places.iter().map(|place| place.line).collect::<Vec<_>>(), [1, 5, 6]);
    assert_eq!(world.refusal(&describe("model.shop.orders", "{{ doc('gone') }}")).code, Code::YamlAlias);
    let world = World::new(&[("models/a.sql", "select 1"), ("models/a.yml", "models: [{name: a}]\n")]);
    assert_eq!(world.refusal(&describe("model.shop.a", "{{ nothing( }}")).code, Code::TemplateSyntax);
    assert_eq!(world.refusal(&describe("model.shop.b", "x")).code, Code::NodeNotFound);
    let broken = World::new(&[("models/a.sql", "select 1"), ("models/schema.yml", "models: [{name: b")]);
    assert!(broken.edit(&describe("model.shop.a", "x")).text("models/_models.yml").contains("name: a"));
}
