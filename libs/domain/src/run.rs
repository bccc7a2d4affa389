//! The run aggregate: what was asked for, what was planned, and how each step and attempt ended.
//!
//! An attempt ends succeeded, failed, not_started or unknown; a step ends succeeded, failed, skipped or cancelled.

use dvt_dbt::diagnostic::Place;
use dvt_dbt::node::{Node, ResourceType};
use dvt_dbt::tree::Sha256;
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::envelope::Timestamp;
use crate::id::{BranchId, CompilationId, ProjectId, RunId};

pub mod estimate;
mod machine;
pub mod plan;
pub mod question;
pub mod schedule;
pub mod verdict;

pub use machine::{Attempt, Command, Error, Run, Stage, Step, StepEnd};

/// Records a change of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    RunRequested(RunRequested),
    RunCancelRequested(RunCancelRequested),
    RunPlanned(RunPlanned),
    RunStarted(RunStarted),
    StepStarted(StepStarted),
    StepSucceeded(StepSucceeded),
    StepFailed(StepFailed),
    StepNotStarted(StepNotStarted),
    StepUnknown(StepUnknown),
    StepSkipped(StepSkipped),
    StepCancelled(StepCancelled),
    RunFinished(RunFinished),
}

/// Names the events that are about one step of a run.
pub const OF_STEPS: [&str; 7] =
    ["StepStarted", "StepSucceeded", "StepFailed", "StepNotStarted", "StepUnknown", "StepSkipped", "StepCancelled"];

impl Event {
    /// Answers the unique_id of the step that the event is about; None of one about the whole run.
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::StepStarted(step) => Some(&step.unique_id),
            Self::StepSucceeded(step) => Some(&step.unique_id),
            Self::StepFailed(step) => Some(&step.unique_id),
            Self::StepNotStarted(step) => Some(&step.unique_id),
            Self::StepUnknown(step) => Some(&step.unique_id),
            Self::StepSkipped(step) => Some(&step.unique_id),
            Self::StepCancelled(step) => Some(&step.unique_id),
            Self::RunRequested(_)
            | Self::RunCancelRequested(_)
            | Self::RunPlanned(_)
            | Self::RunStarted(_)
            | Self::RunFinished(_) => None,
        }
    }
}

/// Names dbt's command that a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Build,
    Run,
    Test,
    Seed,
    Snapshot,
}

impl Kind {
    /// Says whether the command runs a node: an ephemeral model is part of those that read it, never a step.
    pub fn runs(self, node: &Node) -> bool {
        let by_kind = match node.resource_type {
            ResourceType::Model => matches!(self, Self::Build | Self::Run),
            ResourceType::Seed => matches!(self, Self::Build | Self::Seed),
            ResourceType::Snapshot => matches!(self, Self::Build | Self::Snapshot),
            ResourceType::Test | ResourceType::UnitTest => matches!(self, Self::Build | Self::Test),
            ResourceType::Source
            | ResourceType::Analysis
            | ResourceType::Operation
            | ResourceType::Exposure
            | ResourceType::Metric
            | ResourceType::SemanticModel
            | ResourceType::SavedQuery
            | ResourceType::Group => false,
        };
        by_kind && !(node.resource_type == ResourceType::Model && node.materialized() == "ephemeral")
    }
}

/// Asks for a run of one compilation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRequested {
    pub project_id: ProjectId,
    pub branch_id: BranchId,
    pub branch_version: i64,
    pub project_version: i64,
    pub environment: String,
    pub compilation_id: CompilationId,
    pub kind: Kind,
    /// dbt's selection; empty for every node.
    pub select: String,
    pub exclude: String,
    pub full_refresh: bool,
    /// How many steps at a time.
    pub threads: i32,
    /// Exactly these nodes by their unique_ids, which stand in for the selection; empty where that one says it all.
    #[serde(default)]
    pub nodes: Vec<String>,
    /// The run whose nodes run again that did not succeed in it.
    #[serde(default)]
    pub retry_of: Option<RunId>,
}

/// Asks for the end of a run before its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCancelRequested {
    pub reason: Option<String>,
}

/// Records what would run, in order, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct RunPlanned {
    pub steps: Vec<PlannedStep>,
}

/// Says that a node runs, after which others, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    pub unique_id: String,
    pub name: String,
    pub resource_type: String,
    pub materialized: Option<String>,
    pub relation: Option<String>,
    /// The steps of this plan that must have ended first.
    pub needs: Vec<String>,
    /// e.g. `selected`, `test of orders`, `hook`.
    pub reason: String,
}

/// Records that an executor drives the run; a later one means that another took over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    pub executor: String,
    pub attempt: i32,
}

/// Records the intent to send a statement, before it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepStarted {
    pub unique_id: String,
    pub attempt: i32,
    pub backend: Option<Backend>,
    /// The blob of the SQL that is sent.
    pub sql: Option<Sha256>,
}

/// Identifies a session of the target's server: its process id and when it started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    pub pid: i32,
    pub started_at: Timestamp,
}

/// Records an attempt with its committed effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSucceeded {
    pub unique_id: String,
    pub attempt: i32,
    pub rows: Option<i64>,
    /// As the database says it, e.g. `INSERT 0 42`; for a test `PASS` or `WARN 3`.
    pub message: String,
    /// True for a test that warns.
    pub warned: bool,
    /// The rows that a test found.
    pub failures: Option<i64>,
    pub duration_us: i64,
}

/// Records an attempt without effect that is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFailed {
    pub unique_id: String,
    pub attempt: i32,
    pub code: String,
    pub message: String,
    /// The database's own code.
    pub sqlstate: Option<String>,
    /// Where in the source file.
    pub place: Option<Place>,
    /// The rows that a test found.
    pub failures: Option<i64>,
    pub duration_us: i64,
}

/// Records an attempt that is known to have had no effect; the step may be tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepNotStarted {
    pub unique_id: String,
    pub attempt: i32,
    pub message: String,
}

/// Records an attempt whose effect must be read from the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepUnknown {
    pub unique_id: String,
    pub attempt: i32,
    pub message: String,
}

/// Records a step that will not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSkipped {
    pub unique_id: String,
    /// e.g. `needs orders, which failed`.
    pub reason: String,
}

/// Records a step that was ended by a cancelled run, without effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepCancelled {
    pub unique_id: String,
}

/// Names how a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Succeeded,
    Failed,
    Cancelled,
}

/// Records the end of a run, with how many steps ended in which way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFinished {
    pub outcome: Outcome,
    pub succeeded: i32,
    pub failed: i32,
    pub skipped: i32,
    pub cancelled: i32,
    /// What concerns the run as a whole, e.g. that its compilation failed, or which sources are missing.
    pub message: Option<String>,
    /// What kind of end that was, e.g. `RUN_ABANDONED`; None where the steps say how it ended.
    #[serde(default)]
    pub code: Option<String>,
}

/// Holds the steps of a run by unique_id.
pub type Steps = OrdMap<String, Step>;
