//! Merges the files of a working copy into a branch: what each side changed since both had the same files.

use std::collections::BTreeSet;

use dvt_dbt::edit::{diff, rebase};
use dvt_dbt::tree::{File, Path, Tree, apply_edits};

/// Answers `mine` with what `theirs` changed since `base`: file by file, and line by line where both changed one.
///
/// # Errors
/// The files that both changed in ways that do not go together.
pub fn merge(base: &Tree, mine: &Tree, theirs: &Tree) -> Result<Tree, Vec<Path>> {
    let paths: BTreeSet<&Path> =
        [base, mine, theirs].into_iter().flat_map(|tree| tree.iter().map(|file| file.0)).collect();
    let (mut merged, mut conflicts) = (Tree::default(), Vec::new());
    for path in paths {
        match merge_file(path, [base.find(path), mine.find(path), theirs.find(path)]) {
            Some(Some(file)) => merged.insert(path.clone(), file),
            Some(None) => {}
            None => conflicts.push(path.clone()),
        }
    }
    match conflicts.is_empty() {
        true => Ok(merged),
        false => Err(conflicts),
    }
}

/// Answers the file after both changes; inside, None where there is none then. None: they do not go together.
fn merge_file(path: &Path, [base, mine, theirs]: [Option<&File>; 3]) -> Option<Option<File>> {
    if let Some(one) = changed([&base, &mine, &theirs]) {
        return Some(one.cloned());
    }
    let (base, mine, theirs) = (base?, mine?, theirs?);
    let mode = *changed([&base.mode, &mine.mode, &theirs.mode])?;
    let bytes = match changed([&base.bytes, &mine.bytes, &theirs.bytes]) {
        Some(bytes) => bytes.clone(),
        None => merge_text(path, [base, mine, theirs])?.into(),
    };
    Some(Some(File::new(mode, bytes)))
}

/// Answers what is changed at all, where at most one side changed it or both did the same; else None.
fn changed<T: PartialEq>([base, mine, theirs]: [&T; 3]) -> Option<&T> {
    match (mine == base, theirs == base || theirs == mine) {
        (_, true) => Some(mine),
        (true, false) => Some(theirs),
        (false, false) => None,
    }
}

fn merge_text(path: &Path, [base, mine, theirs]: [&File; 3]) -> Option<Vec<u8>> {
    let (their_edits, my_edits) = (diff(base.text()?, theirs.text()?), diff(base.text()?, mine.text()?));
    let moved = rebase(&base.bytes, &their_edits, &my_edits).ok()?;
    apply_edits(path, &mine.bytes, &moved).ok()
}

#[cfg(test)]
mod tests {
    use dvt_dbt::tree::Mode;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| (*path, File::new(Mode::Regular, text.as_bytes()))).collect()
    }

    #[test]
    fn takes_what_each_side_changed() {
        let base = tree(&[("a", "1\n2\n3\n4\n5\n"), ("gone", "x"), ("kept", "x")]);
        let mine = tree(&[("a", "one\n2\n3\n4\n5\n"), ("gone", "x"), ("kept", "x"), ("mine", "m")]);
        let theirs = tree(&[("a", "1\n2\n3\n4\nfive\n"), ("kept", "x"), ("theirs", "t")]);
        let merged = tree(&[("a", "one\n2\n3\n4\nfive\n"), ("kept", "x"), ("mine", "m"), ("theirs", "t")]);
        assert_eq!(merge(&base, &mine, &theirs), Ok(merged));
    }

    #[test]
    fn names_the_files_that_do_not_go_together() {
        let base = tree(&[("both", "1\n"), ("removed", "1\n")]);
        let mine = tree(&[("both", "one\n"), ("removed", "one\n"), ("added", "1")]);
        let theirs = tree(&[("both", "uno\n"), ("added", "2")]);
        assert_eq!(merge(&base, &mine, &theirs), Err(vec!["added".into(), "both".into(), "removed".into()]));
    }

    #[test]
    fn a_mode_and_a_text_go_together_even_in_a_file_that_is_no_text() {
        let of = |mode, bytes: &[u8]| Tree::from_iter([("a", File::new(mode, bytes))]);
        let (base, mine) = (of(Mode::Regular, b"\xff1"), of(Mode::Executable, b"\xff1"));
        assert_eq!(merge(&base, &mine, &of(Mode::Regular, b"\xff2")), Ok(of(Mode::Executable, b"\xff2")));
        assert_eq!(merge(&base, &of(Mode::Regular, b"\xff3"), &of(Mode::Regular, b"\xff2")), Err(vec!["a".into()]));
    }

    #[test]
    fn the_same_change_on_both_sides_is_one_change() {
        let (base, changed) = (tree(&[("a", "1\n")]), tree(&[("a", "2\n")]));
        assert_eq!(merge(&base, &changed, &changed), Ok(changed.clone()));
    }
}
