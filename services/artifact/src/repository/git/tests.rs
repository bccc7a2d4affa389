use std::collections::BTreeMap;

use dvt_dbt::tree::Sha256;

use super::*;

struct Fixture {
    _folder: tempfile::TempDir,
    local: LocalGit,
    target: Target,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let local = LocalGit::new(folder.path().to_owned());
        let target = Target { project_id: Uuid::from_u128(7), branch: "main".into() };
        Self { _folder: folder, local, target }
    }

    fn publish(&self, base: &Tree, publications: &[Publication]) -> Vec<Commits> {
        self.local.publish(&self.target, &self.base(base), publications).expect("it is published")
    }

    /// Answers a tree as the version that was published last.
    fn base(&self, tree: &Tree) -> Base {
        let version = self.local.standing(&self.target).expect("it answers").last_version;
        Base { version, tree: tree.clone() }
    }

    fn git(&self) -> Git {
        Git::open_bare(self.local.path(self.target.project_id)).expect("a repository")
    }

    /// Lists paths with modes at a commit.
    fn files(&self, commit: &str) -> Vec<(String, i32)> {
        let git = self.git();
        let tree = git.find_commit(commit.parse().expect("an id")).expect("a commit").tree().expect("a tree");
        let mut files = Vec::new();
        tree.walk(git2::TreeWalkMode::PreOrder, |folder, entry| {
            if entry.kind() == Some(git2::ObjectType::Blob) {
                files.push((format!("{folder}{}", entry.name().expect("a name")), entry.filemode()));
            }
            git2::TreeWalkResult::Ok
        })
        .expect("a walk");
        files
    }

    /// Commits a file as someone who is not DVT+.
    fn commit_by_hand(&self, path: &str) {
        let git = self.git();
        let mut stack = Stack::of(&git, "main").expect("the branch");
        let mut update = TreeUpdateBuilder::new();
        update.upsert(path, git.blob(b"by hand").expect("a blob"), FileMode::Blob);
        let tree = update.create_updated(&git, &stack.tree().expect("a tree")).expect("a tree");
        stack.commit(tree, &publication(0, Tree::default()), "By: hand").expect("a commit");
        stack.push().expect("a push");
    }
}

fn tree(files: &[(&str, &str, Mode)]) -> Tree {
    files.iter().map(|(path, text, mode)| (*path, File::new(*mode, text.as_bytes()))).collect()
}

fn publication(version: i64, tree: Tree) -> Publication {
    Publication {
        compilation_id: Uuid::from_u128(1000 + version as u128),
        version,
        tree,
        message: "Rename orders".into(),
        author: "ann".into(),
        requested_at: "2026-01-02T03:04:05Z".parse().expect("a time"),
        artifact: None,
    }
}

const REGULAR: i32 = 0o100_644;
const EXECUTABLE: i32 = 0o100_755;

#[test]
fn publishes_files_with_their_modes_by_who_asked_when_they_asked() {
    let fixture = Fixture::new();
    let files = tree(&[("models/a.sql", "select 1", Mode::Regular), ("run.sh", "#!", Mode::Executable)]);
    let commits = fixture.publish(&Tree::default(), &[publication(3, files)]);
    let expected = [("models/a.sql".to_owned(), REGULAR), ("run.sh".to_owned(), EXECUTABLE)];
    assert_eq!(fixture.files(&commits[0].project), expected);
    let git = fixture.git();
    let commit = git.head().expect("a head").peel_to_commit().expect("a commit");
    assert_eq!(commit.id().to_string(), commits[0].project);
    assert_eq!(commit.author().name(), Ok("ann"));
    assert_eq!((commit.author().when().seconds(), commit.committer().when().seconds()), (1_767_323_045, 1_767_323_045));
}

#[test]
fn says_which_version_was_published_last_and_which_compilations_were() {
    let fixture = Fixture::new();
    let standing = || fixture.local.standing(&fixture.target).expect("a standing");
    assert_eq!(standing(), Standing::default());
    let versions = [2, 3].map(|n| publication(n, tree(&[("a.sql", &n.to_string(), Mode::Regular)])));
    fixture.publish(&Tree::default(), &versions);
    fixture.commit_by_hand("docs/by_hand.md");
    let pushed = versions.map(|publication| publication.compilation_id).into();
    assert_eq!(standing(), Standing { last_version: Some(3), pushed });
}

#[test]
fn never_touches_a_path_that_was_never_in_the_project() {
    let fixture = Fixture::new();
    let first = tree(&[("a.sql", "1", Mode::Regular), ("b.sql", "2", Mode::Regular)]);
    fixture.publish(&Tree::default(), &[publication(1, first.clone())]);
    fixture.commit_by_hand("docs/by_hand.md");
    let second = tree(&[("a.sql", "changed", Mode::Regular)]);
    let commits = fixture.publish(&first, &[publication(2, second)]);
    let paths: Vec<_> = fixture.files(&commits[0].project).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["a.sql", "docs/by_hand.md"]);
}

