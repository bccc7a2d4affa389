//! Views `project`, `branch` (its row) and `environment`, from the project's stream.

use std::collections::BTreeMap;

use dvt_domain::project::{EnvironmentDefined, Event};
use dvt_store::view::Moment;
use dvt_store::view::project::{self, Branch, Environment};
use dvt_store::{Connection, Error};
use uuid::Uuid;

/// Collects environments as they were last defined, and the last event of each project; all else is written at once.
#[derive(Debug, Default)]
pub(super) struct Projects {
    environments: BTreeMap<(Uuid, String), Environment>,
    last: BTreeMap<Uuid, Moment>,
}

impl Projects {
    pub(super) async fn add(&mut self, c: &mut Connection, moment: Moment, event: &Event) -> Result<(), Error> {
        match event {
            Event::ProjectCreated(created) => project::create(c, &moment, &created.name, &created.root).await?,
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
                self.environments.insert((moment.stream_id, defined.name.clone()), environment(&moment, defined));
            }
            Event::RepositoryLinked(linked) => project::link(c, &moment, &linked.url, &linked.branch).await?,
        }
        self.last.insert(moment.stream_id, moment);
        Ok(())
    }

    pub(super) async fn write(&mut self, c: &mut Connection) -> Result<(), Error> {
        let Self { environments, last } = std::mem::take(self);
        for environment in environments.into_values() {
            project::define_environment(c, &environment).await?;
        }
        for moment in last.into_values() {
            project::advance(c, &moment).await?;
        }
        Ok(())
    }
}

fn environment(moment: &Moment, defined: &EnvironmentDefined) -> Environment {
    Environment {
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
    }
}
