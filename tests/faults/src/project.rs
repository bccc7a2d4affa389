//! The project that is edited and run while things break: views, a table that every run adds one row to, and two that
//! take their time.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// How many models are edited.
pub(crate) const MODELS: usize = 6;
/// The model to which every run adds a row that names the run: the target's own count of effects.
pub(crate) const GROWING: &str = "growing";
/// Long enough to die in.
const SLOW: &str = "{{ config(materialized='table') }}\nselect 1 as one, pg_sleep(0.1)::text as slept\n";
/// What a run of everything else leaves out.
pub(crate) const SLEEPY: &str = "sleepy";

/// Answers the unique_id of an edited model.
pub(crate) fn unique_id(model: usize) -> String {
    format!("model.faults.{}", name(model))
}

fn name(model: usize) -> String {
    format!("m_{model:02}")
}

/// Answers the SQL of one edit.
pub(crate) fn edited(edit: usize) -> String {
    format!("select {edit} as edit\n")
}

/// Packs the project.
pub(crate) fn zip() -> std::io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |path: &str, text: &str| {
        zip.start_file(path, SimpleFileOptions::default())?;
        zip.write_all(text.as_bytes())
    };
    add("dbt_project.yml", "name: faults\nprofile: faults\n")?;
    let growing =
        "{{ config(materialized='incremental') }}\nselect '{{ invocation_id }}'::text as run_id, now() as at\n";
    add(&format!("models/{GROWING}.sql"), growing)?;
    add("models/slow.sql", SLOW)?;
    add(&format!("models/{SLEEPY}.sql"), &SLOW.replace("0.1", "5"))?;
    for model in 0..MODELS {
        add(&format!("models/{}.sql", name(model)), "select null as edit\n")?;
    }
    Ok(zip.finish()?.into_inner())
}
