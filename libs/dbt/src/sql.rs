//! Judges SQL by its tokens and by the grammar of its dialect.
//!
//! What the tokens say is certain. The grammar may know less than the database does: what it alone refuses breaks
//! nothing that somebody wrote by hand.

mod keywords;

use sqlparser::dialect::{Dialect, OracleDialect, PostgreSqlDialect, SnowflakeDialect};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, TokenizerError};

use crate::SQL_BYTES_MAX;
use crate::environment::Adapter;
use crate::jinja::Code;

pub(crate) use keywords::is_reserved;

/// The most parentheses that may be inside each other.
pub const SQL_NESTED_MAX: usize = 200;
/// Beyond this nesting the grammar is not asked: it may try each parenthesis in several ways.
const GRAMMAR_NESTED_MAX: usize = 20;
/// Beyond this many tokens the grammar is not asked.
const GRAMMAR_TOKENS_MAX: usize = 50_000;
/// How many characters of a line are shown before and after the place of an error.
const SHOWN_CHARS: usize = 40;

/// Says what is wrong with a piece of SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// The byte where it is.
    pub(crate) at: usize,
    /// No database of this kind takes it; otherwise it is only this grammar that does not.
    pub(crate) is_certain: bool,
}

/// Says what is asked of a piece of SQL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) adapter: Adapter,
    /// It may hold several statements, and any kind of them.
    pub(crate) is_script: bool,
    /// The grammar is asked too.
    pub(crate) asks_grammar: bool,
}

/// Answers the first thing that is wrong with a rendered piece of SQL.
pub(crate) fn judge(sql: &str, rules: Rules) -> Option<Wrong> {
    if sql.len() > SQL_BYTES_MAX {
        return None;
    }
    let dialect = dialect(rules.adapter);
    let tokens = match Tokenizer::new(&*dialect, sql).tokenize_with_location() {
        Ok(tokens) => tokens,
        Err(error) => return unfinished(sql, rules, &error),
    };
    let judged = Tokens { sql, rules, tokens };
    match judged.structure() {
        Err(wrong) => Some(wrong),
        Ok(deepest) if rules.asks_grammar && !rules.is_script && deepest <= GRAMMAR_NESTED_MAX => {
            judged.grammar(&*dialect)
        }
        Ok(_) => None,
    }
}

fn dialect(adapter: Adapter) -> Box<dyn Dialect> {
    match adapter {
        Adapter::Postgres => Box::new(PostgreSqlDialect {}),
        Adapter::Snowflake => Box::new(SnowflakeDialect),
        Adapter::Oracle => Box::new(OracleDialect),
    }
}

/// Judges what does not come to tokens: an end inside a quoted text is certain, all else the tokenizer may not know.
fn unfinished(sql: &str, rules: Rules, error: &TokenizerError) -> Option<Wrong> {
    let what = match error.message.as_str() {
        "Unterminated string literal" | "Unterminated encoded string literal" => "a string is not closed",
        "Unterminated dollar-quoted string" | "Unterminated dollar-quoted, expected $" => {
            "a string in dollar quotes is not closed"
        }
        "Unexpected EOF while in a multi-line comment" => "a comment is not closed",
        message if message.starts_with("Expected close delimiter") => "a quoted name is not closed",
        _ => return None,
    };
    Some(syntax(sql, rules, (what.to_owned(), offset(sql, error.location), true)))
}

/// Makes the error of SQL that cannot be read, with the line and a mark below its place.
fn syntax(sql: &str, rules: Rules, (what, at, is_certain): (String, usize, bool)) -> Wrong {
    let adapter = rules.adapter.as_str();
    let who = match is_certain {
        true => format!("{adapter} cannot read the SQL"),
        false => format!("DVT+ cannot read the SQL as {adapter}'s, and leaves it to the database"),
    };
    let message = format!("{who}: {what}\n{}", shown(sql, at));
    Wrong { code: Code::SqlSyntax, message, at, is_certain }
}

