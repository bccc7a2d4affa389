//! What is kept beside a record: trees, change sets, lists of nodes and steps.

use std::collections::HashMap;
use std::sync::Arc;

use dvt_dbt::tree::{File, Mode, Sha256, Tree};

use crate::decode::Error;

/// Content by its hash.
pub type Blobs = HashMap<Sha256, Arc<[u8]>>;

/// Answers the hash of the list of a tree's files, and puts the list and every file into `blobs`.
///
/// The list has a line per file, as `git ls-tree -l` writes it: mode, sha256, size, tab, path.
pub fn tree_blobs(tree: &Tree, blobs: &mut Blobs) -> Sha256 {
    use std::fmt::Write;
    let mut list = String::new();
    for (path, file) in tree.iter() {
        let mode = match file.mode {
            Mode::Regular => "100644",
            Mode::Executable => "100755",
        };
        writeln!(list, "{mode} {} {}\t{path}", file.sha256, file.bytes.len()).expect("invariant: a String takes all");
        blobs.entry(file.sha256).or_insert_with(|| file.bytes.clone());
    }
    put(blobs, list.into_bytes())
}

/// Reads a tree back.
///
/// # Errors
/// [`Error::MissingBlobs`] names what `blobs` must hold besides; call again with them.
pub fn tree_from_blobs(list: Sha256, blobs: &Blobs) -> Result<Tree, Error> {
    let text = find(blobs, list)?;
    let text = std::str::from_utf8(&text).map_err(|_| Error::Blob(list))?;
    let mut missing = Vec::new();
    let mut tree = Tree::default();
    for line in text.lines() {
        let (mode, sha256, path) = parse_line(line).ok_or(Error::Blob(list))?;
        match blobs.get(&sha256) {
            Some(bytes) => tree.insert(path, File { mode, bytes: bytes.clone(), sha256 }),
            None => missing.push(sha256),
        }
    }
    match missing.is_empty() {
        true => Ok(tree),
        false => Err(Error::MissingBlobs(missing)),
    }
}

fn parse_line(line: &str) -> Option<(Mode, Sha256, &str)> {
    let (head, path) = line.split_once('\t')?;
    let mut head = head.split(' ');
    let mode = match head.next()? {
        "100644" => Mode::Regular,
        "100755" => Mode::Executable,
        _ => return None,
    };
    Some((mode, head.next()?.parse().ok()?, path))
}

pub(crate) fn put(blobs: &mut Blobs, bytes: Vec<u8>) -> Sha256 {
    let sha256 = Sha256::of(&bytes);
    blobs.insert(sha256, bytes.into());
    sha256
}

pub(crate) fn find(blobs: &Blobs, sha256: Sha256) -> Result<Arc<[u8]>, Error> {
    blobs.get(&sha256).cloned().ok_or_else(|| Error::MissingBlobs(vec![sha256]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_tree_as_a_list_and_its_files() {
        let tree = Tree::from_iter([
            ("dbt_project.yml", File::new(Mode::Regular, *b"name: shop\n")),
            ("scripts/run it.sh", File::new(Mode::Executable, *b"#!/bin/sh\n")),
        ]);
        let mut blobs = Blobs::new();
        let list = tree_blobs(&tree, &mut blobs);
        assert_eq!(tree_from_blobs(list, &blobs).expect("all blobs are there"), tree);
    }

    #[test]
    fn names_the_blobs_that_are_missing() {
        let file = File::new(Mode::Regular, *b"x");
        let mut blobs = Blobs::new();
        let list = tree_blobs(&Tree::from_iter([("a", file.clone())]), &mut blobs);
        blobs.remove(&file.sha256);
        assert!(matches!(tree_from_blobs(list, &blobs), Err(Error::MissingBlobs(names)) if names == [file.sha256]));
    }
}
