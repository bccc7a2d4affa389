//! Settings that nobody should see: taken from a variable, or from the file that `<NAME>_FILE` names.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// Says why a secret could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("set either {name} or {name}_FILE, not both")]
    Both { name: String },
    #[error("could not read {path}, which {name}_FILE names")]
    File { name: String, path: PathBuf, source: std::io::Error },
}

/// Answers the secret that was given itself or by its file, without the file's last line end; None: neither.
///
/// # Errors
/// When both were given, or the file cannot be read.
pub fn resolve(name: &str, value: Option<&SecretString>, file: Option<&Path>) -> Result<Option<SecretString>, Error> {
    match (value, file) {
        (Some(_), Some(_)) => Err(Error::Both { name: name.to_owned() }),
        (Some(value), None) => Ok(Some(value.clone())),
        (None, None) => Ok(None),
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned().into())),
            Err(source) => Err(Error::File { name: name.to_owned(), path: path.to_owned(), source }),
        },
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn refuses_two_sources_of_one_secret() {
        let value = SecretString::from("a");
        let both = resolve("TOKEN", Some(&value), Some(Path::new("b"))).expect_err("both");
        assert_eq!(both.to_string(), "set either TOKEN or TOKEN_FILE, not both");
    }

    #[test]
    fn names_the_file_that_is_missing() {
        let missing = resolve("TOKEN", None, Some(Path::new("no/such/file"))).expect_err("no file");
        assert_eq!(missing.to_string(), "could not read no/such/file, which TOKEN_FILE names");
        let given = resolve("TOKEN", Some(&"a".into()), None).expect("a secret").expect("one");
        assert_eq!(given.expose_secret(), "a");
    }
}
