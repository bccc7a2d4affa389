//! Every event there is, of whichever aggregate.

use crate::envelope::Category;
use crate::{branch, compilation, layout, project, run};

/// Holds one event of one aggregate.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Project(project::Event),
    Branch(branch::Event),
    Layout(layout::Event),
    Compilation(compilation::Event),
    Run(run::Event),
}

impl Event {
    /// Answers the category of the streams that hold such events.
    pub fn category(&self) -> Category {
        match self {
            Self::Project(_) => Category::Project,
            Self::Branch(_) => Category::Branch,
            Self::Layout(_) => Category::Layout,
            Self::Compilation(_) => Category::Compilation,
            Self::Run(_) => Category::Run,
        }
    }

    /// Answers the event's name, which is its record's in the schema.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Project(event) => match event {
                project::Event::ProjectCreated(_) => "ProjectCreated",
                project::Event::BranchCreated(_) => "BranchCreated",
                project::Event::EnvironmentDefined(_) => "EnvironmentDefined",
                project::Event::RepositoryLinked(_) => "RepositoryLinked",
            },
            Self::Branch(event) => match event {
                branch::Event::ProjectImported(_) => "ProjectImported",
                branch::Event::ProjectExported(_) => "ProjectExported",
                branch::Event::Changed(changed) => changed.intent.event_name(),
            },
            Self::Layout(event) => match event {
                layout::Event::NodePlaced(_) => "NodePlaced",
            },
            Self::Compilation(event) => match event {
                compilation::Event::CompileRequested(_) => "CompileRequested",
                compilation::Event::Compiled(_) => "Compiled",
                compilation::Event::CompileFailed(_) => "CompileFailed",
                compilation::Event::PublishRequested(_) => "PublishRequested",
                compilation::Event::Published(_) => "Published",
                compilation::Event::PublishSuperseded(_) => "PublishSuperseded",
            },
            Self::Run(event) => match event {
                run::Event::RunRequested(_) => "RunRequested",
                run::Event::RunCancelRequested(_) => "RunCancelRequested",
                run::Event::RunPlanned(_) => "RunPlanned",
                run::Event::RunStarted(_) => "RunStarted",
                run::Event::StepStarted(_) => "StepStarted",
                run::Event::StepSucceeded(_) => "StepSucceeded",
                run::Event::StepFailed(_) => "StepFailed",
                run::Event::StepNotStarted(_) => "StepNotStarted",
                run::Event::StepUnknown(_) => "StepUnknown",
                run::Event::StepSkipped(_) => "StepSkipped",
                run::Event::StepCancelled(_) => "StepCancelled",
                run::Event::RunFinished(_) => "RunFinished",
            },
        }
    }
}

macro_rules! from {
    ($($aggregate:ident => $variant:ident),* $(,)?) => {$(
        impl From<$aggregate::Event> for Event {
            fn from(event: $aggregate::Event) -> Self {
                Self::$variant(event)
            }
        }
    )*};
}

from! { project => Project, branch => Branch, layout => Layout, compilation => Compilation, run => Run }
