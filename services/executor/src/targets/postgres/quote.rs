//! How names and texts are written into SQL: the only place that does.

use crate::targets::Name;

/// The longest name that Postgres keeps, in bytes.
const NAME_MAX_BYTES: usize = 63;

/// Writes an identifier.
pub(super) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Writes a list of identifiers.
pub(super) fn idents<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(ident).collect::<Vec<_>>().join(", ")
}

/// Writes the name of a relation.
pub(super) fn relation(name: &Name) -> String {
    format!("{}.{}", ident(&name.schema), ident(&name.identifier))
}

/// Writes a text.
pub(super) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    match text.contains('\\') {
        true => format!("E'{}'", quoted.replace('\\', "\\\\")),
        false => format!("'{quoted}'"),
    }
}

/// Answers `name` with a suffix, cut so that Postgres keeps all of it.
pub(super) fn suffixed(name: &str, suffix: &str) -> String {
    let mut end = name.len().min(NAME_MAX_BYTES - suffix.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &name[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn writes_names_and_texts_that_end_where_they_should() {
        assert_eq!(ident("a\"; drop table t; --"), "\"a\"\"; drop table t; --\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("\\'"), "E'\\\\'''");
        assert_eq!(relation(&Name::new("s", "T")), "\"s\".\"T\"");
    }

    proptest! {
        #[test]
        fn a_suffixed_name_is_never_cut_by_postgres(name in "\\PC{0,80}") {
            let made = suffixed(&name, "__dvt_tmp");
            prop_assert!(made.len() <= NAME_MAX_BYTES && made.ends_with("__dvt_tmp"));
        }
    }
}
