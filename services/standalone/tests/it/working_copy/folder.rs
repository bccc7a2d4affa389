//! A folder of a test, the files in it, and what is asked of DVT+ about them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::up::Up;

/// Holds permissions and bytes by path.
pub(super) type Files = BTreeMap<String, (u32, Vec<u8>)>;

pub(super) const REGULAR: u32 = 0o644;
pub(super) const EXECUTABLE: u32 = 0o755;

/// Is a folder with files.
pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn new(files: &Files) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (path, (permissions, bytes)) in files {
            folder.write(path, bytes);
            folder.set_permissions(path, *permissions);
        }
        folder
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(super) fn set_permissions(&self, path: &str, permissions: u32) {
        fs::set_permissions(self.path().join(path), fs::Permissions::from_mode(permissions)).unwrap();
    }

    pub(super) fn remove(&self, path: &str) {
        fs::remove_file(self.path().join(path)).unwrap();
    }

    pub(super) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap()
    }

    pub(super) fn git(&self, args: &[&str]) {
        assert!(Command::new("git").args(args).current_dir(self.path()).status().unwrap().success());
    }

    /// Reads everything in the folder but Git's own.
    pub(super) fn files(&self) -> Files {
        let mut files = Files::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    folders.extend((path.file_name().unwrap() != ".git").then_some(path));
                    continue;
                }
                let permissions = entry.metadata().unwrap().permissions().mode() & 0o777;
                let name = path.strip_prefix(self.path()).unwrap().to_str().unwrap().to_owned();
                files.insert(name, (permissions, fs::read(path).unwrap()));
            }
        }
        files
    }
}

/// Is what a command said.
pub(super) struct Said {
    pub(super) status: i32,
    pub(super) out: String,
    pub(super) err: String,
}

impl Said {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("not JSON: {} {}", self.out, self.err))
    }
}

/// Is a running `dvt up`, asked by its command line and over HTTP.
pub(super) struct World {
    up: Up,
    client: Client,
    _data: TempDir,
}

impl World {
    pub(super) async fn start() -> Self {
        let data = tempfile::Builder::new().prefix("dvt-trip-").tempdir().unwrap();
        Self { up: Up::start(data.path()).await, client: Client::new(), _data: data }
    }

    pub(super) async fn stop(self) {
        self.up.stop().await;
    }

    pub(super) fn dvt(&self, args: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dvt"));
        let output = command.args(args).env("DVT_URL", &self.up.url).env("USER", "ada").output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs a command that must work and answers its JSON.
    pub(super) fn done(&self, args: &[&str]) -> Value {
        let said = self.dvt(&[args, &["--json"]].concat());
        assert_eq!(said.status, 0, "dvt {args:?}: {}", said.err);
        said.json()
    }

    pub(super) fn import(&self, folder: &Folder, flags: &[&str]) -> Value {
        self.done(&[&["import", folder.path().to_str().unwrap()], flags].concat())
    }

    /// Writes a project into a new folder and answers the folder's files.
    pub(super) fn export(&self, project: &str) -> Files {
        let folder = Folder::new(&Files::new());
        self.done(&["export", project, folder.path().to_str().unwrap()]);
        folder.files()
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}/api/v1/projects/{path}", self.up.url)).send().await.unwrap();
        answer.error_for_status().unwrap().json().await.unwrap()
    }

    pub(super) async fn download(&self, project: &str) -> Vec<u8> {
        let path = format!("{}/api/v1/projects/{project}/download", self.up.url);
        let answer = self.client.get(path).send().await.unwrap();
        answer.error_for_status().unwrap().bytes().await.unwrap().to_vec()
    }

    /// Sends an archive and answers the status and the JSON.
    pub(super) async fn upload(&self, (query, kind): (&str, &str), archive: Vec<u8>) -> (StatusCode, Value) {
        let request = self.client.post(format!("{}/api/v1/projects/import?{query}", self.up.url));
        let request = request.header("content-type", kind).header("idempotency-key", Uuid::now_v7().to_string());
        let answer = request.header("dvt-actor", "ada").body(archive).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// Edits a project as the page does and answers its new version.
    pub(super) async fn edit(&self, project: &str, command: Value) -> i64 {
        let version = self.get(project).await["version"].as_i64().unwrap();
        let item = json!({"idempotency_key": Uuid::now_v7(), "base_version": version, "command": command});
        let request = self.client.post(format!("{}/api/v1/projects/{project}/commands", self.up.url));
        let request = request.header("dvt-actor", "ada").header("idempotency-key", Uuid::now_v7().to_string());
        let answer = request.json(&json!({"commands": [item]})).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let after = answer["results"][0]["version"].as_i64().unwrap_or_else(|| panic!("refused: {answer}"));
        // The list of projects, which the command line reads, is a view.
        while self.get(project).await["version"].as_i64() < Some(after) {
            tokio::task::yield_now().await;
        }
        after
    }
}
