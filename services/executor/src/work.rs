//! Turns a node and its config into what a target is asked to do. What is not supported yet is an error that names it.

use dvt_dbt::node::{Node, ResourceType};
use serde_json::{Map, Value as Json};

use crate::contract;
use crate::csv;
use crate::targets::{
    Changed, ColumnDocs, Contract, Docs, Fault, Grants, Incremental, Index, Materialization, Name, OnSchemaChange,
    Seed, Snapshot, SnapshotColumns, Stored, Strategy, Table, Test,
};

/// The most that a seed's file may be, in bytes.
const SEED_MAX_BYTES: usize = 256 * 1024 * 1024;

/// Reads the values of a config.
#[derive(Clone, Copy)]
pub(crate) struct Config<'a>(pub(crate) &'a Map<String, Json>);

impl<'a> Config<'a> {
    fn get(self, key: &str) -> Option<&'a Json> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    fn text(self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(Json::as_str)
    }

    pub(crate) fn flag(self, key: &str) -> Option<bool> {
        self.get(key).and_then(Json::as_bool)
    }

    /// Reads a text or a list of texts.
    fn list(self, key: &str) -> Vec<String> {
        match self.get(key) {
            Some(Json::String(text)) => vec![text.clone()],
            Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }
}

fn unsupported(what: impl std::fmt::Display) -> Fault {
    Fault::new("NOT_SUPPORTED", format!("{what} is not supported yet"))
}

/// Refuses what a node's config asks for and DVT+ would silently leave out.
fn check(node: &Node) -> Result<(), Fault> {
    if contract::is_enforced(node) && node.resource_type != ResourceType::Model {
        return Err(unsupported("an enforced contract of anything but a model"));
    }
    if node.original_file_path.ends_with(".py") {
        return Err(unsupported("a Python model"));
    }
    Ok(())
}

/// Lists who may do what with a node's relation.
pub(crate) fn grants(node: &Node) -> Result<Grants, Fault> {
    let wrong = |got: &Json| Fault::new("CONFIG_TYPE", format!("grants are {{privilege: [roles]}}, got {got}"));
    let written = match Config(&node.config).get("grants") {
        None => return Ok(Grants::new()),
        Some(written) => written,
    };
    let grants = Config(written.as_object().ok_or_else(|| wrong(written))?);
    Ok(grants.0.keys().map(|privilege| (privilege.clone(), grants.list(privilege))).collect())
}

/// Answers what of a node's description the database is to keep.
pub(crate) fn docs(node: &Node) -> Result<Docs, Fault> {
    let wrong = |got: &Json| Fault::new("CONFIG_TYPE", format!("persist_docs is {{relation, columns}}, got {got}"));
    let persisted = match Config(&node.config).get("persist_docs") {
        None => return Ok(Docs::default()),
        Some(written) => Config(written.as_object().ok_or_else(|| wrong(written))?),
    };
    let is_on = |key: &str| persisted.flag(key).unwrap_or(false);
    let relation = Some(node.description.clone()).filter(|text| is_on("relation") && !text.is_empty());
    let columns = node.columns.values().filter(|_| is_on("columns")).map(|column| ColumnDocs {
        name: column.name.clone(),
        is_quoted: column.quote.unwrap_or(false),
        description: column.description.clone(),
    });
    Ok(Docs { relation, columns: columns.collect() })
}

/// Answers where the rows that fail a test are kept, as far as they are.
pub(crate) fn stored(node: &Node) -> Result<Option<bool>, Fault> {
    let config = Config(&node.config);
    let kind = match (config.text("store_failures_as"), config.flag("store_failures")) {
        (None, Some(true)) => "table",
        (None, Some(false) | None) => "ephemeral",
        (Some(kind), _) => kind,
    };
    match kind {
        "table" => Ok(Some(false)),
        "view" => Ok(Some(true)),
        "ephemeral" => Ok(None),
        other => {
            let message = format!("store_failures_as is `table`, `view` or `ephemeral`, got `{other}`");
            Err(Fault::new("CONFIG_TYPE", message))
        }
    }
}

