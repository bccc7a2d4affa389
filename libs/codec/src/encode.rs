//! Events to records.

use dvt_dbt::edit::Intent;
use dvt_dbt::tree::Sha256;
use dvt_domain::{Event, branch, compilation, layout, project, run};
use serde::Serialize;

use crate::blob::{self, Blobs};
use crate::{record, schema};

/// Changes of files above this many bytes in all are kept as a blob, so that a record stays small.
const INLINE_MAX_BYTES: usize = 64 * 1024;

/// Holds the bytes of an event's payload and what must be stored before it is appended.
pub struct Encoded {
    /// The event's name, e.g. `NodeRenamed`.
    pub event_type: &'static str,
    /// The sha256 of the writer schema's canonical form.
    pub fingerprint: Sha256,
    /// One Avro datum, without any prefix.
    pub payload: Vec<u8>,
    pub blobs: Blobs,
}

/// Encodes an event with the schema of this release.
pub fn encode(event: &Event) -> Encoded {
    let mut blobs = Blobs::new();
    let name = event.name();
    let (fingerprint, payload) = match event {
        Event::Project(event) => match event {
            project::Event::ProjectCreated(record) => write("project", name, record),
            project::Event::BranchCreated(record) => write("project", name, record),
            project::Event::EnvironmentDefined(record) => write("project", name, record),
            project::Event::RepositoryLinked(record) => write("project", name, record),
        },
        Event::Branch(event) => match event {
            branch::Event::ProjectImported(event) => write("branch", name, &imported(event, &mut blobs)),
            branch::Event::ProjectExported(record) => write("branch", name, record),
            branch::Event::Changed(changed) => write_changed(name, changed, &mut blobs),
        },
        Event::Layout(layout::Event::NodePlaced(record)) => write("layout", name, record),
        Event::Compilation(event) => match event {
            compilation::Event::CompileRequested(record) => write("compilation", name, record),
            compilation::Event::Compiled(event) => write("compilation", name, &compiled(event, &mut blobs)),
            compilation::Event::CompileFailed(record) => write("compilation", name, record),
            compilation::Event::PublishRequested(record) => write("compilation", name, record),
            compilation::Event::Published(record) => write("compilation", name, record),
            compilation::Event::PublishSuperseded(record) => write("compilation", name, record),
        },
        Event::Run(event) => match event {
            run::Event::RunRequested(record) => write("run", name, record),
            run::Event::RunCancelRequested(record) => write("run", name, record),
            run::Event::RunPlanned(event) => write("run", name, &planned(event, &mut blobs)),
            run::Event::RunStarted(record) => write("run", name, record),
            run::Event::StepStarted(record) => write("run", name, record),
            run::Event::StepSucceeded(record) => write("run", name, record),
            run::Event::StepFailed(record) => write("run", name, record),
            run::Event::StepNotStarted(record) => write("run", name, record),
            run::Event::StepUnknown(record) => write("run", name, record),
            run::Event::StepSkipped(record) => write("run", name, record),
            run::Event::StepCancelled(record) => write("run", name, record),
            run::Event::RunFinished(record) => write("run", name, record),
        },
    };
    Encoded { event_type: name, fingerprint, payload, blobs }
}

pub(crate) fn write(aggregate: &str, name: &str, record: &impl Serialize) -> (Sha256, Vec<u8>) {
    let (schema, datum) = schema::get(&format!("dvt.{aggregate}.{name}"));
    let payload = datum.writer.write_ser_to_vec(record);
    (schema.fingerprint, payload.expect("invariant: an event's struct fits its schema, as the tests check"))
}

fn write_changed(name: &str, changed: &branch::Changed, blobs: &mut Blobs) -> (Sha256, Vec<u8>) {
    let change = change(&changed.change, blobs);
    match &changed.intent {
        Intent::AddNode(intent) => write_intent(name, intent, change),
        Intent::RenameNode(intent) => write_intent(name, intent, change),
        Intent::RemoveNode(intent) => write_intent(name, intent, change),
        Intent::Connect(intent) => write_intent(name, intent, change),
        Intent::Disconnect(intent) => write_intent(name, intent, change),
        Intent::SetSql(intent) => write_intent(name, intent, change),
        Intent::Configure(intent) => write_intent(name, intent, change),
        Intent::DescribeNode(intent) => write_intent(name, intent, change),
        Intent::DescribeColumn(intent) => write_intent(name, intent, change),
        Intent::DeclareColumns(intent) => write_intent(name, intent, change),
        Intent::AddTest(intent) => write_intent(name, intent, change),
        Intent::RemoveTest(intent) => write_intent(name, intent, change),
        Intent::DeclareSource(intent) => write_intent(name, intent, change),
        Intent::SaveFile(intent) => write_intent(name, intent, change),
        Intent::AddFile(intent) => write_intent(name, intent, change),
        Intent::MoveFile(intent) => write_intent(name, intent, change),
        Intent::RemoveFile(intent) => write_intent(name, intent, change),
    }
}

fn write_intent<I: Serialize>(name: &str, intent: &I, change: record::Change) -> (Sha256, Vec<u8>) {
    write("branch", name, &record::Changed { intent, change })
}

fn change(change: &branch::Change, blobs: &mut Blobs) -> record::Change {
    let mut files: Vec<_> = change.files.iter().map(record::FileRecord::from).collect();
    let mut files_blob = None;
    if files.iter().map(record::FileRecord::size).sum::<usize>() > INLINE_MAX_BYTES {
        let (_, set) = write("branch", "ChangeSet", &record::ChangeSet { files });
        files_blob = Some(blob::put(blobs, set));
        files = Vec::new();
    }
    record::Change {
        summary: change.summary.clone(),
        files,
        files_blob,
        subjects: change.subjects.clone(),
        moved: change.moved.clone(),
    }
}

fn imported(event: &branch::ProjectImported, blobs: &mut Blobs) -> record::ProjectImported {
    record::ProjectImported {
        source: event.source.clone(),
        tree: blob::tree_blobs(&event.tree, blobs),
        packages: blob::tree_blobs(&event.packages, blobs),
        files: event.tree.len() as i64,
        left_out: event.left_out.clone(),
        moved: event.moved.clone(),
        given: event.given.as_ref().map(|given| blob::tree_blobs(given, blobs)),
    }
}

fn compiled(event: &compilation::Compiled, blobs: &mut Blobs) -> record::Compiled {
    let compilation::Compiled { artifact, compiled, deferred, broken, .. } = *event;
    record::Compiled { artifact, compiled, deferred, broken, nodes: json(&event.nodes, blobs) }
}

fn planned(event: &run::RunPlanned, blobs: &mut Blobs) -> record::RunPlanned {
    record::RunPlanned { steps: json(&event.steps, blobs), count: event.steps.len() as i32 }
}

fn json(list: &impl Serialize, blobs: &mut Blobs) -> Sha256 {
    blob::put(blobs, serde_json::to_vec(list).expect("invariant: plain structs serialise"))
}
