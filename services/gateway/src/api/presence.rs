//! Presence: who looks at a project right now, and at which node.

use axum::extract::State;
use dvt_store::presence::{self, Presence};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::scope::project_id;
use crate::app::App;
use crate::http::headers::Who;
use crate::http::json::Json;
use crate::http::path::Path;
use crate::http::problem::Problem;

/// Says that a page is open, and which node it shows; to be said again every few seconds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Here {
    /// A UUID that the page chose when it was opened.
    #[schema(value_type = String)]
    session_id: Uuid,
    unique_id: Option<String>,
}

/// Lists who else is here.
#[derive(Serialize, ToSchema)]
pub(super) struct Present {
    others: Vec<Other>,
}

/// Is somebody who looks at the project.
#[derive(Serialize, ToSchema)]
struct Other {
    session_id: String,
    actor: String,
    unique_id: Option<String>,
}

/// Notes that a page is open, and answers the others.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/presence", tag = "projects",
    params(("project" = String, Path), ("Dvt-Actor" = Option<String>, Header)),
    request_body = Here, responses((status = OK, body = Present))
)]
pub(super) async fn note(
    State(app): State<App>,
    Path(project): Path<String>,
    Who(actor): Who,
    Json(here): Json<Here>,
) -> Result<axum::Json<Present>, Problem> {
    let project = project_id(&project)?.uuid();
    let mine = Presence { session_id: here.session_id, actor: actor.as_str().to_owned(), unique_id: here.unique_id };
    let mut connection = app.connection().await?;
    presence::note(&mut connection, project, &mine).await?;
    let others = presence::list(&mut connection, project).await?;
    let others = others.into_iter().filter(|other| other.session_id != here.session_id).map(|other| Other {
        session_id: other.session_id.to_string(),
        actor: other.actor,
        unique_id: other.unique_id,
    });
    Ok(axum::Json(Present { others: others.collect() }))
}
