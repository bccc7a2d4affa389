//! Edits that were made on an older version.

use dvt_dbt::edit::{
    AddFile, Connect, DecideInput, DescribeColumn, DescribeNode, Disconnect, Intent, MoveFile, RemoveFile, SaveFile,
    SetSql,
};
use dvt_dbt::environment::{Adapter, Environment};
use dvt_dbt::parse::{ParseInput, parse};
use dvt_dbt::tree::{File, Mode, Tree};

use super::*;
use crate::envelope::{Actor, Timestamp};

/// Is a branch with its history, on which edits are made as of any version.
struct World {
    trees: Vec<Tree>,
    events: Vec<Event>,
}

impl World {
    fn new(files: &[(&str, &str)]) -> Self {
        let project = ("dbt_project.yml", "name: shop\n");
        let file = |(path, text): &(&str, &str)| (path.to_string(), File::new(Mode::Regular, text.as_bytes()));
        let tree = files.iter().chain([&project]).map(file).collect();
        Self { trees: vec![tree], events: Vec::new() }
    }

    fn text(&self, path: &str) -> &str {
        let tree = self.trees.last().expect("a tree");
        tree.find(path).and_then(File::text).expect("the file is there")
    }

    /// Makes an edit on the files as they were after `version` events.
    fn edit(&mut self, version: usize, intent: Intent) -> Result<(), Error> {
        let environment = Environment {
            name: "dev".into(),
            adapter: Adapter::Postgres,
            database: "db".into(),
            schema: "s".into(),
            threads: 1,
            profile: "p".into(),
            user: String::new(),
            vars: serde_json::Map::new(),
            env: indexmap::IndexMap::new(),
        };
        let (tree, packages) = (self.trees.last().cloned().expect("a tree"), Tree::default());
        let files = ParseInput { tree: &tree, root: "", packages: &packages, environment: &environment };
        let project = parse(files);
        let since = self.events.iter().enumerate().skip(version).map(|(at, event)| Since {
            version: at as i64 + 1,
            actor: Actor::local(&format!("user {}", at + 1)).expect("a name"),
            at: Timestamp(at as i64),
            event: event.clone(),
        });
        let base = Base { version: version as i64, tree: self.trees[version].clone(), since: since.collect() };
        let decided = decide(&DecideInput { files, project: &project }, intent, &base)?;
        let event = decided.expect("the edit changes something").event;
        let branch = Branch { tree, ..Branch::default() }.apply(&event).expect("the edit fits");
        self.trees.push(branch.tree);
        self.events.push(event);
        Ok(())
    }
}

fn save(path: &str, text: &str) -> Intent {
    Intent::SaveFile(SaveFile { path: path.into(), text: text.into() })
}

fn set_sql(unique_id: &str, sql: &str) -> Intent {
    Intent::SetSql(SetSql { unique_id: unique_id.into(), sql: sql.into() })
}

fn conflict(result: Result<(), Error>) -> Conflict {
    match result {
        Err(Error::Conflict(conflict)) => *conflict,
        other => panic!("expected a conflict, got {other:?}"),
    }
}

const LINES: &str = "select\n    a,\n    b,\n    c,\n    d\nfrom t\n";

#[test]
fn edits_of_other_lines_of_one_file_go_together() {
    let mut world = World::new(&[("models/m.sql", LINES)]);
    world.edit(0, save("models/m.sql", &LINES.replace("a,", "alpha,"))).expect("the first");
    world.edit(0, set_sql("model.shop.m", &LINES.replace("    d\n", "    delta\n"))).expect("the second");
    assert_eq!(world.text("models/m.sql"), "select\n    alpha,\n    b,\n    c,\n    delta\nfrom t\n");
}

#[test]
fn an_edit_of_the_same_line_names_the_other_and_shows_all_three() {
    let mut world = World::new(&[("models/m.sql", LINES)]);
    world.edit(0, save("models/m.sql", &LINES.replace("from t", "from u"))).expect("the first");
    world.edit(1, save("models/m.sql", &LINES.replace("from t", "from u").replace("b,", "beta,"))).expect("the second");
    let found = conflict(world.edit(0, save("models/m.sql", &LINES.replace("b,", "bravo,"))));
    assert_eq!((found.version, found.actor.as_str()), (2, "local:user 2"));
    let texts = [found.base, found.theirs, found.mine].map(Option::unwrap_or_default);
    assert_eq!(texts, ["    b,\n", "    beta,\n", "    bravo,\n"]);
}

