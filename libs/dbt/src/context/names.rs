//! The names of the macros that dbt and its Postgres adapter bring: what a project may call without defining it.

use std::collections::HashSet;
use std::sync::LazyLock;

static MACROS: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("names.txt").lines().collect());

/// Says whether dbt itself has a macro of this name.
pub(crate) fn is_dbt_macro(name: &str) -> bool {
    MACROS.contains(name)
}
