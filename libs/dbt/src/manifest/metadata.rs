//! The head of a manifest.

use md5::{Digest, Md5};
use serde_json::{Value as Json, json};

use super::Metadata;
use crate::parse::Project;

/// The version of dbt-core whose manifest this is.
const DBT_VERSION: &str = "1.11.16";

/// The schema that a manifest follows.
const SCHEMA: &str = "https://schemas.getdbt.com/dbt/manifest/v12.json";

/// When a node was read, in seconds since the epoch: always the epoch, as a manifest has no clock.
pub(super) const CREATED_AT: f64 = 0.0;

pub(super) fn json(project: &Project, metadata: &Metadata) -> Json {
    let settings = project.engine().settings();
    let quoting = settings.quoting;
    json!({
        "dbt_schema_version": SCHEMA,
        "dbt_version": DBT_VERSION,
        "generated_at": metadata.generated_at,
        "invocation_id": metadata.invocation_id,
        "invocation_started_at": metadata.generated_at,
        "env": {},
        "project_name": project.name(),
        "project_id": hex::encode(Md5::digest(project.name())),
        "user_id": null,
        "send_anonymous_usage_stats": false,
        "adapter_type": settings.environment.adapter.as_str(),
        "quoting": {
            "database": quoting.database,
            "schema": quoting.schema,
            "identifier": quoting.identifier,
            "column": null,
        },
        "run_started_at": metadata.generated_at,
    })
}
