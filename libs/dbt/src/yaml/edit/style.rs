//! How a file is used to writing YAML: line ends, indents, quotes, lists in brackets.

use super::shape::{Entries, Form, Shape};
use crate::yaml::lines::usual_ending;

/// The indents that are taken where a file shows none: dbt's style guide has two everywhere.
const USUAL_INDENT: usize = 2;

/// Is how a file writes.
#[derive(Clone, Debug)]
pub(super) struct Style {
    pub(super) line_end: &'static str,
    /// By how much a mapping stands further in than the key above it.
    pub(super) map_step: usize,
    /// The same for the dashes of a sequence.
    pub(super) seq_step: usize,
    /// From a dash to what follows it.
    pub(super) dash_step: usize,
    /// The quote that strings are put in where they need one.
    pub(super) quote: char,
    /// Whether a text of lines may become a block scalar.
    pub(super) has_blocks: bool,
    /// The keys whose lists of scalars stand in brackets, as often as not.
    flow_keys: Vec<String>,
}

#[derive(Default)]
struct Seen {
    map_steps: Vec<usize>,
    seq_steps: Vec<usize>,
    dash_steps: Vec<usize>,
    single_quotes: usize,
    double_quotes: usize,
    /// Keys of lists of scalars, and whether the list stands in brackets.
    lists: Vec<(String, bool)>,
}

impl Style {
    /// Looks at what a file does.
    pub(super) fn of(text: &str, root: &Shape) -> Self {
        let mut seen = Seen::default();
        seen.look(root);
        let count = |key: &str, is_flow: bool| seen.lists.iter().filter(|(k, f)| k == key && *f == is_flow).count();
        let is_flow = |key: &&String| count(key, true) >= count(key, false).max(1);
        let flow_keys = seen.lists.iter().map(|(key, _)| key).filter(is_flow).cloned().collect();
        Self {
            line_end: usual_ending(text),
            map_step: usual(&seen.map_steps),
            seq_step: usual(&seen.seq_steps),
            dash_step: usual(&seen.dash_steps),
            quote: if seen.single_quotes > seen.double_quotes { '\'' } else { '"' },
            has_blocks: true,
            flow_keys,
        }
    }

    pub(super) fn is_flow_key(&self, key: &str) -> bool {
        self.flow_keys.iter().any(|known| known == key)
    }
}

impl Seen {
    fn look(&mut self, shape: &Shape) {
        match &shape.form {
            Form::Map(entries) => self.map(entries),
            Form::Seq(entries) => self.seq(entries),
            Form::SingleQuoted => self.single_quotes += 1,
            Form::DoubleQuoted => self.double_quotes += 1,
            Form::Empty | Form::Plain | Form::Block | Form::Alias => {}
        }
    }

    fn map(&mut self, entries: &Entries) {
        for entry in &entries.list {
            match &entry.value.form {
                Form::Map(inner) if !entries.is_flow && !inner.is_flow => {
                    self.map_steps.push(inner.column.saturating_sub(entries.column));
                }
                Form::Seq(inner) => {
                    if !entries.is_flow && !inner.is_flow {
                        self.seq_steps.push(inner.column.saturating_sub(entries.column));
                    }
                    let scalar = |shape: &Shape| !matches!(shape.form, Form::Map(_) | Form::Seq(_));
                    if !inner.list.is_empty() && inner.list.iter().all(|item| scalar(&item.value)) {
                        self.lists.push((entry.key.clone(), inner.is_flow));
                    }
                }
                _ => {}
            }
            self.look(&entry.value);
        }
    }

    fn seq(&mut self, entries: &Entries) {
        for entry in &entries.list {
            if let Form::Map(inner) = &entry.value.form
                && !inner.is_flow
                && inner.column > entries.column
            {
                self.dash_steps.push(inner.column - entries.column);
            }
            self.look(&entry.value);
        }
    }
}

/// Answers the step that was seen most often, the smaller one of two.
fn usual(seen: &[usize]) -> usize {
    let count = |step: usize| seen.iter().filter(|other| **other == step).count();
    let most = seen.iter().copied().max_by_key(|step| (count(*step), std::cmp::Reverse(*step)));
    most.unwrap_or(USUAL_INDENT)
}
