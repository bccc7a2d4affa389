//! Answers questions outside of any run: the first rows of a node, the columns of its relation, and whether a target
//! can be used. Reads only.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use dvt_dbt::jinja::RunValues;
use dvt_dbt::node::{Node, ResourceType};
use dvt_domain::id::ProjectId;
use dvt_domain::project::Project;
use dvt_domain::run::question::{
    Answer, Column, Failure as Refused, Moment, Question, Relation, RelationColumn, Rows, RowsQuestion, SECONDS_MAX,
    SentQuestion,
};
use dvt_log::Log;
use dvt_runtime::CancellationToken;
use dvt_store::preview::{self, Preview};
use dvt_store::{Store, blob};
use tokio::task::JoinSet;

use crate::bridge::{Rendering, Sql, Text, render};
use crate::cte;
use crate::project::{self, Loaded, Versions};
use crate::targets::{self, Canceller, Error, Fault, Session, Targets};
use crate::task::{Failure, THREAD};

/// How often new questions are looked for.
const POLL: Duration = Duration::from_millis(50);
/// How often previews whose life is over are deleted.
const SWEEP: Duration = Duration::from_secs(60);
/// How many questions one process answers at once.
const PARALLEL: usize = 4;
/// How long a question may take in all; the statement's own limit is shorter.
const TIMEOUT: Duration = Duration::from_secs(SECONDS_MAX + 5);
/// How long an executor that died keeps its question from others.
const PATIENCE: Duration = Duration::from_secs(SECONDS_MAX + 15);

/// Answers previews for this service.
#[derive(Clone)]
pub(crate) struct Previews {
    pub(crate) log: Log,
    pub(crate) store: Store,
    pub(crate) targets: Targets,
}

