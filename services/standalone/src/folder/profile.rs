//! The environment of a folder: the target that profiles.yml names, `--vars`, and the shell's variables.
//!
//! Without a profiles.yml a folder is read for a PostgreSQL target of dbt's usual names, as nothing here connects.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use dvt_dbt::environment::{Adapter, Environment};
use dvt_dbt::jinja::{Engine, Settings, YamlScope};
use dvt_dbt::yaml;
use serde_json::{Map, Value};

const PROFILES_FILE: &str = "profiles.yml";
const PROJECT_FILE: &str = "dbt_project.yml";
const DEFAULT_THREADS: u32 = 1;

/// Says which target to read a project for.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of profiles.yml [default: the project's, else ~/.dbt]
    #[arg(long, env = "DBT_PROFILES_DIR")]
    profiles_dir: Option<PathBuf>,
    /// The profile [default: as dbt_project.yml says]
    #[arg(long, env = "DBT_PROFILE")]
    profile: Option<String>,
    /// The target in the profile [default: the profile's own choice]
    #[arg(long, short, env = "DBT_TARGET")]
    target: Option<String>,
    /// Variables as a YAML mapping; they win over dbt_project.yml's
    #[arg(long, default_value = "{}")]
    vars: String,
}

/// Answers the environment that the project in `dir` is read for.
///
/// # Errors
/// When profiles.yml or `--vars` cannot be read, or the profile or its target is not there.
pub(crate) fn environment(dir: &Path, args: &Args) -> anyhow::Result<Environment> {
    let vars = match read_yaml("--vars", &args.vars)? {
        Value::Object(vars) => vars,
        Value::Null => Map::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => bail!("--vars is no YAML mapping"),
    };
    let mut base = Environment {
        name: args.target.clone().unwrap_or_else(|| "dev".to_owned()),
        adapter: Adapter::Postgres,
        database: "postgres".to_owned(),
        schema: "public".to_owned(),
        threads: DEFAULT_THREADS,
        profile: String::new(),
        user: String::new(),
        vars,
        env: env::vars().collect(),
    };
    base.profile = match &args.profile {
        Some(profile) => profile.clone(),
        None => profile_of(dir, &base)?,
    };
    match find_profiles(dir, args) {
        Some(path) => from_profiles(&path, base, args).with_context(|| format!("could not use {}", path.display())),
        None => Ok(base),
    }
}

fn read_yaml(name: &str, text: &str) -> anyhow::Result<Value> {
    let document = yaml::read(&name.into(), text);
    if let Some(problem) = document.diagnostics.first() {
        bail!("could not read {name}: {}", problem.message);
    }
    Ok(document.value.map_or(Value::Null, |value| value.to_json()))
}

/// Answers the profile that a project names.
fn profile_of(dir: &Path, base: &Environment) -> anyhow::Result<String> {
    let path = dir.join(PROJECT_FILE);
    ensure!(path.is_file(), "there is no {PROJECT_FILE} in {}", dir.display());
    let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    let project = read_yaml(PROJECT_FILE, &text)?;
    let named = Renderer::new(base).render(&project["profile"])?;
    Ok(named.as_str().unwrap_or("default").to_owned())
}

fn find_profiles(dir: &Path, args: &Args) -> Option<PathBuf> {
    let home = env::home_dir().map(|home| home.join(".dbt"));
    let folders = match &args.profiles_dir {
        Some(folder) => vec![folder.clone()],
        None => [Some(dir.to_owned()), home].into_iter().flatten().collect(),
    };
    folders.into_iter().map(|folder| folder.join(PROFILES_FILE)).find(|path| path.is_file())
}

fn from_profiles(path: &Path, base: Environment, args: &Args) -> anyhow::Result<Environment> {
    let profiles = read_yaml(PROFILES_FILE, &fs::read_to_string(path)?)?;
    let renderer = Renderer::new(&base);
    let profile = &profiles[&base.profile];
    ensure!(!profile.is_null(), "it has no profile `{}`", base.profile);
    let chosen = match &args.target {
        Some(target) => target.clone(),
        None => renderer.render(&profile["target"])?.as_str().unwrap_or("default").to_owned(),
    };
    let output = &profile["outputs"][&chosen];
    ensure!(!output.is_null(), "profile `{}` has no target `{chosen}`", base.profile);
    let text = |key: &str| -> anyhow::Result<Option<String>> {
        Ok(match renderer.render(&output[key])? {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        })
    };
    let adapter = match text("type")?.as_deref() {
        Some("postgres") => Adapter::Postgres,
        Some("snowflake") => Adapter::Snowflake,
        Some("oracle") => Adapter::Oracle,
        other => bail!("target `{chosen}` is of type `{}`; known are postgres, snowflake, oracle", other.unwrap_or("")),
    };
    let threads = text("threads")?.map(|threads| threads.parse().context("`threads` is no number")).transpose()?;
    Ok(Environment {
        database: text("dbname")?.or(text("database")?).context("the target has no dbname")?,
        schema: text("schema")?.context("the target has no schema")?,
        user: text("user")?.unwrap_or_default(),
        threads: threads.unwrap_or(DEFAULT_THREADS),
        name: chosen,
        adapter,
        ..base
    })
}

/// Renders the Jinja in YAML values with `var` and `env_var`.
struct Renderer(Engine);

impl Renderer {
    fn new(environment: &Environment) -> Self {
        let settings = Settings {
            environment: environment.clone(),
            root_package: String::new(),
            packages: Vec::new(),
            versions: Map::new(),
            flags: Map::new(),
            dispatch: Vec::new(),
            vars: Map::new(),
            quoting: Default::default(),
            which: "parse".to_owned(),
            full_refresh: false,
        };
        Self(Engine::new(&[], settings).0)
    }

    fn render(&self, value: &Value) -> anyhow::Result<Value> {
        match value.as_str() {
            Some(text) if text.contains("{{") || text.contains("{%") => {
                Ok(self.0.render_value(text, &YamlScope::Profile)?)
            }
            Some(_) | None => Ok(value.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILES: &str = "
shop:
  target: prod
  outputs:
    prod: {type: postgres, dbname: warehouse, schema: \"{{ 'pub' ~ 'lic' }}\", user: loader, threads: \"{{ 4 }}\"}
    trial: {type: duckdb, schema: main}
";

    fn environment_of(target: Option<&str>, profile: Option<&str>) -> anyhow::Result<Environment> {
        let dir = tempfile::tempdir()?;
        fs::write(dir.path().join(PROJECT_FILE), "name: shop\nprofile: shop\n")?;
        fs::write(dir.path().join(PROFILES_FILE), PROFILES)?;
        let (target, profile) = (target.map(str::to_owned), profile.map(str::to_owned));
        let args = Args { profiles_dir: Some(dir.path().into()), profile, target, vars: "{days: 3, on: yes}".into() };
        environment(dir.path(), &args)
    }

    #[test]
    fn the_target_is_what_the_profile_says() {
        let environment = environment_of(None, None).expect("the profile is right");
        assert_eq!((environment.name.as_str(), environment.database.as_str()), ("prod", "warehouse"));
        assert_eq!((environment.schema.as_str(), environment.threads), ("public", 4));
        assert_eq!(Value::Object(environment.vars), serde_json::json!({"days": 3, "true": true}));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let message = |target, profile| format!("{:#}", environment_of(target, profile).expect_err("it is refused"));
        assert!(message(Some("none"), None).contains("has no target `none`"));
        assert!(message(None, Some("other")).contains("no profile `other`"));
        assert!(message(Some("trial"), None).contains("of type `duckdb`"));
    }
}