#[test]
fn records_the_existing_commit_for_an_equal_tree_and_for_a_repetition() {
    let fixture = Fixture::new();
    let files = tree(&[("a.sql", "1", Mode::Regular)]);
    let first = fixture.publish(&Tree::default(), &[publication(1, files.clone())]);
    assert_eq!(fixture.publish(&files, &[publication(2, files.clone())]), first);
    let changed = tree(&[("a.sql", "2", Mode::Regular)]);
    let third = fixture.publish(&files, &[publication(3, changed.clone())]);
    assert_ne!(third, first);
    assert_eq!(fixture.publish(&changed, &[publication(3, changed.clone())]), third);
}

#[test]
fn makes_one_commit_each_and_shows_them_in_one_push() {
    let fixture = Fixture::new();
    let versions: Vec<_> = (1..=3).map(|n| tree(&[("a.sql", &n.to_string(), Mode::Regular)])).collect();
    let all: Vec<_> = (1..).zip(&versions).map(|(version, tree)| publication(version, tree.clone())).collect();
    let commits = fixture.publish(&Tree::default(), &all);
    let git = fixture.git();
    let head = git.head().expect("a head").peel_to_commit().expect("a commit");
    let ancestors: Vec<_> = head.parents().map(|parent| parent.id().to_string()).collect();
    assert_eq!((head.id().to_string(), ancestors), (commits[2].project.clone(), vec![commits[1].project.clone()]));
    assert_eq!(git.reflog("refs/heads/main").map(|log| log.len()).unwrap_or(0).min(1), 0, "bare: no reflog");
}

#[test]
fn puts_artifacts_on_a_branch_of_their_own_below_their_key() {
    let fixture = Fixture::new();
    let key = Sha256::of(b"inputs");
    let files = BTreeMap::from([("manifest.json".to_owned(), b"{}".to_vec())]);
    let artifact = Some(Files { key, files });
    let with = Publication { artifact, ..publication(1, tree(&[("a.sql", "1", Mode::Regular)])) };
    let commits = fixture.publish(&Tree::default(), &[with]);
    let commit = commits[0].artifacts.clone().expect("a commit");
    assert_eq!(fixture.files(&commit), [(format!("{key}/manifest.json"), REGULAR)]);
    assert_eq!(fixture.git().refname_to_id("refs/heads/dvt-artifacts").expect("a branch").to_string(), commit);
}

#[test]
fn refuses_a_file_where_the_repository_has_a_folder() {
    let fixture = Fixture::new();
    fixture.publish(&Tree::default(), &[publication(1, tree(&[("x.sql", "1", Mode::Regular)]))]);
    fixture.commit_by_hand("models/by_hand.md");
    let clash = publication(2, tree(&[("models", "a file", Mode::Regular)]));
    let error = fixture.local.publish(&fixture.target, &fixture.base(&Tree::default()), &[clash]).expect_err("a clash");
    assert!(matches!(error, Error::Clash { path } if path == "models"));
}

#[test]
fn lets_a_file_and_a_folder_change_places() {
    let fixture = Fixture::new();
    let folder = tree(&[("x/a.sql", "1", Mode::Regular), ("x/b.sql", "1", Mode::Regular), ("y", "1", Mode::Regular)]);
    let file = tree(&[("x", "2", Mode::Regular), ("y/a.sql", "2", Mode::Regular)]);
    let made = fixture.publish(&Tree::default(), &[publication(1, folder.clone()), publication(2, file.clone())]);
    let paths = |commit: &str| fixture.files(commit).into_iter().map(|file| file.0).collect::<Vec<_>>();
    assert_eq!(paths(&made[1].project), ["x", "y/a.sql"]);
    let back = fixture.publish(&file, &[publication(3, folder)]);
    assert_eq!(paths(&back[0].project), ["x/a.sql", "x/b.sql", "y"]);
}

#[test]
fn makes_the_same_commits_of_the_same_publications() {
    let commits = || {
        let files = tree(&[("a.sql", "1", Mode::Regular)]);
        Fixture::new().publish(&Tree::default(), &[publication(1, files)])
    };
    assert_eq!(commits(), commits());
}

#[test]
fn makes_names_that_git_takes() {
    assert_eq!(plain(" <Ann>\n. "), "Ann");
    assert_eq!(plain("<>"), "unknown");
}

#[test]
fn a_publisher_that_slept_publishes_nothing_behind_its_successor() {
    let fixture = Fixture::new();
    let files = |text| tree(&[("x.sql", text, Mode::Regular)]);
    fixture.publish(&Tree::default(), &[publication(1, files("1"))]);
    let slept = fixture.base(&files("1"));
    fixture.publish(&files("1"), &[publication(5, files("5"))]);
    let refused = fixture.local.publish(&fixture.target, &slept, &[publication(3, files("3"))]);
    assert!(matches!(refused, Err(Error::Moved { expected: Some(1), found: Some(5) })), "{refused:?}");
    assert_eq!(fixture.local.standing(&fixture.target).expect("it answers").last_version, Some(5));
}
