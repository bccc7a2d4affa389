//! The generated project of 1,000 models: staging on sources, intermediate on staging, marts on both, each model with a
//! description, two columns and two tests, as a project of that size has them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{Cursor, Write as _};
use std::path::Path;

use anyhow::Result;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// How many models the project has.
pub(crate) const MODELS: usize = 1_000;
/// In how many folders each layer lies.
const AREAS: usize = 10;
const STAGING: usize = 340;
const INTERMEDIATE: usize = 330;
pub(crate) const NAME: &str = "bench";

const PROJECT: &str = "\
name: bench
version: '1.0'
profile: bench
models:
  bench:
    staging:
      +materialized: view
    marts:
      +materialized: table
vars:
  since: '2026-01-01'
";
const MACROS: &str = "\
{% macro clean(column) -%}
  nullif(trim(lower({{ column }})), '')
{%- endmacro %}
";

/// Answers the unique_id of a model.
pub(crate) fn unique_id(model: usize) -> String {
    format!("model.{NAME}.{}", name(model))
}

/// Answers the SQL of a model after so many edits.
pub(crate) fn sql(model: usize, edits: usize) -> String {
    let name = name(model);
    if model < STAGING {
        let source = format!("{{{{ source('raw_{}', 'table_{model:04}') }}}}", model % AREAS);
        let clean = "{{ clean('name') }}";
        return format!(
            "with source as (\n  select * from {source}\n)\n\nselect\n  id,\n  {clean} as name,\n  amount + {edits} as amount\nfrom source\n\
             where created_at >= '{{{{ var(\"since\") }}}}'\n"
        );
    }
    let [left, right] = parents(model);
    let config = if model.is_multiple_of(7) { "{{ config(materialized='table', tags=['nightly']) }}\n\n" } else { "" };
    format!(
        "{config}with a as (\n  select * from {{{{ ref('{left}') }}}}\n),\n\nb as (\n  select * from {{{{ ref('{right}') }}}}\n)\n\n\
         -- {name}\nselect\n  a.id,\n  a.name,\n  {{%- for part in ['net', 'gross', 'tax'] %}}\n  \
         a.amount * {edits} as {{{{ part }}}}_amount,\n  {{%- endfor %}}\n  a.amount + b.amount as amount\nfrom a\njoin b using (id)\n"
    )
}

/// Answers the models that a model of the upper layers reads.
fn parents(model: usize) -> [String; 2] {
    let (first, size) = if model < STAGING + INTERMEDIATE { (0, STAGING) } else { (STAGING, INTERMEDIATE) };
    let place = model - first - size;
    [name(first + place % size), name(first + (place + 7) % size)]
}

fn layer(model: usize) -> (&'static str, &'static str) {
    match model {
        _ if model < STAGING => ("staging", "stg"),
        _ if model < STAGING + INTERMEDIATE => ("intermediate", "int"),
        _ => ("marts", "fct"),
    }
}

fn name(model: usize) -> String {
    format!("{}_{model:04}", layer(model).1)
}

/// Answers the path of a model's file in the project.
pub(crate) fn path(model: usize) -> String {
    format!("models/{}/area_{}/{}.sql", layer(model).0, model % AREAS, name(model))
}

/// Lists the project's files by their paths.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::from([
        ("dbt_project.yml".to_owned(), PROJECT.to_owned()),
        ("macros/clean.sql".to_owned(), MACROS.to_owned()),
    ]);
    for model in 0..MODELS {
        files.insert(path(model), sql(model, 0));
        let (layer, _) = layer(model);
        let properties = files
            .entry(format!("models/{layer}/area_{}/_models.yml", model % AREAS))
            .or_insert_with(|| "version: 2\nmodels:\n".to_owned());
        let _ = write!(
            properties,
            "  - name: {}\n    description: What {layer} knows of {model}.\n    columns:\n      - name: id\n        \
             description: The key.\n        data_tests: [not_null, unique]\n      - name: amount\n        \
             description: In cents.\n",
            name(model)
        );
    }
    for area in 0..AREAS {
        let mut sources = format!("version: 2\nsources:\n  - name: raw_{area}\n    schema: raw\n    tables:\n");
        for table in (0..STAGING).filter(|table| table % AREAS == area) {
            let _ = writeln!(sources, "      - name: table_{table:04}");
        }
        files.insert(format!("models/staging/area_{area}/_sources.yml"), sources);
    }
    files
}

/// Writes the project into a folder.
pub(crate) fn write(folder: &Path) -> Result<()> {
    unpack(folder, files())
}

/// Packs the project.
pub(crate) fn zip() -> Result<Vec<u8>> {
    pack(files())
}

/// Answers the unique_id of a trivial view.
pub(crate) fn view_id(view: usize) -> String {
    format!("model.{NAME}.view_{view:03}")
}

/// Lists the files of a project of trivial views.
fn view_files(count: usize) -> BTreeMap<String, String> {
    let mut files = BTreeMap::from([("dbt_project.yml".to_owned(), "name: bench\nprofile: bench\n".to_owned())]);
    let mut properties = "version: 2\nmodels:\n".to_owned();
    for view in 0..count {
        let _ = writeln!(properties, "  - name: view_{view:03}");
        files.insert(format!("models/view_{view:03}.sql"), format!("select {view} as id\n"));
    }
    files.insert("models/_models.yml".to_owned(), properties);
    files
}

/// Writes a project of trivial views into a folder.
pub(crate) fn write_views(folder: &Path, count: usize) -> Result<()> {
    unpack(folder, view_files(count))
}

/// Packs a project of trivial views.
pub(crate) fn views(count: usize) -> Result<Vec<u8>> {
    pack(view_files(count))
}

fn unpack(folder: &Path, files: BTreeMap<String, String>) -> Result<()> {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, text)?;
    }
    Ok(())
}

fn pack(files: BTreeMap<String, String>) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, text) in files {
        zip.start_file(path, SimpleFileOptions::default())?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_reads_models_or_sources_that_are_there() {
        let files = files();
        let models = (0..MODELS).map(name).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(models.len(), MODELS);
        for model in STAGING..MODELS {
            let parents = parents(model);
            assert_ne!(parents[0], parents[1]);
            assert!(parents.iter().all(|parent| models.contains(parent) && files[&path(model)].contains(parent)));
        }
        assert_eq!(files.keys().filter(|path| path.ends_with(".sql")).count(), MODELS + 1);
    }
}
