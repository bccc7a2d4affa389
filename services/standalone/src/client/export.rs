//! `dvt export`: writes a project's files into a folder.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use dvt_dbt::tree::{Mode, Sha256};

use super::Gateway;
use super::http::{Client, Listed};
use crate::files::OWNER_EXECUTES;
use crate::output;

const REGULAR_MODE: u32 = 0o644;

/// Says where to write.
pub(super) struct Into {
    pub(super) dir: PathBuf,
    pub(super) force: bool,
}

/// Is one file of the project, with its place in the folder.
struct Exported {
    path: PathBuf,
    bytes: Vec<u8>,
    mode: u32,
}

/// Is what a file is, without its bytes.
#[derive(Debug, PartialEq, Eq)]
struct State {
    mode: Mode,
    sha256: String,
}

/// Holds the files that project and folder had in common after the last import or export.
type Common = HashMap<PathBuf, State>;

/// Downloads a project and writes it into a folder, without the files that it does not have any more: every file or
/// none. What changed in the folder since the last import or export is kept unless `force` is set.
///
/// # Errors
/// When the gateway refuses, or a file changed in the folder and may not be overwritten.
pub(super) async fn export(gateway: &Gateway, project: &str, into: Into) -> anyhow::Result<ExitCode> {
    let client = Client::new(gateway)?;
    let project = client.project(project).await?;
    let request = client.get(&format!("projects/{}/download", project.project_id))?;
    let answer = client.send(request).await?;
    let version = answer.headers().get("dvt-version").and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
    let version = version.context("the gateway does not say which version it gave")?;
    let archive = answer.bytes().await.context("could not read the gateway's answer")?;
    let files = unpack(&archive, &into.dir)?;
    let common = common(client.common(&project).await?, &into.dir);
    let gone = gone(&files, &common);
    if !into.force {
        refuse_to_overwrite(&files, &gone, &common)?;
    }
    for file in &files {
        write(file).with_context(|| format!("could not write {}", file.path.display()))?;
    }
    for path in &gone {
        remove(path, &into.dir).with_context(|| format!("could not remove {}", path.display()))?;
    }
    let exported = client.post(&format!("projects/{}/exports", project.project_id))?;
    client.send(exported.json(&serde_json::json!({"version": version}))).await?;
    if gateway.json {
        let said = serde_json::json!({"project_id": project.project_id, "version": version, "files": files.len(), "removed": gone.len()});
        output::print_json(&said)?;
    } else {
        output::print_line(&format!("{} files of {} in {}", files.len(), project.name, into.dir.display()))?;
        for path in &gone {
            output::print_line(&format!("removed {}", path.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn common(listed: Vec<Listed>, dir: &Path) -> Common {
    let state = |Listed { path, mode, sha256 }| (dir.join(path), State { mode, sha256 });
    listed.into_iter().map(state).collect()
}

/// Lists the files in the folder that came from the project, or went to it, and are not in it any more.
fn gone(files: &[Exported], common: &Common) -> Vec<PathBuf> {
    let kept: HashSet<_> = files.iter().map(|file| &file.path).collect();
    let mut gone: Vec<_> =
        common.keys().filter(|path| !kept.contains(path) && path.symlink_metadata().is_ok()).cloned().collect();
    gone.sort();
    gone
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

fn refuse_to_overwrite(files: &[Exported], gone: &[PathBuf], common: &Common) -> anyhow::Result<()> {
    let changed = |path: &Path| common.get(path) != state(path).as_ref();
    let written = files.iter().filter(|file| file.path.symlink_metadata().is_ok());
    let differs = written.filter(|file| state(&file.path).as_ref() != Some(&file.state())).map(|file| &file.path);
    let lost: Vec<_> = differs.chain(gone).filter(|path| changed(path)).collect();
    match lost.first() {
        None => Ok(()),
        Some(first) => bail!(
            "{} files in the folder have other changes, {} first; bring them in with `dvt import --into`, or use \
             --force to lose them",
            lost.len(),
            first.display()
        ),
    }
}

/// Reads what a file in the folder is; None where it is no file that a project can have.
fn state(path: &Path) -> Option<State> {
    let metadata = path.symlink_metadata().ok().filter(|metadata| metadata.is_file())?;
    Some(State { mode: mode(metadata.permissions().mode()), sha256: Sha256::of(&fs::read(path).ok()?).to_string() })
}

fn mode(permissions: u32) -> Mode {
    if permissions & OWNER_EXECUTES != 0 { Mode::Executable } else { Mode::Regular }
}

impl Exported {
    fn state(&self) -> State {
        State { mode: mode(self.mode), sha256: Sha256::of(&self.bytes).to_string() }
    }
}

/// Removes a file, and the folders that are empty then.
fn remove(path: &Path, dir: &Path) -> std::io::Result<()> {
    fs::remove_file(path)?;
    for folder in path.ancestors().skip(1).take_while(|folder| *folder != dir) {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
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

    use dvt_dbt::tree::{File, Tree};
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
    fn what_changed_in_the_folder_is_not_overwritten() {
        let dir = tempfile::tempdir().expect("a folder can be made");
        let (sh, old) = (dir.path().join("run.sh"), dir.path().join("old.sql"));
        let files = unpack(&archive(), dir.path()).expect("the archive can be read");
        let refused = |common: &Common| refuse_to_overwrite(&files, &gone(&files, common), common).err();
        for path in [&sh, &old] {
            fs::write(path, "mine").expect("the file can be written");
            assert!(refused(&Common::new()).is_some_and(|error| error.to_string().contains("run.sh")));
        }
        let mine = |path: &PathBuf| (path.clone(), state(path).expect("a file"));
        let common = Common::from([mine(&sh), mine(&old)]);
        assert!(refused(&common).is_none(), "both are as they were");
        fs::write(&old, "changed").expect("the file can be written");
        assert!(refused(&common).is_some_and(|error| error.to_string().contains("old.sql")));
        write(&files[1]).expect("the file can be written");
        assert!(refused(&Common::new()).is_none(), "the same bytes may be written");
    }
}
