//! One attempt at a step, from its session to its outcome.

use std::pin::pin;
use std::time::{Duration, Instant};

use dvt_domain::run::verdict::{self, Next};
use dvt_domain::run::{Backend, Command, Event, StepCancelled, StepFailed, StepNotStarted, StepStarted, StepSucceeded};
use dvt_store::blob;

use crate::bridge::Sql;
use crate::step::{PAUSE, Steps};
use crate::step_log::StepLog;
use crate::targets::{Built, Counted, Error, Notices, Rows, Session, Test};
use crate::task::{Failure, Kind, Task};

/// How often the log of a step that is under way is written.
const LOG_EVERY: Duration = Duration::from_millis(500);

/// Is what a step did.
enum Done {
    Built(Built),
    /// With the rows that the test found.
    Tested(Verdict, i64),
    /// The rows of a unit test that are one side's only.
    Compared(Rows),
}

/// Is one attempt at a step.
pub(crate) struct Try<'a> {
    steps: &'a Steps,
    unique_id: &'a str,
    attempt: i32,
    begun: Instant,
    log: StepLog,
}

impl<'a> Try<'a> {
    pub(crate) fn new(steps: &'a Steps, unique_id: &'a str, attempt: i32) -> Self {
        let log = StepLog::new(&steps.store, steps.stream.request().stream_id, unique_id, attempt);
        Self { steps, unique_id, attempt, begun: Instant::now(), log }
    }

    /// Makes the attempt, from its session to its outcome.
    ///
    /// # Errors
    /// When the log or the artifact fails, or another executor drives the run.
    pub(crate) async fn make(&self) -> anyhow::Result<()> {
        let session = match self.steps.sessions.take().await {
            Ok(session) => session,
            Err(error) => {
                self.started(None, None).await?;
                return self.ended(Err(error), &Sql::default()).await;
            }
        };
        let canceller = session.canceller();
        let making = self.steps.maker.task(session, self.unique_id);
        let (mut session, task) = self.steps.watched(&*canceller, making).await?;
        if self.steps.is_ending() {
            return Ok(());
        }
        let backend = Some(session.backend());
        let task = match task {
            Ok(task) => task,
            Err(failure) => {
                self.started(backend, None).await?;
                return self.failed(failure).await;
            }
        };
        self.started(backend, task.text()).await?;
        fail::fail_point!("executor.intended");
        let notices = session.notices();
        let sent = self.steps.watched(&*canceller, self.send(session.as_mut(), &task));
        let done = self.logged(&notices, sent).await;
        match &done {
            // Nobody cancels what it does next.
            Ok(_) if !self.steps.is_ending() => self.steps.sessions.leave(session),
            _ => drop(session),
        }
        fail::fail_point!("executor.committed");
        self.ended(done, &task.sql).await
    }

