//! Connects and disconnects nodes.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use serde_json::json;

use super::check::{Facet, Meant};
use super::ctes::{self, Cte, With};
use super::properties::Entry;
use super::{Code, Connect, DecideInput, Disconnect, Plan, Refusal, Subject, calls, files, raw, refs};
use crate::node::{Node, ResourceType};
use crate::tree::FileChange;
use crate::yaml::edit::Step;
use crate::yaml::{place_of, usual_ending};

/// Decides that `to` depends on `from`.
pub(super) fn connect(input: &DecideInput<'_>, asked: &Connect) -> Result<Plan, Refusal> {
    let (from, to) = ends(input, &asked.from, &asked.to)?;
    if from.unique_id == to.unique_id {
        let message = format!("{} cannot depend on itself", to.name);
        return Err(Refusal::new(Code::EdgeSelf, message).at_field("/to"));
    }
    if to.depends_on.nodes.contains(&from.unique_id) {
        let message = format!("{} already depends on {}", to.name, from.name);
        return Err(Refusal::new(Code::EdgeDuplicate, message).at_field("/to"));
    }
    if let Some(path) = path(input, to, from) {
        let names: Vec<&str> = [from].into_iter().chain(path).map(|node| node.name.as_str()).collect();
        let message = format!("{} would depend on itself: {}", from.name, names.join(" → "));
        return Err(Refusal::new(Code::GraphCycle, message).at_field("/to"));
    }
    let call = calls::reading(input, from, &to.package_name)?;
    let files = match to.resource_type {
        ResourceType::Exposure => {
            let mut entry = Entry::of(input, to)?;
            let list = entry.path(["depends_on".into()]);
            entry.yaml.push(&list, &json!(call))?;
            entry.yaml.change().into_iter().collect()
        }
        _ => {
            let text = code_of(input, to)?;
            let new = imported(text, (from, to), &call);
            raw::rewritten(&to.original_file_path, files::own(input, to)?, &new)
        }
    };
    let parents = to.depends_on.nodes.iter().chain([&from.unique_id]).cloned().collect();
    Ok(plan(files, (from, to), (format!("connected {} to {}", from.name, to.name), parents)))
}

/// Decides that `to` no longer depends on `from`.
pub(super) fn disconnect(input: &DecideInput<'_>, asked: &Disconnect) -> Result<Plan, Refusal> {
    let (from, to) = ends(input, &asked.from, &asked.to)?;
    let files = match () {
        () if !to.depends_on.nodes.contains(&from.unique_id) => Vec::new(),
        () if to.resource_type == ResourceType::Exposure => of_exposure(input, (from, to))?,
        () => {
            let new = unimported(input, (from, to))?;
            raw::rewritten(&to.original_file_path, files::own(input, to)?, &new)
        }
    };
    let parents = to.depends_on.nodes.iter().filter(|id| **id != from.unique_id).cloned().collect();
    Ok(plan(files, (from, to), (format!("disconnected {} from {}", from.name, to.name), parents)))
}

fn plan(files: Vec<FileChange>, (from, to): (&Node, &Node), (summary, parents): (String, Vec<String>)) -> Plan {
    let id = to.unique_id.clone();
    let property = format!("parents.{}", from.unique_id);
    let facets = vec![(id.clone(), Facet::Parents)];
    let meant = Meant { facets, parents: vec![(id.clone(), parents)], ..Meant::default() };
    Plan { summary, files, subjects: vec![Subject { node: id, property }], meant: Some(meant), ..Plan::default() }
}

fn ends<'a>(input: &DecideInput<'a>, from: &str, to: &str) -> Result<(&'a Node, &'a Node), Refusal> {
    let from = super::find(input, from).map_err(|refusal| refusal.at_field("/from"))?;
    let to = super::find(input, to).map_err(|refusal| refusal.at_field("/to"))?;
    Ok((from, to))
}

