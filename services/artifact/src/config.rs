//! The settings of the artifact service.

use std::path::PathBuf;

/// Holds the settings of the artifact service.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Config {
    #[command(flatten)]
    pub store: dvt_store::Config,
    #[command(flatten)]
    pub bus: dvt_bus::Config,
    #[command(flatten)]
    pub runtime: dvt_runtime::Config,
    /// Folder of the bare Git repositories, one a project
    #[arg(long, env = "GIT_REPOSITORIES")]
    pub git_dir: PathBuf,
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
        let given = ["test", "--database-url", "postgres://localhost/dvt", "--git-dir", "repositories"];
        assert_eq!(Cli::parse_from(given).config.git_dir, PathBuf::from("repositories"));
    }
}