    /// Waits for work on a session, and logs what its server says meanwhile.
    async fn logged<T>(&self, notices: &Notices, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            let done = tokio::time::timeout(LOG_EVERY, &mut work).await;
            notices.take().iter().for_each(|notice| self.log.add("info", notice));
            match done {
                Ok(done) => return done,
                Err(_) => self.log.flush().await,
            }
        }
    }

    /// Commits the intent before anything is sent.
    pub(crate) async fn started(&self, backend: Option<Backend>, sql: Option<String>) -> anyhow::Result<()> {
        let sql = match sql {
            Some(text) => {
                let hashes = blob::put(&mut *self.steps.store.acquire().await?, &[text.as_bytes()]).await?;
                hashes.first().copied().map(dvt_dbt::tree::Sha256)
            }
            None => None,
        };
        let unique_id = self.unique_id.to_owned();
        self.append(Event::StepStarted(StepStarted { unique_id, attempt: self.attempt, backend, sql })).await
    }

    async fn send(&self, session: &mut dyn Session, task: &Task) -> Result<Done, Error> {
        match &task.kind {
            Kind::Build(work) => {
                let key = self.steps.stream.key(self.unique_id, self.attempt);
                session.build(&key, work).await.map(Done::Built)
            }
            Kind::Unit(test) => session.unit_test(test).await.map(Done::Compared),
            Kind::Test(test, warns) => {
                let counted = session.test(test).await?;
                Ok(Done::Tested(verdict(&counted, test, *warns), counted.failures))
            }
        }
    }

    /// Says how the attempt ended, as far as that is known.
    async fn ended(&self, done: Result<Done, Error>, sql: &Sql) -> anyhow::Result<()> {
        let error = match done {
            Ok(Done::Built(built)) => return self.succeeded(built, false, None).await,
            Ok(Done::Tested(verdict, failures)) => return self.tested(verdict, failures).await,
            Ok(Done::Compared(rows)) => return self.tested(compared(&rows), rows.rows.len() as i64).await,
            Err(error) => error,
        };
        match verdict::next(error.known(), self.steps.standing(self.unique_id)) {
            Next::Leave => Ok(()),
            Next::Cancel => {
                self.log.add("warn", "cancelled");
                self.log.flush().await;
                self.append(Event::StepCancelled(StepCancelled { unique_id: self.unique_id.to_owned() })).await
            }
            Next::Fail => self.failed(self.failure(error, sql)).await,
            Next::TryAgain => self.again(self.failure(error, sql)).await,
            Next::Ask => {
                self.log.add("warn", &format!("{error}; what was committed is read from the target"));
                self.log.flush().await;
                self.steps.reconciler.unknown(self.unique_id, self.attempt, error.to_string()).await?;
                self.steps.reconcile(self.unique_id).await
            }
        }
    }

    fn failure(&self, error: Error, sql: &Sql) -> Failure {
        match error {
            Error::Refused(refusal) | Error::Busy(refusal) => {
                let project = &self.steps.maker.project;
                let set_at = |key| project.parsed.origin(self.unique_id, key)?.place;
                let of_config = refusal.config.and_then(set_at);
                let failure = Failure::refused(refusal, project, sql);
                Failure { place: failure.place.clone().or(of_config), ..failure }
            }
            Error::Fault(fault) => fault.into(),
            Error::Cancelled => Failure::new("DATABASE_CANCELLED", "someone cancelled the statement in the database"),
            Error::Unreachable(message) => Failure::new("TARGET_UNREACHABLE", message),
            Error::Lost(_) | Error::Committed => Failure::new("TARGET_LOST", error.to_string()),
        }
    }

    async fn tested(&self, verdict: Verdict, failures: i64) -> anyhow::Result<()> {
        let passed = |message: String| Built { rows: None, message };
        match verdict {
            Verdict::Pass => self.succeeded(passed("PASS".to_owned()), false, Some(failures)).await,
            Verdict::Warn => self.succeeded(passed(format!("WARN {failures}")), true, Some(failures)).await,
            Verdict::Fail(message) => {
                self.failed(Failure { failures: Some(failures), ..Failure::new("TEST_FAILED", message) }).await
            }
        }
    }

    async fn succeeded(&self, built: Built, warned: bool, failures: Option<i64>) -> anyhow::Result<()> {
        self.log.add(if warned { "warn" } else { "info" }, &built.message);
        self.log.flush().await;
        self.append(Event::StepSucceeded(StepSucceeded {
            unique_id: self.unique_id.to_owned(),
            attempt: self.attempt,
            rows: built.rows,
            message: built.message,
            warned,
            failures,
            duration_us: self.duration_us(),
        }))
        .await
    }

    /// Ends the attempt without effect, for good.
    pub(crate) async fn failed(&self, failure: Failure) -> anyhow::Result<()> {
        let place = failure.place.as_ref();
        let place = place.map_or_else(String::new, |place| format!(" ({}:{})", place.path, place.line));
        self.log.add("error", &format!("{}: {}{place}", failure.code, failure.message));
        self.log.flush().await;
        self.append(Event::StepFailed(StepFailed {
            unique_id: self.unique_id.to_owned(),
            attempt: self.attempt,
            code: failure.code,
            message: failure.message,
            sqlstate: failure.sqlstate,
            place: failure.place,
            failures: failure.failures,
            duration_us: self.duration_us(),
        }))
        .await
    }

    /// Leaves the step to another attempt, as nothing was committed.
    async fn again(&self, failure: Failure) -> anyhow::Result<()> {
        self.log.add("warn", &format!("{}: {}; trying again", failure.code, failure.message));
        self.log.flush().await;
        let (unique_id, attempt, message) = (self.unique_id.to_owned(), self.attempt, failure.message);
        self.append(Event::StepNotStarted(StepNotStarted { unique_id, attempt, message })).await?;
        // Two that waited for each other shall not meet again.
        let jitter = self.unique_id.bytes().map(u32::from).sum::<u32>() % 100;
        let pause = PAUSE * self.attempt.unsigned_abs() + Duration::from_millis(u64::from(jitter));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.steps.lost.cancelled() => {}
            () = self.steps.cancel.cancelled() => {}
        }
        Ok(())
    }

    async fn append(&self, event: Event) -> anyhow::Result<()> {
        Ok(self.steps.stream.append(Command::Step(event)).await.map(drop)?)
    }

    fn duration_us(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

/// Is what a test comes to.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Pass,
    Warn,
    Fail(String),
}

/// Judges what a test found, as dbt does: an error only where its severity allows one.
fn verdict(counted: &Counted, test: &Test, warns: bool) -> Verdict {
    let results = if counted.failures == 1 { "result" } else { "results" };
    match (counted.should_error && !warns, counted.should_warn) {
        (true, _) => {
            Verdict::Fail(format!("got {} {results}, configured to fail if {}", counted.failures, test.error_if))
        }
        (false, true) => Verdict::Warn,
        (false, false) => Verdict::Pass,
    }
}

/// Judges a unit test: every row that is one side's only is shown.
fn compared(rows: &Rows) -> Verdict {
    if rows.rows.is_empty() {
        return Verdict::Pass;
    }
    let line = |cells: Vec<String>| cells.join(" | ");
    let head = line(rows.columns.iter().map(|(name, _)| name.clone()).collect());
    let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "null".to_owned());
    let body = rows.rows.iter().map(|row| line(row.iter().map(cell).collect()));
    let more = if rows.truncated { "\n..." } else { "" };
    let shown = [head].into_iter().chain(body).collect::<Vec<_>>().join("\n");
    Verdict::Fail(format!("the rows are not those that are expected\n{shown}{more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(failures: i64, (should_warn, should_error): (bool, bool), warns: bool) -> Verdict {
        let test = Test {
            sql: String::new(),
            fail_calc: "count(*)".into(),
            warn_if: "!= 0".into(),
            error_if: "> 10".into(),
            limit: None,
            stored: None,
        };
        verdict(&Counted { failures, should_warn, should_error }, &test, warns)
    }

    #[test]
    fn judges_tests_as_dbt_does() {
        let failed = Verdict::Fail("got 11 results, configured to fail if > 10".into());
        assert_eq!(judged(11, (true, true), false), failed);
        assert_eq!(judged(11, (true, true), true), Verdict::Warn);
        assert_eq!(judged(3, (true, false), false), Verdict::Warn);
        assert_eq!(judged(0, (false, false), false), Verdict::Pass);
        assert_eq!(judged(11, (false, true), true), Verdict::Pass);
    }
}
