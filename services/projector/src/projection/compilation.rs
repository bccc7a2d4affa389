//! Views `compilation` and `compilation_node`.

use dvt_domain::compilation::{Event, NodeOutcome, NodeState};
use dvt_store::view::Moment;
use dvt_store::view::compilation::{self, Compiled, Node, Request};
use dvt_store::{Connection, Error};

use super::place;

pub(super) async fn apply(c: &mut Connection, moment: &Moment, event: &Event) -> Result<(), Error> {
    match event {
        Event::CompileRequested(requested) => {
            let request = Request {
                branch_id: requested.branch_id.uuid(),
                branch_version: requested.branch_version,
                project_version: requested.project_version,
                environment: requested.environment.clone(),
            };
            compilation::request(c, moment, &request).await
        }
        Event::Compiled(compiled) => {
            let compiled = Compiled {
                artifact: compiled.artifact.0,
                compiled: compiled.compiled,
                deferred: compiled.deferred,
                broken: compiled.broken,
                nodes: compiled.nodes.iter().filter_map(node).collect(),
            };
            compilation::finish(c, moment, &compiled).await
        }
        Event::CompileFailed(failed) => compilation::fail(c, moment, &failed.code, &failed.message).await,
        Event::PublishRequested(requested) => compilation::request_publish(c, moment, &requested.message).await,
        Event::Published(published) => {
            compilation::publish(c, moment, &published.commit, published.artifacts_commit.as_deref()).await
        }
        Event::PublishSuperseded(superseded) => compilation::supersede(c, moment, superseded.by_version).await,
    }
}

fn node(outcome: &NodeOutcome) -> Option<Node> {
    let state = match outcome.state {
        NodeState::Compiled => return None,
        NodeState::Deferred => "deferred",
        NodeState::Broken => "broken",
    };
    Some(Node {
        unique_id: outcome.unique_id.clone(),
        state: state.to_owned(),
        code: outcome.code.clone(),
        message: outcome.message.clone(),
        place: place(outcome.place.as_ref()),
    })
}
