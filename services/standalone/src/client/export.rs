//! `dvt export`: writes a project's files into a folder.

use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::Gateway;
use super::http::Client;
use crate::output;

const REGULAR_MODE: u32 = 0o644;

/// Says where to write.
pub(super) struct Into {
    pub(super) dir: PathBuf,
    pub(super) force: bool,
}

struct Exported {
    path: PathBuf,
    bytes: Vec<u8>,
    mode: u32,
}

/// Downloads a project and writes it into a folder: every file or none.
///
/// # Errors
/// When the gateway refuses, or a file in the folder differs and may not be overwritten.
pub(super) async fn export(gateway: &Gateway, project: &str, into: Into) -> anyhow::Result<ExitCode> {
    let client = Client::new(gateway)?;
    let project = client.project(project).await?;
    let request = client.get(&format!("projects/{}/download", project.project_id))?;
    let answer = client.send(request).await?;
    let version = answer.headers().get("dvt-version").and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
    let version = version.context("the gateway does not say which version it gave")?;
    let archive = answer.bytes().await.context("could not read the gateway's answer")?;
    let files = unpack(&archive, &into.dir)?;
    if !into.force {
        refuse_to_overwrite(&files)?;
    }
    for file in &files {
        write(file).with_context(|| format!("could not write {}", file.path.display()))?;
    }
    let exported = client.post(&format!("projects/{}/exports", project.project_id))?;
    client.send(exported.json(&serde_json::json!({"version": version}))).await?;
    if gateway.json {
        output::print_json(&serde_json::json!({"project_id": project.project_id, "files": files.len()}))?;
    } else {
        output::print_line(&format!("{} files of {} in {}", files.len(), project.name, into.dir.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn unpack(archive: &[u8], dir: &Path) -> anyhow::Result<Vec<Exported>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).context("could not read the gateway's archive")?;
    let mut files = Vec::with_capacity(zip.len());
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index)?;
        if entry.is_dir() {
            continue;
        }
        let Some(inside) = entry.enclosed_name() else { bail!("the archive's `{}` leaves the folder", entry.name()) };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.push(Exported { path: dir.join(inside), bytes, mode: entry.unix_mode().unwrap_or(REGULAR_MODE) });
    }
    Ok(files)
}

fn refuse_to_overwrite(files: &[Exported]) -> anyhow::Result<()> {
    let differs = |file: &&Exported| file.path.exists() && fs::read(&file.path).ok().as_ref() != Some(&file.bytes);
    match files.iter().filter(differs).count() {
        0 => Ok(()),
        count => {
            let first = files.iter().find(differs).expect("invariant: one differs");
            bail!("{count} files in the folder differ, {} first; --force overwrites them", first.path.display())
        }
    }
}

fn write(file: &Exported) -> std::io::Result<()> {
    if let Some(folder) = file.path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&file.path, &file.bytes)?;
    fs::set_permissions(&file.path, fs::Permissions::from_mode(file.mode & 0o777))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dvt_dbt::tree::{File, Mode, Tree};
    use dvt_domain::import::Taken;

    use super::super::import::pack;
    use super::*;

    fn archive() -> Vec<u8> {
        let file = |mode, bytes: &[u8]| File::new(mode, Arc::<[u8]>::from(bytes));
        let tree = Tree::from_iter([
            ("models/bom.sql", file(Mode::Regular, b"\xef\xbb\xbfselect 1\r\n")),
            ("run.sh", file(Mode::Executable, b"#!/bin/sh\n")),
        ]);
        pack(&Taken { tree, ..Taken::default() }).expect("a tree can be packed")
    }

    #[test]
    fn what_was_packed_comes_out_with_its_bytes_and_modes() {
        let dir = tempfile::tempdir().expect("a folder can be made");
        for file in unpack(&archive(), dir.path()).expect("the archive can be read") {
            write(&file).expect("the file can be written");
        }
        let sql = fs::read(dir.path().join("models/bom.sql")).expect("the file is there");
        assert_eq!(sql, b"\xef\xbb\xbfselect 1\r\n");
        let mode = fs::metadata(dir.path().join("run.sh")).expect("the file is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }

    #[test]
    fn a_file_that_differs_is_not_overwritten() {
        let dir = tempfile::tempdir().expect("a folder can be made");
        fs::write(dir.path().join("run.sh"), "mine").expect("the file can be written");
        let files = unpack(&archive(), dir.path()).expect("the archive can be read");
        let refused = refuse_to_overwrite(&files).expect_err("a file differs");
        assert!(refused.to_string().contains("run.sh"));
        fs::write(dir.path().join("run.sh"), "#!/bin/sh\n").expect("the file can be written");
        refuse_to_overwrite(&files).expect("the same bytes may be written");
    }
}
