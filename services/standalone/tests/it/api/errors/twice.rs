//! B13: a request that is sent again while the first is on its way.

use super::*;

/// The lock that every append takes, as the first migration names it.
const LOCK: i64 = 6_583_924;

/// Keeps everybody from appending until it is released.
struct Held(&'static str);

impl Held {
    async fn take(database: &'static str) -> Self {
        let cluster = Cluster::temporary().await;
        let sql = format!("begin; select pg_advisory_xact_lock({LOCK}); select pg_sleep(600)");
        // It ends with an error: its session is.
        tokio::spawn(async move { cluster.execute(database, &sql).await });
        let held = Self(database);
        while held.sessions("count(*)", "granted").await != "1" {
            tokio::task::yield_now().await;
        }
        held
    }

    /// Answers what is asked of the sessions that hold the lock, or wait for it.
    async fn sessions(&self, what: &str, which: &str) -> String {
        let sql = format!(
            "select {what} from pg_locks
            where locktype = 'advisory' and {which} and objid = {LOCK}
                and database = (select oid from pg_database where datname = current_database())"
        );
        Cluster::temporary().await.query(self.0, &sql).await.unwrap()[0][0].clone().unwrap()
    }

    /// Releases the lock as soon as so many appenders wait for it.
    async fn release_for(self, waiting: &str) {
        while self.sessions("count(*)", "not granted").await != waiting {
            tokio::task::yield_now().await;
        }
        self.release().await;
    }

    async fn release(self) {
        self.sessions("count(pg_terminate_backend(pid))", "granted").await;
    }
}

fn create(key: Uuid) -> Request<Body> {
    let mut request = post("/api/v1/projects", r#"{"name": "twice", "template": "empty"}"#);
    request.headers_mut().insert("idempotency-key", key.to_string().parse().unwrap());
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_sent_twice_at_once_is_done_once_and_answered_alike() {
    let database = "gateway_twice";
    let server = Server::start(database).await;
    let beside = Server::beside(database).await;
    let held = Held::take(database).await;
    let key = Uuid::now_v7();
    let both = async { tokio::join!(server.send(create(key)), beside.send(create(key))) };
    let (both, ()) = tokio::join!(both, held.release_for("2"));
    assert_eq!(both.0, both.1, "{}", String::from_utf8_lossy(&both.1.1));
    assert_eq!(both.0.0, StatusCode::CREATED, "{}", String::from_utf8_lossy(&both.0.1));
    assert_eq!(server.get("/api/v1/projects").await["projects"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_waits_too_long_may_be_sent_again() {
    let database = "gateway_late";
    let server = Server::start(database).await;
    let held = Held::take(database).await;
    let key = Uuid::now_v7();
    let response = server.open(create(key)).await;
    assert_eq!(
        (response.status(), &response.headers()["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().unwrap())
    );
    held.release().await;
    let (status, body) = server.send(create(key)).await;
    assert_eq!(status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&body));
    assert_eq!(server.send(create(key)).await, (status, body));
    assert_eq!(server.get("/api/v1/projects").await["projects"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_runs_of_one_relation_that_are_asked_for_at_once_one_wins() {
    let database = "gateway_rivals";
    let server = Server::start(database).await;
    let beside = Server::beside(database).await;
    let files =
        [("dbt_project.yml", "name: shop"), ("models/a.sql", "select 1 as x"), ("models/b.sql", "select 1 as x")];
    let project = crate::world::imported(&server, &files).await;
    let run = |select: &str| post(&format!("{project}/runs"), &json!({"select": select}).to_string());
    let (one, other) = tokio::join!(server.send(run("a")), beside.send(run("a b")));
    let mut statuses = [one.0, other.0];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::CREATED, StatusCode::CONFLICT]);
    let (won, lost) = if one.0 == StatusCode::CREATED { (one.1, other.1) } else { (other.1, one.1) };
    let (won, lost) = (json(&won), json(&lost));
    assert_eq!((&lost["code"], &lost["run_id"]), (&json!("RUN_CONFLICT"), &won["run_id"]));
    assert_eq!(lost["relation"], "dev.a");
    let again = run("a");
    let mut repeated = run("a");
    let key = again.headers()["idempotency-key"].clone();
    repeated.headers_mut().insert("idempotency-key", key);
    let refused = server.send(again).await;
    assert_eq!((refused.0, server.send(repeated).await.0), (StatusCode::CONFLICT, StatusCode::CONFLICT));
    let test = json!({"command": "test"}).to_string();
    assert_ne!(server.send(post(&format!("{project}/runs"), &test)).await.0, StatusCode::CONFLICT);
}
