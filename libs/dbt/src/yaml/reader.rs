//! Walks tree-sitter's syntax tree and makes values of it.

use std::collections::HashMap;

use tree_sitter::{Node, Parser, Tree as Syntax};

use super::{Kind, NODE_BUDGET, Value, scalar};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::tree::Path;

/// Is what a file holds: nothing where it is broken, then `diagnostics` says why.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    pub value: Option<Value>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Answers the syntax tree of a YAML text.
pub fn syntax(text: &str) -> Option<Syntax> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_yaml::LANGUAGE.into()).expect("invariant: the grammar fits the library");
    parser.parse(text, None)
}

/// Reads the first document of a file.
pub fn read(path: &Path, text: &str) -> Document {
    let Some(tree) = syntax(text) else { return Document::default() };
    let mut reader = Reader { path, text, anchors: HashMap::new(), count: 0, diagnostics: Vec::new() };
    if let Some(broken) = broken(tree.root_node()) {
        let (message, at) = match tab(text) {
            Some(at) => ("a tab indents this line; YAML indents by spaces only", at),
            None => ("the YAML cannot be read here", broken.start_byte()),
        };
        reader.report(Severity::Error, "YAML_SYNTAX", message, at);
        return Document { value: None, diagnostics: reader.diagnostics };
    }
    let document = children(tree.root_node()).into_iter().find(|node| node.kind() == "document");
    let node = document.and_then(|node| children(node).into_iter().find(|node| is_value(*node)));
    let value = node.map(|node| reader.value(node));
    let failed = reader.diagnostics.iter().any(|found| found.severity == Severity::Error);
    Document { value: if failed { None } else { value.transpose().ok().flatten() }, diagnostics: reader.diagnostics }
}

/// Says that the file is given up; the diagnostic is already made.
struct GivenUp;

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    anchors: HashMap<&'a str, (Value, usize)>,
    count: usize,
    diagnostics: Vec<Diagnostic>,
}

pub(super) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    node.named_children(&mut node.walk()).collect()
}

pub(super) fn is_value(node: Node<'_>) -> bool {
    matches!(node.kind(), "block_node" | "flow_node")
}

