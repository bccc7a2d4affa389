//! `dvt import DIR --into PROJECT` and `dvt export PROJECT DIR`: a folder and a project that both change stay together.

use serde_json::{Value, json};

use super::folder::{EXECUTABLE, Files, Folder, REGULAR, World};

fn shop() -> Files {
    let files = [
        ("warehouse/dbt_project.yml", "name: shop\nversion: '1'\nprofile: shop\n"),
        ("warehouse/models/a.sql", "select 1 as a\n"),
        (
            "warehouse/models/b.sql",
            "select\n  1 as one,\n  2 as two,\n  3 as three,\n  4 as four\nfrom {{ ref('a') }}\n",
        ),
        ("warehouse/models/old.sql", "select 'old' as x\n"),
        ("warehouse/run.sh", "#!/bin/sh\n"),
    ];
    files.map(|(path, text)| (path.to_owned(), (REGULAR, text.as_bytes().to_vec()))).into()
}

/// Is a folder and the project that was made of it.
struct Pair {
    world: World,
    folder: Folder,
    project: String,
}

impl Pair {
    async fn new() -> Self {
        let (world, folder) = (World::start().await, Folder::new(&shop()));
        let report = world.import(&folder, &["--name", "shop"]);
        let project = report["project_id"].as_str().unwrap().to_owned();
        Self { world, folder, project }
    }

    /// Brings the folder's changes in, which must work, and answers the report.
    fn bring(&self) -> Value {
        self.world.import(&self.folder, &["--into", "shop"])
    }

    /// Tries to bring the folder's changes in and answers the exit status and the problem.
    fn refused(&self) -> (i32, Value) {
        let said = self.world.dvt(&["import", self.path(), "--into", "shop", "--json"]);
        (said.status, said.json())
    }

    fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// Lists the project's files with their hashes, and its version.
    async fn tree(&self) -> Value {
        self.world.get(&format!("{}/tree", self.project)).await
    }

    async fn history(&self) -> Vec<Value> {
        let history = self.world.get(&format!("{}/history", self.project)).await;
        history["events"].as_array().unwrap().clone()
    }

    async fn save(&self, path: &str, text: &str) {
        self.world.edit(&self.project, json!({"type": "save_file", "path": path, "text": text})).await;
    }

