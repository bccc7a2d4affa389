//! The schemas of every event: parsed once, found by full name, named by fingerprint.

use std::collections::HashMap;
use std::sync::LazyLock;

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;
use dvt_dbt::tree::Sha256;

/// Holds one schema that this release writes.
pub struct EventSchema {
    /// The record's full name, e.g. `dvt.branch.NodeRenamed`.
    pub name: String,
    /// The schema as its file has it.
    pub text: &'static str,
    /// The sha256 of the schema's parsing canonical form.
    pub fingerprint: Sha256,
    pub(crate) schema: Schema,
}

/// Writes and reads records of one schema; resolved once.
pub(crate) struct Datum {
    pub(crate) writer: GenericDatumWriter<'static>,
    pub(crate) reader: GenericDatumReader<'static>,
}

static SCHEMAS: LazyLock<Vec<EventSchema>> = LazyLock::new(|| TEXTS.iter().map(|text| parse(text)).collect());

static BY_NAME: LazyLock<HashMap<&'static str, (&'static EventSchema, Datum)>> =
    LazyLock::new(|| SCHEMAS.iter().map(|schema| (schema.name.as_str(), (schema, datum(schema)))).collect());

/// Lists every schema that this release writes.
pub fn all() -> &'static [EventSchema] {
    &SCHEMAS
}

/// Finds a schema by its record's full name.
pub fn find(name: &str) -> Option<&'static EventSchema> {
    BY_NAME.get(name).map(|(schema, _)| *schema)
}

/// Finds a schema of this release by its fingerprint.
pub fn find_fingerprint(fingerprint: &Sha256) -> Option<&'static EventSchema> {
    SCHEMAS.iter().find(|schema| schema.fingerprint == *fingerprint)
}

pub(crate) fn get(name: &str) -> &'static (&'static EventSchema, Datum) {
    BY_NAME.get(name).expect("invariant: every record that is encoded or decoded has a schema")
}

/// Answers the fingerprint of a schema: the sha256 of its parsing canonical form.
pub(crate) fn fingerprint(schema: &Schema) -> Sha256 {
    Sha256::of(schema.canonical_form().as_bytes())
}

fn parse(text: &'static str) -> EventSchema {
    let schema = Schema::parse_str(text).expect("invariant: the schemas of a release parse");
    let name = schema.name().expect("invariant: an event is a record").fullname(None).to_string();
    EventSchema { name, text, fingerprint: fingerprint(&schema), schema }
}

fn datum(schema: &'static EventSchema) -> Datum {
    let schema = &schema.schema;
    let writer = GenericDatumWriter::builder(schema).human_readable(false).build();
    let reader = GenericDatumReader::builder(schema).human_readable(false).build();
    Datum {
        writer: writer.expect("invariant: the schemas of a release resolve"),
        reader: reader.expect("invariant: the schemas of a release resolve"),
    }
}

/// One line per event type; the files are the contract.
const TEXTS: &[&str] = &[
    include_str!("../../../schemas/branch/ChangeSet.avsc"),
    include_str!("../../../schemas/branch/ColumnDescribed.avsc"),
    include_str!("../../../schemas/branch/ColumnsDeclared.avsc"),
    include_str!("../../../schemas/branch/FileAdded.avsc"),
    include_str!("../../../schemas/branch/FileEdited.avsc"),
    include_str!("../../../schemas/branch/FileMoved.avsc"),
    include_str!("../../../schemas/branch/FileRemoved.avsc"),
    include_str!("../../../schemas/branch/NodeAdded.avsc"),
    include_str!("../../../schemas/branch/NodeConfigured.avsc"),
    include_str!("../../../schemas/branch/NodeConnected.avsc"),
    include_str!("../../../schemas/branch/NodeDescribed.avsc"),
    include_str!("../../../schemas/branch/NodeDisconnected.avsc"),
    include_str!("../../../schemas/branch/NodeRemoved.avsc"),
    include_str!("../../../schemas/branch/NodeRenamed.avsc"),
    include_str!("../../../schemas/branch/NodeSqlChanged.avsc"),
    include_str!("../../../schemas/branch/ProjectExported.avsc"),
    include_str!("../../../schemas/branch/ProjectImported.avsc"),
    include_str!("../../../schemas/branch/SourceDeclared.avsc"),
    include_str!("../../../schemas/branch/TestAdded.avsc"),
    include_str!("../../../schemas/branch/TestRemoved.avsc"),
    include_str!("../../../schemas/compilation/CompileFailed.avsc"),
    include_str!("../../../schemas/compilation/CompileRequested.avsc"),
    include_str!("../../../schemas/compilation/Compiled.avsc"),
    include_str!("../../../schemas/compilation/PublishRequested.avsc"),
    include_str!("../../../schemas/compilation/PublishSuperseded.avsc"),
    include_str!("../../../schemas/compilation/Published.avsc"),
    include_str!("../../../schemas/layout/NodePlaced.avsc"),
    include_str!("../../../schemas/project/BranchCreated.avsc"),
    include_str!("../../../schemas/project/EnvironmentDefined.avsc"),
    include_str!("../../../schemas/project/ProjectCreated.avsc"),
    include_str!("../../../schemas/project/RepositoryLinked.avsc"),
    include_str!("../../../schemas/run/RunCancelRequested.avsc"),
    include_str!("../../../schemas/run/RunFinished.avsc"),
    include_str!("../../../schemas/run/RunPlanned.avsc"),
    include_str!("../../../schemas/run/RunRequested.avsc"),
    include_str!("../../../schemas/run/RunStarted.avsc"),
    include_str!("../../../schemas/run/StepCancelled.avsc"),
    include_str!("../../../schemas/run/StepFailed.avsc"),
    include_str!("../../../schemas/run/StepNotStarted.avsc"),
    include_str!("../../../schemas/run/StepSkipped.avsc"),
    include_str!("../../../schemas/run/StepStarted.avsc"),
    include_str!("../../../schemas/run/StepSucceeded.avsc"),
    include_str!("../../../schemas/run/StepUnknown.avsc"),
    include_str!("../../../schemas/view/ViewAdvanced.avsc"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_every_schema_once() {
        let names: std::collections::BTreeSet<_> = all().iter().map(|schema| &schema.name).collect();
        assert_eq!(names.len(), all().len());
    }

    #[test]
    fn embeds_every_schema_file() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas");
        let mut files = Vec::new();
        for aggregate in std::fs::read_dir(folder).expect("the folder is there").flatten() {
            for file in std::fs::read_dir(aggregate.path()).expect("a folder per aggregate").flatten() {
                let aggregate = aggregate.file_name().into_string().expect("a plain name");
                let file = file.file_name().into_string().expect("a plain name");
                files.push(format!("dvt.{aggregate}.{}", file.trim_end_matches(".avsc")));
            }
        }
        let missing: Vec<_> = files.iter().filter(|name| find(name).is_none()).collect();
        assert!(missing.is_empty(), "not in TEXTS: {missing:?}");
        assert_eq!(files.len(), all().len());
    }
}
