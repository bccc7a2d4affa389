//! The project aggregate: its name, its environments, its branches, its repository.

use dvt_dbt::environment::{Adapter, Environment};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::id::{BranchId, LayoutId};

/// The longest name of a project, an environment or a branch, in bytes.
pub const NAME_MAX_BYTES: usize = 100;
/// The most environments a project can have.
pub const ENVIRONMENTS_MAX: usize = 50;
/// The environment that every project has.
pub const DEFAULT_ENVIRONMENT: &str = "dev";
/// The most steps of a run at a time that an environment can ask for.
pub const THREADS_MAX: u32 = 64;

/// Asks for a change of a project.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Creates the project with its first branch and its environment `dev`.
    Create {
        created: ProjectCreated,
        branch: BranchCreated,
        environment: EnvironmentDefined,
    },
    DefineEnvironment(EnvironmentDefined),
    LinkRepository(RepositoryLinked),
}

/// Records a change of a project.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    ProjectCreated(ProjectCreated),
    BranchCreated(BranchCreated),
    EnvironmentDefined(EnvironmentDefined),
    RepositoryLinked(RepositoryLinked),
}

impl Event {
    /// Says in a few words what the event did, e.g. `defined the environment prod`.
    pub fn summary(&self) -> String {
        match self {
            Self::ProjectCreated(created) => format!("created the project {}", created.name),
            Self::BranchCreated(created) => format!("created the branch {}", created.name),
            Self::EnvironmentDefined(defined) => format!("defined the environment {}", defined.name),
            Self::RepositoryLinked(linked) => format!("linked the branch {} of {}", linked.branch, linked.url),
        }
    }
}

/// Starts a project. `root` is the folder of its dbt_project.yml in the tree, empty for the top.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectCreated {
    pub name: String,
    pub root: String,
}

/// Adds a branch with its layout; `from` is None for a project's first branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchCreated {
    pub branch_id: BranchId,
    pub layout_id: LayoutId,
    pub name: String,
    pub from: Option<BranchPoint>,
}

/// Points at one version of a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchPoint {
    pub branch_id: BranchId,
    pub version: i64,
}

/// Defines or redefines an environment. It holds no secrets: `target` names credentials that only the executor has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentDefined {
    pub name: String,
    pub target: String,
    pub adapter: String,
    pub database: String,
    pub schema: String,
    pub threads: i32,
    /// A JSON object, as `dbt --vars` takes it.
    pub vars: String,
    pub env: IndexMap<String, String>,
}

/// Says which repository branch the project publishes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryLinked {
    pub url: String,
    pub branch: String,
}

/// Says why a command was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the project exists already")]
    Exists,
    #[error("the project does not exist")]
    Missing,
    #[error("{field} must be 1 to {NAME_MAX_BYTES} bytes without control characters")]
    Name { field: &'static str },
    #[error("unknown adapter `{0}`; use postgres, snowflake or oracle")]
    Adapter(String),
    #[error("threads must be 1 to {THREADS_MAX}, got {0}")]
    Threads(i32),
    #[error("vars must be a JSON object")]
    Vars,
    #[error("a project has at most {ENVIRONMENTS_MAX} environments")]
    EnvironmentsFull,
}

/// Holds an environment and the target it runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetEnvironment {
    pub target: String,
    pub environment: Environment,
}

/// Holds what a project is at one version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Project {
    pub created: Option<ProjectCreated>,
    pub branches: Vec<BranchCreated>,
    pub environments: IndexMap<String, TargetEnvironment>,
    pub repository: Option<RepositoryLinked>,
}

impl Project {
    /// Finds the branch that reads and edits go to unless they name another.
    pub fn main_branch(&self) -> Option<&BranchCreated> {
        self.branches.first()
    }

    /// Decides a command into events.
    ///
    /// # Errors
    /// When the command does not fit the project or breaks a limit.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match (&self.created, command) {
            (Some(_), Command::Create { .. }) => Err(Error::Exists),
            (None, Command::DefineEnvironment(_) | Command::LinkRepository(_)) => Err(Error::Missing),
            (None, Command::Create { created, branch, environment }) => {
                check_name("name", &created.name)?;
                check_name("branch", &branch.name)?;
                check_environment(&environment)?;
                Ok(vec![
                    Event::ProjectCreated(created),
                    Event::BranchCreated(branch),
                    Event::EnvironmentDefined(environment),
                ])
            }
            (Some(_), Command::DefineEnvironment(environment)) => {
                check_environment(&environment)?;
                let is_new = !self.environments.contains_key(&environment.name);
                if is_new && self.environments.len() >= ENVIRONMENTS_MAX {
                    return Err(Error::EnvironmentsFull);
                }
                Ok(vec![Event::EnvironmentDefined(environment)])
            }
            (Some(_), Command::LinkRepository(repository)) => {
                check_name("branch", &repository.branch)?;
                Ok(vec![Event::RepositoryLinked(repository)])
            }
        }
    }

    /// Answers the project after `event`.
    pub fn apply(mut self, event: &Event) -> Self {
        match event {
            Event::ProjectCreated(created) => self.created = Some(created.clone()),
            Event::BranchCreated(branch) => self.branches.push(branch.clone()),
            Event::EnvironmentDefined(defined) => {
                self.environments.insert(defined.name.clone(), target_environment(defined));
            }
            Event::RepositoryLinked(repository) => self.repository = Some(repository.clone()),
        }
        self
    }
}

