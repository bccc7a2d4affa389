//! What a page shows before something is done: origins of configs, previews of edits, plans, diffs, names, who is here.

use serde_json::{Value, json};
use uuid::Uuid;

use super::server::Server;

const LINES: &str = "model.night_trains.stg_rail__lines";

fn find<'a>(list: &'a Value, key: &str, wanted: &str) -> &'a Value {
    let found = list.as_array().into_iter().flatten().find(|item| item[key] == wanted);
    found.unwrap_or_else(|| panic!("no {key} {wanted} in {list}"))
}

async fn edit(server: &Server, project: &str, command: Value) -> Value {
    let item = json!({"idempotency_key": Uuid::now_v7(), "base_version": 1, "command": command});
    server.post(&format!("{project}/commands"), json!({"commands": [item]})).await["results"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn says_where_a_config_was_set_and_where_another_value_would_be_written() {
    let server = Server::start("gateway_origins").await;
    let project = server.sample().await;
    let node = server.get(&format!("{project}/nodes/{LINES}")).await;
    let materialized = find(&node["config"], "key", "materialized");
    assert_eq!(
        (&materialized["layer"], &materialized["place"]["path"]),
        (&json!("dbt_project.yml"), &json!("dbt_project.yml"))
    );
    assert!(materialized["nodes"].as_u64().unwrap() > 1, "{materialized}");
    assert_eq!(find(&node["config"], "key", "enabled")["layer"], "default");

    let intent =
        json!({"type": "configure", "unique_id": LINES, "key": "materialized", "value": "table", "place": "folder"});
    let preview = server.post(&format!("{project}/preview/edit"), intent).await;
    assert_eq!(preview["files"][0]["path"], "dbt_project.yml");
    assert_eq!(preview["files"][0]["hunks"][0]["line"], materialized["place"]["line"]);
    assert_eq!(server.get(&project).await["version"], 1, "nothing is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_a_run_without_asking_for_it() {
    let server = Server::start("gateway_plan").await;
    let project = server.sample().await;
    let plan = server.get(&format!("{project}/plan?select=%2Bstg_rail__lines")).await;
    let ids: Vec<_> = plan["steps"].as_array().unwrap().iter().map(|step| &step["unique_id"]).collect();
    assert!(ids.iter().position(|id| **id == "seed.night_trains.raw_lines") < ids.iter().position(|id| **id == LINES));
    let step = find(&plan["steps"], "unique_id", LINES);
    assert_eq!((&step["reason"], &step["usual_ms"]), (&json!("selected by `+stg_rail__lines`"), &Value::Null));
    assert_eq!((&plan["expected_ms"], &plan["threads"]), (&Value::Null, &json!(4)));
    assert!(server.get(&format!("{project}/runs")).await["runs"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn compares_two_versions_file_by_file() {
    let server = Server::start("gateway_diff").await;
    let project = server.sample().await;
    edit(&server, &project, json!({"type": "add_file", "path": "models/new.sql", "text": "select 1\n"})).await;
    let diff = server.get(&format!("{project}/diff?from_version=1")).await;
    let file = json!({"path": "models/new.sql", "change": "added", "added": 1, "removed": 0});
    let found = &diff["files"][0];
    assert_eq!(
        json!({"path": found["path"], "change": found["change"], "added": found["added"], "removed": found["removed"]}),
        file
    );
    assert!(found["unified"].as_str().unwrap().contains("+select 1"), "{found}");
    let all = server.get(&format!("{project}/diff?from_version=0&at_version=1")).await;
    assert!(all["files"].as_array().unwrap().iter().all(|file| file["change"] == "added"));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_what_an_editor_completes() {
    let server = Server::start("gateway_names").await;
    let project = server.sample().await;
    let names = server.get(&format!("{project}/names")).await;
    assert_eq!(names["macros"][0]["package"], "night_trains");
    assert!(names["macros"][0]["place"]["path"].as_str().unwrap().starts_with("macros/"));
    assert_eq!(find(&names["tests"], "name", "relationships")["arguments"], json!(["to", "field"]));
    assert!(names["columns"][LINES].as_array().is_some_and(|columns| !columns.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn says_who_else_is_here_and_on_which_node() {
    let server = Server::start("gateway_presence").await;
    let project = server.sample().await;
    let address = format!("{project}/presence");
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    let alone = server.post(&address, json!({"session_id": one, "unique_id": LINES})).await;
    assert_eq!(alone, json!({"others": []}));
    let both = server.post(&address, json!({"session_id": other})).await;
    assert_eq!(both["others"][0]["unique_id"], LINES);
    assert_eq!(both["others"][0]["session_id"], one.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_only_one_category_of_a_history() {
    let server = Server::start("gateway_history_of").await;
    let project = server.sample().await;
    edit(&server, &project, json!({"type": "add_file", "path": "models/new.sql", "text": "select 1\n"})).await;
    let page = server.get(&format!("{project}/history?category=branch&steps=false&limit=1")).await;
    assert_eq!(page["events"][0]["category"], "branch");
    let of_runs = server.get(&format!("{project}/history?category=run")).await;
    assert_eq!(of_runs["events"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_without_arguments_has_an_empty_object() {
    let server = Server::start("gateway_arguments").await;
    let project = server.sample().await;
    let graph = server.get(&format!("{project}/graph")).await;
    for node in graph["nodes"].as_array().unwrap().iter().filter(|node| node["tests"] != json!([])) {
        let detail = server.get(&format!("{project}/nodes/{}", node["unique_id"].as_str().unwrap())).await;
        let of_columns =
            detail["columns"].as_array().unwrap().iter().flat_map(|column| column["tests"].as_array().unwrap());
        for test in detail["node_tests"].as_array().unwrap().iter().chain(of_columns) {
            assert!(test["arguments"].is_object(), "{test}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn compresses_answers_but_not_the_stream_of_events() {
    let server = Server::start("gateway_gzip").await;
    let project = server.sample().await;
    for (address, encoding) in [("graph", Some("gzip")), ("stream?after=0", None)] {
        let mut request = super::server::get(&format!("{project}/{address}"));
        request.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
        let response = server.open(request).await;
        let found = response.headers().get("content-encoding").map(|value| value.to_str().unwrap());
        assert_eq!(found, encoding, "{address}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn finds_the_lines_in_which_a_text_stands() {
    let server = Server::start("gateway_search").await;
    let project = server.sample().await;
    let found = server.get(&format!("{project}/search?text=REF('fct_bookings')&limit=2")).await;
    assert_eq!((found["lines"].as_array().unwrap().len(), &found["truncated"]), (2, &json!(true)));
    assert!(found["lines"][0]["text"].as_str().unwrap().contains("ref('fct_bookings')"), "{found}");
    assert!(found["lines"][0]["line"].as_u64().unwrap() > 0);
}
