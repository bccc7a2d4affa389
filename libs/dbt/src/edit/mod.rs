//! Semantic edits: decides what a user means into the smallest exact changes of files.
//!
//! Responsible for the edits, for checking that they change what was meant and nothing else, and for saying which nodes
//! moved. Stale bases are the domain's; how YAML is written is `yaml::edit`'s.

mod add;
mod calls;
mod check;
mod config_call;
mod configure;
mod connect;
mod ctes;
mod data_tests;
mod describe;
mod diff;
mod files;
mod home;
mod identifier;
mod intent;
mod layers;
mod moved;
mod preview;
mod properties;
mod raw;
mod refusal;
mod remove;
mod rename;
mod source;
#[cfg(test)]
mod tests;

use crate::jinja::references as refs;
use crate::node::Node;
use crate::parse::{ParseInput, Project};
use crate::tree::{self, FileChange, Path, Tree};

use check::Meant;

pub use diff::{Hunk, Overlap, between, diff, hunks, overlap, rebase, restore, three, unified};
pub(crate) use identifier::fault as identifier_fault;
pub use intent::*;
pub use moved::{Side, moved};
pub use preview::{preview, preview_removal, preview_rename};
pub use refusal::{Code, Refusal};

/// The nodes that an edit may leave a project with.
pub const MAX_NODES: usize = 20_000;

/// Is all that an edit is decided on: the files, and the project read from exactly these.
#[derive(Clone, Copy, Debug)]
pub struct DecideInput<'a> {
    pub files: ParseInput<'a>,
    pub project: &'a Project,
}

/// Is what an intent comes to.
#[derive(Clone, Debug)]
pub struct Decided {
    /// Says in a few words what is done, e.g. `renamed orders to fct_orders`.
    pub summary: String,
    /// Empty if the files already say what is meant.
    pub files: Vec<FileChange>,
    pub subjects: Vec<Subject>,
    pub moved: Vec<Moved>,
    /// The project as it reads after the edit.
    pub project: Project,
}

/// Is an edit before it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditPreview {
    pub summary: String,
    pub files: Vec<FilePreview>,
}

/// Is a rename before it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenamePreview {
    pub files: Vec<FilePreview>,
    /// What may name the node too and stays as it is.
    pub mentions: Vec<Mention>,
    /// Says what happens in the target.
    pub target: String,
}

/// Is a removal before it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovalPreview {
    pub files: Vec<FilePreview>,
    /// What still names the node and would break; the removal is refused while there is any.
    pub breaks: Vec<Mention>,
    /// Says what happens in the target.
    pub target: String,
}

/// Is what an edit does to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePreview {
    pub path: Path,
    pub is_removed: bool,
    /// Where the file goes, if it moves.
    pub moved_to: Option<Path>,
    pub hunks: Vec<Hunk>,
}

/// Is a line that may name a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    pub path: Path,
    /// Counts from 1.
    pub line: u32,
    pub text: String,
}

/// Is what one kind of intent makes, before it is checked.
#[derive(Default)]
struct Plan {
    summary: String,
    files: Vec<FileChange>,
    subjects: Vec<Subject>,
    /// Which nodes move, where the plan knows it better than a comparison can tell.
    moved: Option<Vec<Moved>>,
    /// What may differ afterwards; None for a raw edit, which is accepted whatever it says.
    meant: Option<Meant>,
}

/// Decides an intent into changes of files. A raw edit restores the file's line endings and byte order mark and is
/// accepted whatever it says; a semantic one is refused unless exactly what it means differs afterwards.
///
/// # Errors
/// When the intent names what is not there, breaks a rule of the graph, or cannot be expressed by an edit.
pub fn decide(input: &DecideInput<'_>, intent: &Intent) -> Result<Decided, Refusal> {
    let plan = match intent {
        Intent::SaveFile(save) => raw::save(input, save)?,
        Intent::AddFile(add) => raw::add(input, add)?,
        Intent::MoveFile(moving) => raw::move_file(input, moving)?,
        Intent::RemoveFile(remove) => raw::remove(input, remove)?,
        Intent::SetSql(set) => raw::set_sql(input, set)?,
        Intent::RenameNode(asked) => rename::rename(input, asked)?,
        Intent::AddNode(asked) => add::add(input, asked)?,
        Intent::RemoveNode(asked) => remove::remove(input, asked)?,
        Intent::DeclareSource(asked) => source::declare(input, asked)?,
        Intent::DescribeNode(asked) => describe::node(input, asked)?,
        Intent::DescribeColumn(asked) => describe::column(input, asked)?,
        Intent::DeclareColumns(asked) => describe::columns(input, asked)?,
        Intent::AddTest(asked) => data_tests::add(input, asked)?,
        Intent::RemoveTest(asked) => data_tests::remove(input, asked)?,
        Intent::Configure(asked) => configure::configure(input, asked)?,
        Intent::Connect(asked) => connect::connect(input, asked)?,
        Intent::Disconnect(asked) => connect::disconnect(input, asked)?,
    };
    finish(input, plan)
}

/// Reads the project as a plan leaves it and checks that it says what is meant.
fn finish(input: &DecideInput<'_>, plan: Plan) -> Result<Decided, Refusal> {
    let Plan { summary, files, subjects, moved, meant } = plan;
    let (tree, project) = after(input, &files)?;
    if let Some(meant) = meant.filter(|_| !files.is_empty()) {
        check::check(input.project, &project, &meant)?;
        let pairs = meant.renamed.iter().chain(meant.nodes.iter().map(|id| (id, id)));
        let related = meant.facets.iter().filter(|(_, facet)| *facet == check::Facet::Relation).map(|(id, _)| (id, id));
        for (old, new) in pairs.chain(related) {
            identifier::check_relation((input.project, old), (&project, new))?;
        }
    }
    let before = Side { project: input.project, tree: input.files.tree };
    let moved = moved.unwrap_or_else(|| moved::moved(before, Side { project: &project, tree: &tree }, &files));
    Ok(Decided { summary, files, subjects, moved, project })
}

/// Reads the project as it is after `changes`.
fn after(input: &DecideInput<'_>, changes: &[FileChange]) -> Result<(Tree, Project), Refusal> {
    let tree = input.files.tree.apply(changes).map_err(|error: tree::Error| {
        Refusal::new(Code::EditNotExpressible, format!("the edit does not fit the files: {error}"))
    })?;
    let project = input.project.update(ParseInput { tree: &tree, ..input.files });
    let count = project.nodes().len();
    if count > MAX_NODES && count > input.project.nodes().len() {
        let message = format!("the project would have {count} nodes; {MAX_NODES} are allowed");
        return Err(Refusal { limit: Some(MAX_NODES), ..Refusal::new(Code::GraphTooLarge, message) });
    }
    Ok((tree, project))
}

/// Finds the node that an intent names.
fn find<'a>(input: &DecideInput<'a>, unique_id: &str) -> Result<&'a Node, Refusal> {
    let missing = || Refusal::new(Code::NodeNotFound, format!("there is no node {unique_id}")).at_field("/unique_id");
    input.project.find(unique_id).ok_or_else(missing)
}
