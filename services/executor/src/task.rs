//! What a node's step is to do: its SQL and hooks rendered, its config turned into work. Nothing is sent here but what
//! templates ask.

use std::sync::Arc;

use dvt_dbt::compile::custom_materialization;
use dvt_dbt::diagnostic::{Diagnostic, Place};
use dvt_dbt::jinja::RunValues;
use dvt_dbt::node::{Node, ResourceType};
use dvt_store::Store;

use crate::bridge::{Rendering, Sql, Text, render};
use crate::compiled::{Compiled, Source};
use crate::project::Loaded;
use crate::targets::{Docs, Fault, Grants, Hooks, Materialization, Name, Refusal, Session, Test, UnitTest, Work};
use crate::work::{self, Config};

/// What `thread_id` answers: dbt's name of its first.
pub(crate) const THREAD: &str = "Thread-1 (worker)";

/// Is what a step does.
pub(crate) struct Task {
    /// The node's own SQL and the way back to its files.
    pub(crate) sql: Sql,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Build(Box<Work>),
    /// A test, and whether what it finds only warns.
    Test(Test, bool),
    Unit(UnitTest),
}

impl Task {
    /// Writes all SQL of the step as one text; None for what has none, as a seed.
    pub(crate) fn text(&self) -> Option<String> {
        let Kind::Build(work) = &self.kind else { return Some(self.sql.text.clone()) };
        let hooks = |label: &str, hooks: &[String]| -> Vec<String> {
            hooks.iter().map(|sql| format!("-- {label}\n{};", sql.trim().trim_end_matches(';'))).collect()
        };
        let Hooks { inside, outside } = &work.before;
        let before = [hooks("pre-hook, before the transaction", outside), hooks("pre-hook", inside)].concat();
        let Hooks { inside, outside } = &work.after;
        let after = [hooks("post-hook", inside), hooks("post-hook, after the transaction", outside)].concat();
        let own = Some(self.sql.text.clone()).filter(|sql| !sql.is_empty());
        let parts: Vec<String> = before.into_iter().chain(own).chain(after).collect();
        (!parts.is_empty()).then(|| parts.join("\n\n"))
    }
}

/// Is why an attempt fails for good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) sqlstate: Option<String>,
    pub(crate) place: Option<Place>,
    /// The rows that a test found.
    pub(crate) failures: Option<i64>,
}

impl Failure {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), ..Self::default() }
    }

    /// Takes what the database refused; the place is that of the node's own SQL.
    pub(crate) fn refused(refusal: Refusal, project: &Loaded, sql: &Sql) -> Self {
        let place = refusal.at.and_then(|at| project.place(&sql.map, at));
        let sqlstate = Some(refusal.sqlstate).filter(|state| !state.is_empty());
        Self { sqlstate, place, ..Self::new("DATABASE_ERROR", refusal.message) }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::new(fault.code, fault.message)
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { place: diagnostic.place, ..Self::new(&diagnostic.code, diagnostic.message) }
    }
}

/// Makes tasks of a run's nodes.
pub(crate) struct Maker {
    pub(crate) store: Store,
    pub(crate) project: Arc<Loaded>,
    pub(crate) compiled: Compiled,
    pub(crate) values: RunValues,
    /// The run builds anew what it would add to.
    pub(crate) full_refresh: bool,
}

/// A session that comes back with what was made.
pub(crate) type Made<T> = anyhow::Result<(Box<dyn Session>, Result<T, Failure>)>;

/// Takes the value of an inner result, or leaves with the session and the failure.
macro_rules! or_fail {
    ($session:ident, $made:expr) => {
        match $made {
            Ok(made) => made,
            Err(failure) => return Ok(($session, Err(Failure::from(failure)))),
        }
    };
}

pub(crate) use or_fail;

impl Maker {
    /// Makes the task of a node.
    ///
    /// # Errors
    /// When the artifact cannot be read, or rendering stops unexpectedly. The inner error fails the step.
    pub(crate) async fn task(&self, session: Box<dyn Session>, unique_id: &str) -> Made<Task> {
        let Some(node) = self.project.parsed.find(unique_id) else {
            return Ok((session, Err(Failure::new("NODE_NOT_FOUND", format!("there is no node {unique_id}")))));
        };
        match node.resource_type {
            ResourceType::Model | ResourceType::Snapshot => self.relation(session, node).await,
            ResourceType::Seed => self.seed(session, node).await,
            ResourceType::Test => self.test(session, node).await,
            ResourceType::UnitTest => self.unit_test(session, node).await,
            ResourceType::Operation => self.statement(session, node).await,
            other => {
                let message = format!("running a {} is not supported yet", other.as_str().replace('_', " "));
                Ok((session, Err(Failure::new("NOT_SUPPORTED", message))))
            }
        }
    }

