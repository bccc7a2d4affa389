//! Paths as dbt writes them: from the folder of the package they belong to.

use crate::node::Node;
use crate::parse::Project;

/// Answers where a node is defined, from its package's folder.
pub fn original_file_path<'a>(project: &Project, node: &'a Node) -> &'a str {
    below_package(project, &node.package_name, &node.original_file_path)
}

/// Answers a path of the tree from the folder of a node's package.
pub fn local_path<'a>(project: &Project, node: &Node, path: &'a str) -> &'a str {
    below_package(project, &node.package_name, path)
}

/// Answers a path of the tree from the folder of a package.
pub(super) fn below_package<'a>(_project: &Project, _package: &str, path: &'a str) -> &'a str {
    let inside = path.strip_prefix("dbt_packages/").and_then(|rest| rest.split_once('/'));
    inside.map_or(path, |(_, path)| path)
}

/// Answers the path that dbt calls `path`: from the folder of the node's kind, for a generic test the name of its file.
pub(super) fn path(project: &Project, node: &Node) -> String {
    let original = original_file_path(project, node);
    match node.resource_type.as_str() {
        "test" if node.test.is_some() => format!("{}.sql", node.alias),
        "source" => original.to_owned(),
        _ => {
            let ending = original.rsplit_once('.').map_or("", |(_, ending)| ending);
            format!("{}.{ending}", node.fqn.get(1..).unwrap_or_default().join("/"))
        }
    }
}

/// Answers where dbt puts a node's SQL below `target/compiled/`: a generic test goes into a folder that is named as the
/// file that declares it.
pub fn compiled_path(project: &Project, node: &Node) -> String {
    let (original, path) = (original_file_path(project, node), path(project, node));
    let file = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let inside = if file(original) == file(&path) { original.to_owned() } else { format!("{original}/{path}") };
    format!("{}/{inside}", node.package_name)
}

/// Says whether dbt writes a node's SQL below `target/compiled/`.
pub fn is_written(node: &Node) -> bool {
    !matches!(node.resource_type.as_str(), "snapshot" | "seed" | "source")
}
