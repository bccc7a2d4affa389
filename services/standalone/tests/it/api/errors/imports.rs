//! The rows of imports.

use super::*;

/// B19, B35 to B37.
pub(super) fn all() -> Vec<Row> {
    let project = || text("dbt_project.yml", "name: shop");
    let many = (0..10_001).map(|at| text(&format!("models/{at}.sql"), "select 1")).chain([project()]);
    let two = [text("a/dbt_project.yml", "name: a"), text("b/dbt_project.yml", "name: b")];
    let bomb = [project(), text("seeds/zeros.csv", vec![b'0'; 300 * 1024 * 1024])];
    vec![
        row("B19", packed([project(), text("models/a.yml", many_tables())]), (422, "GRAPH_TOO_LARGE", None)),
        row("B35", packed([project(), text("../../etc/passwd", "")]), (422, "IMPORT_PATH", None)),
        row("B35 absolute", packed([project(), text("/etc/passwd", "")]), (422, "IMPORT_PATH", None)),
        row("B35 link", tar_with_a_link(), (422, "IMPORT_PATH", None)),
        row("B36 encrypted", encrypted(), (422, "IMPORT_ENCRYPTED", None)),
        row("B36 entries", packed(many), (422, "IMPORT_TOO_LARGE", None)),
        row("B36 bomb", packed(bomb), (422, "IMPORT_TOO_LARGE", None)),
        row("B37 empty", packed([]), (422, "IMPORT_EMPTY", None)),
        row("B37 format", import(Uuid::now_v7(), b"hello".to_vec()), (422, "IMPORT_FORMAT", None)),
        row("B37 project", packed([text("a.sql", "select 1")]), (422, "IMPORT_NO_PROJECT", None)),
        row("roots", packed(two), (422, "IMPORT_ROOT", Some("root"))),
    ]
}

fn many_tables() -> String {
    let tables: String = (0..20_001).map(|at| format!("      - name: t{at}\n")).collect();
    format!("sources:\n  - name: raw\n    tables:\n{tables}")
}

fn tar_with_a_link() -> Request<Body> {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut file = tar::Header::new_gnu();
    file.set_size(0);
    file.set_mode(0o644);
    tar.append_data(&mut file, "dbt_project.yml", std::io::empty()).unwrap();
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    tar.append_link(&mut link, "models/a.sql", "/etc/passwd").unwrap();
    let mut request = import(Uuid::now_v7(), tar.into_inner().unwrap().finish().unwrap());
    request.headers_mut().insert("content-type", "application/gzip".parse().unwrap());
    request
}

/// An archive whose first entry says that it is encrypted.
fn encrypted() -> Request<Body> {
    const LOCAL_FLAGS: usize = 6;
    const CENTRAL_FLAGS: usize = 8;
    let mut bytes = zip(&Tree::from_iter([text("dbt_project.yml", "name: shop")]));
    let central = bytes.windows(4).position(|found| found == b"PK\x01\x02").unwrap();
    for flags in [LOCAL_FLAGS, central + CENTRAL_FLAGS] {
        bytes[flags] |= 1;
    }
    import(Uuid::now_v7(), bytes)
}
