//! Every metric of DVT+: its name, its labels, what it says. `observability/README.md` has the same list; a test writes it
//! there and finds every name that a dashboard or the cluster uses in here.

use super::{Counter, Description, Durations, Gauge, Kind, Sizes};

/// For what is no histogram.
const NONE: &[f64] = &[];
/// Upper bounds for what a person waits for, in seconds.
const SHORT: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds for long work, in seconds.
const LONG: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0];
/// Upper bounds for sizes of batches.
const COUNT: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

const fn count(labels: &[&str]) -> usize {
    labels.len()
}

/// Makes a constant of each metric, and the list of all of them.
macro_rules! catalogue {
    ($($constant:ident: $type:ident($buckets:expr) $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: $type<{ count(&[$($label),*]) }> = $type { name: $name, labels: [$($label),*] };
        )*
        /// Lists every metric there is.
        pub const ALL: &[Description] = &[
            $(Description {
                name: $name, kind: Kind::$type, labels: &[$($label),*], help: $help, buckets: $buckets,
            }),*
        ];
    };
}

catalogue! {
    HTTP_REQUESTS: Counter(NONE) "dvt_http_requests_total" ["method", "route", "status"]
        "Requests answered by the API.";
    HTTP_SECONDS: Durations(SHORT) "dvt_http_request_duration_seconds" ["method", "route"]
        "How long a request took until its answer began.";
    SSE_CLIENTS: Gauge(NONE) "dvt_sse_clients" []
        "Live streams that are open.";
    SSE_EVENTS: Counter(NONE) "dvt_sse_events_sent_total" []
        "Events sent to live streams.";
    PARSE_SECONDS: Durations(LONG) "dvt_parse_duration_seconds" ["reader"]
        "How long the files of a branch took to read as a project, by the gateway for an answer or by the projector for a view.";

    LOG_POSITION: Gauge(NONE) "dvt_log_position" []
        "Position of the last event of the log, as this gateway knows it.";
    APPEND_SECONDS: Durations(SHORT) "dvt_append_duration_seconds" []
        "How long one call of append_events took: all commands that waited, in one commit.";
    APPEND_COMMANDS: Sizes(COUNT) "dvt_append_batch_commands" []
        "Commands in one call of append_events.";
    APPEND_WAIT: Durations(SHORT) "dvt_append_command_duration_seconds" []
        "How long a command took from being handed to the appender to its answer.";
    APPEND_OUTCOMES: Counter(NONE) "dvt_append_commands_total" ["outcome"]
        "Commands answered by the appender: appended, duplicate, conflict, reserved or failed.";
    APPEND_EVENTS: Counter(NONE) "dvt_append_events_total" []
        "Events appended to the log.";
    DATABASE_CONNECTIONS: Gauge(NONE) "dvt_database_connections" ["role", "state"]
        "Connections of the pool to DVT+'s own database: used or idle.";
    DATABASE_ACQUIRE: Durations(SHORT) "dvt_database_acquire_duration_seconds" ["role"]
        "How long a caller waited for a connection of the pool.";

    CONSUMER_LAG: Gauge(NONE) "dvt_consumer_lag" ["consumer", "topic", "partition"]
        "Events between the head of a partition in the log and the consumer's checkpoint; counted up to 10000.";
    CONSUMER_HANDLED: Counter(NONE) "dvt_consumer_handled_total" ["consumer"]
        "Events applied.";
    CONSUMER_REFETCHED: Counter(NONE) "dvt_consumer_refetched_total" ["consumer"]
        "Events read from the log because Kafka left a gap before a record.";
    CONSUMER_DUPLICATES: Counter(NONE) "dvt_consumer_duplicates_total" ["consumer"]
        "Records dropped because they were applied before.";
    CONSUMER_UNREADABLE: Counter(NONE) "dvt_consumer_unreadable_total" ["consumer"]
        "Records that could not be decoded; the log was read instead.";
    CONSUMER_SECONDS: Durations(SHORT) "dvt_consumer_batch_duration_seconds" ["consumer"]
        "How long one batch took: lock, events, handler, checkpoint, commit.";
    CONSUMER_FAILURES: Counter(NONE) "dvt_consumer_failures_total" ["consumer"]
        "Batches that failed and are tried again.";
    CONSUMER_PARKED: Counter(NONE) "dvt_consumer_parked_total" ["consumer"]
        "Streams parked because an event could not be applied.";
    PARKED_STREAMS: Gauge(NONE) "dvt_consumer_parked_streams" ["consumer"]
        "Streams that are parked now.";

    RELAY_LEADER: Gauge(NONE) "dvt_relay_leader" []
        "1 where this process publishes the log to Kafka.";
    RELAY_PUBLISHED: Counter(NONE) "dvt_relay_published_total" ["topic"]
        "Events that Kafka has acknowledged.";
    RELAY_DELAY: Durations(SHORT) "dvt_relay_delay_seconds" []
        "From an event's commit to its acknowledgement by Kafka.";
    RELAY_HELD: Gauge(NONE) "dvt_relay_held_partitions" []
        "Partitions that wait until the registry has the id of a schema.";
    RELAY_FAILURES: Counter(NONE) "dvt_relay_failures_total" []
        "Times that the relay paused because Kafka, the registry or the database failed.";

    JOBS_LEASED: Gauge(NONE) "dvt_jobs_leased" ["kind"]
        "Jobs that this process works on.";
    JOBS_WAITING: Gauge(NONE) "dvt_jobs_waiting" ["kind"]
        "Jobs that nobody works on yet, of the whole installation.";
    JOBS_AGE: Gauge(NONE) "dvt_jobs_oldest_age_seconds" ["kind"]
        "Age of the oldest job that has not ended; for publish, how old the oldest waiting publish is.";
    JOB_SECONDS: Durations(LONG) "dvt_job_duration_seconds" ["kind"]
        "How long one attempt at a job took.";
    JOB_FAILURES: Counter(NONE) "dvt_jobs_failed_total" ["kind"]
        "Attempts at jobs that failed and are repeated.";
    LEASES_LOST: Counter(NONE) "dvt_leases_lost_total" ["lease", "cause"]
        "Leases that ended before their work: taken by another, released at shutdown, or unreachable database.";

    COMPILE_SECONDS: Durations(LONG) "dvt_compile_duration_seconds" ["outcome"]
        "How long a compilation took: compiled, failed, or reused where its artifact was stored.";
    PUBLISHES: Counter(NONE) "dvt_publishes_total" ["outcome"]
        "Publish requests answered: published or superseded.";
    PUSH_SECONDS: Durations(LONG) "dvt_push_duration_seconds" []
        "How long one push to a repository took.";

    RUNS: Counter(NONE) "dvt_runs_total" ["outcome"]
        "Runs that ended.";
    RUN_SECONDS: Durations(LONG) "dvt_run_duration_seconds" ["outcome"]
        "From a run's request to its end.";
    STEPS: Counter(NONE) "dvt_steps_total" ["outcome"]
        "Steps of runs that ended: succeeded, failed, skipped or cancelled; attempts that were not_started or unknown.";
    STEP_SECONDS: Durations(LONG) "dvt_step_duration_seconds" ["outcome"]
        "How long an attempt at a step took, from its session to its outcome.";

    READY: Gauge(NONE) "dvt_ready" ["part"]
        "1 where a part of the process is ready, 0 where /readyz says why it is not.";
    BUILD: Gauge(NONE) "dvt_build_info" ["program", "version"]
        "Always 1: which program and version a process is.";
}