/// Turns a model and its SQL into work.
pub(crate) fn model(
    node: &Node,
    (sql, contract): (String, Option<Contract>),
    full_refresh: bool,
) -> Result<Materialization, Fault> {
    check(node)?;
    match node.materialized() {
        "view" => Ok(Materialization::View { sql, contract }),
        "table" => Ok(Materialization::Table(Table { contract, ..table(node, sql)? })),
        "incremental" => {
            let incremental = incremental(node, sql, full_refresh)?;
            contract::check_change(node, incremental.on_schema_change)?;
            let table = Table { contract, ..incremental.table };
            Ok(Materialization::Incremental(Incremental { table, ..incremental }))
        }
        other => Err(unsupported(format!("the materialization `{other}`"))),
    }
}

fn table(node: &Node, sql: String) -> Result<Table, Fault> {
    let config = Config(&node.config);
    let header = config.text("sql_header").unwrap_or_default().to_owned();
    let unlogged = config.flag("unlogged").unwrap_or(false);
    let indexes = match config.get("indexes") {
        Some(Json::Array(indexes)) => indexes.iter().map(index).collect::<Result<_, _>>()?,
        _ => Vec::new(),
    };
    Ok(Table { sql, header, unlogged, indexes, contract: None })
}

fn index(written: &Json) -> Result<Index, Fault> {
    let wrong = || Fault::new("CONFIG_TYPE", format!("an index is {{columns, unique, type}}, got {written}"));
    let config = Config(written.as_object().ok_or_else(wrong)?);
    let columns = config.list("columns");
    if columns.is_empty() {
        return Err(wrong());
    }
    let method = config.text("type").unwrap_or_default().to_owned();
    Ok(Index { columns, unique: config.flag("unique").unwrap_or(false), method })
}

fn incremental(node: &Node, sql: String, full_refresh: bool) -> Result<Incremental, Fault> {
    let config = Config(&node.config);
    let unique_key = config.list("unique_key");
    let strategy = match config.text("incremental_strategy").unwrap_or("default") {
        "default" if unique_key.is_empty() => Strategy::Append,
        "append" => Strategy::Append,
        "default" | "delete+insert" => Strategy::DeleteInsert,
        "merge" => Strategy::Merge,
        other => return Err(unsupported(format!("the incremental strategy `{other}`"))),
    };
    let on_schema_change = match config.text("on_schema_change").unwrap_or("ignore") {
        "ignore" => OnSchemaChange::Ignore,
        "fail" => OnSchemaChange::Fail,
        "append_new_columns" => OnSchemaChange::AppendNewColumns,
        "sync_all_columns" => OnSchemaChange::SyncAllColumns,
        other => return Err(Fault::new("CONFIG_TYPE", format!("on_schema_change `{other}` is none of dbt's"))),
    };
    let predicates = match config.get("incremental_predicates") {
        Some(_) => config.list("incremental_predicates"),
        None => config.list("predicates"),
    };
    Ok(Incremental {
        table: table(node, sql)?,
        full_refresh,
        strategy,
        unique_key,
        predicates,
        on_schema_change,
        update_columns: config.list("merge_update_columns"),
        exclude_columns: config.list("merge_exclude_columns"),
    })
}

/// Turns a snapshot and its SQL into work.
pub(crate) fn snapshot(node: &Node, sql: String) -> Result<Materialization, Fault> {
    check(node)?;
    let config = Config(&node.config);
    let missing = |key: &str| Fault::new("SNAPSHOT_INVALID", format!("a snapshot needs the config `{key}`"));
    let unique_key = config.list("unique_key");
    if unique_key.is_empty() {
        return Err(missing("unique_key"));
    }
    let changed = match config.text("strategy").ok_or_else(|| missing("strategy"))? {
        "timestamp" => Changed::UpdatedAt(config.text("updated_at").ok_or_else(|| missing("updated_at"))?.to_owned()),
        "check" if config.get("updated_at").is_some() => {
            return Err(unsupported("the config `updated_at` of a snapshot with the strategy `check`"));
        }
        "check" => match config.list("check_cols") {
            columns if columns.is_empty() => return Err(missing("check_cols")),
            columns if columns == ["all"] => Changed::Columns(Vec::new()),
            columns => Changed::Columns(columns),
        },
        other => return Err(unsupported(format!("the snapshot strategy `{other}`"))),
    };
    let invalidate_deleted = match config.text("hard_deletes") {
        None => config.flag("invalidate_hard_deletes").unwrap_or(false),
        Some("ignore") => false,
        Some("invalidate") => true,
        Some(other) => return Err(unsupported(format!("hard_deletes `{other}`"))),
    };
    let mut columns = SnapshotColumns::default();
    if let Some(names) = config.get("snapshot_meta_column_names").and_then(Json::as_object) {
        let names = Config(names);
        for (key, column) in [
            ("dbt_scd_id", &mut columns.scd_id),
            ("dbt_updated_at", &mut columns.updated_at),
            ("dbt_valid_from", &mut columns.valid_from),
            ("dbt_valid_to", &mut columns.valid_to),
        ] {
            *column = names.text(key).map_or_else(|| std::mem::take(column), str::to_owned);
        }
    }
    let valid_to_current = config.text("dbt_valid_to_current").unwrap_or_default().to_owned();
    Ok(Materialization::Snapshot(Snapshot { sql, unique_key, changed, invalidate_deleted, valid_to_current, columns }))
}

