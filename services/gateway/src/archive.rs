//! Reads and writes archives: zip and tar.gz in, zip out. Stops a bomb before it unfolds.

use std::io::{Cursor, Read, Write};

use dvt_dbt::tree::{Mode, Tree};
use dvt_domain::import::{Content, Entry};
use flate2::read::GzDecoder;

/// The largest archive, in bytes.
pub const ARCHIVE_MAX_BYTES: usize = 256 * 1024 * 1024;
/// The most entries of an archive.
pub const ENTRIES_MAX: usize = 10_000;
/// The most bytes that an archive may unfold to.
const CONTENT_MAX_BYTES: u64 = 512 * 1024 * 1024;
/// An archive may unfold to this much whatever its ratio is.
const CONTENT_FREE_BYTES: u64 = 16 * 1024 * 1024;
/// How many times larger than the archive its content may be; text compresses 5 to 20 times.
const RATIO_MAX: u64 = 200;

/// The permission bit that makes a file executable for its owner.
const OWNER_EXECUTES: u32 = 0o100;

/// Says why an archive was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("this is no zip or tar.gz that can be read: {0}")]
    Format(String),
    #[error("entry `{0}` is encrypted")]
    Encrypted(String),
    #[error("the archive has more than {ENTRIES_MAX} entries")]
    Entries,
    #[error("the archive unfolds to more than {0} bytes")]
    Content(u64),
    #[error("entry `{0}` is neither a file nor a folder")]
    Kind(String),
}

/// Names the formats that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Zip,
    TarGz,
}

impl Format {
    /// Tells the format by the first bytes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'P', b'K', ..] => Some(Self::Zip),
            [0x1f, 0x8b, ..] => Some(Self::TarGz),
            _ => None,
        }
    }
}

/// Reads the files and links of an archive.
///
/// # Errors
/// When it cannot be read, is encrypted, or breaks a limit.
pub fn read(bytes: &[u8]) -> Result<Vec<Entry>, Error> {
    match Format::of(bytes) {
        Some(Format::Zip) => read_zip(bytes),
        Some(Format::TarGz) => read_tar(bytes),
        None => Err(Error::Format("it starts like neither".to_owned())),
    }
}

/// Counts down the bytes that an archive may still unfold to.
struct Budget {
    limit: u64,
    left: u64,
}

impl Budget {
    fn new(archive: usize) -> Self {
        let by_ratio = (archive as u64).saturating_mul(RATIO_MAX);
        let limit = by_ratio.clamp(CONTENT_FREE_BYTES, CONTENT_MAX_BYTES);
        Self { limit, left: limit }
    }

    fn read(&mut self, from: &mut impl Read, declared: u64) -> Result<Vec<u8>, Error> {
        if declared > self.left {
            return Err(Error::Content(self.limit));
        }
        let mut bytes = Vec::new();
        from.take(self.left + 1).read_to_end(&mut bytes).map_err(|error| Error::Format(error.to_string()))?;
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or(Error::Content(self.limit))?;
        Ok(bytes)
    }
}

fn read_zip(bytes: &[u8]) -> Result<Vec<Entry>, Error> {
    let format = |error: zip::result::ZipError| Error::Format(error.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(format)?;
    if archive.len() > ENTRIES_MAX {
        return Err(Error::Entries);
    }
    let mut budget = Budget::new(bytes.len());
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let raw = archive.by_index_raw(index).map_err(format)?;
        if raw.encrypted() {
            return Err(Error::Encrypted(raw.name().to_owned()));
        }
        drop(raw);
        let mut file = archive.by_index(index).map_err(format)?;
        if file.is_dir() {
            continue;
        }
        let path = file.name().to_owned();
        let (is_link, permissions) = (file.is_symlink(), file.unix_mode().unwrap_or(0));
        let declared = file.size();
        let content = budget.read(&mut file, declared)?;
        entries.push(Entry { path, content: content_of(is_link, permissions, content) });
    }
    Ok(entries)
}

fn read_tar(bytes: &[u8]) -> Result<Vec<Entry>, Error> {
    let format = |error: std::io::Error| Error::Format(error.to_string());
    let mut budget = Budget::new(bytes.len());
    // The tar's own blocks and padding count too, so that a stream of nothing ends as well.
    let stream = GzDecoder::new(bytes).take(budget.limit.saturating_mul(2));
    let mut archive = tar::Archive::new(stream);
    let mut entries = Vec::new();
    for (index, entry) in archive.entries().map_err(format)?.enumerate() {
        if index >= ENTRIES_MAX {
            return Err(Error::Entries);
        }
        let mut entry = entry.map_err(format)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = path.strip_prefix("./").unwrap_or(&path).to_owned();
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() || path.is_empty() {
            continue;
        }
        let content = if kind.is_symlink() {
            let target = entry.link_name_bytes().map(|name| name.into_owned()).unwrap_or_default();
            content_of(true, 0, target)
        } else if kind.is_file() {
            let permissions = entry.header().mode().unwrap_or(0);
            let declared = entry.size();
            content_of(false, permissions, budget.read(&mut entry, declared)?)
        } else {
            return Err(Error::Kind(path));
        };
        entries.push(Entry { path, content });
    }
    Ok(entries)
}

fn content_of(is_link: bool, permissions: u32, bytes: Vec<u8>) -> Content {
    match is_link {
        true => Content::Link(String::from_utf8_lossy(&bytes).into_owned()),
        false => {
            let executable = permissions & OWNER_EXECUTES != 0;
            let mode = if executable { Mode::Executable } else { Mode::Regular };
            Content::File { mode, bytes: bytes.into() }
        }
    }
}

/// Writes a tree as a zip; the same tree gives the same bytes.
///
/// # Errors
/// When an entry cannot be written.
pub fn write_zip(tree: &Tree) -> Result<Vec<u8>, zip::result::ZipError> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, file) in tree.iter() {
        let permissions = match file.mode {
            Mode::Regular => 0o644,
            Mode::Executable => 0o755,
        };
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(permissions);
        writer.start_file(&**path, options)?;
        writer.write_all(&file.bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use dvt_dbt::tree::File;
    use dvt_domain::import::{Options, take};

    use super::*;

    fn tree() -> Tree {
        Tree::from_iter([
            ("dbt_project.yml", File::new(Mode::Regular, *b"\xef\xbb\xbfname: caf\xc3\xa9\r\n")),
            ("bin/run.sh", File::new(Mode::Executable, *b"#!/bin/sh\n")),
        ])
    }

    #[test]
    fn gives_the_same_files_back() {
        let zip = write_zip(&tree()).expect("a small archive");
        let taken = take(read(&zip).expect("it can be read"), Options::default()).expect("a project");
        assert_eq!(taken.tree, tree());
        assert_eq!(write_zip(&tree()).expect("a small archive"), zip);
    }

    #[test]
    fn refuses_a_bomb_by_what_it_declares_and_by_what_it_holds() {
        let zeros = vec![0; CONTENT_FREE_BYTES as usize + 1];
        let bomb = Tree::from_iter([("dbt_project.yml", File::new(Mode::Regular, zeros))]);
        let zip = write_zip(&bomb).expect("it compresses well");
        assert!(matches!(read(&zip), Err(Error::Content(_))));
    }

    #[test]
    fn refuses_what_is_no_archive() {
        assert!(matches!(read(b"hello"), Err(Error::Format(_))));
        assert!(matches!(read(b"PK\x03\x04broken"), Err(Error::Format(_))));
    }
}
