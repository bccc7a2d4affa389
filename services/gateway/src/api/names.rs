//! The names that an editor completes and leads to: macros, generic tests, vars, columns.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use dvt_dbt::jinja::Macro;
use dvt_dbt::yaml::place_of;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::scope::{Moment, Scope};
use super::shapes::Place;
use crate::app::App;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::parsed::Parsed;

/// How dbt names the macro of a generic test.
const TEST: &str = "test_";
/// The arguments of a generic test that dbt fills in.
const FILLED_IN: [&str; 2] = ["model", "column_name"];

/// Holds the names that the project's files can use.
#[derive(Serialize, ToSchema)]
pub(super) struct Names {
    version: i64,
    /// The project's own first, dbt's own last.
    macros: Vec<Callable>,
    /// Generic tests, as the macros.
    tests: Vec<Callable>,
    vars: Vec<Var>,
    /// The columns that the YAML declares, by unique_id.
    columns: BTreeMap<String, Vec<String>>,
}

/// Is a macro or a generic test.
#[derive(Serialize, ToSchema)]
struct Callable {
    name: String,
    /// `dbt` for dbt's own.
    package: String,
    arguments: Vec<String>,
    description: String,
    /// Where it is defined; null for dbt's own.
    place: Option<Place>,
}

/// Is what `var()` answers.
#[derive(Serialize, ToSchema)]
struct Var {
    name: String,
    value: Value,
}

/// Answers the names that the project's files can use.
#[utoipa::path(get, path = "/api/v1/projects/{project}/names", tag = "graph", params(("project" = String, Path), Moment), responses((status = OK, body = Names)))]
pub(super) async fn names(
    State(app): State<App>,
    Path(project): Path<String>,
    Query(moment): Query<Moment>,
) -> Result<Json<Names>, Problem> {
    let scope = Scope::at(&app, &project, &moment).await?;
    let parsed = scope.parsed(&app, moment.environment.as_deref()).await?;
    let columns = parsed.project.nodes().values().filter(|node| !node.columns.is_empty());
    let columns = columns
        .map(|node| (node.unique_id.clone(), node.columns.values().map(|column| column.name.clone()).collect()))
        .collect();
    let (tests, macros) = callables(&parsed, &scope);
    Ok(Json(Names { version: scope.head.version, macros, tests, vars: vars(&parsed), columns }))
}

/// Answers the generic tests, and the macros that are called by their names.
fn callables(parsed: &Parsed, scope: &Scope) -> (Vec<Callable>, Vec<Callable>) {
    let rank = |known: &&Macro| match known.package.as_str() {
        package if package == parsed.project.name() => 0,
        "dbt" => 2,
        _ => 1,
    };
    let mut all: Vec<&Macro> = parsed.project.macros().iter().filter(|known| known.materialization.is_none()).collect();
    all.sort_by_key(rank);
    let (tests, macros): (Vec<&Macro>, Vec<&Macro>) = all.into_iter().partition(|known| known.name.starts_with(TEST));
    let callable = |known: &Macro| Callable::new(known, parsed, scope);
    (tests.into_iter().map(callable).map(Callable::into_test).collect(), macros.into_iter().map(callable).collect())
}

impl Callable {
    fn new(known: &Macro, parsed: &Parsed, scope: &Scope) -> Self {
        let branch = &scope.head.state;
        let file = branch.tree.find(&known.path).or_else(|| branch.packages.find(&known.path));
        let place = file.and_then(|file| file.text()).map(|text| place_of(&known.path, text, known.span.start));
        let patch = parsed.project.macro_patch(&known.unique_id);
        Self {
            name: known.name.clone(),
            package: known.package.clone(),
            arguments: known.arguments.clone(),
            description: patch.map(|patch| patch.description.clone()).unwrap_or_default(),
            place: place.as_ref().map(Place::from),
        }
    }

    fn into_test(self) -> Self {
        let name = self.name.strip_prefix(TEST).unwrap_or(&self.name).to_owned();
        let arguments = self.arguments.into_iter().filter(|name| !FILLED_IN.contains(&name.as_str())).collect();
        Self { name, arguments, ..self }
    }
}

/// Answers the vars of dbt_project.yml with those of the environment over them. A package's own are a value of its name.
fn vars(parsed: &Parsed) -> Vec<Var> {
    let settings = parsed.project.engine().settings();
    let own = settings.vars.get(parsed.project.name()).and_then(Value::as_object);
    let is_global = |(_, value): &(&String, &Value)| !value.is_object();
    let shared = settings.vars.iter().filter(is_global);
    let all = shared.chain(own.into_iter().flatten()).chain(&settings.environment.vars);
    let all: BTreeMap<&String, &Value> = all.collect();
    all.into_iter().map(|(name, value)| Var { name: name.clone(), value: value.clone() }).collect()
}
