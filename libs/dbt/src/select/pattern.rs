//! Shell patterns as Python's `fnmatch` and `Path.glob` read them.

use regex::Regex;

/// Is a pattern over a whole text: `*`, `?`, `[a-z]`, `[!a-z]`.
pub(super) struct Pattern(Option<Regex>);

impl Pattern {
    pub(super) fn new(pattern: &str) -> Self {
        Self(Regex::new(&format!(r"(?s)\A{}\z", translated(pattern))).ok())
    }

    /// Says whether the whole text fits; a pattern that is none fits nothing.
    pub(super) fn fits(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

fn translated(pattern: &str) -> String {
    let characters: Vec<char> = pattern.chars().collect();
    let mut regex = String::new();
    let mut at = 0;
    while let Some(character) = characters.get(at) {
        at += 1;
        match character {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => match class_end(&characters, at) {
                Some(end) => {
                    regex.push_str(&class(&characters[at..end]));
                    at = end + 1;
                }
                None => regex.push_str(r"\["),
            },
            other => regex.push_str(&regex::escape(&other.to_string())),
        }
    }
    regex
}

/// Finds the bracket that closes a class whose content starts at `from`; a bracket that comes first is content.
fn class_end(characters: &[char], from: usize) -> Option<usize> {
    let negated = usize::from(characters.get(from) == Some(&'!'));
    let first = from + negated + 1;
    (first..characters.len()).find(|at| characters[*at] == ']')
}

fn class(content: &[char]) -> String {
    let (sign, content) = if content.first() == Some(&'!') { ("^", &content[1..]) } else { ("", content) };
    let escaped = content.iter().map(|character| match character {
        '-' => "-".to_owned(),
        other if other.is_alphanumeric() || *other == '_' => other.to_string(),
        other => format!(r"\{other}"),
    });
    format!("[{sign}{}]", escaped.collect::<String>())
}

/// Says whether a path, or one of the folders above it, fits a pattern in which `*` stays inside one part of the path
/// and `**` stands for any folders.
pub(super) fn holds(pattern: &str, path: &str) -> bool {
    let parts = parts(pattern);
    let path: Vec<&str> = path.split('/').collect();
    !parts.is_empty() && (1..=path.len()).any(|length| fits(&parts, &path[..length], length < path.len()))
}

/// Says whether a path itself fits such a pattern.
pub(super) fn is_exactly(pattern: &str, path: &str) -> bool {
    let parts = parts(pattern);
    !parts.is_empty() && fits(&parts, &path.split('/').collect::<Vec<_>>(), false)
}

fn parts(pattern: &str) -> Vec<&str> {
    pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect()
}

fn fits(pattern: &[&str], path: &[&str], is_folder: bool) -> bool {
    match pattern {
        [] => path.is_empty(),
        ["**"] => is_folder,
        ["**", rest @ ..] => (0..=path.len()).any(|skipped| fits(rest, &path[skipped..], is_folder)),
        [first, rest @ ..] => path
            .split_first()
            .is_some_and(|(part, below)| Pattern::new(first).fits(part) && fits(rest, below, is_folder)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_in_python() {
        for (pattern, text, expected) in [
            ("stg_*", "stg_a", true),
            ("stg_?", "stg_ab", false),
            ("[ab]*", "b.c", true),
            ("[!ab]*", "b", false),
            ("[", "[", true),
            ("a.b", "axb", false),
            ("[]]", "]", true),
        ] {
            assert_eq!(Pattern::new(pattern).fits(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_path_is_held_by_its_folders() {
        for (pattern, expected) in [
            ("models", true),
            ("models/", true),
            ("./models/marts", true),
            ("models/*", true),
            ("models/**", true),
            ("models/**/c.sql", true),
            ("**/c.sql", true),
            ("*.sql", false),
            ("mod", false),
            ("marts", false),
            ("models/marts/c.sql", true),
        ] {
            assert_eq!(holds(pattern, "models/marts/c.sql"), expected, "{pattern}");
        }
    }
}
