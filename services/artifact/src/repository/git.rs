//! Repositories as bare Git repositories in a local folder, one a project.

use std::path::{Path, PathBuf};

use dvt_dbt::tree::{File, Mode, Tree};
use git2::build::TreeUpdateBuilder;
use git2::{Commit, FileMode, Oid, Repository as Git, Signature, Time};
use uuid::Uuid;

use super::{Base, Commits, Error, Files, Publication, Repository, Standing, Target};

/// The branch of all artifacts of a project.
const ARTIFACTS: &str = "dvt-artifacts";
const VERSION: &str = "Dvt-Version: ";
const COMPILATION: &str = "Dvt-Compilation: ";

/// Publishes to bare repositories below a folder.
#[derive(Clone, Debug)]
pub(crate) struct LocalGit {
    root: PathBuf,
}

/// One branch while commits are stacked on it; nothing is visible before [`Stack::push`].
struct Stack<'a> {
    git: &'a Git,
    reference: String,
    /// The branch's head as it was found.
    found: Option<Oid>,
    head: Option<Oid>,
}

impl LocalGit {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Answers where a project's repository is.
    pub(crate) fn path(&self, project_id: Uuid) -> PathBuf {
        self.root.join(format!("{project_id}.git"))
    }

    fn open(&self, target: &Target) -> Result<Git, Error> {
        let path = self.path(target.project_id);
        match Git::open_bare(&path) {
            Ok(git) => Ok(git),
            Err(error) if error.code() == git2::ErrorCode::NotFound => create(&path, &target.branch),
            Err(error) => Err(error.into()),
        }
    }
}

fn create(path: &Path, branch: &str) -> Result<Git, Error> {
    let mut options = git2::RepositoryInitOptions::new();
    options.bare(true).mkpath(true).external_template(false).initial_head(branch);
    Ok(Git::init_opts(path, &options)?)
}

impl Repository for LocalGit {
    fn standing(&self, target: &Target) -> Result<Standing, Error> {
        let git = self.open(target)?;
        let branch = Stack::of(&git, &target.branch)?;
        let mut standing = Standing { last_version: branch.last_version()?, ..Standing::default() };
        for commit in branch.history()? {
            standing.pushed.extend(trailer(&commit, COMPILATION).and_then(|id| Uuid::parse_str(id).ok()));
        }
        Ok(standing)
    }

    fn publish(&self, target: &Target, base: &Base, publications: &[Publication]) -> Result<Vec<Commits>, Error> {
        let git = self.open(target)?;
        let (mut project, mut artifacts) = (Stack::of(&git, &target.branch)?, Stack::of(&git, ARTIFACTS)?);
        let found = project.last_version()?;
        if found != base.version {
            return Err(Error::Moved { expected: base.version, found });
        }
        let mut base = &base.tree;
        let mut commits = Vec::new();
        for publication in publications {
            let made = project.add_project(base, publication)?;
            let artifact = publication.artifact.as_ref();
            let artifact = artifact.map(|files| artifacts.add_artifact(files, publication)).transpose()?;
            commits.push(Commits { project: made.to_string(), artifacts: artifact.map(|id| id.to_string()) });
            base = &publication.tree;
        }
        fail::fail_point!("artifact.committed");
        // Artifacts first: a project's commit never names what cannot be found.
        artifacts.push()?;
        fail::fail_point!("artifact.half_pushed");
        project.push()?;
        Ok(commits)
    }
}

impl<'a> Stack<'a> {
    fn of(git: &'a Git, branch: &str) -> Result<Self, Error> {
        let reference = format!("refs/heads/{branch}");
        let found = match git.refname_to_id(&reference) {
            Ok(id) => Some(id),
            Err(error) if error.code() == git2::ErrorCode::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { git, reference, found, head: found })
    }

