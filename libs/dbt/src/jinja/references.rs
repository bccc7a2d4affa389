//! Finds the literal `ref()` and `source()` calls of a text, in whichever branch of a template they stand.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// One call; quotes may be escaped or doubled, as inside a string of Jinja or YAML.
static CALL: LazyLock<Regex> = LazyLock::new(|| {
    let text = r#"(?:''|\\?['"])([^'"\\{}()\n]+)(?:''|\\?['"])\s*"#;
    let pattern = format!(r"\b(ref|source)\s*\(\s*{text}(?:,\s*{text})?[,)]");
    Regex::new(&pattern).expect("invariant: the pattern is written here")
});

/// Says which function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Ref,
    Source,
}

/// Is one call whose names are written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) function: Function,
    /// From the function's name to the parenthesis or comma after the last name.
    pub(crate) span: Range<usize>,
    /// Where the last name stands: the node's, or the source's table.
    pub(crate) name: Range<usize>,
    /// Where the name before it stands: the package, or the source.
    pub(crate) qualifier: Option<Range<usize>>,
}

impl Call {
    /// Says whether this is `ref('name')` or `ref('package', 'name')`.
    pub(crate) fn refers_to(&self, text: &str, package: &str, name: &str) -> bool {
        let qualified = self.qualifier.as_ref().is_none_or(|at| &text[at.clone()] == package);
        self.function == Function::Ref && &text[self.name.clone()] == name && qualified
    }
}

/// Lists the calls in a template: inside its tags, comments and raw blocks left out.
pub(crate) fn in_template(text: &str) -> Vec<Call> {
    code(text).into_iter().flat_map(|range| within(text, range)).collect()
}

/// Lists the calls in a range of code.
pub(crate) fn within(text: &str, range: Range<usize>) -> Vec<Call> {
    let moved = |found: regex::Match<'_>| range.start + found.start()..range.start + found.end();
    let calls = CALL.captures_iter(&text[range.clone()]).filter_map(|found| {
        let function = if &found[1] == "ref" { Function::Ref } else { Function::Source };
        let (first, second) = (moved(found.get(2)?), found.get(3).map(moved));
        let (name, qualifier) = match second {
            Some(name) => (name, Some(first)),
            None => (first, None),
        };
        Some(Call { function, span: moved(found.get(0)?), name, qualifier })
    });
    calls.collect()
}

/// Answers the ranges of a template that are code: what stands in `{{ }}` and `{% %}`.
pub(crate) fn code(text: &str) -> Vec<Range<usize>> {
    let (mut ranges, mut at) = (Vec::new(), 0);
    while let Some(open) = text[at..].find('{').map(|found| at + found) {
        at = match text.as_bytes().get(open + 1) {
            Some(b'#') => text[open + 2..].find("#}").map_or(text.len(), |found| open + 2 + found + 2),
            Some(b'{') => take(text, open + 2, "}}", &mut ranges),
            Some(b'%') => {
                let end = take(text, open + 2, "%}", &mut ranges);
                let tag = text[open + 2..end].trim_matches(['-', '+', '%', '}']).trim();
                if tag == "raw" { after_raw(text, end) } else { end }
            }
            _ => open + 1,
        };
    }
    ranges
}

/// Takes the code from `start` to its closing mark; answers where the tag ends.
fn take(text: &str, start: usize, mark: &str, ranges: &mut Vec<Range<usize>>) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut quote) = (start, None);
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(_), b'\\') => at += 1,
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, byte @ (b'\'' | b'"')) => quote = Some(byte),
            (None, _) if bytes[at..].starts_with(mark.as_bytes()) => {
                ranges.push(start..at);
                return at + mark.len();
            }
            (None, _) => {}
        }
        at += 1;
    }
    text.len()
}

fn after_raw(text: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(open) = text[at..].find("{%").map(|found| at + found) {
        let end = text[open..].find("%}").map_or(text.len(), |found| open + found + 2);
        if text[open + 2..end].trim_matches(['-', '+', '%', '}']).trim() == "endraw" {
            return end;
        }
        at = open + 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        in_template(text).into_iter().map(|call| &text[call.name]).collect()
    }

    #[test]
    fn finds_every_spelling_of_a_call() {
        let text = r#"{{ ref('a') }} {%- if x -%}{{ref("p" , 'b')}}{% endif %} {{ builtins.ref( 'c', v=2) }}
            {{ source('s',
                't') }} {{ config(post_hook="insert {{ ref('d') }}", pre_hook='{{ ref(\'e\') }}') }}"#;
        assert_eq!(names(text), ["a", "b", "c", "t", "d", "e"]);
    }

    #[test]
    fn leaves_what_is_not_a_call_of_a_literal() {
        let text = "ref('a') {# {{ ref('b') }} #} {% raw %}{{ ref('c') }}{% endraw %} {{ ref('d' ~ x) }} {{ ref(x) }} {{ xref('e') }}";
        assert_eq!(names(text), [""; 0]);
    }
}
