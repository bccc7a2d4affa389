//! Which schemas may follow which.

use apache_avro::Schema;
use apache_avro::schema_compatibility::SchemaCompatibility;

/// Names a compatibility level of the registry's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compatibility {
    None,
    Backward,
    BackwardTransitive,
    Forward,
    ForwardTransitive,
    Full,
    FullTransitive,
}

const NAMES: [(Compatibility, &str); 7] = [
    (Compatibility::None, "NONE"),
    (Compatibility::Backward, "BACKWARD"),
    (Compatibility::BackwardTransitive, "BACKWARD_TRANSITIVE"),
    (Compatibility::Forward, "FORWARD"),
    (Compatibility::ForwardTransitive, "FORWARD_TRANSITIVE"),
    (Compatibility::Full, "FULL"),
    (Compatibility::FullTransitive, "FULL_TRANSITIVE"),
];

impl Compatibility {
    /// Answers the level's name in the API.
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(level, _)| *level == self).expect("invariant: every level has a name").1
    }

    /// Finds a level by its name in the API.
    pub fn find(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(level, _)| *level)
    }

    /// Says why `new` may not follow `older` (oldest first); None: it may.
    pub(super) fn objection(self, new: &Schema, older: &[Schema]) -> Option<String> {
        let last = older.len().saturating_sub(1);
        let (older, backward, forward) = match self {
            Self::None => (&older[..0], false, false),
            Self::Backward => (&older[last..], true, false),
            Self::BackwardTransitive => (older, true, false),
            Self::Forward => (&older[last..], false, true),
            Self::ForwardTransitive => (older, false, true),
            Self::Full => (&older[last..], true, true),
            Self::FullTransitive => (older, true, true),
        };
        older.iter().enumerate().find_map(|(index, old)| {
            let reads = |writer, reader| SchemaCompatibility::can_read(writer, reader).err();
            let objection = backward.then(|| reads(old, new)).flatten();
            let objection = objection.or_else(|| forward.then(|| reads(new, old)).flatten())?;
            Some(format!("incompatible with older schema {}: {objection}", index + 1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(fields: &str) -> Schema {
        let text = format!(r#"{{"type": "record", "name": "Made", "fields": [{fields}]}}"#);
        Schema::parse_str(&text).expect("a schema")
    }

    const NAME: &str = r#"{"name": "name", "type": "string"}"#;
    const SIZE: &str = r#"{"name": "size", "type": "long"}"#;
    const SIZE_OR_ZERO: &str = r#"{"name": "size", "type": "long", "default": 0}"#;

    #[test]
    fn takes_a_new_field_with_a_default() {
        let (old, new) = (schema(NAME), schema(&format!("{NAME}, {SIZE_OR_ZERO}")));
        assert_eq!(Compatibility::BackwardTransitive.objection(&new, &[old]), None);
    }

    #[test]
    fn refuses_a_new_field_without_a_default() {
        let (old, new) = (schema(NAME), schema(&format!("{NAME}, {SIZE}")));
        assert!(Compatibility::Backward.objection(&new, std::slice::from_ref(&old)).is_some());
        assert_eq!(Compatibility::Forward.objection(&new, std::slice::from_ref(&old)), None);
        assert_eq!(Compatibility::None.objection(&new, &[old]), None);
    }

    #[test]
    fn looks_at_all_older_schemas_only_if_transitive() {
        let older = [schema(NAME), schema(&format!("{NAME}, {SIZE_OR_ZERO}"))];
        let new = schema(&format!("{NAME}, {SIZE}"));
        assert_eq!(Compatibility::Backward.objection(&new, &older), None);
        assert!(Compatibility::BackwardTransitive.objection(&new, &older).is_some());
    }
}