/// Finds the shortest way down the graph, both ends included.
fn path<'a>(input: &DecideInput<'a>, start: &'a Node, end: &'a Node) -> Option<Vec<&'a Node>> {
    let children = input.project.children();
    let mut came: HashMap<&str, &str> = HashMap::new();
    let mut open = VecDeque::from([start.unique_id.as_str()]);
    while let Some(at) = open.pop_front() {
        if at == end.unique_id {
            let mut path = vec![at];
            while let Some(before) = path.last().and_then(|at| came.get(at)) {
                path.push(before);
            }
            return Some(path.into_iter().rev().filter_map(|id| input.project.find(id)).collect());
        }
        for child in children.get(at).into_iter().flatten() {
            if *child != start.unique_id && !came.contains_key(child) {
                came.insert(child, at);
                open.push_back(child);
            }
        }
    }
    None
}

/// Answers the text of the file that a node's SQL stands in.
fn code_of<'a>(input: &DecideInput<'a>, to: &Node) -> Result<&'a str, Refusal> {
    let file = files::own(input, to).map_err(|refusal| refusal.at_field("/to"))?;
    let text = file.text().filter(|_| to.original_file_path.ends_with(".sql") && to.test.is_none());
    text.ok_or_else(|| {
        let kind = to.resource_type.as_str();
        let message = format!("{} is a {kind} without SQL of its own; edit {}", to.name, to.original_file_path);
        Refusal::new(Code::EditNotExpressible, message).at_field("/to")
    })
}

fn code_range(text: &str, node: &Node) -> Range<usize> {
    node.code_offset..(node.code_offset + node.raw_code.len()).min(text.len())
}

/// Answers the text with an import of `from`: a common table expression where there are others, else a comment.
fn imported(text: &str, (from, to): (&Node, &Node), call: &str) -> String {
    let (line_end, range) = (usual_ending(text), code_range(text, to));
    let with = With::of(text, range.clone());
    let ctes = with.map(|with| with.ctes).unwrap_or_default();
    let last = ctes.iter().rposition(|cte| cte.is_import(text));
    let mut new = text.to_owned();
    match last {
        Some(at) => {
            let taken = |name: &str| ctes.iter().any(|cte| text[cte.name.clone()].eq_ignore_ascii_case(name));
            let name = calls::alias(from, taken);
            new.insert_str(ctes[at].body.end + 1, &import(text, (&ctes, at), (&name, call)));
        }
        None if to.resource_type == ResourceType::Snapshot => {
            new.insert_str(range.start, &format!("{line_end}-- depends_on: {{{{ {call} }}}}"));
        }
        None => {
            let top = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
            new.insert_str(top, &format!("-- depends_on: {{{{ {call} }}}}{line_end}"));
        }
    }
    new
}

/// Writes an import as the one before it is written, with what parts them.
fn import(text: &str, (ctes, at): (&[Cte], usize), (name, call): (&str, &str)) -> String {
    let line_end = usual_ending(text);
    let cte = &ctes[at];
    let between = |one: &Cte, other: &Cte| text[one.span().end..other.name.start].to_owned();
    let above = at.checked_sub(1).map(|above| between(&ctes[above], cte));
    let gap = above.or_else(|| ctes.get(at + 1).map(|below| between(cte, below)));
    let gap = gap.filter(|gap| gap.trim() == ",").unwrap_or_else(|| format!(",{line_end}{line_end}"));
    let body = &text[cte.body.clone()];
    let (before, after) = (body.len() - body.trim_start().len(), body.trim_end().len());
    let (before, after) = (&body[..before], &body[after..]);
    let select = if body.trim_start().starts_with("SELECT") { "SELECT * FROM" } else { "select * from" };
    let sign = &text[cte.name.end..cte.body.start];
    format!("{gap}{name}{sign}{before}{select} {{{{ {call} }}}}{after})")
}

