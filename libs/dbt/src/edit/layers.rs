//! The folders of a project by their layers, as dbt's style guide names them or as the project already does.

use super::{DecideInput, files};

/// Is what dbt's style guide calls the layers of a project, nearest to the sources first.
pub(super) const LAYERS: [&str; 3] = ["staging", "intermediate", "marts"];

/// Answers the folder of a layer, and in it of an area (a source, a department) unless that is empty.
pub(super) fn folder(input: &DecideInput<'_>, layer: &str, area: &str) -> String {
    let models = models(input);
    let folders = folders(input, &models);
    let last = |folder: &String| folder.rsplit('/').next().unwrap_or_default().to_owned();
    let is_layer = |folder: &&String| {
        let name = last(folder);
        name == layer || name.trim_end_matches('s') == layer.trim_end_matches('s')
    };
    let of_layer = folders.iter().find(is_layer).cloned().unwrap_or_else(|| format!("{models}/{layer}"));
    if area.is_empty() {
        return of_layer;
    }
    let below = format!("{of_layer}/");
    let known = folders.iter().find(|folder| folder.starts_with(&below) && last(folder) == area);
    known.cloned().unwrap_or_else(|| format!("{of_layer}/{area}"))
}

/// Answers the folder of the project's models.
fn models(input: &DecideInput<'_>) -> String {
    let path = files::project_file(input);
    let prefix = path.strip_suffix("dbt_project.yml").unwrap_or_default();
    let text = input.files.tree.find(&path).and_then(|file| file.text()).unwrap_or_default();
    let root = files::read(&path, text);
    let listed = root.as_ref().and_then(|root| root.find("model-paths"));
    let first = listed.and_then(|paths| paths.items().first()?.as_str()).unwrap_or("models");
    format!("{prefix}{}", first.trim_matches('/'))
}

/// Lists the folders below the models', the upper ones first.
fn folders(input: &DecideInput<'_>, models: &str) -> Vec<String> {
    let below = format!("{models}/");
    let mut folders: Vec<String> = Vec::new();
    for (path, _) in input.files.tree.below(&below) {
        let inner = &path[below.len()..];
        for (at, _) in inner.match_indices('/') {
            let folder = format!("{below}{}", &inner[..at]);
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
    }
    folders.sort_by_key(|folder| folder.matches('/').count());
    folders
}
