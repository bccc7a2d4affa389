use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn renders_what_was_counted_with_its_help() {
    CONSUMER_HANDLED.add(["a \"b\""], 2);
    CONSUMER_HANDLED.add(["a \"b\""], 1);
    JOBS_LEASED.set(["run"], 2.0);
    STEP_SECONDS.observe(["succeeded"], Duration::from_millis(30));
    APPEND_COMMANDS.observe([], 3);
    let text = render();
    for line in [
        "# HELP dvt_consumer_handled_total Events applied.",
        "# TYPE dvt_consumer_handled_total counter",
        "dvt_consumer_handled_total{consumer=\"a \\\"b\\\"\"} 3",
        "# TYPE dvt_jobs_leased gauge",
        "dvt_jobs_leased{kind=\"run\"} 2",
        "# TYPE dvt_step_duration_seconds histogram",
        "dvt_step_duration_seconds_bucket{outcome=\"succeeded\",le=\"0.025\"} 0",
        "dvt_step_duration_seconds_bucket{outcome=\"succeeded\",le=\"0.05\"} 1",
        "dvt_step_duration_seconds_count{outcome=\"succeeded\"} 1",
        "dvt_append_batch_commands_bucket{le=\"4\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
    }
    assert!(text.contains("\nprocess_resident_memory_bytes "), "{text}");
}

#[test]
fn names_follow_the_conventions_of_prometheus() {
    let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), ALL.len(), "a name stands twice");
    for Description { name, kind, help, buckets, .. } in ALL {
        assert!(name.starts_with("dvt_"), "{name}");
        assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
        assert!(name.ends_with("_seconds") || *kind != Kind::Durations, "{name}");
        assert!(help.ends_with('.'), "the help of {name} is no sentence");
        assert_eq!(!buckets.is_empty(), kind.is_histogram(), "{name}");
        assert!(buckets.is_sorted(), "{name}");
    }
}

/// Answers the names of metrics in a text, without what the text format adds to a histogram's.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| word.starts_with("dvt_") || word.starts_with("process_"));
    let is_histogram = |name: &str| ALL.iter().any(|metric| metric.name == name && metric.kind.is_histogram());
    let plain = |word: &str| {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| word.strip_suffix(suffix));
        base.filter(|base| is_histogram(base)).unwrap_or(word).to_owned()
    };
    ours.map(plain).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn every_name_that_dashboards_and_the_cluster_use_is_a_metric() {
    let rendered = render();
    let known: BTreeSet<String> = ALL.iter().map(|metric| metric.name.to_owned()).chain(names(&rendered)).collect();
    let mut used = BTreeSet::new();
    for path in files(&root().join("observability")).into_iter().chain(files(&root().join("k8s"))) {
        let text = fs::read_to_string(&path).expect("text");
        used.extend(names(&text).into_iter().map(|name| (name, path.clone())));
    }
    let strangers: Vec<_> = used.iter().filter(|(name, _)| !known.contains(name)).collect();
    assert!(strangers.is_empty(), "no such metric: {strangers:#?}");
    let lag = CONSUMER_LAG.name.to_owned();
    assert!(
        used.iter().any(|(name, path)| *name == lag && path.ends_with("scaling.yaml")),
        "the cluster scales by lag"
    );
}

/// `UPDATE_METRICS=1 cargo test -p dvt-runtime --lib metrics` writes the list anew.
#[test]
fn the_readme_lists_every_metric() {
    const BEGIN: &str = "<!-- metrics: written by a test of libs/runtime -->\n";
    const END: &str = "<!-- end of metrics -->\n";
    let row = |metric: &Description| {
        let labels = metric.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Durations | Kind::Sizes => "histogram",
        };
        format!("| `{}` | {kind} | {labels} | {} |\n", metric.name, metric.help)
    };
    let list: String = ALL.iter().map(row).collect();
    let list = format!("{BEGIN}| metric | kind | labels | what it says |\n| --- | --- | --- | --- |\n{list}{END}");
    let path = root().join("observability/README.md");
    let text = fs::read_to_string(&path).expect("the README is there");
    let (before, rest) = text.split_once(BEGIN).expect("the README has a place for the list");
    let (_, after) = rest.split_once(END).expect("the list ends");
    let wanted = format!("{before}{list}{after}");
    if std::env::var_os("UPDATE_METRICS").is_some() {
        fs::write(&path, &wanted).expect("the README can be written");
    }
    let committed = fs::read_to_string(&path).expect("the README is there");
    assert!(committed == wanted, "observability/README.md is stale; write it anew with UPDATE_METRICS=1");
}

#[test]
fn every_panel_of_the_dashboard_says_what_it_shows_and_in_which_unit() {
    let path = root().join("observability/grafana/dashboards/dvt.json");
    let dashboard: Value =
        serde_json::from_str(&fs::read_to_string(&path).expect("the dashboard is there")).expect("JSON");
    let rows: Vec<_> = dashboard["panels"].as_array().expect("panels").iter().collect();
    let (rows, panels): (Vec<_>, Vec<_>) = rows.into_iter().partition(|panel| panel["type"] == "row");
    let titles: Vec<_> = rows.iter().filter_map(|row| row["title"].as_str()).collect();
    assert_eq!(titles, ["Requests", "Log", "Kafka and consumers", "Runs", "Publishing", "Processes"]);
    for panel in panels {
        let defaults = &panel["fieldConfig"]["defaults"];
        assert!(panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{}", panel["title"]);
        assert!(defaults["unit"].is_string() && defaults["min"] == 0, "{}", panel["title"]);
        let targets = panel["targets"].as_array().expect("targets");
        assert!(targets.iter().all(|target| target["datasource"]["uid"] == "prometheus"), "{}", panel["title"]);
    }
}
