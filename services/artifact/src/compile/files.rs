//! The files of an artifact while it is made, each at a path that a Git tree can hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use dvt_dbt::tree::Sha256;
use dvt_store::artifact::File;

/// The folder of SQL that dbt gives no path of its own, or one that cannot be used.
const OTHER: &str = "sql";

/// Collects files by their paths.
#[derive(Default)]
pub(super) struct Files(BTreeMap<String, Arc<[u8]>>);

impl Files {
    /// Adds a file at a path that is known to be free.
    pub(super) fn add(&mut self, path: &str, bytes: Vec<u8>) {
        self.0.insert(path.to_owned(), bytes.into());
    }

    /// Adds SQL at `path`; where a name of the project makes that no path, or another file is there, at one of its own.
    pub(super) fn add_sql(&mut self, path: Option<String>, unique_id: &str, sql: &str) -> File {
        let name = Sha256::of(unique_id.as_bytes());
        let path = path.filter(|path| is_path(path) && self.is_free(path));
        let path = path.unwrap_or_else(|| self.free(&format!("{OTHER}/{name}")));
        self.0.insert(path.clone(), sql.as_bytes().into());
        File { path, sha256: Sha256::of(sql.as_bytes()).0 }
    }

    /// Lists all files, ordered by path.
    pub(super) fn into_list(self) -> Vec<(String, Arc<[u8]>)> {
        self.0.into_iter().collect()
    }

    /// A node has at most two renderings.
    fn free(&self, stem: &str) -> String {
        let first = format!("{stem}.sql");
        if self.is_free(&first) { first } else { format!("{stem}.incremental.sql") }
    }

    /// Says whether nothing is at `path`, above it or below it.
    fn is_free(&self, path: &str) -> bool {
        let above = path.match_indices('/').any(|(end, _)| self.0.contains_key(&path[..end]));
        let folder = format!("{path}/");
        let below = self.0.range(folder.clone()..).next().is_some_and(|(next, _)| next.starts_with(&folder));
        !above && !below && !self.0.contains_key(path)
    }
}

/// Says whether Git and a file system can hold a path: a test may be named anything.
fn is_path(path: &str) -> bool {
    let is_name = |part: &str| !matches!(part, "" | "." | "..") && !part.eq_ignore_ascii_case(".git");
    path.split('/').all(is_name) && !path.contains(|c: char| c == '\\' || c == ':' || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(files: &mut Files, path: &str, unique_id: &str) -> String {
        files.add_sql(Some(path.to_owned()), unique_id, "select 1").path
    }

    #[test]
    fn keeps_dbts_paths_and_gives_others_to_what_cannot_have_them() {
        let mut files = Files::default();
        assert_eq!(path(&mut files, "compiled/shop/models/a.sql", "a"), "compiled/shop/models/a.sql");
        for refused in
            ["compiled/shop/models/a.sql", "compiled/shop/models/a.sql/b.sql", "compiled/../../x", "a/.git/b"]
        {
            let own = path(&mut files, refused, refused);
            assert_eq!(own, format!("sql/{}.sql", Sha256::of(refused.as_bytes())), "{refused}");
        }
        assert_eq!(path(&mut files, "compiled/shop", "c"), format!("sql/{}.sql", Sha256::of(b"c")));
        assert_eq!(path(&mut files, "compiled/shop", "c"), format!("sql/{}.incremental.sql", Sha256::of(b"c")));
    }
}