fn of_exposure(input: &DecideInput<'_>, (from, to): (&Node, &Node)) -> Result<Vec<FileChange>, Refusal> {
    let mut entry = Entry::of(input, to)?;
    let list = entry.path(["depends_on".into()]);
    let items = entry.yaml.at(&list).and_then(|items| items.as_array().cloned()).unwrap_or_default();
    let names = |item: &serde_json::Value| {
        let text = item.as_str().unwrap_or_default();
        refs::within(text, 0..text.len()).iter().any(|call| calls::names(text, call, from))
    };
    let at: Vec<usize> = items.iter().enumerate().filter(|(_, item)| names(item)).map(|(at, _)| at).collect();
    for at in at.into_iter().rev() {
        let steps: Vec<Step> = list.iter().cloned().chain([at.into()]).collect();
        entry.yaml.remove(&steps)?;
    }
    Ok(entry.yaml.change().into_iter().collect())
}

/// Answers the text without what only reads `from`.
fn unimported(input: &DecideInput<'_>, (from, to): (&Node, &Node)) -> Result<String, Refusal> {
    let old = code_of(input, to)?;
    let (mut text, rest) = (old.to_owned(), old.len() - code_range(old, to).end);
    let found = |text: &str| {
        let range = code_range(text, to).start..text.len() - rest;
        let calls = refs::in_template(text).into_iter().filter(|call| range.contains(&call.span.start));
        calls.filter(|call| calls::names(text, call, from)).map(|call| call.span.start).collect::<Vec<_>>()
    };
    if found(&text).is_empty() {
        let message =
            format!("{} reads {} through a macro or a name that is computed; edit its SQL", to.name, from.name);
        return Err(Refusal::new(Code::EditNotExpressible, message).at_field("/from"));
    }
    while let Some((call, removed)) = found(&text).into_iter().find_map(|call| Some((call, unused(&text, call)?))) {
        debug_assert!(removed.contains(&call));
        text.replace_range(removed, "");
    }
    let used = found(&text);
    if used.is_empty() {
        return Ok(text);
    }
    // What is left stands in the old text too.
    let kept = found(old).into_iter().filter(|call| unused(old, *call).is_none());
    let places: Vec<_> = kept.map(|at| place_of(&to.original_file_path, old, at)).collect();
    let lines: Vec<String> = places.iter().map(|place| place.line.to_string()).collect();
    let message = format!("{} uses {} in line {}; change its SQL first", to.name, from.name, lines.join(", "));
    Err(Refusal::new(Code::EditNotExpressible, message).at_field("/from").at_all(places))
}

/// Answers what can go with a call: its line where that is a `-- depends_on:`, its import where nothing uses it.
fn unused(text: &str, call: usize) -> Option<Range<usize>> {
    let start = text[..call].rfind('\n').map_or(0, |found| found + 1);
    let start = if start == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { start };
    let end = text[call..].find('\n').map_or(text.len(), |found| call + found + 1);
    let line = text[start..end].trim();
    if line.strip_prefix("--").is_some_and(|rest| rest.trim_start().starts_with("depends_on:")) {
        if line.matches("{{").count() == 1 {
            return Some(start..end);
        }
        let open = text[..call].rfind("{{")?;
        let close = call + text[call..].find("}}")? + 2;
        let spaces = text[close..].len() - text[close..].trim_start_matches(' ').len();
        return Some(open..close + spaces);
    }
    let With { start: with, ctes } = With::of(text, 0..text.len())?;
    let at = ctes.iter().position(|cte| cte.body.contains(&call))?;
    let cte = &ctes[at];
    let name = text[cte.name.clone()].trim_matches('"');
    if !cte.is_import(text) || ctes::is_used(text, name, &cte.span()) {
        return None;
    }
    let span = cte.span();
    Some(match (ctes.get(at + 1), at.checked_sub(1)) {
        (Some(next), _) => span.start..next.name.start,
        (None, Some(before)) => ctes[before].span().end..span.end,
        (None, None) => {
            let after = &text[span.end..];
            with..span.end + after.len() - after.trim_start().len()
        }
    })
}