impl Previews {
    /// Answers until shutdown.
    ///
    /// # Errors
    /// Never: a database that does not answer is waited for.
    pub(crate) async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut working = JoinSet::new();
        let mut sweep = tokio::time::interval(SWEEP);
        while !shutdown.is_cancelled() {
            while working.try_join_next().is_some() {}
            let claimed = if working.len() < PARALLEL { self.claim().await } else { None };
            if let Some(preview) = claimed {
                working.spawn(self.clone().attend(preview));
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(POLL) => {}
                _ = sweep.tick() => self.sweep().await,
            }
        }
        Ok(())
    }

    async fn claim(&self) -> Option<Preview> {
        let claimed = match self.store.acquire().await {
            Ok(mut connection) => preview::claim(&mut connection, PATIENCE).await,
            Err(error) => Err(error),
        };
        claimed.unwrap_or_else(|error| {
            tracing::debug!(%error, "could not claim a preview");
            None
        })
    }

    async fn sweep(&self) {
        let swept = match self.store.acquire().await {
            Ok(mut connection) => preview::sweep(&mut connection).await,
            Err(error) => Err(error),
        };
        if let Err(error) = swept {
            tracing::warn!(%error, "could not delete old previews");
        }
    }

    async fn attend(self, preview: Preview) {
        let begun = Instant::now();
        let answer = match serde_json::from_slice(&preview.request) {
            Ok(question) => self.answer(ProjectId::new(preview.project_id), question).await,
            Err(error) => Ok(Err(Failure::new("QUESTION_INVALID", error.to_string()))),
        };
        let duration_us = i64::try_from(begun.elapsed().as_micros()).unwrap_or(i64::MAX);
        let answer = match answer {
            Ok(Ok(Answer::Rows(rows))) => Answer::Rows(Rows { duration_us, ..rows }),
            Ok(Ok(Answer::Relation(relation))) => Answer::Relation(Relation { duration_us, ..relation }),
            Ok(Ok(Answer::Connected { server, .. })) => Answer::Connected { server, duration_us },
            Ok(Ok(Answer::Failed(failure))) => Answer::Failed(failure),
            Ok(Err(failure)) => refused(failure, duration_us),
            Err(error) => {
                tracing::warn!(preview = %preview.preview_id, error = format!("{error:#}"), "could not answer a preview");
                refused(Failure::new("INTERNAL", "the preview stopped unexpectedly; try again"), duration_us)
            }
        };
        let bytes = serde_json::to_vec(&answer).expect("invariant: an answer is JSON");
        let kept = match self.store.acquire().await {
            Ok(mut connection) => preview::finish(&mut connection, preview.preview_id, &bytes).await,
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            tracing::warn!(preview = %preview.preview_id, %error, "could not keep the answer to a preview");
        }
    }

    async fn answer(&self, project_id: ProjectId, question: Question) -> anyhow::Result<Result<Answer, Failure>> {
        match question {
            Question::Connection { target, database } => Ok(self.connection(&target, &database).await),
            Question::Rows(question) => {
                let opened = self.open((project_id, &question.moment)).await?;
                let (project, session) = match opened {
                    Ok(opened) => opened,
                    Err(failure) => return Ok(Err(failure)),
                };
                in_time(session.canceller(), read(project, session, &question)).await
            }
            Question::Columns(question) => {
                let opened = self.open((project_id, &question.moment)).await?;
                let (project, mut session) = match opened {
                    Ok(opened) => opened,
                    Err(failure) => return Ok(Err(failure)),
                };
                let canceller = session.canceller();
                let columns = async { Ok(columns(&project, session.as_mut(), &question.unique_id).await) };
                in_time(canceller, columns).await
            }
            Question::Sent(question) => self.sent(project_id, &question).await,
        }
    }

    async fn sent(&self, project_id: ProjectId, asked: &SentQuestion) -> anyhow::Result<Result<Answer, Failure>> {
        let mut connection = self.store.acquire().await?;
        let project =
            self.log.load_version::<Project>(&mut connection, project_id.uuid(), asked.project_version).await?.state;
        let sql = blob::find(&mut connection, &asked.sql.0).await?.context("the SQL of a step is stored")?;
        drop(connection);
        let environment = match project::environment(&project, &asked.environment) {
            Ok(environment) => environment,
            Err(fault) => return Ok(Err(fault.into())),
        };
        let mut session = match self.session(&environment.target).await {
            Ok(session) => session,
            Err(failure) => return Ok(Err(failure)),
        };
        let canceller = session.canceller();
        let rows = async {
            let rows = session.read(&String::from_utf8_lossy(&sql), Some(asked.limit)).await;
            Ok(rows.map(shown).map_err(|error| failure(error, None)))
        };
        in_time(canceller, rows).await
    }

    async fn connection(&self, target: &str, database: &str) -> Result<Answer, Failure> {
        let tested = async {
            let server = self.targets.find(target)?.connect().await?.describe().await?;
            server.check_database(database)?;
            server.check_rights()?;
            Ok(Answer::Connected { server: server.version, duration_us: 0 })
        };
        tested.await.map_err(|error: Error| failure(error, None))
    }

    /// Loads a project and opens a session of its target. The inner error: there is none.
    async fn open(
        &self,
        (project_id, moment): (ProjectId, &Moment),
    ) -> anyhow::Result<Result<(Arc<Loaded>, Box<dyn Session>), Failure>> {
        let versions = Versions {
            project_id,
            project_version: moment.project_version,
            branch_id: moment.branch_id,
            branch_version: moment.branch_version,
            environment: &moment.environment,
        };
        let project = match project::load(&self.log, &mut *self.store.acquire().await?, versions).await? {
            Ok(project) => project,
            Err(fault) => return Ok(Err(fault.into())),
        };
        Ok(self.session(&project.environment.target).await.map(|session| (project, session)))
    }

    async fn session(&self, target: &str) -> Result<Box<dyn Session>, Failure> {
        let target = self.targets.find(target)?;
        target.connect_to_read().await.map_err(|error| failure(error, None))
    }
}

/// Waits for an answer as long as a question may take.
async fn in_time(
    canceller: Arc<dyn Canceller>,
    answer: impl Future<Output = anyhow::Result<Result<Answer, Failure>>>,
) -> anyhow::Result<Result<Answer, Failure>> {
    match tokio::time::timeout(TIMEOUT, answer).await {
        Ok(answered) => answered,
        Err(_) => {
            canceller.cancel().await;
            Ok(Err(Failure::new("PREVIEW_TIMEOUT", format!("the preview took longer than {SECONDS_MAX} s"))))
        }
    }
}

