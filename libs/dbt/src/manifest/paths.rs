//! Paths as dbt writes them: from the folder of the package they belong to.

use std::borrow::Cow;

use crate::node::{Node, ResourceType};
use crate::parse::Project;

/// Answers where a node is defined, from its package's folder.
pub fn original_file_path<'a>(project: &Project, node: &'a Node) -> Cow<'a, str> {
    let path = below_package(project, &node.package_name, &node.original_file_path);
    // So dbt names the file that hooks stand in.
    if node.resource_type == ResourceType::Operation { Cow::from(format!("./{path}")) } else { Cow::from(path) }
}

/// Answers a path of the tree from the folder of a node's package.
pub fn local_path<'a>(project: &Project, node: &Node, path: &'a str) -> &'a str {
    below_package(project, &node.package_name, path)
}

/// Answers a path of the tree from the folder of a package.
pub(super) fn below_package<'a>(project: &Project, package: &str, path: &'a str) -> &'a str {
    path.strip_prefix(project.folder(package)).unwrap_or(path)
}

/// Answers where dbt puts a node's SQL below `target/compiled/`: a generic test goes into a folder that is named as the
/// file that declares it.
pub fn compiled_path(project: &Project, node: &Node) -> String {
    let (original, path) = (original_file_path(project, node), node.path.as_str());
    let file = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let inside = if file(&original) == file(path) { original.into_owned() } else { format!("{original}/{path}") };
    format!("{}/{inside}", node.package_name)
}

/// Says whether dbt writes a node's SQL below `target/compiled/`.
pub fn is_written(node: &Node) -> bool {
    !matches!(node.resource_type, ResourceType::Snapshot | ResourceType::Seed | ResourceType::Source)
}
