//! Reads, compiles and edits dbt projects as dbt-core does. Pure: no I/O, no clock, no randomness, and it knows
//! nothing of events.

pub mod compile;
mod context;
pub mod diagnostic;
pub mod edit;
pub mod environment;
pub mod jinja;
mod macros;
pub mod manifest;
pub mod node;
pub mod parse;
pub mod project;
pub mod select;
mod sql;
pub mod tree;
pub mod yaml;

/// The most bytes of SQL that a node has, as written or compiled.
pub const SQL_BYTES_MAX: usize = 1024 * 1024;

pub use sql::SQL_NESTED_MAX;
