//! Jinja as dbt sets it up: minijinja reads the templates, the evaluator here gives them Python's meaning.
//!
//! Responsible for templates, values, macros and their namespaces. What dbt puts into the context is `context`'s.
//! minijinja's own evaluator is not used: its values cannot change in place, and its macros and `call` blocks cannot
//! cross from one template into another, which is how dbt's macros work.

mod api;
pub mod blocks;
pub(crate) mod call;
mod depends;
pub(crate) mod engine;
#[cfg(test)]
mod engine_tests;
mod error;
pub(crate) mod eval;
mod filters;
pub(crate) mod format;
pub(crate) mod ir;
pub(crate) mod json;
pub(crate) mod looping;
mod lower;
pub(crate) mod methods;
pub(crate) mod native;
pub(crate) mod operators;
mod place;
pub(crate) mod print;
pub(crate) mod references;
pub(crate) mod registry;
mod rewrite;
mod scan;
mod scope;
mod tests;
pub(crate) mod value;
pub(crate) mod vm;

pub use api::{
    Database, DispatchConfig, ExistingColumn, ExistingRelation, Graph, Macro, MacroSource, NodeContext, Overrides,
    Parsed, QueryResult, Quoting, Reads, RefCall, Rendered, Resolved, RunValues, Settings, SourceSpan, YamlScope,
};
pub use engine::Engine;
pub use error::{Code, Error, Frame};
pub use place::{Before, copied};
