//! Changes YAML text and nothing else of it: line ends, indents, quotes, comments and the final newline stay.
//!
//! Responsible for setting a value, inserting a key or an item, and removing one. Each change is read back: it is made
//! only if exactly what was meant differs then.

mod find;
mod insert;
mod remove;
mod set;
mod shape;
mod style;
#[cfg(test)]
pub(crate) mod tests;
mod write;

use std::cell::OnceCell;
use std::ops::Range;

use serde_json::{Map, Value as Json};

use shape::Document;
use style::Style;

use super::{Value, reader};
use crate::tree::Path;

pub(crate) use write::is_plain;

/// Is one step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Item(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(at: usize) -> Self {
        Self::Item(at)
    }
}

/// Says why a text is not changed. Offsets are of the text as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// The text is broken at a byte.
    Syntax(usize),
    /// The change would go through an alias or a merge key, or change what other places share.
    Shared(Sharing),
    /// The text has no such value, or is written in a way that cannot be changed here.
    NotExpressible { at: usize, why: &'static str },
}

/// Says which value several places share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sharing {
    pub(crate) name: String,
    /// Where the anchor stands.
    pub(crate) anchor: usize,
    /// Where its aliases stand.
    pub(crate) users: Vec<usize>,
}

/// Finds what the value at byte `at` shares with other places: it is an alias, or stands in what an anchor names.
pub(crate) fn sharing(text: &str, at: usize) -> Option<Sharing> {
    let document = Document::of(text).ok()?;
    if let Some(anchor) = document.anchor_of(at) {
        return Some(document.shared(anchor));
    }
    document.shared_at(at)
}

/// Changes one text.
pub(crate) struct Editor {
    path: Path,
    text: String,
    /// What the text says, once somebody has asked.
    read: OnceCell<Option<Value>>,
    /// In which order keys stand in a mapping; others come last.
    order: &'static [&'static str],
}

/// Is a replacement of bytes.
type Change = (Range<usize>, String);

