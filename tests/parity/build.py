"""Builds projects with dvt and with dbt-core, each in a database of its own, and compares what they leave there.

usage: build.py DVT CACHE   (inside scripts/with-postgres, with the Python that dbt-core is installed in)

dvt imports the project into a `dvt up` of its own and builds it; dbt parses, lists and builds the files that `dvt
export` writes, unmodified. Compared after each of two builds: the relations, their kinds, grants, comments, constraints,
columns, row counts and rows.
What dbt left is kept by the files it built from.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

import psycopg2
import yaml

from judge import Judge

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent.parent / "samples" / "night_trains"
# The feature projects that a database can build.
FEATURES = ["built", "contract_build", "custom_schema", "ephemeral", "outfits", "seeds", "unit_build"]
OURS, THEIRS = "dvt_builds", "dbt_builds"
# Incremental models and snapshots do something else the second time.
ROUNDS = 2
# What says when a snapshot was taken.
PASSING_COLUMNS = {"dbt_updated_at", "dbt_valid_from", "dbt_valid_to", "dbt_scd_id"}

RELATIONS = """
    select n.nspname, c.relname, c.relkind::text, c.relacl::text, obj_description(c.oid),
        array(select pg_get_constraintdef(k.oid) from pg_catalog.pg_constraint k where k.conrelid = c.oid order by 1)
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'v', 'm') and n.nspname !~ '^(pg_|information_schema|_dvt$)'
    order by 1, 2
"""
COLUMNS = """
    select attname, pg_catalog.format_type(atttypid, atttypmod), col_description(attrelid, attnum)
    from pg_catalog.pg_attribute
    where attrelid = format('%%I.%%I', %s::text, %s::text)::regclass and attnum > 0 and not attisdropped
    order by attnum
"""


def main():
    dvt, cache = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        work.chmod(0o755)
        for database in (OURS, THEIRS):
            execute("postgres", f"create database {database}")
        print(f"{'built project':<24}{'relations':>10}{'rows':>10}{'different':>10}", flush=True)
        judge = Judge(cache, work)
        with started(dvt, work) as url:
            for path in [SAMPLE, *(HERE / "projects" / name for name in FEATURES)]:
                compared, rows, wrong = compare_project(Project(path, dvt, url, work), judge)
                print(f"{path.name:<24}{compared:>10}{rows:>10}{len(wrong):>10}", flush=True)
                print("".join(f"  {line}\n" for line in wrong), end="", flush=True)
                passed, failed = passed + compared - len(wrong), failed + len(wrong)
    print(f"\nparity: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


@contextmanager
def started(dvt, work):
    """Runs a `dvt up` on the database that is ours, and answers its address."""
    target = "postgres://{PGUSER}:{PGPASSWORD}@{PGHOST}:{PGPORT}/".format(**os.environ) + OURS
    arguments = ["up", "--data", work / "up", "--listen", "127.0.0.1:0", "--target", "dev"]
    with (work / "up.log").open("w") as log:
        server = subprocess.Popen([dvt, *arguments], stdout=subprocess.PIPE, stderr=log, text=True,
                                  env={**os.environ, "DVT_TARGET_DEV": target})
    try:
        url = server.stdout.readline().strip()
        if not url:
            raise SystemExit(f"dvt up did not start:\n{(work / 'up.log').read_text()[-4000:]}")
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


class Project:
    """A project in a `dvt up`, and the files that it exports."""

    def __init__(self, path, dvt, url, work):
        self.name, self.dvt, self.url, self.env, self.vars = path.name, dvt, url, {}, []
        self.path, self.profiles = work / path.name, work / f"{path.name}-profile"
        self.client("import", path, "--name", self.name)
        self.client("export", self.name, self.path)
        found = self.ask("projects")["projects"]
        project_id = next(project["project_id"] for project in found if project["name"] == self.name)
        environments = self.ask(f"projects/{project_id}/environments")["environments"]
        self.schema = next(one["schema"] for one in environments if one["name"] == "dev")
        self.write_profile()

    def write_profile(self):
        definition = yaml.safe_load((self.path / "dbt_project.yml").read_text(encoding="utf-8-sig"))
        output = {"type": "postgres", "host": os.environ["PGHOST"], "port": int(os.environ["PGPORT"]), "threads": 4,
                  "user": os.environ["PGUSER"], "password": os.environ["PGPASSWORD"], "dbname": THEIRS, "schema": self.schema}
        profile = {definition.get("profile", "default"): {"target": "dev", "outputs": {"dev": output}}}
        self.profiles.mkdir()
        (self.profiles / "profiles.yml").write_text(yaml.safe_dump(profile))

    def ask(self, path):
        with urlopen(f"{self.url}/api/v1/{path}") as answer:
            return json.load(answer)

    def client(self, command, *arguments):
        run([self.dvt, command, *arguments, "--url", self.url])


def compare_project(project, judge):
    """Answers how many relations were compared, their rows, and what differs."""
    left = built(OURS, lambda: project.client("build", project.name))
    wanted = judge.kept(project, "build with grants, comments and constraints", lambda: built_by_dbt(project, judge))
    compared, rows, wrong = 0, 0, []
    for turn, (ours, theirs) in enumerate(zip(left, wanted, strict=True), 1):
        compared, rows = compared + len({*ours, *theirs}), rows + sum(facts["rows"] for facts in theirs.values())
        for name in sorted({*ours, *theirs}):
            mine, other = ours.get(name, {}), theirs.get(name, {})
            keys = [key for key in {**other, **mine} if mine.get(key) != other.get(key)]
            found = [f"{key}: dbt {other.get(key)}, dvt {mine.get(key)}" for key in keys]
            wrong += [f"{name} after build {turn}: {'; '.join(found)}"] if found else []
    return compared, rows, wrong


def built_by_dbt(project, judge):
    def dbt(command):
        done = judge.run(project, project.path, command, "--target-path", str(judge.work / f"{project.name}-dbt"))
        if not done.success:
            raise SystemExit(f"dbt {command} of {project.name}: {done.exception or done.result}")

    if (project.path / "packages.yml").exists():
        judge.run(project, project.path, "deps")
    dbt("parse")
    dbt("ls")
    return built(THEIRS, lambda: dbt("build"))


def built(database, build):
    """Answers what a database that is empty at first holds after each build."""
    for schema in {schema for schema, *_ in query(database, RELATIONS)}:
        execute(database, f'drop schema "{schema}" cascade')
    found = []
    for _ in range(ROUNDS):
        build()
        found.append(relations(database))
    return found


def relations(database):
    found = {}
    for schema, name, kind, grants, comment, constraints in query(database, RELATIONS):
        columns = query(database, COLUMNS, (schema, name))
        lasting = ", ".join(f'"{column}"' for column, *_ in columns if column not in PASSING_COLUMNS)
        content = f"select count(*), md5(string_agg(one, '|' order by one)) from (select ({lasting})::text one from "
        [(rows, digest)] = query(database, f'{content}"{schema}"."{name}") all_rows')
        found[f"{schema}.{name}"] = {"kind": kind, "grants": grants, "comment": comment, "constraints": constraints,
                                    "columns": [list(column) for column in columns], "rows": rows, "content": digest}
    return found


def run(command, **options):
    done = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")


def query(database, sql, arguments=None):
    with closing(psycopg2.connect(dbname=database)) as connection, connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return cursor.fetchall()


def execute(database, sql):
    with closing(psycopg2.connect(dbname=database)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)


if __name__ == "__main__":
    sys.exit(main())
