//! The compilation aggregate: of one version of a branch for one environment, and its publishing to Git.

use dvt_dbt::diagnostic::Place;
use dvt_dbt::tree::Sha256;
use serde::{Deserialize, Serialize};

use crate::id::{BranchId, ProjectId};

pub mod publishing;

/// Asks for a change of a compilation.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Request(CompileRequested),
    Finish(Compiled),
    Fail(CompileFailed),
    RequestPublish(PublishRequested),
    Publish(Published),
    Supersede(PublishSuperseded),
}

/// Records a change of a compilation.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    CompileRequested(CompileRequested),
    Compiled(Compiled),
    CompileFailed(CompileFailed),
    PublishRequested(PublishRequested),
    Published(Published),
    PublishSuperseded(PublishSuperseded),
}

/// Names what is compiled: both streams' versions and the environment. Workers fold to exactly these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompileRequested {
    pub project_id: ProjectId,
    pub branch_id: BranchId,
    pub branch_version: i64,
    pub project_version: i64,
    pub environment: String,
}

/// Records the artifact of a compilation; one broken node fails nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    pub artifact: Sha256,
    pub compiled: i32,
    pub deferred: i32,
    pub broken: i32,
    pub nodes: Vec<NodeOutcome>,
}

/// Says what compiling one node gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeOutcome {
    pub unique_id: String,
    pub state: NodeState,
    /// The code of what broke the node.
    pub code: Option<String>,
    /// Why the node is deferred or broken.
    pub message: Option<String>,
    pub place: Option<Place>,
}

/// Says how far a node was compiled. Deferred nodes are rendered by the run, with its own connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    Compiled,
    Deferred,
    Broken,
}

/// Records that nothing could be compiled: dbt_project.yml cannot be read, or no node compiles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompileFailed {
    pub code: String,
    pub message: String,
}

/// Asks for the compilation's project and artifacts as Git commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishRequested {
    pub message: String,
}

/// Records the commits that a publish made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The commit of the project's files, in hexadecimal.
    pub commit: String,
    /// The commit of the artifacts; None where the compilation failed.
    pub artifacts_commit: Option<String>,
}

/// Records that a later version was published before this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishSuperseded {
    pub by_version: i64,
}

/// Says why a command was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the compilation was requested already")]
    Requested,
    #[error("the compilation does not exist")]
    Missing,
    #[error("the compilation has finished already")]
    Finished,
    #[error("a publish of this compilation was requested already")]
    PublishRequested,
    #[error("no publish of this compilation is waiting")]
    NoPublish,
}

/// Holds how far a compilation is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Progress {
    #[default]
    Requested,
    Compiled(Compiled),
    Failed(CompileFailed),
}

/// Holds how far publishing is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Publish {
    #[default]
    NotRequested,
    Requested(PublishRequested),
    Published(Published),
    Superseded(PublishSuperseded),
}

/// Holds what a compilation is at one version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compilation {
    pub request: Option<CompileRequested>,
    pub progress: Progress,
    pub publish: Publish,
}

impl Compilation {
    /// Decides a command into events.
    ///
    /// # Errors
    /// When the command does not fit how far the compilation is.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        let event = match (&self.request, command) {
            (None, Command::Request(request)) => Event::CompileRequested(request),
            (Some(_), Command::Request(_)) => return Err(Error::Requested),
            (Some(_), Command::Finish(compiled)) => {
                self.check_running()?;
                Event::Compiled(compiled)
            }
            (Some(_), Command::Fail(failed)) => {
                self.check_running()?;
                Event::CompileFailed(failed)
            }
            (Some(_), Command::RequestPublish(request)) => match self.publish {
                Publish::NotRequested => Event::PublishRequested(request),
                Publish::Requested(_) | Publish::Published(_) | Publish::Superseded(_) => {
                    return Err(Error::PublishRequested);
                }
            },
            (Some(_), Command::Publish(published)) => {
                self.check_publishing()?;
                Event::Published(published)
            }
            (Some(_), Command::Supersede(superseded)) => {
                self.check_publishing()?;
                Event::PublishSuperseded(superseded)
            }
            (
                None,
                Command::Finish(_)
                | Command::Fail(_)
                | Command::RequestPublish(_)
                | Command::Publish(_)
                | Command::Supersede(_),
            ) => return Err(Error::Missing),
        };
        Ok(vec![event])
    }

    fn check_running(&self) -> Result<(), Error> {
        match self.progress {
            Progress::Requested => Ok(()),
            Progress::Compiled(_) | Progress::Failed(_) => Err(Error::Finished),
        }
    }

    fn check_publishing(&self) -> Result<(), Error> {
        match self.publish {
            Publish::Requested(_) => Ok(()),
            Publish::NotRequested | Publish::Published(_) | Publish::Superseded(_) => Err(Error::NoPublish),
        }
    }

    /// Answers the compilation after `event`.
    pub fn apply(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::CompileRequested(request) => self.request = Some(request),
            Event::Compiled(compiled) => self.progress = Progress::Compiled(compiled),
            Event::CompileFailed(failed) => self.progress = Progress::Failed(failed),
            Event::PublishRequested(request) => self.publish = Publish::Requested(request),
            Event::Published(published) => self.publish = Publish::Published(published),
            Event::PublishSuperseded(superseded) => self.publish = Publish::Superseded(superseded),
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Command {
        let id = "0198f6a0-0000-7000-8000-000000000001";
        Command::Request(CompileRequested {
            project_id: id.parse().expect("a UUIDv7"),
            branch_id: id.parse().expect("a UUIDv7"),
            branch_version: 3,
            project_version: 3,
            environment: "dev".into(),
        })
    }

    fn given(commands: Vec<Command>) -> Compilation {
        commands.into_iter().fold(Compilation::default(), |compilation, command| {
            let events = compilation.decide(command).expect("a command that fits");
            events.iter().fold(compilation, Compilation::apply)
        })
    }

    fn fail() -> Command {
        Command::Fail(CompileFailed { code: "PROJECT_INVALID".into(), message: "no name".into() })
    }

    fn publish() -> Command {
        Command::RequestPublish(PublishRequested { message: "Rename orders".into() })
    }

    #[test]
    fn ends_once() {
        assert_eq!(given(vec![request(), fail()]).decide(fail()), Err(Error::Finished));
        assert_eq!(given(vec![request()]).decide(request()), Err(Error::Requested));
        assert_eq!(Compilation::default().decide(fail()), Err(Error::Missing));
    }

    #[test]
    fn publishes_once_and_only_when_asked() {
        let published = Command::Publish(Published { commit: "c0ffee".into(), artifacts_commit: None });
        assert_eq!(given(vec![request()]).decide(published.clone()), Err(Error::NoPublish));
        let done = given(vec![request(), publish(), published.clone()]);
        assert_eq!(done.decide(published), Err(Error::NoPublish));
        assert_eq!(done.decide(publish()), Err(Error::PublishRequested));
    }
}