/// Shows the line of a place, and a mark below it.
fn shown(sql: &str, at: usize) -> String {
    let start = sql[..at].rfind('\n').map_or(0, |end| end + 1);
    let before: Vec<char> = sql[start..at].chars().map(spaced).collect();
    let skipped = before.len().saturating_sub(SHOWN_CHARS);
    let before: String = before[skipped..].iter().collect();
    let after: String = sql[at..].chars().take_while(|c| *c != '\n').take(SHOWN_CHARS).map(spaced).collect();
    format!("{before}{}\n{}^", after.trim_end(), " ".repeat(before.chars().count()))
}

fn spaced(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// Answers the byte of a line and a column, both from 1.
fn offset(sql: &str, place: Location) -> usize {
    let lines = sql.split_inclusive('\n').take((place.line as usize).saturating_sub(1));
    let start: usize = lines.map(str::len).sum();
    let column = (place.column as usize).saturating_sub(1);
    sql[start..].char_indices().nth(column).map_or(sql.len(), |(at, _)| start + at)
}

struct Tokens<'a> {
    sql: &'a str,
    rules: Rules,
    tokens: Vec<TokenWithSpan>,
}

impl Tokens<'_> {
    /// Checks parentheses and the end of the statement; answers the deepest nesting.
    fn structure(&self) -> Result<usize, Wrong> {
        let (mut open, mut deepest, mut ended) = (Vec::new(), 0, false);
        for found in &self.tokens {
            match &found.token {
                Token::Whitespace(_) | Token::EOF => {}
                Token::SemiColon if open.is_empty() => ended = true,
                _ if ended && !self.rules.is_script => return Err(self.second(found)),
                Token::LParen => {
                    open.push(found.span.start);
                    deepest = deepest.max(open.len());
                    if open.len() > SQL_NESTED_MAX {
                        return Err(self.too_nested(found));
                    }
                }
                Token::RParen if open.pop().is_none() => {
                    return Err(self.unbalanced("there is no ( for this )", found.span.start));
                }
                _ => {}
            }
        }
        match open.last() {
            Some(start) => Err(self.unbalanced("this ( is not closed", *start)),
            None => Ok(deepest),
        }
    }

    fn second(&self, found: &TokenWithSpan) -> Wrong {
        let Location { line, column } = found.span.start;
        let message = format!("the SQL holds a second statement at {line}:{column}; a node is one statement");
        self.wrong(Code::SqlMultipleStatements, message, found.span.start)
    }

    fn too_nested(&self, found: &TokenWithSpan) -> Wrong {
        let message = format!("the SQL has more than {SQL_NESTED_MAX} parentheses inside each other");
        self.wrong(Code::SqlTooNested, message, found.span.start)
    }

    fn wrong(&self, code: Code, message: String, place: Location) -> Wrong {
        Wrong { code, message, at: offset(self.sql, place), is_certain: true }
    }

    fn unbalanced(&self, what: &str, place: Location) -> Wrong {
        syntax(self.sql, self.rules, (what.to_owned(), offset(self.sql, place), true))
    }

    /// Asks the grammar, which reads a query and nothing after it.
    fn grammar(self, dialect: &dyn Dialect) -> Option<Wrong> {
        let is_empty = self.tokens.iter().all(|found| matches!(found.token, Token::Whitespace(_) | Token::EOF));
        if is_empty || self.tokens.len() > GRAMMAR_TOKENS_MAX {
            return None;
        }
        let mut parser = Parser::new(dialect).with_tokens_with_locations(self.tokens);
        let read = parser.parse_query().and_then(|_| {
            while parser.consume_token(&Token::SemiColon) {}
            match parser.peek_token().token {
                Token::EOF => Ok(()),
                _ => parser.expected("the end of the statement", parser.peek_token()),
            }
        });
        let Err(ParserError::ParserError(said)) = read else { return None };
        let (what, at) = match said.rsplit_once(" at Line: ") {
            Some((what, place)) => (what, place.split_once(", Column: ")),
            None => (said.as_str(), None),
        };
        let place =
            at.and_then(|(line, column)| Some(Location { line: line.parse().ok()?, column: column.parse().ok()? }));
        let at = place.map_or(self.sql.len(), |place| offset(self.sql, place));
        let what = what.replace("Expected: ", "expected ").replace(", found: ", ", found ");
        Some(syntax(self.sql, self.rules, (what, at, false)))
    }
}

#[cfg(test)]
mod tests;
