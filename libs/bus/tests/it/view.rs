use std::time::Duration;

use dvt_bus::view::{Announcer, Wakes};
use dvt_codec::ViewAdvanced;
use dvt_runtime::CancellationToken;
use dvt_store::{Role, schema};
use uuid::Uuid;

use crate::harness::{World, until};

#[tokio::test(flavor = "multi_thread")]
async fn wakes_who_waits_for_a_view_of_the_project() {
    let world = World::start().await;
    let advanced = ViewAdvanced { projection: "graph", stream_id: Uuid::now_v7(), version: 1 };
    let ours = dvt_codec::schema::find("dvt.view.ViewAdvanced").expect("a schema");
    let known = schema::Schema { fingerprint: ours.fingerprint.0, name: ours.name.clone(), text: ours.text.into() };
    let mut connection = world.store.acquire().await.expect("a connection");
    schema::put(&mut connection, &[known]).await.expect("the schema is kept");
    drop(connection);
    let shutdown = CancellationToken::new();
    let (wakes, listening) = Wakes::new(&world.config, shutdown.clone());
    let relay = world.store_as(Role::Relay).await;
    let (announcer, announcing) = Announcer::new(&world.config, &relay, shutdown.clone());
    let tasks = [tokio::spawn(listening), tokio::spawn(announcing)];

    let (mut ours, mut others) = (wakes.subscribe(), wakes.subscribe());
    until("it is woken", async || {
        announcer.announce(world.project_id, advanced);
        tokio::time::timeout(Duration::from_millis(100), ours.woken(world.project_id)).await.is_ok()
    })
    .await;
    let other = tokio::time::timeout(Duration::from_millis(100), others.woken(Uuid::now_v7())).await;
    assert!(other.is_err(), "nothing was said of another project");

    shutdown.cancel();
    for task in tasks {
        task.await.expect("it ends").expect("it does not fail");
    }
}
