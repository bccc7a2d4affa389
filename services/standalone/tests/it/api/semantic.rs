//! Semantic edits: each goes through the API into the log and out of it again.

use serde_json::{Value, json};
use uuid::Uuid;

use super::server::Server;

const FILE: &str = "models/marts/operations/_operations__models.yml";
const NIGHTS: &str = "model.night_trains.rpt_nights";

async fn apply(server: &Server, project: &str, (base_version, command): (i64, &Value)) -> Value {
    let command = json!({"idempotency_key": Uuid::now_v7(), "base_version": base_version, "command": command});
    let answer = server.post(&format!("{project}/commands"), json!({"commands": [command]})).await;
    answer["results"][0].clone()
}

/// Lists commands, the events that record them, the paths of the files that they change, and a line that they add.
fn commands() -> Vec<(Value, &'static str, &'static str, &'static str)> {
    vec![
        (
            json!({"type": "describe_node", "unique_id": NIGHTS, "text": "Off: by night."}),
            "NodeDescribed",
            FILE,
            "+    description: \"Off: by night.\"",
        ),
        (
            json!({"type": "describe_column", "unique_id": NIGHTS, "column": "night_date", "text": "The evening."}),
            "ColumnDescribed",
            FILE,
            "+        description: The evening.",
        ),
        (
            json!({"type": "declare_columns", "unique_id": NIGHTS, "columns": [{"name": "night_date", "data_type": "date"}, {"name": "boats"}]}),
            "ColumnsDeclared",
            FILE,
            "+        data_type: date",
        ),
        (
            json!({"type": "add_test", "unique_id": NIGHTS, "column": "trains", "test": "not_null", "config": {"severity": "warn"}}),
            "TestAdded",
            FILE,
            "+          - not_null:",
        ),
        (
            json!({"type": "configure", "unique_id": NIGHTS, "key": "tags", "value": ["nightly"]}),
            "NodeConfigured",
            "models/marts/operations/rpt_nights.sql",
            "nightly",
        ),
        (
            json!({"type": "declare_source", "source": "weather", "tables": ["storms"]}),
            "SourceDeclared",
            "models/staging/weather/_weather__sources.yml",
            "+      - name: storms",
        ),
        (
            json!({"type": "add_node", "name": "stg_weather__storms", "from": ["source.night_trains.weather.storms"]}),
            "NodeAdded",
            "models/staging/weather/stg_weather__storms.sql",
            "+    select * from {{ source('weather', 'storms') }}",
        ),
        (
            json!({"type": "connect", "from": "model.night_trains.stg_weather__storms", "to": NIGHTS}),
            "NodeConnected",
            "models/marts/operations/rpt_nights.sql",
            "{{ ref('stg_weather__storms') }}",
        ),
        (
            json!({"type": "disconnect", "from": "model.night_trains.stg_weather__storms", "to": NIGHTS}),
            "NodeDisconnected",
            "models/marts/operations/rpt_nights.sql",
            "{{ ref('stg_weather__storms') }}",
        ),
        (
            json!({"type": "rename_node", "unique_id": NIGHTS, "to": "rpt_all_nights"}),
            "NodeRenamed",
            FILE,
            "+  - name: rpt_all_nights",
        ),
        (
            json!({"type": "remove_node", "unique_id": "model.night_trains.stg_weather__storms"}),
            "NodeRemoved",
            "models/staging/weather/stg_weather__storms.sql",
            "-select * from final",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_intent_becomes_its_event_and_changes_its_file() {
    let server = Server::start("gateway_semantic").await;
    let project = server.sample().await;
    let mut version = 1;
    for (command, event_type, path, line) in commands() {
        let result = apply(&server, &project, (version, &command)).await;
        version += 1;
        assert_eq!(result["version"], version, "{command}: {result}");
        let event = server.get(&format!("{project}/history/{}", result["event_id"].as_str().unwrap())).await;
        assert_eq!(event["type"], event_type, "{event}");
        let diff = event["diff"].as_array().unwrap().iter().find(|file| file["path"] == path);
        let unified = diff.unwrap_or_else(|| panic!("{path} is not changed: {event}"))["unified"].as_str().unwrap();
        assert!(unified.contains(line), "{unified}");
        let again = apply(&server, &project, (version, &command)).await;
        assert!(again["event_id"].is_null(), "{command}: {again}");
    }
    let node = server.get(&format!("{project}/nodes/model.night_trains.rpt_all_nights")).await;
    assert_eq!(node["description"], "Off: by night.");
    let test = node["columns"].as_array().unwrap().iter().find(|column| column["name"] == "trains").unwrap();
    let removal = json!({"type": "remove_test", "unique_id": test["tests"][0]["unique_id"]});
    let result = apply(&server, &project, (version, &removal)).await;
    let event = server.get(&format!("{project}/history/{}", result["event_id"].as_str().unwrap())).await;
    assert_eq!(event["type"], "TestRemoved", "{event}");
    let of_node =
        format!("{project}/nodes/model.night_trains.rpt_all_nights/history?min_position={}", result["position"]);
    let events = server.get(&of_node).await["events"].as_array().unwrap().len();
    assert!(events >= 7, "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_is_shown_before_it_is_refused() {
    let server = Server::start("gateway_removal").await;
    let project = server.sample().await;
    let asked = json!({"unique_id": NIGHTS});
    let preview = server.post(&format!("{project}/preview/remove"), asked).await;
    assert_eq!(preview["files"][0]["is_removed"], true, "{preview}");
    assert_eq!(preview["breaks"][0]["path"], "models/marts/operations/_operations__exposures.yml", "{preview}");
    let removal = json!({"type": "remove_node", "unique_id": NIGHTS});
    let refused = apply(&server, &project, (1, &removal)).await;
    assert_eq!((&refused["status"], &refused["code"]), (&json!(422), &json!("REF_NOT_FOUND")), "{refused}");
    assert_eq!(refused["pointer"], "/commands/0/command/unique_id");
    let cycle = json!({"type": "connect", "from": NIGHTS, "to": "model.night_trains.stg_rail__lines"});
    assert!(apply(&server, &project, (1, &cycle)).await["code"].is_null());
    let back = json!({"type": "connect", "from": "model.night_trains.stg_rail__lines", "to": "model.night_trains.stg_rail__lines"});
    assert_eq!(apply(&server, &project, (2, &back)).await["code"], "EDGE_SELF");
}