    /// Writes the project into the folder, after which both are the same.
    fn take(&self) {
        self.world.done(&["export", "shop", self.path()]);
        assert_eq!(self.world.export("shop"), self.folder.files());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_brings_what_it_changed_as_one_event_and_takes_the_rest() {
    let pair = Pair::new().await;
    pair.save("warehouse/models/a.sql", "select 2 as a\n").await;
    pair.folder.write("warehouse/models/b.sql", "select 1 as one from {{ ref('a') }}\n");
    pair.folder.write("warehouse/models/new.sql", "select 'new' as x\n");
    pair.folder.remove("warehouse/models/old.sql");
    pair.folder.set_permissions("warehouse/run.sh", EXECUTABLE);

    let report = pair.bring();
    let changes = json!([
        {"path": "warehouse/models/b.sql", "change": "changed"},
        {"path": "warehouse/models/new.sql", "change": "added"},
        {"path": "warehouse/models/old.sql", "change": "removed"},
        {"path": "warehouse/run.sh", "change": "changed"},
    ]);
    assert_eq!((&report["version"], &report["changes"]), (&json!(3), &changes));
    let history = pair.history().await;
    assert_eq!((&history[0]["type"], &history[0]["stream_version"]), (&json!("ProjectImported"), &json!(3)));
    assert_eq!(history[1]["summary"], "edited warehouse/models/a.sql");
    let event = history[0]["event_id"].as_str().unwrap();
    let detail = pair.world.get(&format!("{}/history/{event}", pair.project)).await;
    let differing: Vec<_> = detail["diff"].as_array().unwrap().iter().map(|file| file["path"].clone()).collect();
    assert_eq!(
        json!(differing),
        json!(changes.as_array().unwrap().iter().map(|change| &change["path"]).collect::<Vec<_>>())
    );

    // The same folder brings nothing more, and says so.
    let again = pair.bring();
    assert_eq!((&again["version"], &again["changes"]), (&json!(3), &json!([])));
    let said = pair.world.dvt(&["import", pair.path(), "--into", "shop"]);
    assert!(said.out.contains("the project has all of it already"), "{}", said.out);

    pair.take();
    assert_eq!(pair.folder.text("warehouse/models/a.sql"), "select 2 as a\n");
    assert_eq!(pair.folder.files()["warehouse/run.sh"].0, EXECUTABLE);

    // What the project removes or renames goes from the folder too, and does not come back.
    pair.world.edit(&pair.project, json!({"type": "rename_node", "unique_id": "model.shop.b", "to": "c"})).await;
    pair.world.edit(&pair.project, json!({"type": "remove_file", "path": "warehouse/models/new.sql"})).await;
    pair.take();
    let models: Vec<_> = pair.folder.files().into_keys().filter(|path| path.contains("models/")).collect();
    assert_eq!(models, ["warehouse/models/a.sql", "warehouse/models/c.sql"]);
    assert_eq!(pair.bring()["changes"], json!([]));
    pair.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_both_changed_is_merged_or_named_and_nothing_is_changed() {
    let pair = Pair::new().await;
    let b = "warehouse/models/b.sql";
    pair.save(b, &pair.folder.text(b).replace("1 as one", "10 as one")).await;
    pair.folder.write(b, pair.folder.text(b).replace("4 as four", "40 as four"));
    pair.bring();
    pair.take();
    assert!(pair.folder.text(b).contains("10 as one") && pair.folder.text(b).contains("40 as four"));

    // The same lines, a file that one side removed, a file that both added: each is named, and no other file comes in.
    pair.save(b, &pair.folder.text(b).replace("2 as two", "20 as two")).await;
    pair.folder.write(b, pair.folder.text(b).replace("2 as two", "200 as two"));
    pair.world.edit(&pair.project, json!({"type": "remove_file", "path": "warehouse/models/old.sql"})).await;
    pair.folder.write("warehouse/models/old.sql", "select 'older' as x\n");
    let added = json!({"type": "add_file", "path": "warehouse/models/new.sql", "text": "select 1\n"});
    pair.world.edit(&pair.project, added).await;
    pair.folder.write("warehouse/models/new.sql", "select 2\n");
    pair.folder.write("warehouse/models/a.sql", "select 3 as a\n");
    let before = pair.tree().await;
    let (status, problem) = pair.refused();
    let files = ["b", "new", "old"].map(|name| format!("warehouse/models/{name}.sql"));
    assert_eq!((status, &problem["code"], &problem["files"]), (2, &json!("EDIT_CONFLICT"), &json!(files)));
    assert_eq!(pair.tree().await, before);
    let said = pair.world.dvt(&["import", pair.path(), "--into", "shop"]);
    assert!(said.err.starts_with("dvt: EDIT_CONFLICT: ") && said.err.contains(&files.join(", ")), "{}", said.err);

    // Nor is what changed in the folder overwritten unless that is asked for.
    let said = pair.world.dvt(&["export", "shop", pair.path()]);
    assert_eq!(said.status, 2);
    assert!(said.err.contains("4 files in the folder have other changes"), "{}", said.err);
    pair.world.done(&["export", "shop", pair.path(), "--force"]);
    assert_eq!(pair.world.export("shop"), pair.folder.files());
    pair.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_keeps_its_history_and_a_file_that_is_left_out_its_place() {
    let pair = Pair::new().await;
    let node = json!({"type": "describe_node", "unique_id": "model.shop.old", "text": "An old one."});
    pair.world.edit(&pair.project, node).await;
    let profile = json!({"type": "add_file", "path": "warehouse/profiles.yml", "text": "shop: {}\n"});
    pair.world.edit(&pair.project, profile).await;
    let ignored = json!({"type": "add_file", "path": "scratch/x.sql", "text": "select 1\n"});
    pair.world.edit(&pair.project, ignored).await;
    pair.take();

    pair.folder.git(&["init", "-q"]);
    pair.folder.git(&["config", "core.excludesFile", "/dev/null"]);
    pair.folder.write(".git/info/exclude", "scratch/\n");
    pair.folder.write("warehouse/profiles.yml", "shop:\n  password: hunter2\n");
    pair.folder.write("warehouse/models/renamed.sql", pair.folder.text("warehouse/models/old.sql"));
    pair.folder.remove("warehouse/models/old.sql");
    let yaml = pair.folder.files().into_keys().find(|path| path.contains("models/") && path.ends_with(".yml")).unwrap();
    pair.folder.write(&yaml, pair.folder.text(&yaml).replace("name: old", "name: renamed"));
    let report = pair.bring();
    let changed: Vec<_> = report["changes"].as_array().unwrap().iter().map(|file| file["path"].clone()).collect();
    let mut expected = vec![yaml, "warehouse/models/old.sql".to_owned(), "warehouse/models/renamed.sql".to_owned()];
    expected.sort();
    assert_eq!(json!(changed), json!(expected));
    let history = pair
        .world
        .get(&format!("{}/nodes/model.shop.renamed/history?min_position={}", pair.project, report["position"]))
        .await;
    let summaries = history["events"].to_string();
    assert!(summaries.contains("described old"), "{summaries}");
    pair.world.stop().await;
}
