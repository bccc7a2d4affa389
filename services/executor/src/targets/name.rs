//! Names of relations.

/// Names a relation of the session's own database: exactly these characters, no folding left to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name {
    pub(crate) schema: String,
    pub(crate) identifier: String,
}

impl Name {
    pub(crate) fn new(schema: impl Into<String>, identifier: impl Into<String>) -> Self {
        Self { schema: schema.into(), identifier: identifier.into() }
    }
}
