//! How the command line speaks: exit statuses, errors with their causes, JSON.

use std::io::Write;

use serde::Serialize;

/// The exit status of a command that ran and in which something failed.
pub(crate) const FAILED: u8 = 1;
/// The exit status of a command that could not be done.
pub(crate) const COULD_NOT: u8 = 2;

/// Prints a value as one line of JSON.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print_line(&serde_json::to_string(value)?)
}

/// Prints a line.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn print_line(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(())
}
