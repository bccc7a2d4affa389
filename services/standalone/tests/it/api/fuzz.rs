//! Odd input at every address of the description: never a fault of ours, always a problem with its code.

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use dvt_gateway::api::description;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::server::Server;

/// Wait for an executor, which is not there.
const NEED_EXECUTOR: [&str; 2] =
    ["/api/v1/projects/{project}/environments/{name}/test", "/api/v1/projects/{project}/nodes/{unique_id}/columns"];
/// Are waited for where they are ahead.
const WAITED_FOR: [&str; 2] = ["min_version", "min_position"];
/// Parts of addresses and values of parameters, encoded.
const ODD_TEXTS: [&str; 12] = [
    "x",
    "-1",
    "0",
    "9223372036854775808",
    "1e400",
    "%00",
    "%ff",
    "%2e%2e%2fetc%2fpasswd",
    "%F0%9F%92%A9%E2%80%AE",
    "'%20or%201=1%20--",
    "%7B%7B%207*7%20%7D%7D",
    "null",
];

/// Values of fields.
fn odd_values() -> Vec<Value> {
    let long = "é".repeat(20_000);
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(i64::MAX),
        json!(0.5),
        json!(""),
        json!("\u{202e}💩\u{feff}\t\n"),
        json!("'; drop table event; --"),
        json!("{% for i in range(10**9) %}{{ i }}"),
        json!(long),
        json!([]),
        json!([[1], {"a": null}]),
        json!({}),
        json!({"type": "x", "": "y"}),
    ]
}

/// Is one address with one method, as the description has it.
struct Operation {
    path: String,
    is_post: bool,
    parameters: Vec<String>,
    /// The fields of its body.
    fields: Vec<String>,
}

fn operations() -> Vec<Operation> {
    let described = serde_json::to_value(description()).unwrap();
    let paths = described["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, item)| {
        let operation = |method: &str| {
            let found = item.get(method)?;
            let parameters = found["parameters"].as_array().into_iter().flatten();
            let parameters = parameters.filter(|parameter| parameter["in"] == "query");
            let body = found.pointer("/requestBody/content/application~1json/schema/$ref").and_then(Value::as_str);
            let schema = body.and_then(|name| described.pointer(name.trim_start_matches('#')));
            let fields = schema.and_then(|schema| schema["properties"].as_object()).into_iter().flat_map(Map::keys);
            Some(Operation {
                path: path.clone(),
                is_post: method == "post",
                parameters: parameters.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect(),
                fields: fields.cloned().collect(),
            })
        };
        ["get", "post"].map(operation).into_iter().flatten().collect::<Vec<_>>()
    });
    all.filter(|operation| !NEED_EXECUTOR.contains(&operation.path.as_str())).collect()
}

impl Operation {
    /// Puts what there is in the place of each name, but `odd` in the place of one.
    fn address(&self, project: &str, odd: Option<(&str, &str)>) -> String {
        let real = [("project", project), ("unique_id", "model.night_trains.stg_rail__lines"), ("path", "README.md")];
        let parts = self.path.split('/').map(|part| {
            let Some(name) = part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else { return part };
            let is_odd = odd.filter(|(odd, _)| *odd == name).map(|(_, value)| value);
            let known = real.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            is_odd.or(known).unwrap_or("x")
        });
        parts.collect::<Vec<_>>().join("/")
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Lists addresses, each with one odd part or parameter.
    fn addresses(&self, project: &str) -> Vec<String> {
        let parts = self.names().flat_map(|name| ODD_TEXTS.map(|odd| self.address(project, Some((name, odd)))));
        let plain = self.address(project, None);
        let parameters = self.parameters.iter().flat_map(|name| {
            let odd =
                ODD_TEXTS.iter().filter(|odd| !WAITED_FOR.contains(&name.as_str()) || odd.parse::<i64>().is_err());
            odd.map(|odd| format!("{plain}?{name}={odd}")).collect::<Vec<_>>()
        });
        let more = ["nonsense=1", "=", "&&", "%ff=%ff"].map(|query| format!("{plain}?{query}"));
        parts.chain(parameters).chain(more).chain([plain.clone()]).collect()
    }

    /// Lists bodies: none of the kind that is wanted, or with one odd field, or with nothing but odd fields.
    fn bodies(&self) -> Vec<String> {
        let plain = ["", "null", "[]", "\"x\"", "{\"a\":", "{\"a\": 1, \"a\": 2}", "\u{feff}{}"].map(str::to_owned);
        let one = self.fields.iter().flat_map(|field| odd_values().into_iter().map(move |value| json!({field: value})));
        let all = odd_values()
            .into_iter()
            .map(|value| Value::Object(self.fields.iter().map(|field| (field.clone(), value.clone())).collect()));
        plain.into_iter().chain(one.chain(all).map(|body| body.to_string())).collect()
    }
}

fn request(operation: &Operation, address: &str, body: String) -> Option<Request<Body>> {
    let method = if operation.is_post { "POST" } else { "GET" };
    let request = Request::builder().method(method).uri(address).header("idempotency-key", Uuid::now_v7().to_string());
    request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body)).ok()
}

/// Says what is wrong with an answer.
async fn judge(server: &Server, request: Request<Body>) -> Option<String> {
    let response = server.open(request).await;
    let status = response.status().as_u16();
    if status < 400 {
        return None;
    }
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_problem = kind == "application/problem+json";
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
    let has_code = problem["code"].as_str().is_some_and(|code| !code.is_empty());
    let got_chars = problem["got"].as_str().map_or(0, |got| got.chars().count());
    let is_good = status < 500 && is_problem && has_code && got_chars <= 80 && body.len() < 20_000;
    (!is_good).then(|| format!("{status} {}", String::from_utf8_lossy(&body[..body.len().min(500)])))
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_input_is_never_a_fault_of_ours() {
    let server = Server::start("gateway_fuzz").await;
    let sample = server.sample().await;
    let project = sample.rsplit('/').next().unwrap();
    let mut wrong = Vec::new();
    for operation in operations() {
        let plain = operation.address(project, None);
        let addresses = operation.addresses(project).into_iter().map(|address| (address, "{}".to_owned()));
        let bodies = operation.bodies().into_iter().filter(|_| operation.is_post).map(|body| (plain.clone(), body));
        for (address, body) in addresses.chain(bodies) {
            let shown: String = format!("{} {address} {body}", if operation.is_post { "POST" } else { "GET" })
                .chars()
                .take(300)
                .collect();
            let Some(request) = request(&operation, &address, body) else { continue };
            wrong.extend(judge(&server, request).await.map(|got| format!("{shown}\n    {got}")));
        }
    }
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}
