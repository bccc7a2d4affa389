//! Two gateways on one log, many clients on one project: everything once, in one order, nobody turned away.

use std::sync::Arc;

use dvt_dbt::tree::{File, Mode, Tree};
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::{Server, import, json, post, zip};

const GATEWAYS: usize = 2;
const CLIENTS: usize = 16 * GATEWAYS;
const EDITS: usize = 10;

/// Makes a project with one model a client.
fn project() -> Tree {
    let yml = ("dbt_project.yml".to_owned(), File::new(Mode::Regular, *b"name: shop\n"));
    let model = |client| (format!("models/m{client}.sql"), File::new(Mode::Regular, *b"select 0 as n"));
    Tree::from_iter((0..CLIENTS).map(model).chain([yml]))
}

/// Sends a command and answers its result.
async fn send(server: &Server, project: &str, item: &Value) -> Value {
    let (status, body) =
        server.send(post(&format!("{project}/commands"), &json!({"commands": [item]}).to_string())).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    json(&body)["results"][0].clone()
}

/// Edits one model again and again, each time on the version that the last edit made, and repeats each command at the
/// other gateway; answers the versions.
async fn edit(gateways: Arc<Vec<Server>>, project: String, client: usize) -> Vec<i64> {
    let mut versions = vec![1];
    for n in 1..=EDITS {
        let unique_id = format!("model.shop.m{client}");
        let command = json!({"type": "set_sql", "unique_id": unique_id, "sql": format!("select {n} as n")});
        let base = versions[versions.len() - 1];
        let item = json!({"idempotency_key": Uuid::now_v7(), "base_version": base, "command": command});
        let first = send(&gateways[client % GATEWAYS], &project, &item).await;
        versions.push(first["version"].as_i64().unwrap_or_else(|| panic!("client {client}, edit {n}: {first}")));
        assert_eq!(send(&gateways[(client + 1) % GATEWAYS], &project, &item).await, first);
    }
    versions.split_off(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_of_two_gateways_edit_one_project_at_once() {
    let database = "gateway_concurrent";
    let gateways = Arc::new(vec![Server::start(database).await, Server::beside(database).await]);
    let (_, report) = gateways[0].send(import(Uuid::now_v7(), zip(&project()))).await;
    let project = format!("/api/v1/projects/{}", json(&report)["project_id"].as_str().unwrap());
    let clients: Vec<_> =
        (0..CLIENTS).map(|client| tokio::spawn(edit(gateways.clone(), project.clone(), client))).collect();
    let mut versions = Vec::new();
    for client in clients {
        versions.extend(client.await.unwrap());
    }
    versions.sort_unstable();
    let last = (1 + CLIENTS * EDITS) as i64;
    assert_eq!(versions, (2..=last).collect::<Vec<_>>(), "every command once, without a gap");
    for gateway in gateways.iter() {
        let tree = gateway.get(&format!("{project}/tree?min_version={last}")).await;
        assert_eq!(tree["version"], last);
        let file = gateway.get(&format!("{project}/files/models/m{}.sql", CLIENTS - 1)).await;
        assert_eq!(file["text"], format!("select {EDITS} as n"));
    }
}
