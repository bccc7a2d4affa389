//! The settings of the executor service.

use std::time::Duration;

use dvt_bus::leases;
use secrecy::SecretString;

/// Holds the settings of the executor service.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Config {
    #[command(flatten)]
    pub store: dvt_store::Config,
    #[command(flatten)]
    pub bus: dvt_bus::Config,
    #[command(flatten)]
    pub runtime: dvt_runtime::Config,
    /// How long an executor that died keeps its runs from others
    #[arg(long, env = "RUN_LEASE", default_value = "5s", value_parser = humantime::parse_duration)]
    pub lease: Duration,
    /// Names and addresses of the targets; from DVT_TARGET_<NAME> or DVT_TARGET_<NAME>_FILE, never from the command line.
    #[arg(skip)]
    pub targets: Vec<(String, SecretString)>,
}

impl Config {
    /// Makes a configuration of an address, with the usual lease and no servers beside the database.
    pub fn of(store: dvt_store::Config, runtime: dvt_runtime::Config) -> Self {
        Self { store, bus: dvt_bus::Config::default(), runtime, lease: leases::RUN.ttl, targets: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        config: Config,
    }

    #[test]
    fn reads_all_sections_from_one_command_line() {
        Cli::command().debug_assert();
        let given = ["test", "--database-url", "postgres://localhost/dvt"];
        assert_eq!(Cli::parse_from(given).config.lease, leases::RUN.ttl);
    }
}
