//! Records to events, whichever release wrote them.

use std::collections::HashMap;

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use dvt_dbt::edit::Intent;
use dvt_dbt::tree::Sha256;
use dvt_domain::{Event, branch, compilation, layout, project, run};
use serde::de::DeserializeOwned;

use crate::blob::{self, Blobs};
use crate::{record, schema};

/// Says why a payload could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Give the decoder this schema with [`Decoder::learn`] and call again.
    #[error("schema {0} is not known here")]
    UnknownSchema(Sha256),
    /// Fetch these blobs and call again.
    #[error("{} blobs are missing", .0.len())]
    MissingBlobs(Vec<Sha256>),
    #[error("event type {0} is not known to this release")]
    UnknownEvent(String),
    #[error("{record} lacks {field}")]
    Field { record: &'static str, field: &'static str },
    #[error("blob {0} is not what its event says")]
    Blob(Sha256),
    #[error("could not read the payload")]
    Avro(#[from] Box<apache_avro::Error>),
}

/// Decodes payloads. Knows the schemas of this release and those it was taught.
#[derive(Default)]
pub struct Decoder {
    learned: HashMap<Sha256, Schema>,
}

impl Decoder {
    /// Takes a schema of another release, as the log keeps it beside its fingerprint.
    ///
    /// # Errors
    /// When the text is no schema.
    pub fn learn(&mut self, fingerprint: Sha256, text: &str) -> Result<(), Error> {
        let schema = Schema::parse_str(text).map_err(Box::new)?;
        self.learned.insert(fingerprint, schema);
        Ok(())
    }

    /// Decodes one payload.
    ///
    /// # Errors
    /// [`Error::UnknownSchema`] and [`Error::MissingBlobs`] say what to fetch before calling again; the others are final.
    pub fn decode(&self, fingerprint: &Sha256, payload: &[u8], blobs: &Blobs) -> Result<Event, Error> {
        let read = Read { writer: self.writer(fingerprint)?, payload };
        let name = read.writer.name();
        let event = match name.split_once('.').map_or(name, |(_, name)| name) {
            "project.ProjectCreated" => project::Event::ProjectCreated(read.record()?).into(),
            "project.BranchCreated" => project::Event::BranchCreated(read.record()?).into(),
            "project.EnvironmentDefined" => project::Event::EnvironmentDefined(read.record()?).into(),
            "project.RepositoryLinked" => project::Event::RepositoryLinked(read.record()?).into(),
            "layout.NodePlaced" => layout::Event::NodePlaced(read.record()?).into(),
            "compilation.CompileRequested" => compilation::Event::CompileRequested(read.record()?).into(),
            "compilation.Compiled" => compilation::Event::Compiled(compiled(read.record()?, blobs)?).into(),
            "compilation.CompileFailed" => compilation::Event::CompileFailed(read.record()?).into(),
            "compilation.PublishRequested" => compilation::Event::PublishRequested(read.record()?).into(),
            "compilation.Published" => compilation::Event::Published(read.record()?).into(),
            "compilation.PublishSuperseded" => compilation::Event::PublishSuperseded(read.record()?).into(),
            "run.RunRequested" => run::Event::RunRequested(read.record()?).into(),
            "run.RunCancelRequested" => run::Event::RunCancelRequested(read.record()?).into(),
            "run.RunPlanned" => run::Event::RunPlanned(planned(read.record()?, blobs)?).into(),
            "run.RunStarted" => run::Event::RunStarted(read.record()?).into(),
            "run.StepStarted" => run::Event::StepStarted(read.record()?).into(),
            "run.StepSucceeded" => run::Event::StepSucceeded(read.record()?).into(),
            "run.StepFailed" => run::Event::StepFailed(read.record()?).into(),
            "run.StepNotStarted" => run::Event::StepNotStarted(read.record()?).into(),
            "run.StepUnknown" => run::Event::StepUnknown(read.record()?).into(),
            "run.StepSkipped" => run::Event::StepSkipped(read.record()?).into(),
            "run.StepCancelled" => run::Event::StepCancelled(read.record()?).into(),
            "run.RunFinished" => run::Event::RunFinished(read.record()?).into(),
            "branch.ProjectImported" => branch::Event::ProjectImported(imported(read.record()?, blobs)?).into(),
            "branch.ProjectExported" => branch::Event::ProjectExported(read.record()?).into(),
            "branch.NodeAdded" => read.changed(blobs, Intent::AddNode)?,
            "branch.NodeRenamed" => read.changed(blobs, Intent::RenameNode)?,
            "branch.NodeRemoved" => read.changed(blobs, Intent::RemoveNode)?,
            "branch.NodeConnected" => read.changed(blobs, Intent::Connect)?,
            "branch.NodeDisconnected" => read.changed(blobs, Intent::Disconnect)?,
            "branch.NodeSqlChanged" => read.changed(blobs, Intent::SetSql)?,
            "branch.NodeConfigured" => read.changed(blobs, Intent::Configure)?,
            "branch.NodeDescribed" => read.changed(blobs, Intent::DescribeNode)?,
            "branch.ColumnDescribed" => read.changed(blobs, Intent::DescribeColumn)?,
            "branch.ColumnsDeclared" => read.changed(blobs, Intent::DeclareColumns)?,
            "branch.TestAdded" => read.changed(blobs, Intent::AddTest)?,
            "branch.TestRemoved" => read.changed(blobs, Intent::RemoveTest)?,
            "branch.SourceDeclared" => read.changed(blobs, Intent::DeclareSource)?,
            "branch.FileEdited" => read.changed(blobs, Intent::SaveFile)?,
            "branch.FileAdded" => read.changed(blobs, Intent::AddFile)?,
            "branch.FileMoved" => read.changed(blobs, Intent::MoveFile)?,
            "branch.FileRemoved" => read.changed(blobs, Intent::RemoveFile)?,
            _ => return Err(Error::UnknownEvent(name.to_owned())),
        };
        Ok(event)
    }

