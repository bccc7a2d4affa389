//! What cannot come in: each refusal has its code and exit status 2, and changes nothing.

use dvt_dbt::tree::{File, Mode, Tree};
use dvt_gateway::archive;
use serde_json::json;

use super::folder::{Files, Folder, REGULAR, World};

fn files(files: &[(&str, &str)]) -> Folder {
    let file = |(path, text): &(&str, &str)| ((*path).to_owned(), (REGULAR, text.as_bytes().to_vec()));
    Folder::new(&files.iter().map(file).collect::<Files>())
}

const PROJECT: (&str, &str) = ("dbt_project.yml", "name: shop\nversion: '1'\nprofile: shop\n");

/// Declares one table more than a project may have nodes.
fn many_tables() -> String {
    let tables: String = (0..20_001).map(|at| format!("      - name: t{at}\n")).collect();
    format!("sources:\n  - name: raw\n    tables:\n{tables}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_come_in_is_refused_by_name_and_changes_nothing() {
    let world = World::start().await;
    let first = files(&[PROJECT, ("models/a.sql", "select 1 as a")]);
    let project = world.import(&first, &["--name", "shop"])["project_id"].as_str().unwrap().to_owned();
    let before = world.get(&format!("{project}/tree")).await;

    let with_a_link = files(&[PROJECT]);
    std::os::unix::fs::symlink("/etc/passwd", with_a_link.path().join("link.sql")).unwrap();
    let several = files(&[("a/dbt_project.yml", "name: a"), ("b/dbt_project.yml", "name: b")]);
    let tables = many_tables();
    for (folder, flags, code) in [
        (&files(&[PROJECT, ("models/raw.yml", &tables)]), &["--into", "shop"][..], "GRAPH_TOO_LARGE"),
        (&files(&[("models/a.sql", "select 1")]), &["--into", "shop"], "IMPORT_NO_PROJECT"),
        (&files(&[]), &["--into", "shop"], "IMPORT_EMPTY"),
        (&with_a_link, &["--into", "shop"], "IMPORT_PATH"),
        (&several, &["--name", "several"], "IMPORT_ROOT"),
        (&several, &["--root", "c"], "IMPORT_NO_PROJECT"),
    ] {
        let said = world.dvt(&[&["import", folder.path().to_str().unwrap(), "--json"], flags].concat());
        assert_eq!((said.status, &said.json()["code"]), (2, &json!(code)), "{}", said.err);
        assert!(said.err.starts_with(&format!("dvt: {code}: ")), "{}", said.err);
    }
    let roots = world.dvt(&["import", several.path().to_str().unwrap()]);
    assert!(roots.err.trim_end().ends_with("as the root (root): a, b"), "{}", roots.err);
    let unknown = world.dvt(&["import", first.path().to_str().unwrap(), "--into", "shops"]);
    assert_eq!((unknown.status, unknown.err.as_str()), (2, "dvt: there is no project `shops`; there are: shop\n"));

    let zip =
        |path, bytes: &[u8]| archive::write_zip(&Tree::from_iter([(path, File::new(Mode::Regular, bytes))])).unwrap();
    let bomb = zip("dbt_project.yml", &vec![0; 32 << 20]);
    for (archive, code) in [
        (b"hello".to_vec(), "IMPORT_FORMAT"),
        (zip("../dbt_project.yml", b""), "IMPORT_PATH"),
        (zip("models/a.sql", b"select 1"), "IMPORT_NO_PROJECT"),
        (bomb, "IMPORT_TOO_LARGE"),
    ] {
        let (status, problem) = world.upload((&format!("into={project}"), "application/zip"), archive).await;
        assert_eq!((status.as_u16(), &problem["code"]), (422, &json!(code)), "{problem}");
    }
    assert_eq!(world.get(&format!("{project}/tree")).await, before);
    world.stop().await;
}