/// Answers the columns that the target has for a node.
async fn columns(project: &Loaded, session: &mut dyn Session, unique_id: &str) -> Result<Answer, Failure> {
    let node = project.parsed.find(unique_id).ok_or_else(|| not_found(unique_id))?;
    let name = project.relation(node);
    let found = async {
        let kind = session.relation(&name).await?;
        let columns = if kind.is_some() { session.columns(&name).await? } else { Vec::new() };
        Ok((kind, columns))
    };
    let (kind, columns) = found.await.map_err(|error: Error| failure(error, None))?;
    let column = |column: targets::Column| {
        let targets::Column { name, ddl_type, is_nullable, .. } = column;
        RelationColumn { name, r#type: ddl_type, is_nullable }
    };
    Ok(Answer::Relation(Relation {
        schema: name.schema,
        name: name.identifier,
        kind: kind.map(|kind| kind.as_str().to_owned()),
        columns: columns.into_iter().map(column).collect(),
        duration_us: 0,
    }))
}

fn not_found(unique_id: &str) -> Failure {
    Failure::new("NODE_NOT_FOUND", format!("there is no node {unique_id} in this version"))
}

async fn read(
    project: Arc<Loaded>,
    session: Box<dyn Session>,
    question: &RowsQuestion,
) -> anyhow::Result<Result<Answer, Failure>> {
    let rendering = match rendering(&project, question) {
        Ok(rendering) => rendering,
        Err(failure) => return Ok(Err(failure)),
    };
    let (mut session, rendered) = render(rendering, session).await?;
    let sql = match rendered {
        Ok(sql) => sql,
        Err(diagnostic) => return Ok(Err(diagnostic.into())),
    };
    let statement = match &question.cte {
        None => sql.text.clone(),
        Some(name) => match cte::select(&sql.text, name) {
            Some(statement) => statement,
            None => return Ok(Err(Failure::new("CTE_NOT_FOUND", format!("the statement has no CTE `{name}`")))),
        },
    };
    let rows = session.read(&statement, Some(question.limit)).await;
    Ok(rows.map(shown).map_err(|error| failure(error, Some((&project, &sql)))))
}

fn shown(rows: targets::Rows) -> Answer {
    let columns = rows.columns.into_iter().map(|(name, r#type)| Column { name, r#type }).collect();
    Answer::Rows(Rows { columns, rows: rows.rows, truncated: rows.truncated, duration_us: 0 })
}

/// Says what is rendered to be read.
fn rendering(project: &Arc<Loaded>, question: &RowsQuestion) -> Result<Rendering, Failure> {
    let unique_id = match &question.unique_id {
        Some(unique_id) => unique_id.clone(),
        None => format!("analysis.{}.dvt_preview", project.parsed.name()),
    };
    let node = project.parsed.find(&unique_id);
    if node.is_none() && question.unique_id.is_some() {
        return Err(not_found(&unique_id));
    }
    let text = question.sql.clone().or_else(|| node.and_then(all_of));
    Ok(Rendering {
        project: project.clone(),
        text: text.map(|sql| Text { sql, strict: false }),
        // The whole model is looked at, not what a next run would add to it.
        hidden: node.map(|node| project.relation(node)),
        unit: None,
        unique_id,
        values: RunValues {
            invocation_id: uuid::Uuid::now_v7().to_string(),
            started_at: chrono::Utc::now().to_rfc3339(),
            thread_id: THREAD.to_owned(),
            selected: node.map(|node| node.unique_id.clone()).into_iter().collect(),
            which: "show".to_owned(),
            full_refresh: false,
        },
    })
}

/// Writes the query for all rows of what has no SQL of its own.
fn all_of(node: &Node) -> Option<String> {
    match (node.resource_type, &node.source_name) {
        (ResourceType::Source, Some(source)) => {
            Some(format!("select * from {{{{ source('{source}', '{}') }}}}", node.name))
        }
        (ResourceType::Seed, _) => Some(format!("select * from {{{{ ref('{}') }}}}", node.name)),
        _ => None,
    }
}

fn failure(error: Error, sql: Option<(&Loaded, &Sql)>) -> Failure {
    match (error, sql) {
        (Error::Refused(refusal) | Error::Busy(refusal), _) if refusal.is_timeout() => {
            Failure::new("PREVIEW_TIMEOUT", format!("the statement took longer than {SECONDS_MAX} s"))
        }
        (Error::Refused(refusal) | Error::Busy(refusal), Some((project, sql))) => {
            Failure::refused(refusal, project, sql)
        }
        (Error::Refused(refusal) | Error::Busy(refusal), None) => {
            Failure { sqlstate: Some(refusal.sqlstate), ..Failure::new("DATABASE_ERROR", refusal.message) }
        }
        (Error::Fault(Fault { code, message }), _) => Failure::new(code, message),
        (error @ (Error::Unreachable(_) | Error::Lost(_)), _) => Failure::new("TARGET_UNREACHABLE", error.to_string()),
        (error @ (Error::Cancelled | Error::Committed), _) => Failure::new("DATABASE_CANCELLED", error.to_string()),
    }
}

fn refused(failure: Failure, duration_us: i64) -> Answer {
    let Failure { code, message, sqlstate, place, failures: _ } = failure;
    Answer::Failed(Refused { code, message, sqlstate, place, duration_us })
}
