//! What a property of a node says, for showing a conflict.

use dvt_dbt::edit::{DecideInput, Intent, Subject};
use dvt_dbt::parse::{ParseInput, Project, parse};

use super::since::History;

/// Answers what a subject said at the base and what it says now.
pub(super) fn base_and_now(input: &DecideInput<'_>, history: &History<'_>, subject: &Subject) -> [Option<String>; 2] {
    let before = parse(ParseInput { tree: &history.base.tree, ..input.files });
    let old = Subject { node: history.node_at_base(&subject.node), ..subject.clone() };
    [read(&before, &old), read(input.project, subject)]
}

fn read(project: &Project, subject: &Subject) -> Option<String> {
    let node = project.find(&subject.node).or_else(|| project.disabled().get(&subject.node))?;
    match subject.property.as_str() {
        "name" => Some(node.name.clone()),
        "description" => Some(node.description.clone()),
        property => {
            if let Some(key) = property.strip_prefix("config.") {
                return node.config.get(key).map(ToString::to_string);
            }
            if let Some(parent) = property.strip_prefix("parents.") {
                return Some(node.depends_on.nodes.iter().any(|known| known == parent).to_string());
            }
            let (column, key) = property.strip_prefix("columns.")?.rsplit_once('.')?;
            let column = node.columns.get(column)?;
            match key {
                "description" => Some(column.description.clone()),
                "data_type" => column.data_type.clone(),
                _ => None,
            }
        }
    }
}

/// Answers the value that an intent sets.
pub(super) fn meant(intent: &Intent) -> Option<String> {
    match intent {
        Intent::RenameNode(rename) => Some(rename.to.clone()),
        Intent::SetSql(set) => Some(set.sql.clone()),
        Intent::Configure(configure) => Some(configure.value.0.to_string()),
        Intent::DescribeNode(describe) => Some(describe.text.clone()),
        Intent::DescribeColumn(describe) => Some(describe.text.clone()),
        Intent::SaveFile(save) => Some(save.text.clone()),
        Intent::AddFile(add) => Some(add.text.clone()),
        Intent::MoveFile(moving) => Some(moving.to.clone()),
        Intent::AddNode(_)
        | Intent::RemoveNode(_)
        | Intent::Connect(_)
        | Intent::Disconnect(_)
        | Intent::AddTest(_)
        | Intent::RemoveTest(_)
        | Intent::DeclareSource(_)
        | Intent::DeclareColumns(_)
        | Intent::RemoveFile(_) => None,
    }
}