impl Editor {
    pub(crate) fn new(path: &Path, text: &str, order: &'static [&'static str]) -> Self {
        Self { path: path.clone(), text: text.to_owned(), read: OnceCell::new(), order }
    }

    /// Answers the text as it is now.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Answers what the text says now, with its places; None where it is broken or empty.
    pub(crate) fn read(&self) -> Option<&Value> {
        self.read.get_or_init(|| reader::read(&self.path, &self.text).value).as_ref()
    }

    /// Answers the value as it is now; null where nothing is written.
    pub(crate) fn value(&self) -> Json {
        json_of(self.read())
    }

    /// Answers what stands at a path.
    pub(crate) fn at(&self, steps: &[Step]) -> Option<Json> {
        find(&self.value(), steps).cloned()
    }

    /// Sets what stands at a path, with as few changes as may be. What is missing on the way is made.
    ///
    /// # Errors
    /// When the text cannot be changed so that only this differs.
    pub(crate) fn set(&mut self, steps: &[Step], value: &Json) -> Result<(), Error> {
        let whole = self.value();
        let there = (0..=steps.len()).rev().find(|count| find(&whole, &steps[..*count]).is_some()).unwrap_or(0);
        if there < steps.len() {
            let wanted = nested(&steps[there + 1..], value);
            return match &steps[there] {
                Step::Key(key) => self.insert_key(&steps[..there], key, &wanted),
                Step::Item(_) => self.push(&steps[..there], &wanted),
            };
        }
        match (find(&whole, steps), value) {
            (Some(old), new) if old == new => Ok(()),
            (Some(Json::Object(old)), Json::Object(new)) if !old.is_empty() && !new.is_empty() => {
                self.set_map(steps, (old, new))
            }
            (Some(Json::Array(old)), Json::Array(new)) if !old.is_empty() && !new.is_empty() => {
                self.set_list(steps, (old, new))
            }
            _ => self.replace(steps, value),
        }
    }

    fn set_map(&mut self, steps: &[Step], (old, new): (&Map<String, Json>, &Map<String, Json>)) -> Result<(), Error> {
        for (key, value) in new {
            self.set(&joined(steps, key.as_str().into()), value)?;
        }
        let mut gone = old.keys().filter(|key| !new.contains_key(*key));
        gone.try_for_each(|key| self.remove(&joined(steps, key.as_str().into())))
    }

    fn set_list(&mut self, steps: &[Step], (old, new): (&[Json], &[Json])) -> Result<(), Error> {
        let (mut kept, mut gone) = (0, Vec::new());
        for (at, item) in old.iter().enumerate() {
            if new.get(kept) == Some(item) { kept += 1 } else { gone.push(at) }
        }
        for item in &new[kept..] {
            self.push(steps, item)?;
        }
        gone.into_iter().rev().try_for_each(|at| self.remove(&joined(steps, at.into())))
    }

    /// Puts an item behind those of the list at a path.
    ///
    /// # Errors
    /// As [`Editor::set`].
    pub(crate) fn push(&mut self, steps: &[Step], item: &Json) -> Result<(), Error> {
        match self.at(steps) {
            Some(Json::Array(list)) if !list.is_empty() => {
                let mut longer = list;
                longer.push(item.clone());
                self.change(steps, Some(&Json::Array(longer)), |document, style, text| {
                    let list = document.walk(steps)?;
                    Ok(insert::item((text, style), list, item))
                })
            }
            None | Some(Json::Null | Json::Array(_)) => self.set(steps, &Json::Array(vec![item.clone()])),
            Some(_) => Err(Error::NotExpressible { at: 0, why: "there is no list where an item is to be put" }),
        }
    }

    fn insert_key(&mut self, steps: &[Step], key: &str, value: &Json) -> Result<(), Error> {
        let mut map = match self.at(steps) {
            Some(Json::Object(map)) => map,
            Some(Json::Null) if steps.is_empty() => Map::new(),
            Some(Json::Null) => {
                let map = Json::Object(Map::from_iter([(key.to_owned(), value.clone())]));
                return self.replace(steps, &map);
            }
            Some(_) | None => {
                return Err(Error::NotExpressible { at: 0, why: "there is no mapping where a key is to be put" });
            }
        };
        map.insert(key.to_owned(), value.clone());
        let order = self.order;
        self.change(steps, Some(&Json::Object(map)), |document, style, text| {
            let map = document.walk(steps)?;
            Ok(insert::key((text, style), map, (key, value, order)))
        })
    }

    fn replace(&mut self, steps: &[Step], value: &Json) -> Result<(), Error> {
        self.change(steps, Some(value), |document, style, text| {
            document.walk(steps)?;
            let (above, at) = document.entry(steps)?;
            Ok(set::value((text, style), (above, &above.list[at]), value))
        })
    }

    /// Removes what stands at a path, and what would be left empty above it.
    ///
    /// # Errors
    /// As [`Editor::set`].
    pub(crate) fn remove(&mut self, steps: &[Step]) -> Result<(), Error> {
        let whole = self.value();
        let count = |value: &Json| value.as_object().map(Map::len).or(value.as_array().map(Vec::len)).unwrap_or(0);
        let mut steps = steps;
        while steps.len() > 1 && find(&whole, &steps[..steps.len() - 1]).is_some_and(|above| count(above) == 1) {
            steps = &steps[..steps.len() - 1];
        }
        self.change(steps, None, |document, _, text| {
            let (above, at) = document.entry(steps)?;
            let removed = above.list[at].span.clone();
            let outside = |users: Vec<usize>| users.iter().any(|user| !removed.contains(user));
            let used = |anchor: &&shape::Name| removed.contains(&anchor.at) && outside(document.users(anchor));
            match document.anchors.iter().find(used) {
                Some(anchor) => Err(Error::Shared(document.shared(anchor))),
                None => Ok(remove::entry(text, above, at)),
            }
        })
    }

    /// Makes a change and reads it back; `wanted` is what stands at the path then, None if nothing does.
    fn change(
        &mut self,
        steps: &[Step],
        wanted: Option<&Json>,
        make: impl Fn(&Document, &Style, &str) -> Result<Vec<Change>, Error>,
    ) -> Result<(), Error> {
        let document = Document::of(&self.text).map_err(Error::Syntax)?;
        let mut style = Style::of(&self.text, &document.root);
        let mut expected = self.value();
        put(&mut expected, steps, wanted);
        let is_nothing = |value: &Json| value.is_null() || value.as_object().is_some_and(Map::is_empty);
        let mut at = 0;
        // A comment that stands far in would become a line of a block scalar above it: then quotes must do.
        for has_blocks in [true, false] {
            style.has_blocks = has_blocks;
            let mut changes = make(&document, &style, &self.text)?;
            changes.sort_by_key(|(span, _)| (span.start, span.end));
            let mut text = self.text.clone();
            for (span, new) in changes.iter().rev() {
                text.replace_range(span.clone(), new);
            }
            let read = reader::read(&self.path, &text).value;
            let value = json_of(read.as_ref());
            if value == expected || (is_nothing(&value) && is_nothing(&expected)) {
                (self.text, self.read) = (text, OnceCell::from(read));
                return Ok(());
            }
            at = changes.first().map_or(0, |(span, _)| span.start);
        }
        Err(Error::NotExpressible { at, why: "the file is written in a way that cannot be changed here" })
    }
}

fn json_of(read: Option<&Value>) -> Json {
    read.map_or(Json::Null, Value::to_json)
}

fn joined(steps: &[Step], step: Step) -> Vec<Step> {
    steps.iter().cloned().chain([step]).collect()
}

fn find<'j>(value: &'j Json, steps: &[Step]) -> Option<&'j Json> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.as_object()?.get(key),
        Step::Item(at) => value.as_array()?.get(*at),
    })
}

fn nested(steps: &[Step], value: &Json) -> Json {
    steps.iter().rev().fold(value.clone(), |value, step| match step {
        Step::Key(key) => Json::Object(Map::from_iter([(key.clone(), value)])),
        Step::Item(_) => Json::Array(vec![value]),
    })
}

/// Puts a value where a path leads, or takes away what is there.
fn put(whole: &mut Json, steps: &[Step], value: Option<&Json>) {
    let Some((last, above)) = steps.split_last() else {
        *whole = value.cloned().unwrap_or_default();
        return;
    };
    let found = above.iter().try_fold(whole, |value, step| match step {
        Step::Key(key) => value.as_object_mut()?.get_mut(key),
        Step::Item(at) => value.as_array_mut()?.get_mut(*at),
    });
    match (found, last, value) {
        (Some(Json::Object(map)), Step::Key(key), Some(value)) => {
            map.insert(key.clone(), value.clone());
        }
        (Some(Json::Object(map)), Step::Key(key), None) => {
            map.shift_remove(key);
        }
        (Some(Json::Array(list)), Step::Item(at), Some(value)) if *at < list.len() => list[*at] = value.clone(),
        (Some(Json::Array(list)), Step::Item(at), None) if *at < list.len() => {
            list.remove(*at);
        }
        _ => {}
    }
}
