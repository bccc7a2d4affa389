//! Scans a template's text for its tags, without reading what is in them.

use std::ops::Range;

use super::error::{Code, Error};

/// Is one `{% … %}` of a template.
#[derive(Clone, Debug)]
pub(super) struct Tag<'a> {
    pub(super) span: Range<usize>,
    pub(super) word: &'a str,
    /// What follows the first word, up to the closing mark.
    pub(super) rest: &'a str,
}

/// Walks over the block tags of a template.
pub(super) struct Scanner<'a> {
    source: &'a str,
    position: usize,
    raw_until: Option<&'static str>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self { source, position: 0, raw_until: None }
    }

    /// From here on, only the tag `word` is looked for.
    pub(super) fn raw_until(&mut self, word: Option<&'static str>) {
        self.raw_until = word;
    }

    pub(super) fn next_block_tag(&mut self) -> Result<Option<Tag<'a>>, Error> {
        if let Some(word) = self.raw_until {
            return Ok(self.find_closing(word));
        }
        loop {
            let Some(at) = self.source[self.position..].find('{').map(|i| i + self.position) else {
                return Ok(None);
            };
            match self.source.as_bytes().get(at + 1) {
                Some(b'#') => self.position = self.after(at, "#}", "comment")?,
                Some(b'{') => self.position = self.skip_code(at + 2, "}}")?,
                Some(b'%') => {
                    let end = self.skip_code(at + 2, "%}")?;
                    self.position = end;
                    let tag = self.tag(at, end);
                    if tag.word == "raw" {
                        self.find_closing("endraw").ok_or_else(|| unclosed("raw", at))?;
                        continue;
                    }
                    return Ok(Some(tag));
                }
                _ => self.position = at + 1,
            }
        }
    }

    fn tag(&self, start: usize, end: usize) -> Tag<'a> {
        let inner = self.source[start + 2..end - 2].trim_start_matches(['-', '+']);
        let inner = inner.strip_suffix(['-', '+']).unwrap_or(inner).trim();
        let cut = inner.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(inner.len());
        Tag { span: start..end, word: &inner[..cut], rest: &inner[cut..] }
    }

    fn after(&self, at: usize, mark: &str, what: &str) -> Result<usize, Error> {
        let found = self.source[at + 2..].find(mark).map(|i| at + 2 + i + mark.len());
        found.ok_or_else(|| unclosed(what, at))
    }

    /// Finds the end of a tag's code; marks inside strings do not count.
    fn skip_code(&self, from: usize, mark: &str) -> Result<usize, Error> {
        let bytes = self.source.as_bytes();
        let mut at = from;
        while at < bytes.len() {
            match bytes[at] {
                quote @ (b'\'' | b'"') => match string_end(bytes, at, quote) {
                    Some(end) => at = end,
                    None => break,
                },
                _ if bytes[at..].starts_with(mark.as_bytes()) => return Ok(at + mark.len()),
                _ => at += 1,
            }
        }
        Err(unclosed("tag", from - 2))
    }

    fn find_closing(&mut self, word: &str) -> Option<Tag<'a>> {
        let mut from = self.position;
        loop {
            let start = self.source[from..].find("{%").map(|i| i + from)?;
            let end = self.source[start..].find("%}").map(|i| i + start + 2)?;
            let tag = self.tag(start, end);
            if tag.word == word {
                self.position = end;
                return Some(tag);
            }
            from = start + 2;
        }
    }
}

pub(super) fn string_end(bytes: &[u8], start: usize, quote: u8) -> Option<usize> {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b if b == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

fn unclosed(what: &str, at: usize) -> Error {
    Error::new(Code::TemplateSyntax, format!("the {what} opened at byte {at} is never closed"))
}
