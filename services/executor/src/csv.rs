//! Reads CSV files as dbt does for seeds: the rows, and a type for each column that has none.

use regex::Regex;
use std::sync::LazyLock;

/// Is a CSV file as a table; null is None.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Csv {
    /// Names and types.
    pub(crate) columns: Vec<(String, &'static str)>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
}

/// Is a CSV file as it is written: names, and rows with None for each cell that is not there.
pub(crate) type Cells = (Vec<String>, Vec<Vec<Option<String>>>);

/// Reads a file as it is written.
///
/// # Errors
/// When there is nothing, a row has more cells than there are columns, or a quote is not closed.
pub(crate) fn cells(text: &str, delimiter: char) -> Result<Cells, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut records = records(text, delimiter)?.into_iter();
    let (_, names) = records.next().ok_or("the file is empty")?;
    let mut rows = Vec::new();
    for (line, cells) in records {
        if cells.len() > names.len() {
            return Err(format!("line {line} has {} cells, and there are {} columns", cells.len(), names.len()));
        }
        let mut row: Vec<Option<String>> = cells.into_iter().map(Some).collect();
        row.resize(names.len(), None);
        rows.push(row);
    }
    Ok((names, rows))
}

/// Reads a file; `is_typed` says which columns have a type already and so are taken as text.
///
/// # Errors
/// As [`cells`], or when a column has no name.
pub(crate) fn table(text: &str, delimiter: char, is_typed: &dyn Fn(&str) -> bool) -> Result<Csv, String> {
    let (names, mut rows) = cells(text, delimiter)?;
    for cell in rows.iter_mut().flatten() {
        *cell = cell.take().filter(|cell| !is_null(cell));
    }
    let mut columns = Vec::with_capacity(names.len());
    for (index, name) in names.into_iter().enumerate() {
        if name.is_empty() {
            return Err(format!("column {} has no name", index + 1));
        }
        let kind = if is_typed(&name) { Kind::Text } else { Kind::of(rows.iter().map(|row| row[index].as_deref())) };
        for cell in rows.iter_mut().filter_map(|row| row[index].as_mut()) {
            *cell = kind.cast(cell);
        }
        columns.push((name, kind.sql()));
    }
    Ok(Csv { columns, rows })
}

fn is_null(cell: &str) -> bool {
    matches!(cell.trim().to_ascii_lowercase().as_str(), "" | "null")
}

/// The types that dbt tries, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Integer,
    Decimal,
    Date,
    DateTime,
    IsoDateTime,
    Boolean,
    Text,
}

static NUMBER: LazyLock<Regex> = LazyLock::new(|| regex(r"^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$"));
static DATE: LazyLock<Regex> = LazyLock::new(|| regex(r"^\d{4}-\d{1,2}-\d{1,2}$"));
static DATE_TIME: LazyLock<Regex> = LazyLock::new(|| regex(r"^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{1,2}:\d{1,2}$"));
static ISO: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^\d{4}-?\d{2}-?\d{2}T\d{2}(:?\d{2}(:?\d{2}([.,]\d+)?)?)?(Z|[-+]\d{2}(:?\d{2})?)?$"));

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("invariant: our own pattern")
}

/// Takes away what dbt's number reader takes away: signs of currency and percent, and thousands' commas.
fn number(cell: &str) -> String {
    let bare = cell.trim().trim_matches('%').trim_matches(['$', '€', '£', '¥']);
    bare.replace(',', "")
}

