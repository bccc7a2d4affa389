//! The endpoints of Confluent's API that its clients need.

use apache_avro::Schema;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::rules::Compatibility;
use super::storage::{Registered, Storage, Version, canonical_form, parsed};

pub(super) fn router(storage: Storage) -> Router {
    Router::new()
        .route("/schemas/ids/{id}", get(find_schema))
        .route("/subjects", get(list_subjects))
        .route("/subjects/{subject}", post(find_version_of_text))
        .route("/subjects/{subject}/versions", get(list_versions).post(register))
        .route("/subjects/{subject}/versions/{version}", get(find_version))
        .route("/compatibility/subjects/{subject}/versions/{version}", post(check))
        .route("/config", get(get_level).put(put_level))
        .route("/config/{subject}", get(get_subject_level).put(put_subject_level))
        .with_state(storage)
}

/// The API's own error codes; the first three digits are the HTTP status.
enum Problem {
    SubjectNotFound,
    VersionNotFound,
    SchemaNotFound,
    Incompatible(String),
    InvalidSchema(String),
    InvalidVersion,
    InvalidLevel,
    NoLevel,
    Database(tokio_postgres::Error),
}

impl From<tokio_postgres::Error> for Problem {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
            Self::SubjectNotFound => (StatusCode::NOT_FOUND, 40401, "subject not found".to_owned()),
            Self::VersionNotFound => (StatusCode::NOT_FOUND, 40402, "version not found".to_owned()),
            Self::SchemaNotFound => (StatusCode::NOT_FOUND, 40403, "schema not found".to_owned()),
            Self::NoLevel => (StatusCode::NOT_FOUND, 40408, "subject has no compatibility level of its own".to_owned()),
            Self::Incompatible(why) => (StatusCode::CONFLICT, 409, why),
            Self::InvalidSchema(why) => (StatusCode::UNPROCESSABLE_ENTITY, 42201, why),
            Self::InvalidVersion => {
                (StatusCode::UNPROCESSABLE_ENTITY, 42202, "version is neither a number nor latest".to_owned())
            }
            Self::InvalidLevel => (StatusCode::UNPROCESSABLE_ENTITY, 42203, "unknown compatibility level".to_owned()),
            Self::Database(error) => {
                tracing::error!(%error, "the schema registry could not use its database");
                (StatusCode::INTERNAL_SERVER_ERROR, 50001, "error in the registry's database".to_owned())
            }
        };
        (status, answer(json!({"error_code": code, "message": message}))).into_response()
    }
}

type Answer = Result<Response, Problem>;

fn answer(value: Value) -> Response {
    ([(header::CONTENT_TYPE, "application/vnd.schemaregistry.v1+json")], value.to_string()).into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SchemaBody {
    schema: String,
    schema_type: Option<String>,
    #[serde(default)]
    references: Vec<Value>,
}

impl SchemaBody {
    fn parse(&self) -> Result<Schema, Problem> {
        if self.schema_type.as_deref().is_some_and(|kind| kind != "AVRO") || !self.references.is_empty() {
            return Err(Problem::InvalidSchema("only Avro schemas without references are supported".to_owned()));
        }
        Schema::parse_str(&self.schema).map_err(|error| Problem::InvalidSchema(error.to_string()))
    }
}

#[derive(Deserialize)]
struct LevelBody {
    compatibility: String,
}

/// Reads JSON whatever its content type: clients send several.
fn body<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| Problem::InvalidSchema(error.to_string()))
}

async fn find_schema(State(storage): State<Storage>, Path(id): Path<i32>) -> Answer {
    let text = storage.schema(id).await?.ok_or(Problem::SchemaNotFound)?;
    Ok(answer(json!({"schema": text})))
}

async fn list_subjects(State(storage): State<Storage>) -> Answer {
    Ok(answer(json!(storage.subjects().await?)))
}

