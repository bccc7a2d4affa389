//! The binary `dvt`: DVT+ on one machine, and its command line.
//!
//! `up` runs every service in this process; `parse`, `compile` and `ls` work on a folder without any server; `migrate`,
//! `verify`, `parked` and `projector` work on the log's database; the rest talk to a running gateway. Exit status: 0 it worked,
//! 1 it ran and something in it failed, 2 it could not be done.

use std::process::ExitCode;

use clap::Parser;

mod client;
mod files;
mod folder;
mod operate;
mod output;
mod running;
mod services;
mod up;

/// Event-sourced, visual workbench for dbt projects.
#[derive(Debug, Parser)]
#[command(name = "dvt", version, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Start all of DVT+ on this machine, in the foreground
    Up(up::Args),
    /// Read the dbt project in a folder and write target/manifest.json
    Parse(folder::Parse),
    /// Compile the dbt project in a folder and write target/manifest.json and target/compiled/
    Compile(folder::Compile),
    /// List the nodes of the dbt project in a folder
    Ls(folder::List),
    #[command(flatten)]
    Client(client::Command),
    #[command(flatten)]
    Operate(operate::Command),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Up(args) => up::up(args),
        Command::Parse(args) => folder::parse(&args),
        Command::Compile(args) => folder::compile(&args),
        Command::Ls(args) => folder::ls(&args),
        Command::Client(command) => client::run(command),
        Command::Operate(command) => operate::run(command),
    };
    done.unwrap_or_else(|error| {
        eprintln!("dvt: {}", dvt_runtime::error::chain(error.as_ref()));
        ExitCode::from(output::COULD_NOT)
    })
}
