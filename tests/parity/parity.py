"""Compares what dvt makes of a dbt project with what dbt-core makes of it.

usage: parity.py DVT CACHE [DIR]   (inside scripts/with-postgres, with the Python that dbt-core is installed in)

A node is equal if dvt gives it the same id, names, edges, materialization, relation, tags and compiled SQL; what waits
for its run is rendered as on the empty database that dbt had. `deferred` says that only a run can compile it, `error`
that dvt names what it does not do. All else fails. `SQL` counts the nodes whose compiled SQL was compared, `exact` those
whose whole entry in the manifest is dbt's, which is not asked for.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import yaml

from judge import Judge

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent.parent / "samples" / "night_trains"
SELECTIONS = HERE / "selections.txt"
OUTCOMES = ["equal", "deferred", "error", "different", "missing", "extra"]
# Of those: how many have SQL that was compared, and how many a whole entry in the manifest that is dbt's.
MEASURES = ["SQL", "exact"]
GOOD = {"equal", "deferred", "error"}
# dbt's own macros, which dvt writes in its own words.
ADAPTER_PACKAGES = {"dbt", "dbt_postgres"}
MAPS = ["nodes", "sources", "exposures", "metrics", "semantic_models", "saved_queries", "unit_tests", "groups"]
PLAIN_KEYS = ["resource_type", "name", "package_name", "original_file_path", "database", "schema", "alias", "identifier",
              "fqn", "relation_name", "version"]
# How many findings of a kind are shown.
SHOWN = 3
# What a manifest says of the moment and the machine that made it.
PASSING_KEYS = {"created_at", "root_path", "compiled_path", "build_path"}


class Project:
    """A project, with a profile for the throw-away database."""

    def __init__(self, path, work):
        self.path, self.name, self.is_ours = path, path.name, HERE.parent.parent in path.parents
        self.env = read_env(path / ".parity.env")
        variables = path / ".parity.vars"
        self.vars = ["--vars", variables.read_text()] if variables.exists() else []
        definition = yaml.safe_load((path / "dbt_project.yml").read_text(encoding="utf-8-sig"))
        output = {"type": "postgres", "host": os.environ["PGHOST"], "port": int(os.environ["PGPORT"]), "threads": 4,
                  "user": os.environ["PGUSER"], "password": os.environ["PGPASSWORD"], "dbname": "postgres", "schema": "parity"}
        profile = {definition.get("profile", "default"): {"target": "dev", "outputs": {"dev": output}}}
        self.profiles = work / f"{self.name}-profile"
        self.profiles.mkdir()
        (self.profiles / "profiles.yml").write_text(yaml.safe_dump(profile))


class Dvt:
    """Asks the binary."""

    def __init__(self, binary, work):
        self.binary, self.work = binary, work

    def run(self, project, command, *arguments):
        flags = ["--profiles-dir", str(project.profiles), "--target-path", str(self.work / f"{project.name}-dvt")]
        return subprocess.run([self.binary, command, project.path, *flags, *project.vars, *arguments], check=False,
                              capture_output=True, text=True, env={**os.environ, **project.env})

    def compile(self, project, *arguments):
        """Answers the manifest and, by unique_id, what dvt said of the nodes it did not compile."""
        done = self.run(project, "compile", "--json", *arguments)
        manifest = self.work / f"{project.name}-dvt" / "manifest.json"
        if not manifest.exists():
            return None, (done.stderr or done.stdout).strip()
        said = {}
        for line in done.stdout.splitlines():
            report = json.loads(line)
            if report.get("unique_id") and report["status"] != "compiled":
                said.setdefault(report["unique_id"], report)
        return json.loads(manifest.read_text()), said

    def list(self, project, arguments):
        done = self.run(project, "ls", *arguments)
        return sorted(done.stdout.split()) if done.returncode in (0, 1) else [done.stderr.strip()]


def main():
    dvt, cache = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    directories = [Path(name).resolve() for name in sys.argv[3:]]
    if not directories:
        directories = [SAMPLE, *sorted(path for path in (HERE / "projects").iterdir() if path.is_dir())]
    table = Table()
    with tempfile.TemporaryDirectory() as work:
        judge, dvt = Judge(cache, Path(work)), Dvt(dvt, Path(work))
        for directory in directories:
            table.row(directory.name, compare_project(Project(directory, Path(work)), judge, dvt))
    table.kinds()
    table.details()
    return table.result()


class Finding:
    """What became of one thing that was compared."""

    def __init__(self, kind, name, outcome, text="", measures=()):
        self.kind, self.name, self.outcome, self.text, self.measures = kind, name, outcome, text, measures
        lines = text.splitlines()
        # The keys that differ, or the code of an error.
        self.about = ", ".join(line.strip().split(":")[0] for line in lines if not line.startswith("    "))


class Table:
    """Counts outcomes by project and by kind of node."""

    def __init__(self):
        self.findings, self.alike = [], {}
        self.head("project")

    def head(self, title):
        print(f"{title:<24}" + "".join(f"{name:>10}" for name in [*OUTCOMES, *MEASURES]), flush=True)

    def line(self, name, findings):
        outcomes = Counter(finding.outcome for finding in findings)
        measures = Counter(measure for finding in findings for measure in finding.measures)
        counts = [*(outcomes[outcome] for outcome in OUTCOMES), *(measures[measure] for measure in MEASURES)]
        print(f"{name:<24}" + "".join(f"{count:>10}" for count in counts), flush=True)

    def row(self, project, findings):
        self.findings += findings
        self.line(project, findings)
        for finding in findings:
            if finding.outcome not in ("equal", "deferred"):
                self.alike.setdefault((project, finding.outcome, finding.kind, finding.about), []).append(finding)

    def kinds(self):
        print()
        self.head("kind")
        for kind in dict.fromkeys(finding.kind for finding in self.findings):
            self.line(kind, [finding for finding in self.findings if finding.kind == kind])
        self.line("total", self.findings)

    def details(self):
        """Shows what is not equal, the like of it together."""
        for (project, outcome, kind, about), findings in self.alike.items():
            print(f"\n{project}: {len(findings)} {kind} {outcome}" + (f" in {about}" if about else ""))
            for finding in findings[:SHOWN]:
                print(f"  {finding.name}\n{finding.text}".rstrip())
            if len(findings) > SHOWN:
                print(f"  … and {len(findings) - SHOWN} more")

    def result(self):
        failed = sum(finding.outcome not in GOOD for finding in self.findings)
        print(f"\nparity: {len(self.findings) - failed} passed, {failed} failed")
        return 1 if failed or not self.findings else 0


def read_env(path):
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line)


def compare_project(project, judge, dvt):
    asked = selections(project.name) if project.is_ours else [[]]
    answers = judge.answers(project, asked)
    ours, said = dvt.compile(project)
    if ours is None:
        return [Finding("project", "the project", "missing", f"dvt wrote no manifest: {said}")]
    theirs = answers["manifest"]
    # What waits for its run is compared as a run on the empty database that dbt was asked on would render it.
    metadata = theirs["metadata"]
    vacant, of_vacant = dvt.compile(project, "--vacant", "--run-started-at", metadata["run_started_at"],
                                    "--invocation-id", metadata["invocation_id"])
    waiting = {name for name, report in said.items() if report["status"] == "deferred"}
    for name in waiting & {*ours["nodes"]}:
        if ours["nodes"][name].get("compiled_code") is None:
            ours["nodes"][name] = vacant["nodes"][name]
            said.pop(name)
            if name in of_vacant:
                said[name] = of_vacant[name]
    findings = []
    for key in MAPS:
        findings += compare_map(theirs.get(key, {}), ours.get(key, {}), said, answers["refused"])
    findings += compare_map(macros(theirs), macros(ours), said)
    findings += compare_names("disabled", theirs.get("disabled", {}), ours.get("disabled", {}))
    # What dvt says it does not read is in no list of its own.
    unread = {listed_name(theirs, finding.name) for finding in findings if finding.outcome == "error"}
    for arguments, listed in zip(asked, answers["lists"], strict=True):
        mine = [name for name in dvt.list(project, arguments) if name not in unread]
        listed = [name for name in listed if name not in unread]
        text = differences({"listed": listed}, {"listed": mine})
        findings.append(Finding("ls", f"ls {' '.join(arguments)}", "different" if text else "equal", text, [] if text else ["exact"]))
    return findings


def listed_name(manifest, unique_id):
    """Answers what dbt ls calls a node."""
    node = next((manifest[key][unique_id] for key in MAPS if unique_id in manifest.get(key, {})), {})
    kind = node.get("resource_type")
    if kind in ("exposure", "metric", "saved_query", "semantic_model", "unit_test"):
        return f"{kind}:{node['package_name']}.{node['name']}"
    return ".".join(node.get("fqn", []))


def selections(name):
    lines = SELECTIONS.read_text().splitlines()
    rows = [line.split(" ", 1) for line in lines if line and not line.startswith("#")]
    return [[]] + [arguments.split(" ") for project, arguments in rows if project == name]


def macros(manifest):
    own = {key: value for key, value in manifest.get("macros", {}).items() if value["package_name"] not in ADAPTER_PACKAGES}
    return {key: {"resource_type": "macro", "name": value["name"]} for key, value in own.items()}


def compare_names(kind, theirs, ours):
    def outcome(name):
        return "equal" if name in theirs and name in ours else "missing" if name in theirs else "extra"

    def measures(name):
        return ["exact"] if outcome(name) == "equal" else []

    return [Finding(kind, name, outcome(name), measures=measures(name)) for name in sorted({*theirs, *ours})]


def compare_map(theirs, ours, said, refused=()):
    findings = []
    for unique_id in sorted({*theirs, *ours}):
        kind, report = unique_id.split(".", 1)[0], said.get(unique_id)
        named = f"  {report['code']}: {report['message']}" if report else ""
        if unique_id not in ours:
            outcome = ("error", named) if report else ("missing", "  dvt has no such node")
            findings.append(Finding(kind, unique_id, *outcome))
        elif unique_id not in theirs:
            findings.append(Finding(kind, unique_id, "extra", "  dbt has no such node"))
        elif report and report["status"] == "broken":
            findings.append(Finding(kind, unique_id, "error", named))
        elif unique_id in refused and not report and not refused[unique_id].startswith("Database Error"):
            findings.append(Finding(kind, unique_id, "different", f"  dbt refuses it\n    {refused[unique_id]}"))
        else:
            findings.append(compare_node(kind, (theirs[unique_id], ours[unique_id]), report))
    return findings


def compare_node(kind, nodes, report):
    theirs, ours = nodes
    name = theirs.get("unique_id") or theirs["name"]
    is_deferred = report is not None and report["status"] == "deferred"
    # What waits for its run may be known already: then it must be right.
    with_code = "compiled_code" in theirs and not (is_deferred and ours.get("compiled_code") is None)
    text = differences(facts(theirs, with_code), facts(ours, with_code))
    if text:
        return Finding(kind, name, "different", text)
    measures = ["SQL"] if with_code else []
    if not differences(lasting(theirs), lasting(ours)):
        measures.append("exact")
    return Finding(kind, name, "deferred" if is_deferred else "equal", measures=measures)


def facts(node, with_code):
    config = node.get("config") or {}
    known = {key: node.get(key) for key in PLAIN_KEYS}
    known["materialized"] = config.get("materialized")
    known["tags"] = sorted(node.get("tags") or [])
    known["depends_on"] = sorted(set((node.get("depends_on") or {}).get("nodes") or []))
    if with_code:
        known["compiled_code"] = node.get("compiled_code")
    return known


def lasting(node):
    return {key: value for key, value in node.items() if key not in PASSING_KEYS}


def differences(theirs, ours):
    keys = [key for key in {**theirs, **ours} if theirs.get(key) != ours.get(key)]
    return "\n".join(f"  {key}\n    dbt {theirs.get(key)!r}\n    dvt {ours.get(key)!r}" for key in keys)


if __name__ == "__main__":
    sys.exit(main())
