//! Cuts a file into dbt's top-level blocks before any template is parsed.
//!
//! Responsible for finding `macro`, `test`, `materialization`, `snapshot` and `docs` blocks with their byte spans;
//! strings, comments and raw blocks are respected. What stands inside a block is not looked at.

use std::ops::Range;

use super::error::{Code, Error};
use super::scan::{Scanner, Tag};

/// Says what a top-level block defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockKind {
    Macro,
    Test,
    /// `adapter` is None for the default adapter.
    Materialization {
        adapter: Option<String>,
    },
    Snapshot,
    Docs,
}

impl BlockKind {
    fn open(word: &str, args: &str) -> Option<Self> {
        Some(match word {
            "macro" => Self::Macro,
            "test" | "data_test" => Self::Test,
            "materialization" => Self::Materialization { adapter: adapter_of(args) },
            "snapshot" => Self::Snapshot,
            "docs" => Self::Docs,
            _ => return None,
        })
    }

    fn closes(word: &str) -> bool {
        matches!(word, "endmacro" | "endtest" | "enddata_test" | "endmaterialization" | "endsnapshot" | "enddocs")
    }
}

/// Is one top-level block of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    pub kind: BlockKind,
    pub name: &'a str,
    /// The arguments as they are written, with their parentheses; for a materialization what follows its name.
    pub args: &'a str,
    /// From the opening tag's `{%` to after the closing tag's `%}`.
    pub span: Range<usize>,
    /// What stands between the two tags.
    pub body: Range<usize>,
    /// The text of `span`.
    pub source: &'a str,
}

/// Cuts `source` into its top-level blocks, in order.
///
/// # Errors
/// When a block is opened and never closed, or closed and never opened.
pub fn blocks(source: &str) -> Result<Vec<Block<'_>>, Error> {
    let mut found = Vec::new();
    let mut open: Option<(Block<'_>, &str)> = None;
    let mut scanner = Scanner::new(source);
    while let Some(tag) = scanner.next_block_tag()? {
        let word = tag.word;
        match &mut open {
            None => {
                if let Some(block) = opened(source, &tag) {
                    scanner.raw_until(if block.kind == BlockKind::Docs { Some("enddocs") } else { None });
                    open = Some((block, word));
                } else if BlockKind::closes(word) {
                    return Err(Error::new(
                        Code::TemplateSyntax,
                        format!("`{word}` at byte {} closes a block that was never opened", tag.span.start),
                    ));
                }
            }
            Some((block, opener)) => {
                if word.strip_prefix("end") == Some(*opener) {
                    block.body.end = tag.span.start;
                    block.span.end = tag.span.end;
                    block.source = &source[block.span.clone()];
                    found.extend(open.take().map(|(block, _)| block));
                    scanner.raw_until(None);
                }
            }
        }
    }
    match open {
        Some((block, opener)) => Err(Error::new(
            Code::TemplateSyntax,
            format!("`{opener} {}` at byte {} is never closed by `end{opener}`", block.name, block.span.start),
        )),
        None => Ok(found),
    }
}

fn opened<'a>(source: &'a str, tag: &Tag<'a>) -> Option<Block<'a>> {
    let rest = tag.rest.trim();
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (name, args) = (&rest[..end], rest[end..].trim());
    let kind = BlockKind::open(tag.word, args)?;
    Some(Block { kind, name, args, span: tag.span.clone(), body: tag.span.end..tag.span.end, source })
}

fn adapter_of(args: &str) -> Option<String> {
    let after = args.split("adapter").nth(1)?.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|c| *c == '\'' || *c == '"')?;
    let name = after[1..].split(quote).next()?;
    (name != "default").then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_macros_and_leaves_what_is_inside_alone() {
        let text = "-- a\n{% macro a(x, y='%}') -%}\n {% if x %}1{% endif %} {# {% endmacro %} #}{% endmacro %}\n{% docs d %} {{ 'unclosed }} {% enddocs %}";
        let found = blocks(text).expect("two blocks");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].name, found[0].args), ("a", "(x, y='%}')"));
        assert_eq!(found[1].kind, BlockKind::Docs);
        assert_eq!(&text[found[1].body.clone()], " {{ 'unclosed }} ");
    }

    #[test]
    fn reads_a_materialization_s_adapter() {
        let text = "{% materialization m, adapter='postgres' %}x{% endmaterialization %}{% materialization n, default %}{% endmaterialization %}";
        let found = blocks(text).expect("two blocks");
        assert_eq!(found[0].kind, BlockKind::Materialization { adapter: Some("postgres".into()) });
        assert_eq!(found[1].kind, BlockKind::Materialization { adapter: None });
    }

    #[test]
    fn respects_raw_blocks_and_refuses_an_open_end() {
        assert!(blocks("{% raw %}{% macro x() %}{% endraw %}").expect("raw").is_empty());
        assert_eq!(blocks("{% macro x() %}").expect_err("open").code, Code::TemplateSyntax);
    }
}
