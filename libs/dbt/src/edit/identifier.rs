//! Which names nodes may have.

use super::{Code, Refusal};
use crate::environment::Adapter;
use crate::node::Node;
use crate::parse::Project;

/// Checks a new name of a relation: a letter or `_`, then letters, digits and `_`, no longer than the database allows.
pub(super) fn check(name: &str, adapter: Adapter) -> Result<(), Refusal> {
    let allowed = |at: usize, c: char| c == '_' || c.is_alphabetic() || (at > 0 && c.is_ascii_digit());
    if let Some((at, bad)) = name.char_indices().find(|(at, c)| !allowed(*at, *c)) {
        let place = name[..at].chars().count() + 1;
        let message =
            format!("the name has {bad:?} at character {place}; allowed: a letter or _, then letters, digits and _");
        return Err(Refusal { got: Some(name.to_owned()), ..Refusal::new(Code::IdentifierInvalid, message) });
    }
    if name.is_empty() {
        return Err(Refusal::new(Code::IdentifierInvalid, "the name is empty"));
    }
    let limit = match adapter {
        Adapter::Postgres => 63,
        Adapter::Snowflake => 255,
        Adapter::Oracle => 128,
    };
    if name.len() > limit {
        let message = format!("the name has {} bytes; {} allows {limit}", name.len(), adapter.as_str());
        let got = Some(name.len().to_string());
        return Err(Refusal { limit: Some(limit), got, ..Refusal::new(Code::IdentifierTooLong, message) });
    }
    Ok(())
}

/// Answers the code and the message of a name that [`check`] would refuse.
pub(crate) fn fault(name: &str, adapter: Adapter) -> Option<(&'static str, String)> {
    check(name, adapter).err().map(|refusal| (refusal.code.as_str(), refusal.message))
}

/// Checks that no other node that `ref()` can name has `name` in `package`.
pub(super) fn vacant(project: &Project, package: &str, name: &str) -> Result<(), Refusal> {
    let taken = |node: &&Node| node.package_name == package && node.name == name && node.resource_type.is_referable();
    match project.nodes().values().find(taken) {
        Some(node) => {
            let message =
                format!("there is already a {} {name} in {}", node.resource_type.as_str(), node.original_file_path);
            Err(Refusal::new(Code::ModelDuplicate, message))
        }
        None => Ok(()),
    }
}

/// Checks that a node does not come to make the same relation as another.
pub(super) fn check_relation(
    (before, old): (&Project, &str),
    (project, unique_id): (&Project, &str),
) -> Result<(), Refusal> {
    let Some(node) = project.find(unique_id).filter(|node| node.is_relational()) else { return Ok(()) };
    let relation = |node: &Node| [&node.database, &node.schema, &node.alias].map(|part| part.to_lowercase());
    let own = relation(node);
    if before.find(old).is_some_and(|old| old.is_relational() && relation(old) == own) {
        return Ok(());
    }
    let clash = |other: &&Node| other.unique_id != node.unique_id && other.is_relational() && relation(other) == own;
    match project.nodes().values().find(clash) {
        Some(other) => {
            let message = format!("{} and {} would both make {}", node.unique_id, other.unique_id, own.join("."));
            Err(Refusal::new(Code::RelationClash, message))
        }
        None => Ok(()),
    }
}
