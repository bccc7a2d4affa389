//! Words that a database reads as a name only where they are quoted.

use crate::environment::Adapter;

/// Source: `select word from pg_get_keywords() where catcode in ('R', 'T')` on PostgreSQL 15; later versions add `system_user`.
const POSTGRES: &str = "all analyse analyze and any array as asc asymmetric authorization binary both case cast check \
    collate collation column concurrently constraint create cross current_catalog current_date current_role \
    current_schema current_time current_timestamp current_user default deferrable desc distinct do else end except \
    false fetch for foreign freeze from full grant group having ilike in initially inner intersect into is isnull \
    join lateral leading left like limit localtime localtimestamp natural not notnull null offset on only or order \
    outer overlaps placing primary references returning right select session_user similar some symmetric \
    system_user table tablesample then to trailing true union unique user using variadic verbose when where window with";

/// Says whether a database takes this name for a relation only in quotes. Only Postgres's words are known.
pub(crate) fn is_reserved(name: &str, adapter: Adapter) -> bool {
    match adapter {
        Adapter::Postgres => POSTGRES.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(name)),
        Adapter::Snowflake | Adapter::Oracle => false,
    }
}
