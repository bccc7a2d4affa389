//! Reads the JSON body of a write, strictly: what is not understood is refused with the place and the limit.

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::scan;

/// The largest JSON body, in bytes.
pub const BODY_MAX_BYTES: usize = 4 * 1024 * 1024;

/// Extracts a JSON body.
pub struct Json<T>(pub T);

/// Extracts a JSON body together with the hash of its bytes, for idempotency.
pub struct HashedJson<T> {
    pub value: T,
    pub sha256: [u8; 32],
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = read_json(request).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for HashedJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        // The same key with another address or another body is another request.
        let address = format!("{} {}\n", request.method(), request.uri().path());
        let bytes = read_json(request).await?;
        let sha256 = dvt_dbt::tree::Sha256::of(&[address.as_bytes(), &bytes].concat()).0;
        Ok(Self { value: parse(&bytes)?, sha256 })
    }
}

async fn read_json(request: Request) -> Result<Bytes, Problem> {
    check_content_type(request.headers(), &["application/json"])?;
    read_body(request.into_body(), BODY_MAX_BYTES).await
}

/// Refuses a body of another type than `allowed`.
pub fn check_content_type(headers: &HeaderMap, allowed: &[&str]) -> Result<(), Problem> {
    let got = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = got.split(';').next().unwrap_or("").trim();
    match allowed.iter().any(|allowed| essence.eq_ignore_ascii_case(allowed)) {
        true => Ok(()),
        false => {
            let detail = format!("send {}", allowed.join(" or "));
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "CONTENT_TYPE", detail).at("Content-Type").got(got))
        }
    }
}

/// Reads a body up to `limit` bytes, and no further.
pub async fn read_body(body: Body, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        let detail = format!("the body is larger than {limit} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", detail).limit(limit as i64)
    };
    let declared = body.size_hint().lower();
    if declared > limit as u64 {
        return Err(too_large().got(&declared.to_string()));
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Problem::bad_request("BODY_INCOMPLETE", "the body ended before its length")),
    }
}

/// Parses and checks the bytes of a JSON body.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let detail = format!("the body is not UTF-8 at byte {}", error.valid_up_to());
        Problem::bad_request("TEXT_INVALID", detail).at("")
    })?;
    scan::check_depth(text)?;
    // Only the grammar first: numbers and characters out of range get a better answer from the scan.
    if let Err(error) = serde_json::from_str::<&serde_json::value::RawValue>(text) {
        return Err(Problem::bad_request("JSON_INVALID", invalid(&error)));
    }
    scan::check_values(text)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer: String = error.path().iter().filter_map(pointer_part).collect();
        field_problem(&error.inner().to_string(), &pointer)
    })
}

fn invalid(error: &serde_json::Error) -> String {
    let what = error.to_string();
    match error.is_eof() {
        true => {
            let (line, column) = (error.line(), error.column() + 1);
            let inside = what.split(" at line ").next().unwrap_or(&what).trim_start_matches("EOF while parsing ");
            format!("JSON ends at line {line} column {column}, inside {inside}")
        }
        false => format!("JSON is not valid: {what}"),
    }
}

fn pointer_part(segment: &serde_path_to_error::Segment) -> Option<String> {
    match segment {
        serde_path_to_error::Segment::Seq { index } => Some(format!("/{index}")),
        serde_path_to_error::Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
        serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => None,
    }
}

/// Turns what serde says of a field into a problem with a stable code.
fn field_problem(message: &str, pointer: &str) -> Problem {
    let message = message.split(" at line ").next().unwrap_or(message);
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let Some((unknown, known)) = quoted.split_first().filter(|_| message.starts_with("unknown field")) {
        let hint = nearest(unknown, known).map(|name| format!(", did you mean `{name}`?")).unwrap_or_default();
        let pointer =
            if pointer.ends_with(&format!("/{unknown}")) { pointer.to_owned() } else { format!("{pointer}/{unknown}") };
        return Problem::unprocessable("FIELD_UNKNOWN", format!("unknown field `{unknown}`{hint}")).at(pointer);
    }
    if let Some((unknown, known)) = quoted.split_first().filter(|_| message.starts_with("unknown variant")) {
        let detail = format!("unknown `{unknown}`; supported: {}", known.join(", "));
        return Problem::unprocessable("COMMAND_UNKNOWN", detail).at(pointer).with("supported", known.to_vec());
    }
    if let Some(missing) = quoted.first().filter(|_| message.starts_with("missing field")) {
        return Problem::unprocessable("FIELD_MISSING", message).at(format!("{pointer}/{missing}"));
    }
    if message.starts_with("expected a UUIDv7") {
        return Problem::bad_request("ID_INVALID", message).at(pointer);
    }
    Problem::unprocessable("FIELD_INVALID", message).at(pointer)
}

/// Finds the name that was probably meant.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let closest = known.iter().max_by(|a, b| strsim::jaro(name, a).total_cmp(&strsim::jaro(name, b)))?;
    (strsim::jaro(name, closest) > 0.7).then_some(*closest)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct New {
        #[expect(dead_code, reason = "only read by serde")]
        name: String,
    }

    fn problem(text: &str) -> serde_json::Value {
        let problem = parse::<New>(text.as_bytes()).expect_err("a problem");
        let all = serde_json::to_value(problem).expect("it serialises");
        serde_json::json!({ "code": all["code"], "detail": all["detail"], "pointer": all["pointer"] })
    }

    #[test]
    fn says_where_the_json_ends() {
        let problem = problem(r#"{"name": "x""#);
        assert_eq!(problem["code"], "JSON_INVALID");
        assert_eq!(problem["detail"], "JSON ends at line 1 column 13, inside an object");
    }

    #[test]
    fn guesses_the_field_that_was_meant() {
        insta::assert_compact_json_snapshot!(problem(r#"{"nmae": "x"}"#), @r#"{"code": "FIELD_UNKNOWN", "detail": "unknown field `nmae`, did you mean `name`?", "pointer": "/nmae"}"#);
    }

    #[test]
    fn names_the_field_that_is_missing() {
        insta::assert_compact_json_snapshot!(problem("{}"), @r#"{"code": "FIELD_MISSING", "detail": "missing field `name`", "pointer": "/name"}"#);
    }
}