fn check_name(field: &'static str, name: &str) -> Result<(), Error> {
    match name.is_empty() || name.len() > NAME_MAX_BYTES || name.chars().any(char::is_control) {
        true => Err(Error::Name { field }),
        false => Ok(()),
    }
}

fn adapter(name: &str) -> Option<Adapter> {
    [Adapter::Postgres, Adapter::Snowflake, Adapter::Oracle].into_iter().find(|adapter| adapter.as_str() == name)
}

fn check_environment(environment: &EnvironmentDefined) -> Result<(), Error> {
    check_name("environment", &environment.name)?;
    check_name("target", &environment.target)?;
    check_name("schema", &environment.schema)?;
    adapter(&environment.adapter).ok_or_else(|| Error::Adapter(environment.adapter.clone()))?;
    if !(1..=THREADS_MAX as i32).contains(&environment.threads) {
        return Err(Error::Threads(environment.threads));
    }
    serde_json::from_str::<serde_json::Map<_, _>>(&environment.vars).map_err(|_| Error::Vars)?;
    Ok(())
}

fn target_environment(defined: &EnvironmentDefined) -> TargetEnvironment {
    let environment = Environment {
        name: defined.name.clone(),
        adapter: adapter(&defined.adapter).expect("invariant: decide checked the adapter"),
        database: defined.database.clone(),
        schema: defined.schema.clone(),
        threads: defined.threads.unsigned_abs(),
        profile: "dvt".to_owned(),
        user: String::new(),
        vars: serde_json::from_str(&defined.vars).expect("invariant: decide checked the vars"),
        env: defined.env.clone(),
    };
    TargetEnvironment { target: defined.target.clone(), environment }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> EnvironmentDefined {
        EnvironmentDefined {
            name: name.into(),
            target: "local".into(),
            adapter: "postgres".into(),
            database: "shop".into(),
            schema: "dev".into(),
            threads: 4,
            vars: "{}".into(),
            env: IndexMap::new(),
        }
    }

    fn create() -> Command {
        let id = "0198f6a0-0000-7000-8000-000000000001";
        Command::Create {
            created: ProjectCreated { name: "shop".into(), root: String::new() },
            branch: BranchCreated {
                branch_id: id.parse().expect("a UUIDv7"),
                layout_id: id.parse().expect("a UUIDv7"),
                name: "main".into(),
                from: None,
            },
            environment: environment(DEFAULT_ENVIRONMENT),
        }
    }

    fn project() -> Project {
        let events = Project::default().decide(create()).expect("a new project");
        events.iter().fold(Project::default(), Project::apply)
    }

    #[test]
    fn creates_a_project_once() {
        assert_eq!(project().environments.len(), 1);
        assert_eq!(project().decide(create()), Err(Error::Exists));
    }

    #[test]
    fn names_what_an_event_is_about() {
        let events = Project::default().decide(create()).expect("a new project");
        let summaries: Vec<_> = events.iter().map(Event::summary).collect();
        assert_eq!(summaries, ["created the project shop", "created the branch main", "defined the environment dev"]);
    }

    #[test]
    fn redefines_an_environment() {
        let changed = EnvironmentDefined { schema: "other".into(), ..environment("dev") };
        let events = project().decide(Command::DefineEnvironment(changed)).expect("it may change");
        let project = events.iter().fold(project(), Project::apply);
        assert_eq!(project.environments["dev"].environment.schema, "other");
    }

    #[test]
    fn refuses_an_environment_that_breaks_a_limit() {
        let define = |environment| project().decide(Command::DefineEnvironment(environment));
        assert_eq!(define(EnvironmentDefined { threads: 0, ..environment("dev") }), Err(Error::Threads(0)));
        assert_eq!(define(EnvironmentDefined { vars: "[]".into(), ..environment("dev") }), Err(Error::Vars));
        assert_eq!(define(environment("")), Err(Error::Name { field: "environment" }));
    }
}
