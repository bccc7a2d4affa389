//! The routes, one file per resource.

mod columns;
mod commands;
mod compilations;
mod create;
mod diff;
mod environments;
mod exports;
mod files;
mod graph;
mod history;
mod import;
mod names;
mod new_project;
mod nodes;
mod plan;
mod presence;
mod previews;
mod projects;
mod publishes;
mod reruns;
mod runs;
mod scope;
mod search;
mod selection;
mod shapes;
mod steps;
mod stream;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use dvt_runtime::trace;
use tower_http::compression::CompressionLayer;
use utoipa::OpenApi as _;
use utoipa::openapi::{self, ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::docs;
use crate::http::follow::follow;
use crate::http::guard::{Guard, guard};
use crate::http::problem::Problem;
use crate::web;

/// Holds what the description of the API says beside its routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "DVT+", description = "The HTTP API of DVT+.", version = "1"),
    // Its path is a wildcard, which OpenAPI does not have.
    paths(files::file)
)]
struct Description;

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(projects::list, create::create))
        .routes(routes!(projects::detail))
        .routes(routes!(import::import))
        .routes(routes!(environments::list, environments::define))
        .routes(routes!(environments::test))
        .routes(routes!(graph::graph))
        .routes(routes!(graph::diagnostics))
        .routes(routes!(selection::selection))
        .routes(routes!(plan::plan))
        .routes(routes!(names::names))
        .routes(routes!(nodes::node))
        .routes(routes!(nodes::compiled))
        .routes(routes!(columns::columns))
        .routes(routes!(nodes::node_history))
        .routes(routes!(commands::apply))
        .routes(routes!(previews::edit))
        .routes(routes!(previews::rename))
        .routes(routes!(previews::remove))
        .routes(routes!(previews::rows))
        .routes(routes!(previews::preview))
        .routes(routes!(files::tree))
        .route("/api/v1/projects/{project}/files/{*path}", get(files::file))
        .routes(routes!(files::download))
        .routes(routes!(exports::record))
        .routes(routes!(exports::last))
        .routes(routes!(diff::diff))
        .routes(routes!(search::search))
        .routes(routes!(presence::note))
        .routes(routes!(history::list))
        .routes(routes!(history::detail))
        .routes(routes!(stream::stream))
        .routes(routes!(compilations::request))
        .routes(routes!(compilations::detail))
        .routes(routes!(publishes::request))
        .routes(routes!(publishes::list))
        .routes(routes!(runs::list, runs::request))
        .routes(routes!(runs::detail))
        .routes(routes!(runs::cancel))
        .routes(routes!(steps::log))
        .routes(routes!(steps::sql))
        .routes(routes!(steps::failures))
}

/// Answers the API's routes, and the web app at every other address.
pub fn router(app: App, guards: Guard) -> Router {
    let router = routes().split_for_parts().0;
    router
        .route("/api/v1/openapi.json", get(async || Json(description())))
        .route("/docs/errors", get(docs::errors))
        .layer(from_fn(in_a_task_of_its_own))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(web::serve)
        .layer(from_fn_with_state(guards, guard))
        .layer(from_fn(follow))
        // All but what is small, and the stream of events, which must not wait for its compression.
        .layer(CompressionLayer::new())
        .with_state(app)
}

/// Describes the API as OpenAPI 3.1.
pub fn description() -> OpenApi {
    let mut described = routes().split_for_parts().1;
    for item in described.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post];
        for operation in operations.into_iter().flatten() {
            operation.responses.responses.insert("default".to_owned(), RefOr::T(problem_response()));
            // Unique, as OpenAPI wants it: each resource has its own `list` and `detail`.
            let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
            operation.operation_id = operation.operation_id.take().map(|id| format!("{tag}_{id}"));
        }
    }
    described
}

/// Describes what every refused or failed request answers.
fn problem_response() -> openapi::Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description("a problem").content("application/problem+json", content).build()
}

/// Runs the handler in a task, so that a client that disconnects cancels nothing.
async fn in_a_task_of_its_own(request: Request, next: Next) -> Response {
    match tokio::spawn(trace::carry(next.run(request))).await {
        Ok(response) => response,
        Err(error) => Problem::internal(&error).into_response(),
    }
}

async fn method_not_allowed() -> Problem {
    let detail = "this address does not have that method; see Allow";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", detail)
}

#[cfg(test)]
mod tests {
    /// `UPDATE_OPENAPI=1 cargo test -p dvt-gateway --lib description` writes the file anew.
    #[test]
    fn the_committed_description_is_that_of_the_routes() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        let described = super::description().to_pretty_json().expect("a description is JSON") + "\n";
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(path, &described).expect("the file can be written");
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == described, "openapi.json is stale; write it anew with UPDATE_OPENAPI=1");
    }
}