#[test]
fn a_stale_edit_follows_a_moved_file() {
    let mut world = World::new(&[("models/m.sql", LINES), ("models/n.sql", "select 1")]);
    let moved = MoveFile { path: "models/m.sql".into(), to: "models/marts/renamed.sql".into() };
    world.edit(0, Intent::MoveFile(moved)).expect("the move");
    world.edit(0, set_sql("model.shop.m", &LINES.replace("a,", "alpha,"))).expect("by its old id");
    world.edit(0, save("models/m.sql", &LINES.replace("d\n", "delta\n"))).expect("by its old path");
    assert_eq!(world.text("models/marts/renamed.sql"), "select\n    alpha,\n    b,\n    c,\n    delta\nfrom t\n");
}

#[test]
fn an_edit_of_a_removed_file_is_a_conflict_and_so_is_the_removal_of_an_edited_one() {
    let mut world = World::new(&[("models/m.sql", LINES), ("models/n.sql", "select 1\n")]);
    world.edit(0, Intent::RemoveFile(RemoveFile { path: "models/m.sql".into() })).expect("the removal");
    world.edit(0, save("models/n.sql", "select 2\n")).expect("the edit");
    assert_eq!(conflict(world.edit(0, save("models/m.sql", "select 2"))).summary, "removed models/m.sql");
    assert_eq!(conflict(world.edit(0, set_sql("model.shop.m", "select 2"))).version, 1);
    let removal = Intent::RemoveFile(RemoveFile { path: "models/n.sql".into() });
    assert_eq!(conflict(world.edit(0, removal)).summary, "edited models/n.sql");
}

#[test]
fn a_stale_edit_of_another_file_is_no_conflict() {
    let mut world = World::new(&[("models/m.sql", LINES)]);
    world.edit(0, save("models/m.sql", "select 2\n")).expect("the first");
    let added = AddFile { path: "models/n.sql".into(), text: "select 1".into() };
    world.edit(0, Intent::AddFile(added)).expect("the second");
    assert_eq!(world.text("models/n.sql"), "select 1");
}

#[test]
fn the_same_edit_twice_changes_nothing_more() {
    let mut world = World::new(&[("models/m.sql", LINES), ("models/n.sql", "select 1\n")]);
    world.edit(0, save("models/m.sql", &LINES.replace("a,", "alpha,"))).expect("the first");
    let both = LINES.replace("a,", "alpha,").replace("d\n", "delta\n");
    world.edit(0, save("models/m.sql", &both)).expect("the second holds the first");
    assert_eq!(world.text("models/m.sql"), both);
}

#[test]
fn edits_of_different_properties_go_together_and_of_the_same_are_a_conflict() {
    let yaml = "models:\n  - name: m\n    description: old\n    columns: [{name: a}, {name: b}]\n";
    let mut world = World::new(&[("models/m.sql", LINES), ("models/n.sql", "select 1"), ("models/m.yml", yaml)]);
    let node = |text: &str| Intent::DescribeNode(DescribeNode { unique_id: "model.shop.m".into(), text: text.into() });
    let column = |column: &str| {
        let (unique_id, text) = ("model.shop.m".into(), "x".into());
        Intent::DescribeColumn(DescribeColumn { unique_id, column: column.into(), text })
    };
    world.edit(0, node("theirs")).expect("the node");
    world.edit(0, column("a")).expect("a column of the same line");
    world.edit(0, column("b")).expect("the other column");
    let expected = "models:\n  - name: m\n    description: theirs\n    columns: [{name: a, description: x}, {name: b, description: x}]\n";
    assert_eq!(world.text("models/m.yml"), expected);
    let found = conflict(world.edit(0, node("mine")));
    let texts = [found.base, found.theirs, found.mine].map(Option::unwrap_or_default);
    assert_eq!(texts, ["old", "theirs", "mine"]);
    let (from, to) = ("model.shop.n".to_owned(), "model.shop.m".to_owned());
    world.edit(3, Intent::Connect(Connect { from: from.clone(), to: to.clone() })).expect("the edge");
    let found = conflict(world.edit(3, Intent::Disconnect(Disconnect { from, to })));
    assert_eq!((found.base.as_deref(), found.theirs.as_deref()), (Some("false"), Some("true")));
}
