//! Checks of a JSON text that serde_json does not make: depth, duplicate keys, numbers and characters out of range.

use std::collections::HashMap;

use super::problem::Problem;

/// The deepest nesting of a request's JSON.
pub(super) const DEPTH_MAX: usize = 64;

/// Checks the nesting, before anything recursive looks at the text.
pub(super) fn check_depth(text: &str) -> Result<(), Problem> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            let detail = format!("JSON nests deeper than {DEPTH_MAX} levels");
            return Err(Problem::bad_request("JSON_TOO_DEEP", detail).limit(DEPTH_MAX as i64));
        }
    }
    Ok(())
}

/// Checks keys, strings and numbers of a text that is known to be JSON.
pub(super) fn check_values(text: &str) -> Result<(), Problem> {
    Scan { text, at: 0, path: Vec::new() }.value()
}

/// Answers the 1-based line and column of a byte.
fn position(text: &str, at: usize) -> String {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    format!("line {line} column {column}")
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    path: Vec<String>,
}

impl Scan<'_> {
    fn value(&mut self) -> Result<(), Problem> {
        self.space();
        match self.peek() {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => self.string().map(drop),
            b'-' | b'0'..=b'9' => self.number(),
            _ => {
                while self.peek().is_ascii_alphabetic() {
                    self.at += 1;
                }
                Ok(())
            }
        }
    }

    fn object(&mut self) -> Result<(), Problem> {
        let mut keys: HashMap<String, usize> = HashMap::new();
        self.at += 1;
        loop {
            self.space();
            match self.peek() {
                b'"' => {
                    let start = self.at;
                    let key = self.string()?;
                    self.path.push(key.replace('~', "~0").replace('/', "~1"));
                    if let Some(first) = keys.insert(key, start) {
                        return Err(self.duplicate(first, start));
                    }
                    self.space();
                    self.at += 1;
                    self.value()?;
                    self.path.pop();
                }
                b',' => self.at += 1,
                _ => {
                    self.at += 1;
                    return Ok(());
                }
            }
        }
    }

    fn array(&mut self) -> Result<(), Problem> {
        self.at += 1;
        let mut index = 0;
        loop {
            self.space();
            match self.peek() {
                b',' => {
                    self.at += 1;
                    index += 1;
                }
                b']' | 0 => {
                    self.at += 1;
                    return Ok(());
                }
                _ => {
                    self.path.push(index.to_string());
                    self.value()?;
                    self.path.pop();
                }
            }
        }
    }

    fn string(&mut self) -> Result<String, Problem> {
        let start = self.at;
        self.at += 1;
        while !matches!(self.peek(), b'"' | 0) {
            self.at += if self.peek() == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        let literal = &self.text[start..self.at.min(self.text.len())];
        let text: String = serde_json::from_str(literal).map_err(|_| self.bad_text(start, "a lone surrogate"))?;
        match text.contains('\0') {
            true => Err(self.bad_text(start, "a NUL")),
            false => Ok(text),
        }
    }

    fn number(&mut self) -> Result<(), Problem> {
        let start = self.at;
        while matches!(self.peek(), b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') {
            self.at += 1;
        }
        let literal = &self.text[start..self.at];
        let fits = match literal.contains(['.', 'e', 'E']) {
            true => literal.parse::<f64>().is_ok_and(f64::is_finite),
            false => literal.parse::<i64>().is_ok(),
        };
        match fits {
            true => Ok(()),
            false => {
                let detail = format!("a number must lie between {} and {}", i64::MIN, i64::MAX);
                let problem = Problem::unprocessable("NUMBER_RANGE", detail).at(self.pointer()).got(literal);
                Err(problem.with("min", i64::MIN).with("max", i64::MAX))
            }
        }
    }

    fn duplicate(&self, first: usize, second: usize) -> Problem {
        let (first, second) = (position(self.text, first), position(self.text, second));
        let detail = format!("the key stands twice, at {first} and at {second}");
        Problem::bad_request("JSON_DUPLICATE_KEY", detail).at(self.pointer())
    }

    fn bad_text(&self, start: usize, what: &str) -> Problem {
        let detail = format!("the string at byte {start} holds {what}");
        Problem::bad_request("TEXT_INVALID", detail).at(self.pointer())
    }

    fn pointer(&self) -> String {
        self.path.iter().map(|part| format!("/{part}")).collect()
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<&'static str> {
        check_depth(text).and_then(|()| check_values(text)).err().map(|problem| problem.code())
    }

    #[test]
    fn takes_plain_json() {
        assert_eq!(code(r#"{"a": [1, -2.5e3, "x\n\"", null, true], "b": {"a": {}}}"#), None);
    }

    #[test]
    fn refuses_what_serde_json_lets_pass() {
        assert_eq!(code(r#"{"a": 1, "b": {"c": 1, "c": 2}}"#), Some("JSON_DUPLICATE_KEY"));
        assert_eq!(code(r#"{"a": "\u0000"}"#), Some("TEXT_INVALID"));
        assert_eq!(code(r#"{"a": "\ud800"}"#), Some("TEXT_INVALID"));
        assert_eq!(code(r#"{"a": 1e400}"#), Some("NUMBER_RANGE"));
        assert_eq!(code(r#"{"a": 9223372036854775808}"#), Some("NUMBER_RANGE"));
        assert_eq!(code(&"[".repeat(10_000)), Some("JSON_TOO_DEEP"));
    }
}
