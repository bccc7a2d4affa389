//! What a YAML text looks like as it is written: entries, spans, styles, anchors.

use std::ops::Range;

use tree_sitter::Node;

use crate::yaml::{reader, scalar};

/// Is one value as it is written, without its anchor and tag.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) form: Form,
    /// To the end of what it says: comments and blank lines after it are left out.
    pub(super) span: Range<usize>,
}

/// Says how a value is written.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// Nothing is written.
    Empty,
    Plain,
    SingleQuoted,
    DoubleQuoted,
    /// A scalar of lines below its header.
    Block,
    Alias,
    Map(Entries),
    Seq(Entries),
}

/// Is the inside of a mapping or a sequence.
#[derive(Clone, Debug)]
pub(super) struct Entries {
    /// Whether it stands in braces or brackets.
    pub(super) is_flow: bool,
    /// The column of its entries where it is no flow.
    pub(super) column: usize,
    pub(super) list: Vec<Entry>,
}

/// Is one pair of a mapping or one item of a sequence.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The key; empty for an item.
    pub(super) key: String,
    pub(super) value: Shape,
    /// Where the value may begin: after the colon, the dash, or the anchor.
    pub(super) value_at: usize,
    pub(super) span: Range<usize>,
}

/// Is a name that an anchor gives a value, or that an alias repeats.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) name: String,
    pub(super) at: usize,
    /// What an anchor gives the name to.
    pub(super) span: Range<usize>,
}

/// Is the first document of a file.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) root: Shape,
    pub(super) anchors: Vec<Name>,
    pub(super) aliases: Vec<Name>,
}

impl Document {
    /// Reads a text; the error is where it is broken.
    pub(super) fn of(text: &str) -> Result<Self, usize> {
        let tree = reader::syntax(text).ok_or(0_usize)?;
        if let Some(broken) = reader::broken(tree.root_node()) {
            return Err(broken.start_byte());
        }
        let mut walk = Walk { text, anchors: Vec::new(), aliases: Vec::new() };
        let document = reader::children(tree.root_node()).into_iter().find(|node| node.kind() == "document");
        let value = document.and_then(|node| reader::children(node).into_iter().find(|node| reader::is_value(*node)));
        let start = document.map_or(text.len(), |node| node.start_byte());
        let empty = Shape { form: Form::Empty, span: start..start };
        let root = value.map_or(empty, |node| walk.value(node));
        Ok(Self { root, anchors: walk.anchors, aliases: walk.aliases })
    }

    /// Lists where a name is repeated before it is given anew.
    pub(super) fn users(&self, anchor: &Name) -> Vec<usize> {
        let same = |other: &&Name| other.name == anchor.name && other.at > anchor.at;
        let next = self.anchors.iter().filter(same).map(|other| other.at).min().unwrap_or(usize::MAX);
        self.aliases.iter().filter(same).map(|alias| alias.at).filter(|at| *at < next).collect()
    }

    /// Finds the anchor that an alias at byte `at` repeats.
    pub(super) fn anchor_of(&self, at: usize) -> Option<&Name> {
        let alias = self.aliases.iter().find(|alias| alias.at == at)?;
        self.anchors.iter().filter(|anchor| anchor.name == alias.name && anchor.at < at).max_by_key(|anchor| anchor.at)
    }
}

struct Walk<'a> {
    text: &'a str,
    anchors: Vec<Name>,
    aliases: Vec<Name>,
}

