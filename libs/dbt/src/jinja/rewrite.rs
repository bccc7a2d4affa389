//! Turns the spellings that Jinja2 and dbt allow and minijinja does not into ones it reads, keeping track of offsets.
//!
//! `{% if x: %}`, unary plus, `{% do %}` of anything but a call, unknown escapes in strings, typed macro parameters,
//! dbt's own `test` and `materialization` blocks.

use std::fmt::Write as _;

/// Is a rewritten template and the way back to the original's offsets.
pub(super) struct Rewritten {
    pub(super) text: String,
    /// (offset in `text`, offset in the original), ascending; between two entries both advance alike.
    map: Vec<(usize, usize)>,
}

impl Rewritten {
    /// Answers the offset in the original of an offset in the rewritten text.
    pub(super) fn original(&self, offset: usize) -> usize {
        let at = self.map.partition_point(|(new, _)| *new <= offset);
        match at.checked_sub(1).and_then(|i| self.map.get(i)) {
            Some((new, old)) => old + (offset - new),
            None => offset,
        }
    }
}

/// Rewrites `source`.
pub(super) fn rewrite(source: &str) -> Rewritten {
    let mut writer = Writer { source, text: String::with_capacity(source.len() + 16), map: Vec::new(), copied: 0 };
    let mut at = 0;
    while let Some(open) = source[at..].find('{').map(|i| i + at) {
        at = match source.as_bytes().get(open + 1) {
            Some(b'#') => source[open..].find("#}").map_or(source.len(), |i| open + i + 2),
            Some(b'{') => writer.code(open + 2, "}}"),
            Some(b'%') => match raw_end(source, open) {
                Some(end) => end,
                None => writer.code(open + 2, "%}"),
            },
            _ => open + 1,
        };
    }
    writer.copy_to(source.len());
    Rewritten { text: writer.text, map: writer.map }
}

fn raw_end(source: &str, open: usize) -> Option<usize> {
    let close = source[open..].find("%}")? + open;
    let word = source[open + 2..close].trim_matches(|c: char| c == '-' || c == '+' || c.is_whitespace());
    if word != "raw" {
        return None;
    }
    let mut at = close;
    loop {
        let start = source[at..].find("{%")? + at;
        let end = source[start..].find("%}")? + start;
        let word = source[start + 2..end].trim_matches(|c: char| c == '-' || c == '+' || c.is_whitespace());
        if word == "endraw" {
            return Some(end + 2);
        }
        at = start + 2;
    }
}

struct Writer<'a> {
    source: &'a str,
    text: String,
    map: Vec<(usize, usize)>,
    copied: usize,
}

/// Is a token of a tag, as coarse as the rewriting needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token {
    Word,
    Number,
    Text,
    Operator(u8),
}

impl Writer<'_> {
    fn copy_to(&mut self, end: usize) {
        self.text.push_str(&self.source[self.copied..end]);
        self.copied = end;
    }

    /// Puts `new` in the place of the original's `start..end`.
    fn replace(&mut self, start: usize, end: usize, new: &str) {
        self.copy_to(start);
        let _ = self.text.write_str(new);
        self.copied = end;
        self.map.push((self.text.len(), end));
    }

    /// Walks over one tag's code; answers where it ends.
    fn code(&mut self, start: usize, mark: &str) -> usize {
        let (tokens, end) = tokenize(self.source, start, mark);
        let word = |i: usize| tokens.get(i).map_or("", |(_, span)| &self.source[span.clone()]);
        let (first, second) = (word(0).to_owned(), word(1).to_owned());
        let statement = mark == "%}";
        if statement && first == "materialization" {
            self.statement(&first, &second, &tokens, end);
            return end;
        }
        let mut parens = 0usize;
        let mut typed_until = 0;
        for (i, (token, span)) in tokens.iter().enumerate() {
            if i < typed_until {
                continue;
            }
            match token {
                Token::Text => self.escapes(span.clone()),
                Token::Operator(b'(' | b'[' | b'{') => parens += 1,
                Token::Operator(b')' | b']' | b'}') => parens = parens.saturating_sub(1),
                Token::Operator(b'+') if is_unary(&tokens[..i], self.source) => self.replace(span.start, span.end, " "),
                Token::Operator(b':') if statement && parens == 0 && i + 1 == tokens.len() => {
                    self.replace(span.start, span.end, " ");
                }
                Token::Operator(b':')
                    if statement && parens == 1 && matches!(first.as_str(), "macro" | "test" | "data_test") =>
                {
                    typed_until = after_type(&tokens, i + 1);
                    let last = tokens.get(typed_until - 1).map_or(span.end, |(_, last)| last.end);
                    self.replace(span.start, last, " ");
                }
                Token::Word | Token::Number | Token::Operator(_) => {}
            }
            if statement && i == 0 {
                self.statement(&first, &second, &tokens, end);
            }
        }
        if statement && first == "do" && tokens.len() > 1 {
            let close = tokens.last().map_or(end, |(_, span)| span.end);
            self.replace(close, close, ")");
        }
        end
    }

    fn statement(&mut self, first: &str, second: &str, tokens: &[(Token, std::ops::Range<usize>)], end: usize) {
        let span = tokens[0].1.clone();
        match first {
            "do" => self.replace(span.start, span.end, "do d("),
            "test" | "data_test" if tokens.len() > 1 => {
                self.replace(span.start, tokens[1].1.end, &format!("macro test_{second}"));
            }
            "endtest" | "enddata_test" | "endmaterialization" => self.replace(span.start, span.end, "endmacro"),
            "materialization" => {
                let close = tokens.last().map_or(end, |(_, span)| span.end);
                self.replace(span.start, close, &format!("macro materialization_{second}()"));
            }
            _ => {}
        }
    }

    /// Doubles the backslash of an escape that Python leaves as it is.
    fn escapes(&mut self, span: std::ops::Range<usize>) {
        let bytes = self.source.as_bytes();
        let mut at = span.start + 1;
        while at + 1 < span.end {
            if bytes[at] == b'\\' {
                match bytes[at + 1] {
                    b'\\' | b'\'' | b'"' | b'n' | b't' | b'r' | b'b' | b'f' => {}
                    b'u' if hex(bytes, at + 2, 4) => {}
                    b'x' if hex(bytes, at + 2, 2) => {
                        let digits = self.source[at + 2..at + 4].to_owned();
                        self.replace(at, at + 4, &format!("\\u00{digits}"));
                    }
                    b'\n' => self.replace(at, at + 2, ""),
                    b'a' => self.replace(at, at + 2, "\\u0007"),
                    b'v' => self.replace(at, at + 2, "\\u000b"),
                    b'0' => self.replace(at, at + 2, "\\u0000"),
                    _ => self.replace(at, at + 1, "\\\\"),
                }
                at += 2;
            } else {
                at += 1;
            }
        }
    }
}

