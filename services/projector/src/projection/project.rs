//! Views `project`, `branch` (its row) and `environment`, from the project's stream.

use dvt_domain::project::Event;
use dvt_store::view::Moment;
use dvt_store::view::project::{self, Branch, Environment};
use dvt_store::{Connection, Error};

pub(super) async fn apply(c: &mut Connection, moment: &Moment, event: &Event) -> Result<(), Error> {
    match event {
        Event::ProjectCreated(created) => return project::create(c, moment, &created.name, &created.root).await,
        Event::BranchCreated(created) => {
            let branch = Branch {
                branch_id: created.branch_id.uuid(),
                project_id: moment.stream_id,
                layout_id: created.layout_id.uuid(),
                name: created.name.clone(),
                created_position: moment.position,
                version: 0,
                position: moment.position,
                edited_by: None,
                edited_at: None,
                edit_summary: None,
            };
            project::add_branch(c, &branch).await?;
        }
        Event::EnvironmentDefined(defined) => {
            let environment = Environment {
                project_id: moment.stream_id,
                name: defined.name.clone(),
                target: defined.target.clone(),
                adapter: defined.adapter.clone(),
                database: defined.database.clone(),
                schema: defined.schema.clone(),
                threads: defined.threads,
                vars: defined.vars.clone(),
                env: serde_json::json!(defined.env).to_string(),
                position: moment.position,
            };
            project::define_environment(c, &environment).await?;
        }
        Event::RepositoryLinked(linked) => project::link(c, moment, &linked.url, &linked.branch).await?,
    }
    project::advance(c, moment).await
}
