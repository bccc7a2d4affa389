//! The global macros, written for DVT+: what a project calls without defining it.

use std::sync::{Arc, LazyLock};

use crate::jinja::MacroSource;

const FILES: &[(&str, &str, &str)] = &[
    ("dbt", "macros/names.sql", include_str!("names.sql")),
    ("dbt", "macros/tests.sql", include_str!("tests.sql")),
    ("dbt", "macros/statements.sql", include_str!("statements.sql")),
    ("dbt", "macros/expressions.sql", include_str!("expressions.sql")),
    ("dbt", "macros/dates.sql", include_str!("dates.sql")),
    ("dbt_postgres", "macros/postgres.sql", include_str!("postgres.sql")),
];

static SOURCES: LazyLock<Vec<MacroSource>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(package, path, source)| MacroSource {
            package: (*package).to_owned(),
            path: Arc::from(*path),
            source: Arc::from(*source),
        })
        .collect()
});

/// Lists the files of the global macros.
pub(crate) fn sources() -> &'static [MacroSource] {
    &SOURCES
}
