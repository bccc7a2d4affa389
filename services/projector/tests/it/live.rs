//! The running service: it follows the log, with no Kafka at all.

use std::time::Duration;

use dvt_projector::{Config, rebuild};
use dvt_runtime::CancellationToken;
use dvt_store::view::{graph, rebuild as views, run};
use dvt_store::{Role, checkpoint, event};

use crate::story::{Story, a_database, store};

#[tokio::test]
async fn follows_the_log_and_stops_when_asked() {
    let url = a_database("projector_live").await;
    let (gateway, projector) = (store(&url, Role::Gateway).await, store(&url, Role::Projector).await);
    let before = Story::new();
    before.append(&gateway).await;
    let runtime = dvt_runtime::Config { admin_addr: None, shutdown_grace: Duration::from_secs(10) };
    let config = Config { store: dvt_store::Config::of(&url), bus: dvt_bus::Config::default(), runtime };
    let shutdown = CancellationToken::new();
    let service = tokio::spawn(dvt_projector::run(config, shutdown.clone()));
    let during = Story::new();
    during.append(&gateway).await;

    let c = &mut projector.acquire().await.unwrap();
    let topics = dvt_projector::projection::TOPICS.map(|topic| topic.as_str().to_owned());
    let caught_up = async {
        while event::head(c).await.unwrap() < 36
            || !checkpoint::list_behind(c, dvt_projector::CONSUMER, &topics, Duration::ZERO).await.unwrap().is_empty()
            || !graph::list_stale(c, 1).await.unwrap().is_empty()
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), caught_up).await.expect("it catches up");
    let live = views::hashes(c).await.unwrap();
    for story in [&before, &during] {
        assert_eq!(run::find(c, story.run.uuid()).await.unwrap().unwrap().state, "finished");
    }
    rebuild(&projector).await.unwrap();
    assert_eq!(views::hashes(c).await.unwrap(), live);

    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(20), service).await.expect("it stops").unwrap().unwrap();
}
