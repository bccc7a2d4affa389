//! The page that `docs` of a problem leads to: what each code means and what to do.

use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};

use crate::web::POLICY;

/// The one list of codes.
const CODES: &str = include_str!("errors.md");

/// Is what the list says of one code.
struct Entry {
    code: &'static str,
    meaning: &'static str,
    remedy: &'static str,
}

fn entries() -> impl Iterator<Item = Entry> {
    let rows = CODES.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    rows.filter_map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        Some(Entry { code: cells.next()?, meaning: cells.next()?, remedy: cells.next()? })
    })
}

/// Serves the list.
pub(crate) async fn errors() -> Response {
    let policy = (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    ([policy], Html(page())).into_response()
}

fn page() -> String {
    let entry = |Entry { code, meaning, remedy }: Entry| {
        format!(
            "<dt id=\"{}\"><code>{code}</code></dt><dd>{} <em>{}</em></dd>\n",
            code.to_lowercase(),
            text(meaning),
            text(remedy)
        )
    };
    let entries: String = entries().map(entry).collect();
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>DVT+: errors</title>\
        <meta name=\"viewport\" content=\"width=device-width\">\
        <style>:root{{color-scheme:light dark;font:16px/1.5 system-ui}}body{{max-width:48rem;margin:2rem auto;padding:0 1rem}}\
        dt{{margin-top:1rem;font-weight:600}}dd{{margin:0}}dt:target,dt:target+dd{{background:Mark;color:MarkText}}</style>\
        <h1>What the codes mean</h1><dl>\n{entries}</dl></html>\n"
    )
}

/// Writes a cell as HTML; what stands in backquotes is code.
fn text(cell: &str) -> String {
    let escaped = cell.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let parts = escaped.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use regex::Regex;

    use super::*;

    /// Reads the codes that a folder's sources give to problems, diagnostics and faults.
    fn codes(folder: &Path, found: &mut BTreeSet<String>) {
        let code = r#""([A-Z]+(?:_[A-Z]+)*)""#;
        let forms = [
            format!(r"(?:Problem::\w+|Fault::new|Failure::new|Diagnostic::\w+)\((?:StatusCode::\w+,)?{code}"),
            format!(r"Self::\w+(?:\(_\)|\{{\.\.\}})?=>{code}"),
            format!(r"Error::\w+(?:\([^()]*\)|\{{[^{{}}]*\}})?(?:\|Error::\w+(?:\([^()]*\))?)*=>{code}"),
            format!(r"code:{code}"),
            format!(r"self\.(?:wrong|broken)\((?:[^,()]*,)?{code}"),
            format!(r"Severity::\w+,{code}\)"),
        ]
        .map(|form| Regex::new(&form).expect("a pattern"));
        for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                codes(&entry, found);
            } else if entry.extension().is_some_and(|ending| ending == "rs") {
                let text: String = std::fs::read_to_string(entry).expect("a text").split_whitespace().collect();
                for form in &forms {
                    found.extend(form.captures_iter(&text).map(|captures| captures[1].to_owned()));
                }
            }
        }
    }

    #[test]
    fn every_code_of_the_product_has_its_entry() {
        let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut found = BTreeSet::new();
        for group in ["libs", "services"] {
            for part in std::fs::read_dir(house.join(group)).expect("a folder") {
                let source = part.expect("an entry").path().join("src");
                if source.join("lib.rs").exists() {
                    codes(&source, &mut found);
                }
            }
        }
        let known: BTreeSet<String> = entries().map(|entry| entry.code.to_owned()).collect();
        assert!(found.len() > 100, "{found:?}");
        let missing: Vec<_> = found.difference(&known).collect();
        assert!(missing.is_empty(), "errors.md lacks {missing:?}");
    }

    #[test]
    fn the_page_has_an_anchor_for_each_code() {
        let page = page();
        assert!(page.contains("<dt id=\"sql_syntax\"><code>SQL_SYNTAX</code></dt>"), "{page}");
        assert!(page.contains("DVT_TARGET_&lt;NAME&gt;"), "{page}");
    }
}