pub(super) fn broken(node: Node<'_>) -> Option<Node<'_>> {
    if !node.has_error() {
        return None;
    }
    if node.is_error() || node.is_missing() {
        return Some(node);
    }
    node.children(&mut node.walk()).find_map(broken).or(Some(node))
}

/// Finds the first line that a tab indents.
fn tab(text: &str) -> Option<usize> {
    let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
    let mut indents = starts.map(|start| (start, text[start..].len() - text[start..].trim_start_matches(' ').len()));
    indents.find_map(|(start, spaces)| text[start + spaces..].starts_with('\t').then_some(start + spaces))
}

impl<'a> Reader<'a> {
    fn report(&mut self, severity: Severity, code: &str, message: &str, at: usize) {
        let place = Some(place_of(self.path, self.text, at));
        let (code, message) = (code.to_owned(), message.to_owned());
        self.diagnostics.push(Diagnostic { severity, code, message, place, unique_id: None });
    }

    fn spend(&mut self, values: usize, at: usize) -> Result<(), GivenUp> {
        self.count = self.count.saturating_add(values);
        if self.count <= NODE_BUDGET {
            return Ok(());
        }
        let message = format!("the file holds more than {NODE_BUDGET} values once its aliases are followed");
        self.report(Severity::Error, "YAML_TOO_LARGE", &message, at);
        Err(GivenUp)
    }

    fn text_of(&self, node: Node<'_>) -> &'a str {
        &self.text[node.byte_range()]
    }

    fn value(&mut self, node: Node<'_>) -> Result<Value, GivenUp> {
        let before = self.count;
        self.spend(1, node.start_byte())?;
        let (mut anchor, mut tag, mut kind) = (None, None, Kind::Null);
        for child in children(node) {
            match child.kind() {
                "anchor" => anchor = Some(self.text_of(child).trim_start_matches('&')),
                "tag" => tag = Some(self.text_of(child)),
                "comment" => {}
                _ => kind = self.content(child)?,
            }
        }
        if let Some(tag) = tag {
            kind = self.tagged(tag, kind, node)?;
        }
        let value = Value { kind, span: node.byte_range() };
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, (value.clone(), self.count - before));
        }
        Ok(value)
    }

    fn tagged(&mut self, tag: &str, kind: Kind, node: Node<'_>) -> Result<Kind, GivenUp> {
        match tag {
            "!!str" | "!" => {
                let written = node.named_child(node.named_child_count().saturating_sub(1) as u32);
                let plain = written.filter(|node| node.kind() == "plain_scalar");
                Ok(plain.map_or(kind, |node| Kind::Str(self.text_of(node).to_owned())))
            }
            "!!map" | "!!seq" | "!!int" | "!!float" | "!!bool" | "!!null" | "!!timestamp" => Ok(kind),
            _ => {
                let message = format!("the tag `{tag}` is not known");
                self.report(Severity::Error, "YAML_TAG", &message, node.start_byte());
                Err(GivenUp)
            }
        }
    }

    fn content(&mut self, node: Node<'_>) -> Result<Kind, GivenUp> {
        let text = self.text_of(node);
        Ok(match node.kind() {
            "plain_scalar" => scalar::plain(text),
            "single_quote_scalar" => Kind::Str(scalar::single_quoted(text)),
            "double_quote_scalar" => Kind::Str(scalar::double_quoted(text)),
            "block_scalar" => {
                let block = scalar::block(text);
                // dbt takes the white space around a file away, so the last block ends without a line feed.
                let is_last = self.text[node.end_byte()..].trim().is_empty();
                Kind::Str(if is_last { block.trim_end().to_owned() } else { block })
            }
            "alias" => return self.alias(node),
            "block_sequence" | "flow_sequence" => Kind::Seq(self.sequence(node)?),
            "block_mapping" | "flow_mapping" => Kind::Map(self.mapping(node)?),
            _ => Kind::Null,
        })
    }

    fn alias(&mut self, node: Node<'_>) -> Result<Kind, GivenUp> {
        let name = self.text_of(node).trim_start_matches('*');
        let Some(size) = self.anchors.get(name).map(|(_, size)| *size) else {
            let message = format!("the alias `{name}` has no anchor before it");
            self.report(Severity::Error, "YAML_SYNTAX", &message, node.start_byte());
            return Err(GivenUp);
        };
        self.spend(size, node.start_byte())?;
        Ok(self.anchors[name].0.kind.clone())
    }

    fn sequence(&mut self, node: Node<'_>) -> Result<Vec<Value>, GivenUp> {
        let mut items = Vec::new();
        for child in children(node) {
            match child.kind() {
                "comment" => {}
                "flow_pair" => {
                    let pair = self.pair(child)?;
                    items.push(Value { kind: Kind::Map(vec![pair]), span: child.byte_range() });
                }
                "block_sequence_item" => {
                    let inner = children(child).into_iter().find(|node| is_value(*node));
                    let empty = Value { kind: Kind::Null, span: child.byte_range() };
                    items.push(inner.map_or(Ok(empty), |node| self.value(node))?);
                }
                _ => items.push(self.value(child)?),
            }
        }
        Ok(items)
    }

    fn pair(&mut self, node: Node<'_>) -> Result<(Value, Value), GivenUp> {
        let mut part = |name| match node.child_by_field_name(name) {
            Some(node) => self.value(node),
            None => Ok(Value { kind: Kind::Null, span: node.end_byte()..node.end_byte() }),
        };
        Ok((part("key")?, part("value")?))
    }

    fn mapping(&mut self, node: Node<'_>) -> Result<Vec<(Value, Value)>, GivenUp> {
        let (mut entries, mut merged): (Vec<(Value, Value)>, Vec<Value>) = (Vec::new(), Vec::new());
        for child in children(node) {
            let pair = match child.kind() {
                "comment" => continue,
                "block_mapping_pair" | "flow_pair" => self.pair(child)?,
                _ => {
                    let key = self.value(child)?;
                    let empty = Value { kind: Kind::Null, span: key.span.end..key.span.end };
                    (key, empty)
                }
            };
            if pair.0.as_str() == Some("<<") {
                merged.push(pair.1);
            } else if let Some(known) = entries.iter_mut().find(|known| known.0.kind == pair.0.kind) {
                *known = pair;
                let message = "the key stands here again; the last one counts";
                self.report(Severity::Warning, "YAML_DUPLICATE_KEY", message, child.start_byte());
            } else {
                entries.push(pair);
            }
        }
        for source in &merged {
            let sources = if source.items().is_empty() { std::slice::from_ref(source) } else { source.items() };
            for (key, value) in sources.iter().flat_map(Value::entries) {
                if !entries.iter().any(|(known, _)| known.kind == key.kind) {
                    entries.push((key.clone(), value.clone()));
                }
            }
        }
        Ok(entries)
    }
}

/// Answers where byte `at` of a file's text stands.
pub fn place_of(path: &Path, text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() as u32 + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) as u32 + 1;
    Place { path: path.clone(), line, column }
}
