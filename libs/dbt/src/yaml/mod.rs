//! Reads YAML 1.1 as PyYAML does, and keeps where each value stands.
//!
//! Responsible for values, anchors, merge keys, the node budget and what is wrong with a file. Changing a file is
//! `edit`'s.

pub(crate) mod edit;
mod lines;
mod reader;
mod scalar;
#[cfg(test)]
mod tests;

use std::ops::Range;

use serde_json::{Map, Value as Json};

pub use lines::Lines;
pub(crate) use lines::usual_ending;
pub use reader::{Document, place_of, read, syntax};

/// The values one file may hold once its aliases are followed: beyond, it is an alias bomb.
pub const NODE_BUDGET: usize = 100_000;

/// Is one value of a YAML file.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub kind: Kind,
    /// The bytes it is written in.
    pub span: Range<usize>,
}

/// Is what a value holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    /// A date or time as it is written.
    Timestamp(String),
    Seq(Vec<Value>),
    /// In the file's order, each key once; keys are kept as values, for their spans.
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// Finds the value of a key.
    pub fn find(&self, key: &str) -> Option<&Value> {
        self.entries().iter().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// Answers the text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Str(text) => Some(text),
            Kind::Null
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Float(_)
            | Kind::Timestamp(_)
            | Kind::Seq(_)
            | Kind::Map(_) => None,
        }
    }

    /// Answers the items of a sequence; none for anything else.
    pub fn items(&self) -> &[Value] {
        if let Kind::Seq(items) = &self.kind { items } else { &[] }
    }

    /// Answers the entries of a mapping; none for anything else.
    pub fn entries(&self) -> &[(Value, Value)] {
        if let Kind::Map(entries) = &self.kind { entries } else { &[] }
    }

    /// Answers the value without its places; a key that is no string becomes its text.
    pub fn to_json(&self) -> Json {
        match &self.kind {
            Kind::Null => Json::Null,
            Kind::Bool(value) => Json::Bool(*value),
            Kind::Int(value) => Json::from(*value),
            Kind::Float(value) => Json::from(*value),
            Kind::Str(text) | Kind::Timestamp(text) => Json::String(text.clone()),
            Kind::Seq(items) => Json::Array(items.iter().map(Value::to_json).collect()),
            Kind::Map(entries) => {
                let pairs = entries.iter().map(|(key, value)| (key.key_text(), value.to_json()));
                Json::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }

    pub(crate) fn key_text(&self) -> String {
        self.as_str().map_or_else(|| self.to_json().to_string(), str::to_owned)
    }
}