fn hex(bytes: &[u8], at: usize, count: usize) -> bool {
    bytes.get(at..at + count).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// Answers the index of the first token after a parameter's type.
fn after_type(tokens: &[(Token, std::ops::Range<usize>)], from: usize) -> usize {
    let mut depth = 0usize;
    let mut at = from;
    while let Some((token, _)) = tokens.get(at) {
        match token {
            Token::Operator(b'[') => depth += 1,
            Token::Operator(b']') => depth = depth.saturating_sub(1),
            Token::Operator(b',' | b')' | b'=') if depth == 0 => break,
            _ => {}
        }
        at += 1;
    }
    at
}

fn is_unary(before: &[(Token, std::ops::Range<usize>)], source: &str) -> bool {
    match before.last() {
        None => true,
        Some((Token::Operator(op), _)) => !matches!(op, b')' | b']' | b'}'),
        Some((Token::Word, span)) => {
            matches!(
                &source[span.clone()],
                "and" | "or" | "not" | "in" | "if" | "else" | "elif" | "is" | "do" | "return"
            )
        }
        Some((Token::Number | Token::Text, _)) => false,
    }
}

fn tokenize(source: &str, start: usize, mark: &str) -> (Vec<(Token, std::ops::Range<usize>)>, usize) {
    let bytes = source.as_bytes();
    let mut tokens = Vec::new();
    let mut at = start;
    if matches!(bytes.get(at), Some(b'-' | b'+')) {
        at += 1;
    }
    let mut braces = 0usize;
    while at < bytes.len() {
        let from = at;
        match bytes[at] {
            b if b.is_ascii_whitespace() => at += 1,
            b'-' | b'+' if bytes[at + 1..].starts_with(mark.as_bytes()) && braces == 0 => return (tokens, at + 3),
            _ if bytes[at..].starts_with(mark.as_bytes()) && (braces == 0 || mark == "%}") => return (tokens, at + 2),
            quote @ (b'\'' | b'"') => {
                at = super::scan::string_end(bytes, at, quote).unwrap_or(bytes.len());
                tokens.push((Token::Text, from..at));
            }
            b if b.is_ascii_digit() => {
                at = skip(bytes, at, |b| b.is_ascii_alphanumeric() || b == b'.' || b == b'_');
                tokens.push((Token::Number, from..at));
            }
            b if b.is_ascii_alphabetic() || b == b'_' || b >= 0x80 => {
                at = skip(bytes, at, |b| b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80);
                tokens.push((Token::Word, from..at));
            }
            op => {
                match op {
                    b'{' => braces += 1,
                    b'}' => braces = braces.saturating_sub(1),
                    _ => {}
                }
                at += 1;
                tokens.push((Token::Operator(op), from..at));
            }
        }
    }
    (tokens, bytes.len())
}

fn skip(bytes: &[u8], from: usize, keep: impl Fn(u8) -> bool) -> usize {
    from + bytes[from..].iter().take_while(|b| keep(**b)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_way_back_to_the_original() {
        let text = "{% do x.append(1) if y %}{% if z: %}{{ +1 }}{{ '\\d' }}tail";
        let rewritten = rewrite(text);
        assert_eq!(rewritten.text, "{% do d( x.append(1) if y) %}{% if z  %}{{  1 }}{{ '\\\\d' }}tail");
        let tail = rewritten.text.find("tail").expect("tail");
        assert_eq!(&text[rewritten.original(tail)..], "tail");
    }

    #[test]
    fn reads_tests_and_typed_parameters_as_macros() {
        assert_eq!(
            rewrite("{% test t(model, a: list[string]=1) %}{% endtest %}").text,
            "{% macro test_t(model, a =1) %}{% endmacro %}"
        );
        assert_eq!(rewrite("{% raw %}{% do x %}{% endraw %}").text, "{% raw %}{% do x %}{% endraw %}");
    }
}
