use dvt_embedded::postgres::Cluster;
use dvt_embedded::registry::Registry;
use serde_json::{Value, json};

struct Client {
    registry: Registry,
    http: reqwest::Client,
}

impl Client {
    async fn start(database: &str) -> Self {
        let url = Cluster::temporary().await.create_database(database).await.expect("a database");
        Self { registry: Registry::start(&url).await.expect("a registry"), http: reqwest::Client::new() }
    }

    async fn post(&self, path: &str, schema: &str) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.registry.url())).json(&json!({"schema": schema}));
        let response = request.send().await.expect("an answer");
        (response.status().as_u16(), response.json().await.expect("JSON"))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let response = self.http.get(format!("{}{path}", self.registry.url())).send().await.expect("an answer");
        (response.status().as_u16(), response.json().await.expect("JSON"))
    }
}

const FIRST: &str = r#"{"type":"record","name":"Made","namespace":"dvt.x","fields":[{"name":"a","type":"string"}]}"#;
const BROKEN: &str = r#"{"type":"record","name":"Made","namespace":"dvt.x","fields":[{"name":"b","type":"string"}]}"#;

#[tokio::test]
async fn gives_one_schema_one_id() {
    let client = Client::start("registry_ids").await;
    let (status, first) = client.post("/subjects/s/versions", FIRST).await;
    assert_eq!(status, 200);
    assert_eq!(client.post("/subjects/s/versions", &FIRST.replace(':', ": ")).await.1, first);
    assert_eq!(client.post("/subjects/other/versions", FIRST).await.1, first);
    let (_, by_id) = client.get(&format!("/schemas/ids/{}?deleted=true", first["id"])).await;
    assert_eq!(by_id["schema"], FIRST);
    assert_eq!(client.get("/subjects/s/versions/latest").await.1["id"], first["id"]);
    assert_eq!(client.post("/subjects/s", FIRST).await.1["version"], 1);
    assert_eq!(client.get("/subjects").await.1, json!(["other", "s"]));
    client.registry.stop().await;
}

#[tokio::test]
async fn refuses_what_old_records_cannot_be_read_with() {
    let client = Client::start("registry_rules").await;
    client.post("/subjects/s/versions", FIRST).await;
    let put = client.http.put(format!("{}/config/s", client.registry.url()));
    put.json(&json!({"compatibility": "BACKWARD_TRANSITIVE"})).send().await.expect("an answer");
    let (status, problem) = client.post("/subjects/s/versions", BROKEN).await;
    assert_eq!((status, &problem["error_code"]), (409, &json!(409)));
    let (_, checked) = client.post("/compatibility/subjects/s/versions/latest", BROKEN).await;
    assert_eq!(checked["is_compatible"], false);
    assert_eq!(client.get("/config/s").await.1["compatibilityLevel"], "BACKWARD_TRANSITIVE");
}

#[tokio::test]
async fn names_what_it_does_not_have_by_the_codes_of_the_api() {
    let client = Client::start("registry_codes").await;
    assert_eq!(client.get("/schemas/ids/7").await.1["error_code"], 40403);
    assert_eq!(client.get("/subjects/s/versions/latest").await.1["error_code"], 40401);
    assert_eq!(client.post("/subjects/s/versions", "{").await.1["error_code"], 42201);
}
