//! The rows of runs and targets.

use super::*;

/// B44 to B46 and their kind.
pub(super) fn runs(setting: &Setting) -> Vec<Row> {
    let Setting { sample: project, shop, rival, broken, busy, finished, .. } = setting;
    let new = format!("{project}/runs");
    let unknown = format!("{new}/{}", Uuid::now_v7());
    let start = |project: &str, select: &str| post(&format!("{project}/runs"), &json!({"select": select}).to_string());
    let elsewhere = finished.replace(shop.as_str(), project);
    let cancelled = format!("{finished}/cancel");
    vec![
        row("B44 failed", start(broken, ""), (409, "COMPILATION_FAILED", None)),
        row("B44 elsewhere", get(&elsewhere), (404, "NOT_FOUND", None)),
        row("B45", start(shop, "slow"), (409, "RUN_CONFLICT", None)),
        row("B45 among others", start(shop, ""), (409, "RUN_CONFLICT", None)),
        row("B45 of another project", start(rival, "slow"), (409, "RUN_CONFLICT", None)),
        row("B46", post(&cancelled, "null"), (409, "RUN_FINISHED", None)),
        row(
            "B46 of another",
            post(&format!("{}/cancel", busy.replace(shop.as_str(), project)), "null"),
            (404, "NOT_FOUND", None),
        ),
        row("B44", get(&unknown), (404, "NOT_FOUND", None)),
        row("cancel", post(&format!("{unknown}/cancel"), "null"), (404, "NOT_FOUND", None)),
        row("threads", post(&new, r#"{"threads": 0}"#), (422, "NUMBER_RANGE", Some("/threads"))),
        row(
            "environment",
            post(&new, r#"{"environment": "moon"}"#),
            (422, "ENVIRONMENT_NOT_FOUND", Some("environment")),
        ),
        row("selection", post(&new, r#"{"select": "nothing"}"#), (422, "SELECTION_EMPTY", Some("/select"))),
        row("command", post(&new, r#"{"command": "docs"}"#), (422, "COMMAND_UNKNOWN", Some("/command"))),
    ]
}

/// B41 to B43: what a connection test answers.
pub(super) fn targets(setting: &Setting) -> Vec<Row> {
    let test = |name: &str| post(&format!("{}/environments/{name}/test", setting.shop), "{}");
    let rows = [
        ("B41", "metadata", "TARGET_HOST_NOT_ALLOWED"),
        ("B42 sslmode", "plain", "TARGET_PARAM_DENIED"),
        ("B42 socket", "socket", "TARGET_PARAM_DENIED"),
        ("B42 unknown", "odd", "TARGET_PARAM_DENIED"),
        ("B43 role", "stranger", "TARGET_AUTH"),
        ("B43 database", "nowhere", "TARGET_NOT_FOUND"),
        ("B43 privilege", "weak", "TARGET_PRIVILEGE"),
        ("no target", "unknown", "TARGET_UNKNOWN"),
    ];
    rows.into_iter().map(|(name, environment, code)| row(name, test(environment), (200, code, None))).collect()
}