impl Kind {
    fn of<'a>(cells: impl Iterator<Item = Option<&'a str>> + Clone) -> Self {
        let all = |is: &dyn Fn(&str) -> bool| cells.clone().flatten().all(is);
        let is_number = |cell: &str| NUMBER.is_match(&number(cell));
        let date = |cell: &str| DATE.is_match(cell.trim()) && exists(cell.trim(), "%Y-%m-%d");
        let moment = |cell: &str| {
            let cell = cell.trim();
            DATE_TIME.is_match(cell) && chrono::NaiveDateTime::parse_from_str(cell, "%Y-%m-%d %H:%M:%S").is_ok()
        };
        let boolean = |cell: &str| matches!(cell.trim().to_ascii_lowercase().as_str(), "true" | "false");
        if all(&is_number) {
            let has_digits = |cell: &str| number(cell).split_once('.').is_some_and(|(_, digits)| !digits.is_empty());
            return if cells.clone().flatten().any(has_digits) { Self::Decimal } else { Self::Integer };
        }
        match () {
            () if all(&date) => Self::Date,
            () if all(&moment) => Self::DateTime,
            () if all(&|cell| ISO.is_match(cell.trim())) => Self::IsoDateTime,
            () if all(&boolean) => Self::Boolean,
            () => Self::Text,
        }
    }

    fn sql(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Decimal => "float8",
            Self::Date => "date",
            Self::DateTime | Self::IsoDateTime => "timestamp without time zone",
            Self::Boolean => "boolean",
            Self::Text => "text",
        }
    }

    fn cast(self, cell: &str) -> String {
        match self {
            Self::Integer | Self::Decimal => number(cell),
            Self::Date | Self::DateTime | Self::IsoDateTime => cell.trim().to_owned(),
            Self::Boolean => cell.trim().to_ascii_lowercase(),
            Self::Text => cell.to_owned(),
        }
    }
}

fn exists(date: &str, format: &str) -> bool {
    chrono::NaiveDate::parse_from_str(date, format).is_ok()
}

/// Splits a file into records, each with the line it begins on; empty lines are none.
fn records(text: &str, delimiter: char) -> Result<Vec<(usize, Vec<String>)>, String> {
    let (mut records, mut record, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut begun, mut quoted, mut was_quoted) = (1, 1, false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        line += usize::from(c == '\n');
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => (quoted, was_quoted) = (true, true),
            c if quoted => cell.push(c),
            c if c == delimiter => record.push(std::mem::take(&mut cell)),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' => {
                if !record.is_empty() || !cell.is_empty() || was_quoted {
                    record.push(std::mem::take(&mut cell));
                    records.push((begun, std::mem::take(&mut record)));
                }
                (begun, was_quoted) = (line, false);
            }
            c => cell.push(c),
        }
    }
    if quoted {
        return Err(format!("the quote in the record of line {begun} is not closed"));
    }
    if !record.is_empty() || !cell.is_empty() || was_quoted {
        record.push(cell);
        records.push((begun, record));
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(text: &str) -> Vec<&'static str> {
        let csv = table(text, ',', &|_| false).expect("a table");
        csv.columns.into_iter().map(|(_, kind)| kind).collect()
    }

    #[test]
    fn infers_the_types_that_dbt_infers() {
        let text =
            "a,b,c,d,e,f,g,h\n1,1.5,2025-01-02,2025-01-02 03:04:05,2025-01-02T03:04:05Z,TRUE,x,\n2,,,,,false,null,\n";
        let moment = "timestamp without time zone";
        assert_eq!(types(text), ["integer", "float8", "date", moment, moment, "boolean", "text", "integer"]);
        assert_eq!(types("a,b\n2025-02-30,1 000\n"), ["text", "text"]);
        assert_eq!(types("a,b\n\"1,000\",5%\n"), ["integer", "integer"]);
    }

    #[test]
    fn takes_columns_with_a_type_as_they_are_written() {
        let csv = table("a\n007\n", ',', &|column| column == "a").expect("a table");
        assert_eq!((csv.columns, csv.rows), (vec![("a".to_owned(), "text")], vec![vec![Some("007".to_owned())]]));
    }

    #[test]
    fn reads_quotes_line_ends_and_nulls() {
        let csv = table("\u{feff}a;b\r\n\"x;\"\"y\"\"\nz\";null\r\n\r\nlast;", ';', &|_| false).expect("a table");
        assert_eq!(csv.rows, [[Some("x;\"y\"\nz".to_owned()), None], [Some("last".to_owned()), None]]);
    }

    #[test]
    fn says_where_a_file_is_broken() {
        assert_eq!(
            table("a,b\n1,2\n1,2,3\n", ',', &|_| false),
            Err("line 3 has 3 cells, and there are 2 columns".into())
        );
        assert_eq!(table("a\n\"x\n", ',', &|_| false), Err("the quote in the record of line 2 is not closed".into()));
        assert_eq!(table("", ',', &|_| false), Err("the file is empty".into()));
    }
}
