//! Changes texts of every style, and looks at every byte that was not meant.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Is how a text is written.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    line_end: &'static str,
    /// Of dashes below their key.
    dash: usize,
    quote: &'static str,
    is_flow: bool,
    has_comments: bool,
    has_gaps: bool,
    has_final_newline: bool,
    has_mark: bool,
}

pub(crate) fn looks() -> impl Strategy<Value = Look> {
    let ends = (select(vec!["\n", "\r\n"]), select(vec![0_usize, 2, 4]), select(vec!["", "'", "\""]));
    (ends, any::<[bool; 5]>()).prop_map(|((line_end, dash, quote), is)| Look {
        line_end,
        dash,
        quote,
        is_flow: is[0],
        has_comments: is[1],
        has_gaps: is[2],
        has_final_newline: is[3],
        has_mark: is[4],
    })
}

impl Look {
    /// Writes a file of two models with two columns each.
    pub(crate) fn text(&self) -> String {
        let (dash, q) = (" ".repeat(self.dash), self.quote);
        let mut lines = vec!["version: 2".to_owned(), String::new(), "models:".to_owned()];
        for model in ["orders", "customers"] {
            lines.push(format!("{dash}- name: {q}{model}{q}"));
            lines.push(format!("{dash}  description: {q}All {model}{q}"));
            lines.push(format!("{dash}  columns:"));
            for column in ["id", "kind"] {
                let inner = format!("{dash}  {dash}");
                if self.is_flow {
                    lines.push(format!(
                        "{inner}- {{name: {column}, description: {q}The {column}{q}, data_tests: [unique, not_null]}}"
                    ));
                    continue;
                }
                lines.push(format!("{inner}- name: {column}"));
                lines.push(format!("{inner}  description: {q}The {column}{q}"));
                lines.push(format!("{inner}  data_tests:"));
                lines.extend(["unique", "not_null"].map(|test| format!("{inner}  {dash}- {test}")));
            }
            if self.has_gaps {
                lines.push(String::new());
            }
        }
        if self.has_gaps {
            lines.pop();
        }
        let lines = lines.into_iter().enumerate().flat_map(|(at, line)| match self.has_comments && !line.is_empty() {
            true if at % 3 == 0 => vec![format!("{line} # after {at}")],
            true if at % 3 == 1 => vec![format!("    # above {at}"), line],
            _ => vec![line],
        });
        let text = lines.collect::<Vec<_>>().join(self.line_end);
        let mark = if self.has_mark { "\u{feff}" } else { "" };
        format!("{mark}{text}{}", if self.has_final_newline { self.line_end } else { "" })
    }
}

pub(crate) fn texts() -> impl Strategy<Value = String> {
    let odd = vec![
        "off",
        "no",
        "1:30",
        "one\ntwo",
        "one\n\n  two\nthree\n",
        "a: b",
        "x # y",
        "{{ doc('a') }}",
        "it's \"so\"",
        "~",
        "é",
        "",
        " ",
        "\ttab",
        "- a",
    ];
    prop_oneof![select(odd).prop_map(str::to_owned), "[ -~é\n]{0,20}"]
}

/// Is one change of the text.
#[derive(Clone, Debug)]
enum Op {
    Set(&'static str, String),
    Push(&'static str, Json),
    Remove(&'static str),
}

fn ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        (
            select(vec![
                "models.0.description",
                "models.1.columns.0.description",
                "models.1.label",
                "models.0.columns.1.label",
                "label"
            ]),
            texts()
        )
            .prop_map(|(at, text)| Op::Set(at, text)),
        (select(vec!["models.0.columns.0.data_tests", "models.1.columns.1.data_tests"]), texts())
            .prop_map(|(at, text)| Op::Push(at, json!(text))),
        (select(vec!["models", "models.0.columns", "models.1.columns"]), texts())
            .prop_map(|(at, text)| Op::Push(at, json!({"name": "new", "description": text, "data_tests": ["unique"]}))),
        select(vec![
            "models.0.description",
            "models.0.columns.0.data_tests.0",
            "models.1.columns.1.data_tests.1",
            "models.0.columns.1",
            "models.1",
            "models.1.columns.0.description",
            "version"
        ])
        .prop_map(Op::Remove),
    ]
}

/// Lists the lines that one text has and another has not.
pub(crate) fn gone<'t>(text: &'t str, other: &str) -> Vec<&'t str> {
    let diff = similar::TextDiff::from_lines(text, other);
    let deleted = diff.iter_all_changes().filter(|change| change.tag() == similar::ChangeTag::Delete);
    deleted.map(|change| text.lines().nth(change.old_index().expect("an old line")).expect("the line")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_what_is_meant_differs(look in looks(), op in ops()) {
        let text = look.text();
        let mut editor = editor(&text);
        let mut expected = editor.value();
        let at = match &op {
            Op::Set(at, value) => {
                editor.set(&path(at), &json!(value)).expect("the value is set");
                put(&mut expected, &path(at), Some(&json!(value)));
                at
            }
            Op::Push(at, value) => {
                editor.push(&path(at), value).expect("the item is put");
                let mut list = find(&expected, &path(at)).cloned().expect("a list");
                list.as_array_mut().expect("a list").push(value.clone());
                put(&mut expected, &path(at), Some(&list));
                at
            }
            Op::Remove(at) => {
                editor.remove(&path(at)).expect("it is removed");
                put(&mut expected, &path(at), None);
                at
            }
        };
        prop_assert_eq!(editor.value(), expected);
        let after = editor.text();
        let ends = after.matches('\n').count();
        prop_assert_eq!(after.matches("\r\n").count(), if look.line_end == "\r\n" { ends } else { 0 });
        prop_assert_eq!(after.ends_with('\n'), look.has_final_newline, "{}", after);
        prop_assert_eq!(after.starts_with('\u{feff}'), look.has_mark);
        let most = if matches!(op, Op::Remove(at) if at == "models.1" || at.ends_with("columns.1")) { 20 } else { 2 };
        prop_assert!(gone(&text, after).len() <= most, "{}: {}", at, after);
        if most == 2 {
            let comments = |text: &str| text.match_indices("# above").count() + text.match_indices("# after").count();
            let lost = usize::from(matches!(op, Op::Remove(_)));
            prop_assert!(comments(after) + lost >= comments(&text), "{}", after);
        }
    }

    #[test]
    fn what_is_put_and_taken_away_leaves_the_same_bytes(look in looks(), text in texts()) {
        let before = look.text();
        let mut editor = editor(&before);
        for (list, last) in [("models.0.columns", "models.0.columns.2"), ("models.0.columns.0.data_tests", "models.0.columns.0.data_tests.2"), ("models", "models.2")] {
            editor.push(&path(list), &json!({"name": "new", "label": text})).expect("the item is put");
            editor.remove(&path(last)).expect("it is removed");
            prop_assert_eq!(editor.text(), &before);
        }
        for key in ["label", "models.0.label", "models.1.columns.1.label"] {
            editor.set(&path(key), &json!(text)).expect("the key is set");
            editor.remove(&path(key)).expect("it is removed");
            prop_assert_eq!(editor.text(), &before);
        }
        let old = editor.at(&path("models.0.description")).expect("the description");
        editor.set(&path("models.0.description"), &json!("other words")).expect("it is set");
        editor.set(&path("models.0.description"), &old).expect("it is set");
        prop_assert_eq!(editor.text(), &before);
    }
}