    /// Lists the branch's commits, newest first, along the first parents.
    fn history(&self) -> Result<impl Iterator<Item = Commit<'a>>, Error> {
        let head = self.head.map(|id| self.git.find_commit(id)).transpose()?;
        Ok(std::iter::successors(head, |commit| commit.parents().next()))
    }

    /// Finds the version published last.
    fn last_version(&self) -> Result<Option<i64>, Error> {
        for commit in self.history()? {
            if let Some(version) = trailer(&commit, VERSION) {
                return version.parse().map(Some).map_err(|_| Error::Trailer(commit.id().to_string()));
            }
        }
        Ok(None)
    }

    /// Finds the commit of a compilation.
    fn find(&self, compilation: &str) -> Result<Option<Commit<'a>>, Error> {
        let mut history = self.history()?;
        Ok(history.find(|commit| trailer(commit, COMPILATION) == Some(compilation)))
    }

    fn add_project(&mut self, base: &Tree, publication: &Publication) -> Result<Oid, Error> {
        let id = publication.compilation_id.to_string();
        if let Some(made) = self.find(&id)? {
            return Ok(made.id());
        }
        let head = self.tree()?;
        let mut update = TreeUpdateBuilder::new();
        for (path, _) in base.iter().filter(|(path, _)| publication.tree.find(path).is_none()) {
            if entry(&head, path)?.is_some() {
                update.remove(&**path);
            }
        }
        // Removed first: a file may come where a folder of removed ones was.
        let kept = self.git.find_tree(update.create_updated(self.git, &head)?)?;
        let mut update = TreeUpdateBuilder::new();
        for (path, file) in publication.tree.iter().filter(|(path, file)| base.find(path) != Some(*file)) {
            if entry(&kept, path)? == Some(git2::ObjectType::Tree) {
                return Err(Error::Clash { path: path.to_string() });
            }
            update.upsert(&**path, self.git.blob(&file.bytes)?, mode(file));
        }
        let tree = update.create_updated(self.git, &kept)?;
        let version = publication.version;
        self.commit(tree, publication, &format!("{VERSION}{version}\n{COMPILATION}{id}"))
    }

    fn add_artifact(&mut self, artifact: &Files, publication: &Publication) -> Result<Oid, Error> {
        let mut update = TreeUpdateBuilder::new();
        for (path, bytes) in &artifact.files {
            update.upsert(format!("{}/{path}", artifact.key), self.git.blob(bytes)?, FileMode::Blob);
        }
        let tree = update.create_updated(self.git, &self.tree()?)?;
        let trailers = format!("{VERSION}{}\n{COMPILATION}{}", publication.version, publication.compilation_id);
        self.commit(tree, publication, &trailers)
    }

    /// Answers the head's tree, or an empty one.
    fn tree(&self) -> Result<git2::Tree<'a>, Error> {
        match self.head {
            Some(head) => Ok(self.git.find_commit(head)?.tree()?),
            None => Ok(self.git.find_tree(self.git.treebuilder(None)?.write()?)?),
        }
    }

    /// Commits a tree; one that is equal to the head's is there already.
    fn commit(&mut self, tree: Oid, publication: &Publication, trailers: &str) -> Result<Oid, Error> {
        fail::fail_point!("artifact.treed");
        let parent = self.head.map(|id| self.git.find_commit(id)).transpose()?;
        if let Some(parent) = parent.as_ref().filter(|parent| parent.tree_id() == tree) {
            return Ok(parent.id());
        }
        let when = Time::new(publication.requested_at.timestamp(), 0);
        let name = plain(&publication.author);
        let author = Signature::new(&name, &format!("{}@localhost", name.replace(' ', ".")), &when)?;
        let committer = Signature::new("DVT+", "dvt@localhost", &when)?;
        let message = match publication.message.trim() {
            "" => format!("Publish version {}", publication.version),
            message => message.to_owned(),
        };
        let message = format!("{message}\n\n{trailers}\n");
        let tree = self.git.find_tree(tree)?;
        let parents: Vec<_> = parent.iter().collect();
        let made = self.git.commit(None, &author, &committer, &message, &tree, &parents)?;
        self.head = Some(made);
        Ok(made)
    }

    /// Makes the commits visible, unless someone else moved the branch meanwhile.
    fn push(&self) -> Result<(), Error> {
        match (self.found, self.head) {
            (found, Some(head)) if found != Some(head) => match found {
                Some(found) => self.git.reference_matching(&self.reference, head, true, found, "dvt publish")?,
                None => self.git.reference(&self.reference, head, false, "dvt publish")?,
            },
            (_, Some(_) | None) => return Ok(()),
        };
        Ok(())
    }
}

/// Says what a tree has at a path.
fn entry(tree: &git2::Tree<'_>, path: &str) -> Result<Option<git2::ObjectType>, Error> {
    match tree.get_path(Path::new(path)) {
        Ok(entry) => Ok(entry.kind()),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn mode(file: &File) -> FileMode {
    match file.mode {
        Mode::Regular => FileMode::Blob,
        Mode::Executable => FileMode::BlobExecutable,
    }
}

/// Reads a trailer from the last paragraph of a commit's message.
fn trailer<'a>(commit: &'a Commit<'_>, name: &str) -> Option<&'a str> {
    let message = commit.message().ok()?;
    let last = message.trim_end().rsplit("\n\n").next()?;
    last.lines().find_map(|line| line.strip_prefix(name))
}

/// Makes a name that Git takes.
fn plain(name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control() && !"<>\"".contains(*c)).collect();
    let name = name.trim_matches(|c: char| c.is_whitespace() || ".,:;\\'".contains(c));
    if name.is_empty() { "unknown".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests;
