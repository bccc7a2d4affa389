//! Writes the calls by which one node reads another.

use super::refs::{Call, Function};
use super::{Code, DecideInput, Refusal};
use crate::node::{Node, ResourceType};

/// Answers the call that reads `from` in a node of `package`.
///
/// # Errors
/// When nothing can read a node of its kind.
pub(super) fn reading(input: &DecideInput<'_>, from: &Node, package: &str) -> Result<String, Refusal> {
    if let Some(source) = &from.source_name {
        return Ok(format!("source('{source}', '{}')", from.name));
    }
    if !from.resource_type.is_referable() {
        let message = format!("{} is a {}, which nothing can read", from.name, from.resource_type.as_str());
        return Err(Refusal::new(Code::EditNotExpressible, message).at_field("/from"));
    }
    let same = |other: &&Node| other.name == from.name && other.resource_type.is_referable();
    let is_ambiguous = input.project.nodes().values().filter(same).any(|other| other.package_name != from.package_name);
    let of_package = match is_ambiguous || from.package_name != package {
        true => format!("'{}', ", from.package_name),
        false => String::new(),
    };
    let version = from.version.as_ref().map(|version| format!(", v={version}")).unwrap_or_default();
    Ok(format!("ref({of_package}'{}'{version})", from.name))
}

/// Says whether a call names a node.
pub(super) fn names(text: &str, call: &Call, node: &Node) -> bool {
    match (&node.source_name, &call.qualifier) {
        (Some(source), Some(qualifier)) => {
            call.function == Function::Source
                && text[qualifier.clone()] == **source
                && text[call.name.clone()] == *node.name
        }
        (Some(_), None) => false,
        (None, _) => node.resource_type.is_referable() && call.refers_to(text, &node.package_name, &node.name),
    }
}

/// Answers a name for what `from` is read into, none of `taken`.
pub(super) fn alias(from: &Node, taken: impl Fn(&str) -> bool) -> String {
    let long = match (&from.source_name, from.resource_type) {
        (Some(source), ResourceType::Source) => format!("{source}_{}", from.name),
        _ => format!("{}_in", from.name),
    };
    let numbered = (2..).map(|number| format!("{long}_{number}"));
    let names = [from.name.clone(), long.clone()].into_iter().chain(numbered);
    let clean = |name: String| name.replace(|c: char| !c.is_alphanumeric() && c != '_', "_");
    names.map(clean).find(|name| !taken(name)).expect("invariant: names are numbered without end")
}
