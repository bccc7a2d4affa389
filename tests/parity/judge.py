"""What dbt-core makes of a project, kept by what it was made from, so that a second comparison need not ask again."""

import hashlib
import json
import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

# Raise it when what is kept changes.
FORMAT = 4
# What dbt and its neighbours write beside a project.
SKIPPED = {"target", "logs", ".git", "node_modules", ".venv"}
OPTIONS = ["--quiet", "--no-partial-parse", "--no-send-anonymous-usage-stats", "--log-level-file", "none"]


class Judge:
    """Asks dbt-core, in this process, with a throw-away profile."""

    def __init__(self, cache, work):
        self.cache, self.work = cache, work
        self.dbt = f"dbt-core {version('dbt-core')}, dbt-postgres {version('dbt-postgres')}"

    def answers(self, project, selections):
        """Answers dbt's manifest and what `dbt ls` lists for each selection."""
        return self.kept(project, selections, lambda: self.ask(project, selections))

    def kept(self, project, question, ask):
        """Answers what is kept of a question about a project; where nothing is, asks and keeps it."""
        kept = self.cache / f"{project.name}-{self.key(project, question)}.json"
        if not kept.exists():
            found = ask()
            self.cache.mkdir(parents=True, exist_ok=True)
            partial = kept.with_suffix(".partial")
            partial.write_text(json.dumps(found))
            partial.rename(kept)
        return json.loads(kept.read_text())

    def key(self, project, question):
        digest = hashlib.sha256(repr((FORMAT, self.dbt, question)).encode())
        for path in sorted(files(project.path)):
            digest.update(repr((str(path.relative_to(project.path)), len(path.read_bytes()))).encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()[:24]

    def ask(self, project, selections):
        directory = project.path
        if project.is_ours:
            # `dbt deps` writes into the project; dvt reads it without.
            directory = self.work / project.name
            shutil.copytree(project.path, directory, symlinks=True, ignore=shutil.ignore_patterns(*SKIPPED))
            if (directory / "packages.yml").exists():
                self.run(project, directory, "deps")
        target = self.work / f"{project.name}-dbt"
        result = self.run(project, directory, "compile", "--target-path", str(target))
        manifest = target / "manifest.json"
        if not manifest.exists():
            raise SystemExit(f"dbt could not read {project.name}: {result.exception or result.result}")
        refused = {result.node.unique_id: result.message for result in getattr(result.result, "results", [])
                   if str(result.status) == "error"}
        lists = [self.list(project, directory, arguments) for arguments in selections]
        return {"manifest": slim(json.loads(manifest.read_text())), "refused": refused, "lists": lists}

    def list(self, project, directory, arguments):
        target = self.work / f"{project.name}-ls"
        return sorted(self.run(project, directory, "ls", "--target-path", str(target), *arguments).result or [])

    def run(self, project, directory, command, *arguments):
        # Slow to import, and not needed for answers that are kept.
        from dbt.cli.main import dbtRunner  # noqa: PLC0415
        from dbt.task.compile import CompileTask  # noqa: PLC0415

        # Else the first node that dbt cannot compile keeps it from all others.
        CompileTask.raise_on_first_error = lambda _: False
        CompileTask._mark_dependent_errors = lambda *_: None
        previous = Path.cwd()
        os.chdir(directory)
        os.environ.update(project.env)
        flags = ["--profiles-dir", str(project.profiles), *project.vars]
        try:
            with Quiet():
                return dbtRunner().invoke([*OPTIONS, "--log-path", str(self.work / "logs"), command, *flags, *arguments])
        finally:
            os.chdir(previous)


def files(directory):
    """Lists the files of a project; those of its packages too, through links."""
    for folder, folders, names in os.walk(directory, followlinks=True):
        if Path(folder) == directory:
            folders[:] = [name for name in folders if name not in SKIPPED]
        yield from (Path(folder) / name for name in names)


def slim(manifest):
    """Leaves out the macros' texts and the docs, which nothing is compared with."""
    for macro in manifest["macros"].values():
        macro.pop("macro_sql", None)
    manifest["docs"] = {}
    return manifest


class Quiet:
    """Keeps what dbt prints out of the table."""

    def __enter__(self):
        self.null = open(os.devnull, "w", encoding="utf-8")
        self.stdout, sys.stdout = sys.stdout, self.null

    def __exit__(self, *_):
        sys.stdout = self.stdout
        self.null.close()
