//! HTTP as every handler uses it: strict bodies, required headers, problems.

pub mod follow;
pub mod guard;
pub mod headers;
pub mod json;
pub mod path;
pub mod problem;
pub mod query;
mod scan;