    async fn relation(&self, session: Box<dyn Session>, node: &Node) -> Made<Task> {
        let (session, sql) = self.sql(session, node).await?;
        let sql = or_fail!(session, sql);
        let contract = or_fail!(session, self.contract(node));
        let made = match node.resource_type {
            ResourceType::Snapshot => work::snapshot(node, sql.text.clone()),
            _ => work::model(node, (sql.text.clone(), contract), self.is_anew(node)),
        };
        let materialization = or_fail!(session, made);
        self.with_hooks(session, node, (sql, materialization)).await
    }

    async fn seed(&self, session: Box<dyn Session>, node: &Node) -> Made<Task> {
        if let Some(custom) = custom_materialization(self.project.parsed.engine(), "seed") {
            let message =
                format!("{} is built by the project's own {} in {}", node.unique_id, custom.name, custom.path);
            return Ok((session, Err(Failure::new("MATERIALIZATION_CUSTOM", message))));
        }
        let missing = || Fault::new("SEED_INVALID", format!("there is no file {}", node.original_file_path));
        let file = or_fail!(session, self.project.file(&node.original_file_path).ok_or_else(missing));
        let materialization = or_fail!(session, work::seed(node, &file.bytes, self.is_anew(node)));
        self.with_hooks(session, node, (Sql::default(), materialization)).await
    }

    async fn test(&self, session: Box<dyn Session>, node: &Node) -> Made<Task> {
        let (session, sql) = self.sql(session, node).await?;
        let sql = or_fail!(session, sql);
        let (test, warns) = or_fail!(session, work::test(node, sql.text.clone(), self.project.relation(node)));
        Ok((session, Ok(Task { sql, kind: Kind::Test(test, warns) })))
    }

    /// Makes the task of a hook of the project.
    async fn statement(&self, session: Box<dyn Session>, node: &Node) -> Made<Task> {
        let (session, sql) = self.rendered(session, node, None).await?;
        let sql = or_fail!(session, sql);
        let materialization = Materialization::Statements(sql.text.clone());
        let work = Work {
            relation: Name::new("", ""),
            materialization,
            before: Hooks::default(),
            after: Hooks::default(),
            grants: Grants::new(),
            docs: Docs::default(),
        };
        Ok((session, Ok(Task { sql, kind: Kind::Build(Box::new(work)) })))
    }

    async fn with_hooks(
        &self,
        session: Box<dyn Session>,
        node: &Node,
        (sql, materialization): (Sql, Materialization),
    ) -> Made<Task> {
        let (session, before) = self.hooks(session, node, "pre-hook").await?;
        let before = or_fail!(session, before);
        let (session, after) = self.hooks(session, node, "post-hook").await?;
        let after = or_fail!(session, after);
        let (grants, docs) = (or_fail!(session, work::grants(node)), or_fail!(session, work::docs(node)));
        let work = Work { relation: self.project.relation(node), materialization, before, after, grants, docs };
        Ok((session, Ok(Task { sql, kind: Kind::Build(Box::new(work)) })))
    }

    async fn hooks(&self, mut session: Box<dyn Session>, node: &Node, key: &str) -> Made<Hooks> {
        let mut all = Hooks::default();
        for (sql, is_inside) in or_fail!(session, work::hooks(node, key)) {
            let (back, rendered) = self.rendered(session, node, Some(Text { sql, strict: true })).await?;
            session = back;
            let rendered = or_fail!(session, rendered).text;
            if !rendered.trim().is_empty() {
                if is_inside { all.inside.push(rendered) } else { all.outside.push(rendered) }
            }
        }
        Ok((session, Ok(all)))
    }

    async fn sql(&self, session: Box<dyn Session>, node: &Node) -> Made<Sql> {
        match self.compiled.source(&self.store, &node.unique_id).await? {
            Source::Final(sql) => Ok((session, Ok(sql))),
            Source::Rendered => self.rendered(session, node, None).await,
        }
    }

    async fn rendered(&self, session: Box<dyn Session>, node: &Node, text: Option<Text>) -> Made<Sql> {
        let rendering = Rendering {
            project: self.project.clone(),
            unique_id: node.unique_id.clone(),
            text,
            values: self.values.clone(),
            hidden: self.is_anew(node).then(|| self.project.relation(node)),
            unit: None,
        };
        let (session, rendered) = render(rendering, session).await?;
        Ok((session, rendered.map_err(Failure::from)))
    }

    /// Says whether a node is built anew: its config decides where it says so, else the run.
    fn is_anew(&self, node: &Node) -> bool {
        Config(&node.config).flag("full_refresh").unwrap_or(self.full_refresh)
    }
}
