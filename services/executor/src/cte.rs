//! Looks into a statement: at its first word, and for its CTEs, so that one of them can be looked at by itself.

/// Answers the word that a statement begins with, behind comments and parentheses.
pub(crate) fn first_word(sql: &str) -> Option<&str> {
    let first = tokens(sql).find(|token| token.kind != Kind::Open)?;
    (first.kind == Kind::Word).then(|| &sql[first.start..first.end])
}

/// Rewrites a statement to read one of its CTEs; None where it has none of this name.
pub(crate) fn select(sql: &str, name: &str) -> Option<String> {
    let tokens: Vec<Token> = tokens(sql).collect();
    let with = tokens.iter().position(|token| token.is_word(sql, "with"))?;
    let recursive = usize::from(tokens.get(with + 1)?.is_word(sql, "recursive"));
    let mut at = with + 1 + recursive;
    loop {
        let named = tokens.get(at)?;
        let body = body(sql, &tokens, at + 1)?;
        if named.name(sql).is_some_and(|found| found == name || found.eq_ignore_ascii_case(name)) {
            let written = &sql[named.start..named.end];
            return Some(format!("{}\nselect * from {written}", &sql[..tokens[body].end]));
        }
        // More CTEs follow a comma.
        let comma = tokens.get(body + 1)?;
        if comma.kind != Kind::Comma {
            return None;
        }
        at = body + 2;
    }
}

/// Finds where the CTE ends whose name stands before `at`: its closing parenthesis.
fn body(sql: &str, tokens: &[Token], mut at: usize) -> Option<usize> {
    if tokens.get(at)?.kind == Kind::Open {
        at = closing(tokens, at)? + 1;
    }
    if !tokens.get(at)?.is_word(sql, "as") {
        return None;
    }
    at += 1;
    while tokens.get(at)?.is_word(sql, "not") || tokens[at].is_word(sql, "materialized") {
        at += 1;
    }
    (tokens[at].kind == Kind::Open).then(|| closing(tokens, at))?
}

fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth -= 1,
            Kind::Word | Kind::Quoted | Kind::Comma | Kind::Other => {}
        }
        if depth == 0 {
            return Some(index);
        }
    }
    None
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    /// A name in double quotes.
    Quoted,
    Open,
    Close,
    Comma,
    Other,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    kind: Kind,
    start: usize,
    end: usize,
}

impl Token {
    fn is_word(self, sql: &str, word: &str) -> bool {
        self.kind == Kind::Word && sql[self.start..self.end].eq_ignore_ascii_case(word)
    }

    fn name(self, sql: &str) -> Option<String> {
        let text = &sql[self.start..self.end];
        match self.kind {
            Kind::Word => Some(text.to_lowercase()),
            Kind::Quoted => Some(text[1..text.len() - 1].replace("\"\"", "\"")),
            Kind::Open | Kind::Close | Kind::Comma | Kind::Other => None,
        }
    }
}

/// Cuts SQL into what this module looks at; white space and comments are left out.
fn tokens(sql: &str) -> impl Iterator<Item = Token> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = &sql[at..];
            let first = rest.chars().next()?;
            let start = at;
            if first.is_whitespace() {
                at += first.len_utf8();
            } else if rest.starts_with("--") {
                at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                at += comment(rest);
            } else {
                let (kind, length) = token(rest, first);
                at += length;
                return Some(Token { kind, start, end: at });
            }
        }
    })
}

fn token(rest: &str, first: char) -> (Kind, usize) {
    match first {
        '(' => (Kind::Open, 1),
        ')' => (Kind::Close, 1),
        ',' => (Kind::Comma, 1),
        '"' => match quoted(rest, '"') {
            length if length >= 2 && rest[1..length].ends_with('"') => (Kind::Quoted, length),
            length => (Kind::Other, length),
        },
        '\'' => (Kind::Other, quoted(rest, '\'')),
        '$' => (Kind::Other, dollar(rest)),
        c if c.is_alphanumeric() || c == '_' => {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            (Kind::Word, end)
        }
        other => (Kind::Other, other.len_utf8()),
    }
}

/// Measures a text in quotes; a doubled quote does not end it.
fn quoted(rest: &str, quote: char) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((index, c)) = chars.next() {
        if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return index + 1;
        }
    }
    rest.len()
}

/// Measures a text in dollars, `$tag$ ... $tag$`.
fn dollar(rest: &str) -> usize {
    let Some(tag_end) = rest[1..].find('$').map(|end| end + 2) else { return 1 };
    let tag = &rest[..tag_end];
    if !tag[1..tag_end - 1].chars().all(|c| c.is_alphanumeric() || c == '_') {
        return 1;
    }
    rest[tag_end..].find(tag).map_or(rest.len(), |end| tag_end + end + tag_end)
}

/// Measures a comment; they nest.
fn comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let (step, change) = match &rest[at..] {
            text if text.starts_with("/*") => (2, 1),
            text if text.starts_with("*/") => (2, -1),
            text => (text.chars().next().map_or(1, char::len_utf8), 0),
        };
        at += step;
        depth += change;
        if depth == 0 {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQL: &str = "with a as (select ')' as x -- (\n), \"B\" (n) as materialized (select (1) /* ) /* */ */),\nc as (select $q$)$q$)\nselect * from c";

    #[test]
    fn reads_one_cte_with_those_before_it() {
        assert_eq!(select(SQL, "a").as_deref(), Some("with a as (select ')' as x -- (\n)\nselect * from a"));
        let second = select(SQL, "B").expect("it is there");
        assert!(second.ends_with("/* ) /* */ */)\nselect * from \"B\""), "{second}");
        let third = select(SQL, "C").expect("it is there");
        assert!(third.ends_with("c as (select $q$)$q$)\nselect * from c"), "{third}");
    }

    #[test]
    fn finds_the_first_word_behind_comments_and_parentheses() {
        assert_eq!(first_word("-- select\n/* with */ ((Values (1)))"), Some("Values"));
        assert_eq!(first_word("; select 1"), None);
        assert_eq!(first_word(" "), None);
    }

    #[test]
    fn finds_nothing_where_there_is_no_such_cte() {
        assert_eq!(select(SQL, "d"), None);
        assert_eq!(select("select 1", "a"), None);
        assert_eq!(select("with a as (select 1", "a"), None);
        assert_eq!(select("with", "a"), None);
    }
}