async fn list_versions(State(storage): State<Storage>, Path(subject): Path<String>) -> Answer {
    let versions = existing(&storage, &subject).await?;
    Ok(answer(json!(versions.iter().map(|version| version.version).collect::<Vec<_>>())))
}

async fn find_version(State(storage): State<Storage>, Path((subject, version)): Path<(String, String)>) -> Answer {
    let versions = existing(&storage, &subject).await?;
    let found = pick(&versions, &version)?.ok_or(Problem::VersionNotFound)?;
    Ok(answer(described(found)))
}

async fn find_version_of_text(
    State(storage): State<Storage>,
    Path(subject): Path<String>,
    bytes: axum::body::Bytes,
) -> Answer {
    let canonical = body::<SchemaBody>(&bytes)?.parse()?.canonical_form();
    let versions = existing(&storage, &subject).await?;
    let found = versions.iter().find(|version| canonical_form(&version.text).as_ref() == Some(&canonical));
    Ok(answer(described(found.ok_or(Problem::SchemaNotFound)?)))
}

async fn register(State(storage): State<Storage>, Path(subject): Path<String>, bytes: axum::body::Bytes) -> Answer {
    let sent: SchemaBody = body(&bytes)?;
    match storage.register(&subject, &sent.schema, &sent.parse()?).await? {
        Registered::As(id) => Ok(answer(json!({"id": id}))),
        Registered::Refused(why) => Err(Problem::Incompatible(why)),
    }
}

async fn check(
    State(storage): State<Storage>,
    Path((subject, version)): Path<(String, String)>,
    bytes: axum::body::Bytes,
) -> Answer {
    let schema = body::<SchemaBody>(&bytes)?.parse()?;
    let versions = existing(&storage, &subject).await?;
    let against = pick(&versions, &version)?.ok_or(Problem::VersionNotFound)?;
    let against = parsed(std::slice::from_ref(against));
    let objection = storage.level_of(&subject).await?.objection(&schema, &against);
    let messages: Vec<_> = objection.iter().collect();
    Ok(answer(json!({"is_compatible": objection.is_none(), "messages": messages})))
}

async fn get_level(State(storage): State<Storage>) -> Answer {
    let level = storage.level("").await?.unwrap_or(Compatibility::Backward);
    Ok(answer(json!({"compatibilityLevel": level.as_str()})))
}

async fn get_subject_level(State(storage): State<Storage>, Path(subject): Path<String>) -> Answer {
    let level = storage.level(&subject).await?.ok_or(Problem::NoLevel)?;
    Ok(answer(json!({"compatibilityLevel": level.as_str()})))
}

async fn put_level(State(storage): State<Storage>, bytes: axum::body::Bytes) -> Answer {
    set_level(&storage, "", &bytes).await
}

async fn put_subject_level(
    State(storage): State<Storage>,
    Path(subject): Path<String>,
    bytes: axum::body::Bytes,
) -> Answer {
    set_level(&storage, &subject, &bytes).await
}

async fn set_level(storage: &Storage, subject: &str, bytes: &[u8]) -> Answer {
    let sent: LevelBody = body(bytes)?;
    let level = Compatibility::find(&sent.compatibility).ok_or(Problem::InvalidLevel)?;
    storage.set_level(subject, level).await?;
    Ok(Json(json!({"compatibility": level.as_str()})).into_response())
}

async fn existing(storage: &Storage, subject: &str) -> Result<Vec<Version>, Problem> {
    let versions = storage.versions(subject).await?;
    if versions.is_empty() { Err(Problem::SubjectNotFound) } else { Ok(versions) }
}

fn pick<'a>(versions: &'a [Version], version: &str) -> Result<Option<&'a Version>, Problem> {
    if version == "latest" {
        return Ok(versions.last());
    }
    let number: i32 = version.parse().map_err(|_| Problem::InvalidVersion)?;
    Ok(versions.iter().find(|version| version.version == number))
}

fn described(version: &Version) -> Value {
    json!({"subject": version.subject, "version": version.version, "id": version.id, "schema": version.text})
}