    fn writer(&self, fingerprint: &Sha256) -> Result<Writer<'_>, Error> {
        match schema::find_fingerprint(fingerprint) {
            Some(schema) => Ok(Writer::Ours(schema)),
            None => {
                let learned = self.learned.get(fingerprint).ok_or(Error::UnknownSchema(*fingerprint))?;
                let name = learned.name().map(|name| name.fullname(None).to_string());
                Ok(Writer::Theirs { schema: learned, name: name.unwrap_or_default() })
            }
        }
    }
}

/// The schema that a payload was written with.
enum Writer<'a> {
    Ours(&'static schema::EventSchema),
    Theirs { schema: &'a Schema, name: String },
}

impl Writer<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Ours(schema) => &schema.name,
            Self::Theirs { name, .. } => name,
        }
    }
}

struct Read<'a> {
    writer: Writer<'a>,
    payload: &'a [u8],
}

impl Read<'_> {
    /// Reads a record; one that another release wrote is resolved to this release's schema first.
    fn record<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let mut payload = self.payload;
        match &self.writer {
            Writer::Ours(schema) => {
                Ok(schema::get(&schema.name).1.reader.read_deser(&mut payload).map_err(Box::new)?)
            }
            Writer::Theirs { schema, name } => {
                let ours = schema::find(name).ok_or_else(|| Error::UnknownEvent(name.clone()))?;
                let reader = GenericDatumReader::builder(schema).reader_schema(&ours.schema).human_readable(false);
                let value = reader.build().and_then(|reader| reader.read_value(&mut payload)).map_err(Box::new)?;
                Ok(apache_avro::from_value(&value).map_err(Box::new)?)
            }
        }
    }

    fn changed<I: DeserializeOwned>(&self, blobs: &Blobs, intent: fn(I) -> Intent) -> Result<Event, Error> {
        let record: record::Changed<I> = self.record()?;
        let changed = branch::Changed { intent: intent(record.intent), change: change(record.change, blobs)? };
        Ok(branch::Event::Changed(changed).into())
    }
}

fn change(record: record::Change, blobs: &Blobs) -> Result<branch::Change, Error> {
    let files = match record.files_blob {
        None => record.files,
        Some(sha256) => {
            let bytes = blob::find(blobs, sha256)?;
            let reader = &schema::get("dvt.branch.ChangeSet").1.reader;
            reader.read_deser::<record::ChangeSet>(&mut &bytes[..]).map_err(Box::new)?.files
        }
    };
    Ok(branch::Change {
        summary: record.summary,
        files: files.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        subjects: record.subjects,
        moved: record.moved,
    })
}

fn imported(record: record::ProjectImported, blobs: &Blobs) -> Result<branch::ProjectImported, Error> {
    Ok(branch::ProjectImported {
        source: record.source,
        tree: blob::tree_from_blobs(record.tree, blobs)?,
        packages: blob::tree_from_blobs(record.packages, blobs)?,
        left_out: record.left_out,
        moved: record.moved,
        given: record.given.map(|given| blob::tree_from_blobs(given, blobs)).transpose()?,
    })
}

fn compiled(record: record::Compiled, blobs: &Blobs) -> Result<compilation::Compiled, Error> {
    let record::Compiled { artifact, compiled, deferred, broken, nodes } = record;
    Ok(compilation::Compiled { artifact, compiled, deferred, broken, nodes: json(nodes, blobs)? })
}

fn planned(record: record::RunPlanned, blobs: &Blobs) -> Result<run::RunPlanned, Error> {
    Ok(run::RunPlanned { steps: json(record.steps, blobs)? })
}

fn json<T: DeserializeOwned>(sha256: Sha256, blobs: &Blobs) -> Result<T, Error> {
    serde_json::from_slice(&blob::find(blobs, sha256)?).map_err(|_| Error::Blob(sha256))
}
