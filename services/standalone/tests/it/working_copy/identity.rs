//! Byte identity: what is taken of a folder or an archive comes out with the same names, bytes and modes.

use std::io::Write;

use dvt_dbt::tree::{File, Mode, Tree};
use dvt_domain::import::{Options, take};
use dvt_gateway::archive;
use serde_json::Value;

use super::folder::{EXECUTABLE, Files, Folder, REGULAR, World};

/// Lists files with everything in them that a careless way could lose, and the permissions that Git knows.
fn odd_files() -> Files {
    let utf16: Vec<u8> = "\u{feff}a,b\r\n1,ü\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let texts: [(&str, &[u8]); 18] = [
        (".gitignore", b"*.tmp\ntarget/\n.env\n"),
        (".github/workflows/ci.yml", b"on: [push]\n"),
        ("README.md", "# Caf\u{e9} \u{2014} the repository's top\n".as_bytes()),
        ("notes \u{1f686} 'a' & \"b\".md", b"not tracked, not ignored\n"),
        ("data/every.bin", &[0, 255, 254, b'\r', b'\n', 0x1a, 0x80, 0xc3, 0x28]),
        ("warehouse/dbt_project.yml", "\u{feff}# caf\u{e9} first\r\nversion: '1'\r\nodd_key: {b: 1,  a: [2,3 ]}\r\nname:   shop # why not\r\n\r\nprofile: shop\r\nmodels: # none\r\n".as_bytes()),
        ("warehouse/models/a.sql", b"select 1 as id -- no line end"),
        ("warehouse/models/crlf.sql", b"select *\r\nfrom {{ ref('a') }}\r\n"),
        ("warehouse/models/mixed.sql", b"\n\n\tselect 1 \r\n , 2\n\r\nfrom {{ ref('crlf') }}   \n\n\n"),
        ("warehouse/models/bom.sql", b"\xef\xbb\xbfselect 1\n"),
        ("warehouse/models/gr\u{f6}\u{df}e.sql", "select '\u{540d}\u{524d}' as n\n".as_bytes()),
        ("warehouse/models/logs/stg_logs.sql", b"select 1\n"),
        ("warehouse/models/_models.yml", b"# first\nmodels:\n    -   columns: [ {name: id,data_tests: [ unique ]} ]  # odd\n        unknown: yes\n        name: 'a'\n"),
        ("warehouse/docs/caf\u{e9}.md", b"composed"),
        ("warehouse/docs/cafe\u{301}.md", b"decomposed"),
        ("warehouse/seeds/\u{65e5}\u{672c}.csv", "\u{540d}\u{524d}\n\u{6771}\u{4eac}\n".as_bytes()),
        ("warehouse/seeds/wide.csv", &utf16),
        ("warehouse/empty.md", b""),
    ];
    let file = |(path, bytes): (&str, &[u8])| (path.to_owned(), (REGULAR, bytes.to_vec()));
    let mut files: Files = texts.into_iter().map(file).collect();
    for path in ["bin/run.sh", "warehouse/models/executable.sql"] {
        files.insert(path.to_owned(), (EXECUTABLE, b"#!/bin/sh\nexit 0\n".to_vec()));
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_and_its_archives_come_out_as_they_went_in() {
    let world = World::start().await;
    let folder = Folder::new(&odd_files());
    folder.write("warehouse/target/manifest.json", "{}");
    folder.write("junk.tmp", "ignored");
    folder.write(".env", "PASSWORD=hunter2");
    folder.write("kept.tmp", "ignored, but tracked");
    folder.git(&["init", "-q"]);
    folder.git(&["add", "--force", "kept.tmp", "warehouse", "README.md", ".env"]);
    folder.git(&["rm", "-q", "--cached", "warehouse/target/manifest.json"]);

    let report = world.import(&folder, &["--name", "folder"]);
    let mut tracked = odd_files();
    tracked.insert("kept.tmp".to_owned(), (REGULAR, b"ignored, but tracked".to_vec()));
    assert_eq!(report["taken"], tracked.len());
    assert_eq!(report["left_out"].to_string(), r#"[{"path":".env","reason":"environment file, may hold secrets"}]"#);
    assert_eq!(report["node_counts"]["model"], 7, "{report}");
    assert_eq!(world.export("folder"), tracked);
    let project = report["project_id"].as_str().unwrap();
    assert_eq!(world.get(project).await["repository"], Value::Null);
    world.done(&["publish", "folder"]);
    let repository = world.get(project).await["repository"].clone();
    let clone = Folder::new(&Files::new());
    let (branch, url) = (repository["branch"].as_str().unwrap(), repository["url"].as_str().unwrap());
    clone.git(&["clone", "-q", "-b", branch, url, "."]);
    assert_eq!(clone.files(), tracked, "a clone of what was published");

    let tree = tree(&odd_files());
    let zip = archive::write_zip(&tree).unwrap();
    for (kind, archive) in [("application/zip", zip), ("application/gzip", tar_gz(&odd_files(), "shop-main/"))] {
        let (status, report) = world.upload(("name=archive", kind), archive).await;
        assert_eq!((status.as_u16(), &report["left_out"]), (201, &serde_json::json!([])), "{kind}: {report}");
        let project = report["project_id"].as_str().unwrap();
        assert_eq!(world.export(project), odd_files(), "{kind}");
        let download = archive::read(&world.download(project).await).unwrap();
        let taken = take(download, Options { root: None, is_listed: true }).unwrap();
        assert_eq!((taken.tree, taken.root.as_str()), (tree.clone(), "warehouse"), "{kind}");
    }
    world.stop().await;
}

fn tree(files: &Files) -> Tree {
    let mode = |permissions| if permissions == EXECUTABLE { Mode::Executable } else { Mode::Regular };
    files
        .iter()
        .map(|(path, (permissions, bytes))| (&**path, File::new(mode(*permissions), bytes.as_slice())))
        .collect()
}

/// Packs files as GitHub does: below one folder, with the folders themselves as entries.
fn tar_gz(files: &Files, top: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut entry = |path: String, kind, (permissions, bytes): (u32, &[u8])| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(permissions);
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, path, bytes).unwrap();
    };
    entry(top.to_owned(), tar::EntryType::Directory, (EXECUTABLE, b""));
    for (path, (permissions, bytes)) in files {
        entry(format!("{top}{path}"), tar::EntryType::Regular, (*permissions, bytes));
    }
    let mut gzip = tar.into_inner().unwrap();
    gzip.flush().unwrap();
    gzip.finish().unwrap()
}