/// Turns a seed's file into work.
pub(crate) fn seed(node: &Node, bytes: &[u8], full_refresh: bool) -> Result<Materialization, Fault> {
    check(node)?;
    if bytes.len() > SEED_MAX_BYTES {
        return Err(Fault::new(
            "SEED_TOO_LARGE",
            format!("a seed has at most {SEED_MAX_BYTES} bytes, got {}", bytes.len()),
        ));
    }
    let config = Config(&node.config);
    let types = config.get("column_types").and_then(Json::as_object).cloned().unwrap_or_default();
    let quoted = config.flag("quote_columns").unwrap_or(true);
    let delimiter = config.text("delimiter").and_then(|text| text.chars().next()).unwrap_or(',');
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Fault::new("SEED_INVALID", format!("the file is not UTF-8 at byte {}", error.valid_up_to()))
    })?;
    let table = csv::table(text, delimiter, &|column| types.contains_key(column))
        .map_err(|error| Fault::new("SEED_INVALID", error))?;
    let typed = |(name, inferred): (String, &'static str)| {
        let kind = types.get(&name).and_then(Json::as_str).unwrap_or(inferred).to_owned();
        (if quoted { name } else { name.to_lowercase() }, kind)
    };
    let columns = table.columns.into_iter().map(typed).collect();
    Ok(Materialization::Seed(Seed { columns, rows: table.rows, full_refresh }))
}

/// Turns a test and its SQL into work, with the name that its rows would be kept under; answers also whether what it
/// finds only warns.
pub(crate) fn test(node: &Node, sql: String, relation: Name) -> Result<(Test, bool), Fault> {
    let config = Config(&node.config);
    let text = |key: &str, default: &str| config.text(key).unwrap_or(default).to_owned();
    let test = Test {
        sql,
        fail_calc: text("fail_calc", "count(*)"),
        warn_if: text("warn_if", "!= 0"),
        error_if: text("error_if", "!= 0"),
        limit: config.get("limit").and_then(Json::as_i64),
        stored: stored(node)?.map(|as_view| Stored { relation, as_view }),
    };
    Ok((test, text("severity", "error").eq_ignore_ascii_case("warn")))
}

/// Lists the hooks of a node under `pre-hook` or `post-hook`, as written, and whether each shares the transaction.
pub(crate) fn hooks(node: &Node, key: &str) -> Result<Vec<(String, bool)>, Fault> {
    let items = match node.config.get(key) {
        Some(Json::Array(items)) => items.clone(),
        Some(Json::Null) | None => Vec::new(),
        Some(one) => vec![one.clone()],
    };
    let hook = |item: &Json| match item {
        Json::String(sql) => Ok((sql.clone(), true)),
        Json::Object(hook) => {
            let sql = hook.get("sql").and_then(Json::as_str).unwrap_or_default();
            Ok((sql.to_owned(), hook.get("transaction").and_then(Json::as_bool).unwrap_or(true)))
        }
        other => Err(Fault::new("CONFIG_TYPE", format!("a {key} is a text or {{sql, transaction}}, got {other}"))),
    };
    let all: Vec<(String, bool)> = items.iter().map(hook).collect::<Result<_, _>>()?;
    Ok(all.into_iter().filter(|(sql, _)| !sql.trim().is_empty()).collect())
}