impl Walk<'_> {
    fn value(&mut self, node: Node<'_>) -> Shape {
        let (mut anchor, mut content, mut start) = (None, None, node.start_byte());
        for child in reader::children(node) {
            match child.kind() {
                "anchor" | "tag" => {
                    start = child.end_byte();
                    anchor = anchor.or((child.kind() == "anchor").then_some(child));
                }
                "comment" => {}
                _ => content = Some(child),
            }
        }
        let shape = match content {
            Some(content) => self.content(content),
            None => Shape { form: Form::Empty, span: start..start },
        };
        if let Some(anchor) = anchor {
            let span = node.start_byte()..shape.span.end;
            self.anchors.push(self.named(anchor, span));
        }
        shape
    }

    fn named(&self, node: Node<'_>, span: Range<usize>) -> Name {
        let name = self.text[node.byte_range()].trim_start_matches(['&', '*']).to_owned();
        Name { name, at: node.start_byte(), span }
    }

    fn content(&mut self, node: Node<'_>) -> Shape {
        let mut span = node.byte_range();
        let form = match node.kind() {
            "single_quote_scalar" => Form::SingleQuoted,
            "double_quote_scalar" => Form::DoubleQuoted,
            "block_scalar" => {
                span.end = block_end(self.text, &span);
                Form::Block
            }
            "alias" => {
                self.aliases.push(self.named(node, span.clone()));
                Form::Alias
            }
            "block_mapping" | "flow_mapping" | "block_sequence" | "flow_sequence" => {
                let entries = self.entries(node);
                if let (false, Some(last)) = (entries.is_flow, entries.list.last()) {
                    span.end = last.span.end;
                }
                if node.kind().ends_with("mapping") { Form::Map(entries) } else { Form::Seq(entries) }
            }
            _ => Form::Plain,
        };
        Shape { form, span }
    }

    fn entries(&mut self, node: Node<'_>) -> Entries {
        let is_flow = node.kind().starts_with("flow");
        let children = reader::children(node).into_iter().filter(|child| child.kind() != "comment");
        let list = children.map(|child| match child.kind() {
            "block_mapping_pair" | "flow_pair" => self.pair(child),
            "block_sequence_item" => {
                let value = reader::children(child).into_iter().find(|node| reader::is_value(*node));
                self.entry(child, (String::new(), child.start_byte() + 1), value)
            }
            _ if node.kind() == "flow_mapping" => {
                let key = self.key(child);
                self.entry(child, (key, child.end_byte()), None)
            }
            _ => self.entry(child, (String::new(), child.start_byte()), Some(child)),
        });
        let list = list.collect();
        Entries { is_flow, column: column(self.text, node.start_byte()), list }
    }

    fn pair(&mut self, node: Node<'_>) -> Entry {
        let key = node.child_by_field_name("key").map(|key| self.key(key)).unwrap_or_default();
        let colon =
            node.children(&mut node.walk()).filter(|child| child.kind() == ":").map(|child| child.end_byte()).last();
        self.entry(node, (key, colon.unwrap_or(node.end_byte())), node.child_by_field_name("value"))
    }

    fn entry(&mut self, node: Node<'_>, (key, value_at): (String, usize), value: Option<Node<'_>>) -> Entry {
        let Some(value) = value else {
            let value = Shape { form: Form::Empty, span: value_at..value_at };
            return Entry { key, value, value_at, span: node.start_byte()..value_at };
        };
        let marks = reader::children(value).into_iter().filter(|child| matches!(child.kind(), "anchor" | "tag"));
        let value_at = marks.map(|mark| mark.end_byte()).next_back().unwrap_or(value_at);
        let value = self.value(value);
        Entry { key, value_at, span: node.start_byte()..value.span.end.max(value_at), value }
    }

    fn key(&self, node: Node<'_>) -> String {
        let written = reader::children(node).into_iter().find(|child| !matches!(child.kind(), "anchor" | "tag"));
        let text = &self.text[written.unwrap_or(node).byte_range()];
        match written.map(|written| written.kind()) {
            Some("single_quote_scalar") => scalar::single_quoted(text),
            Some("double_quote_scalar") => scalar::double_quoted(text),
            Some(_) | None => text.to_owned(),
        }
    }
}

/// Answers where a block scalar ends: after its last line that is not blank, or after the blank ones if it keeps them.
fn block_end(text: &str, span: &Range<usize>) -> usize {
    let written = &text[span.clone()];
    let end = span.start + written.trim_end().len();
    let header = written.lines().next().unwrap_or_default();
    if !header.split('#').next().unwrap_or_default().contains('+') {
        return end;
    }
    let blank = text[end..].len() - text[end..].trim_start_matches([' ', '\r', '\n']).len();
    let kept = text[end..end + blank].rfind('\n').map_or(end, |last| end + last);
    if text[..kept].ends_with('\r') { kept - 1 } else { kept }
}

/// Answers the column of byte `at`, a byte order mark left out.
pub(super) fn column(text: &str, at: usize) -> usize {
    let start = text[..at].rfind('\n').map_or(0, |found| found + 1);
    text[start..at].trim_start_matches('\u{feff}').chars().count()
}
