//! Before a run: which sources it reads that the target does not have.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dvt_dbt::node::ResourceType;
use dvt_domain::run::Run;

use crate::project::Loaded;
use crate::targets::{Error, Name, Session};

/// Finds the steps that read sources without a relation, each with what is missing. A relation that a step of the same
/// run builds is not missing.
pub(crate) async fn missing(
    project: &Loaded,
    run: &Run,
    session: &mut dyn Session,
) -> Result<BTreeMap<String, Vec<Name>>, Error> {
    let parsed = &project.parsed;
    let built: BTreeSet<Name> = run
        .order
        .iter()
        .filter_map(|id| parsed.find(id))
        .filter(|node| matches!(node.resource_type, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot))
        .map(|node| project.relation(node))
        .collect();
    let mut readers: HashMap<Name, Vec<&String>> = HashMap::new();
    for id in &run.order {
        let parents = parsed.find(id).into_iter().flat_map(|node| &node.depends_on.nodes);
        let sources =
            parents.filter_map(|id| parsed.find(id)).filter(|node| node.resource_type == ResourceType::Source);
        for name in sources.map(|node| project.relation(node)).filter(|name| !built.contains(name)) {
            readers.entry(name).or_default().push(id);
        }
    }
    let mut known: HashMap<String, BTreeSet<String>> = HashMap::new();
    let mut missing: BTreeMap<String, Vec<Name>> = BTreeMap::new();
    for (name, ids) in readers {
        if !known.contains_key(&name.schema) {
            let found = session.relations(&name.schema).await?.into_iter().map(|(identifier, _)| identifier);
            known.insert(name.schema.clone(), found.collect());
        }
        if !known[&name.schema].contains(&name.identifier) {
            for id in ids {
                missing.entry(id.clone()).or_default().push(name.clone());
            }
        }
    }
    Ok(missing)
}

/// Says of each step what it misses.
pub(crate) fn reasons(missing: &BTreeMap<String, Vec<Name>>) -> BTreeMap<String, String> {
    let reason = |names: &Vec<Name>| {
        let names: Vec<String> = names.iter().map(|name| format!("{}.{}", name.schema, name.identifier)).collect();
        format!("the target has no relation for its sources: {}", names.join(", "))
    };
    missing.iter().map(|(id, names)| (id.clone(), reason(names))).collect()
}

/// Lists missing relations in a sentence.
pub(crate) fn sentence(missing: &BTreeMap<String, Vec<Name>>) -> String {
    let names: BTreeSet<String> =
        missing.values().flatten().map(|name| format!("{}.{}", name.schema, name.identifier)).collect();
    format!("the target has no relation for these sources: {}", names.into_iter().collect::<Vec<_>>().join(", "))
}
