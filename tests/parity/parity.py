"""Compares what dvt makes of a dbt project with what dbt-core makes of it.

usage: parity.py DVT [DIR]   (inside scripts/with-postgres, with the Python that dbt-core is installed in)
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from dbt.cli.main import dbtRunner

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent.parent / "samples" / "night_trains"
SELECTIONS = HERE / "selections.txt"
OUTCOMES = ["equal", "deferred", "error", "different", "missing", "extra"]
GOOD = {"equal", "deferred", "error"}
# dbt's own macros, which dvt writes in its own words.
ADAPTER_PACKAGES = {"dbt", "dbt_postgres"}
MAPS = ["nodes", "sources", "exposures", "metrics", "semantic_models", "saved_queries", "unit_tests", "groups"]
PLAIN_KEYS = ["resource_type", "name", "package_name", "original_file_path", "database", "schema", "alias", "identifier",
              "fqn", "relation_name", "version"]


def main():
    dvt, directories = Path(sys.argv[1]).resolve(), [Path(name).resolve() for name in sys.argv[2:]]
    own = not directories
    if own:
        directories = [SAMPLE, *sorted(path for path in (HERE / "projects").iterdir() if path.is_dir())]
    print(f"{'project':<24}" + "".join(f"{outcome:>10}" for outcome in OUTCOMES), flush=True)
    total, details = dict.fromkeys(OUTCOMES, 0), []
    with tempfile.TemporaryDirectory() as work:
        for directory in directories:
            findings = compare_project(Project(directory, Path(work), dvt), own)
            counts = count(findings)
            show(directory.name, counts)
            for outcome in OUTCOMES:
                total[outcome] += counts[outcome]
            details += [(directory.name, *finding) for finding in findings if finding[1] not in ("equal", "deferred")]
    show("total", total)
    for project, name, outcome, text in details:
        print(f"\n{project}: {name}: {outcome}\n{text}")
    failed = sum(total[outcome] for outcome in OUTCOMES if outcome not in GOOD)
    print(f"\nparity: {sum(total.values()) - failed} passed, {failed} failed")
    return 1 if failed or not sum(total.values()) else 0


def show(name, counts):
    print(f"{name:<24}" + "".join(f"{counts[outcome]:>10}" for outcome in OUTCOMES), flush=True)


def count(findings):
    return {outcome: sum(1 for finding in findings if finding[1] == outcome) for outcome in OUTCOMES}


class Project:
    """A copy of a project, with a profile for the throw-away database."""

    def __init__(self, source, work, dvt):
        self.dvt, self.path = dvt, work / source.name
        skip = shutil.ignore_patterns("target", "logs", ".git", "node_modules", ".venv")
        shutil.copytree(source, self.path, symlinks=True, ignore=skip, dirs_exist_ok=True)
        self.env = read_env(self.path / ".parity.env")
        os.environ.update(self.env)
        project = yaml.safe_load((self.path / "dbt_project.yml").read_text(encoding="utf-8-sig"))
        variables = self.path / ".parity.vars"
        self.vars = ["--vars", variables.read_text()] if variables.exists() else []
        self.profiles = work / f"{source.name}-profile"
        self.profiles.mkdir()
        output = {"type": "postgres", "host": os.environ["PGHOST"], "port": int(os.environ["PGPORT"]), "threads": 4,
                  "user": os.environ["PGUSER"], "password": "unused", "dbname": "postgres", "schema": "parity"}
        profile = {project.get("profile", "default"): {"target": "dev", "outputs": {"dev": output}}}
        (self.profiles / "profiles.yml").write_text(yaml.safe_dump(profile))

    def flags(self, tool):
        target_path = str(self.path / f"target-{tool}")
        return ["--profiles-dir", str(self.profiles), "--target-path", target_path, *self.vars]

    def run_dbt(self, *command):
        options = ["--quiet", "--no-partial-parse", "--no-send-anonymous-usage-stats", "--log-level-file", "none"]
        if command[0] == "ls":
            options.append("--no-write-json")
        previous = Path.cwd()
        os.chdir(self.path)
        try:
            with Quiet():
                return dbtRunner().invoke([*options, *command])
        finally:
            os.chdir(previous)

    def install_local_packages(self):
        if (self.path / "packages.yml").exists() and not (self.path / "dbt_packages").exists():
            return self.run_dbt("deps", "--profiles-dir", str(self.profiles))
        return None

    def compile_with_dbt(self):
        result = self.run_dbt("compile", *self.flags("dbt"))
        manifest = self.path / "target-dbt" / "manifest.json"
        if not manifest.exists():
            raise SystemExit(f"dbt could not read {self.path.name}: {result.exception or result.result}")
        return json.loads(manifest.read_text())

    def compile_with_dvt(self):
        """Answers the manifest and, by unique_id, what dvt said of the nodes it did not compile."""
        done = subprocess.run([self.dvt, "compile", self.path, "--json", *self.flags("dvt")], capture_output=True,
                              text=True, env={**os.environ, **self.env}, check=False)
        manifest = self.path / "target-dvt" / "manifest.json"
        if not manifest.exists():
            return {}, {}, (done.stderr or done.stdout).strip()
        said = {}
        for line in done.stdout.splitlines():
            report = json.loads(line)
            if report.get("unique_id") and report["status"] != "compiled":
                said.setdefault(report["unique_id"], report)
        return json.loads(manifest.read_text()), said, None

    def list_with_dvt(self, arguments):
        done = subprocess.run([self.dvt, "ls", self.path, *self.flags("dvt"), *arguments], capture_output=True, text=True,
                              env={**os.environ, **self.env}, check=False)
        return sorted(done.stdout.split()) if done.returncode == 0 else [done.stderr.strip()]


class Quiet:
    """Keeps what dbt prints out of the table."""

    def __enter__(self):
        self.null = open(os.devnull, "w", encoding="utf-8")
        self.stdout, sys.stdout = sys.stdout, self.null

    def __exit__(self, *_):
        sys.stdout = self.stdout
        self.null.close()


def read_env(path):
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line)


def compare_project(project, own):
    if own:
        project.install_local_packages()
    theirs = project.compile_with_dbt()
    ours, said, failure = project.compile_with_dvt()
    if failure is not None:
        return [("the project", "missing", f"dvt wrote no manifest: {failure}")]
    findings = []
    for key in MAPS:
        findings += compare_map(theirs.get(key, {}), ours.get(key, {}), said)
    findings += compare_map(macros(theirs), macros(ours), said)
    findings += compare_names("disabled", theirs.get("disabled", {}), ours.get("disabled", {}))
    for arguments in selections(project.path.name) if own else [[]]:
        listed = sorted(project.run_dbt("ls", *project.flags("dbt"), *arguments).result or [])
        findings.append(verdict(f"ls {' '.join(arguments)}", {"listed": listed}, {"listed": project.list_with_dvt(arguments)}))
    return findings


def selections(name):
    lines = SELECTIONS.read_text().splitlines()
    rows = [line.split(" ", 1) for line in lines if line and not line.startswith("#")]
    return [[]] + [arguments.split(" ") for project, arguments in rows if project == name]


def macros(manifest):
    own = {key: value for key, value in manifest.get("macros", {}).items() if value["package_name"] not in ADAPTER_PACKAGES}
    return {key: {"resource_type": "macro", "name": value["name"]} for key, value in own.items()}


def compare_names(what, theirs, ours):
    return [verdict(f"{what} {name}", {"there": name in theirs}, {"there": name in ours}) for name in sorted({*theirs, *ours})]


def compare_map(theirs, ours, said):
    findings = []
    for unique_id in sorted({*theirs, *ours}):
        report = said.get(unique_id)
        if unique_id not in ours:
            outcome = ("error", f"  {report['code']}: {report['message']}") if report else ("missing", "  dvt has no such node")
            findings.append((unique_id, *outcome))
        elif unique_id not in theirs:
            findings.append((unique_id, "extra", "  dbt has no such node"))
        elif report and report["status"] == "broken":
            findings.append((unique_id, "error", f"  {report['code']}: {report['message']}"))
        else:
            findings.append(compare_node(unique_id, theirs[unique_id], ours[unique_id], report))
    return findings


def compare_node(unique_id, theirs, ours, report):
    deferred = report is not None and report["status"] == "deferred"
    # What waits for its run may be known already: then it must be right.
    with_code = "compiled_code" in theirs and not (deferred and ours.get("compiled_code") is None)
    found = verdict(unique_id, facts(theirs, with_code), facts(ours, with_code))
    return (unique_id, "deferred", "") if deferred and found[1] == "equal" else found


def facts(node, with_code):
    config = node.get("config") or {}
    known = {key: node.get(key) for key in PLAIN_KEYS}
    known["materialized"] = config.get("materialized")
    known["tags"] = sorted(node.get("tags") or [])
    known["depends_on"] = sorted(set((node.get("depends_on") or {}).get("nodes") or []))
    if with_code:
        known["compiled_code"] = node.get("compiled_code")
    return known


def verdict(name, theirs, ours):
    keys = [key for key in {**theirs, **ours} if theirs.get(key) != ours.get(key)]
    if not keys:
        return (name, "equal", "")
    return (name, "different", "\n".join(f"  {key}\n    dbt {theirs.get(key)!r}\n    dvt {ours.get(key)!r}" for key in keys))


if __name__ == "__main__":
    sys.exit(main())
