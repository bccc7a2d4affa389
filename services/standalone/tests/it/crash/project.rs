//! A project of 100 steps: views, and one table that every run adds one row to.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// How many models are edited; with the one that grows, a run has 100 steps.
pub(super) const MODELS: usize = 99;
/// The append-only model.
pub(super) const GROWING: &str = "growing";

/// Answers the unique_id of an edited model.
pub(super) fn unique_id(model: usize) -> String {
    format!("model.grow.{}", name(model))
}

/// Answers a model's name.
pub(super) fn name(model: usize) -> String {
    format!("m_{model:02}")
}

/// Answers the SQL of one edit.
pub(super) fn edited(edit: usize) -> String {
    format!("select {edit} as edit\n")
}

/// Packs the project.
pub(super) fn zip() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |path: &str, text: &str| {
        zip.start_file(path, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    };
    add("dbt_project.yml", "name: grow\nprofile: grow\n");
    add(&format!("models/{GROWING}.sql"), "{{ config(materialized='incremental') }}\nselect now() as at\n");
    for model in 0..MODELS {
        add(&format!("models/{}.sql", name(model)), "select null as edit\n");
    }
    zip.finish().unwrap().into_inner()
}
