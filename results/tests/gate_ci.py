""".ci/gate in a repository of the test's own. Compilers and the gate are scripts that do as they are told: what is tested is
when there is something to compare, with what, and what comes of each verdict."""

import os
import pathlib
import shutil
import sys

import cases

TOOL = """#!/bin/sh
# In place of cmake and ninja.
case "$0 $*" in
*cmake*) [ ! -f broken ] || exit 1 ;;
*release*) mkdir -p build/release/libexec/ipcmark build/release/lib/ipcmark/drivers
    cp "$TOLD/ipcmark-gate" build/release/libexec/ipcmark/
    cp ref/library build/release/lib/ipcmark/drivers/mmipc.so ;;
*) mkdir -p "$2/lib/ipcmark/drivers"; cp ref/library "$2/lib/ipcmark/drivers/mmipc.so" ;;
esac
"""

GATE = """#!/bin/sh
echo "$@" >"$TOLD/arguments"
cat "$2" "$4" >"$TOLD/compared"
exit "$(cat "$TOLD/verdict")"
"""


class Repository:
    """With a library, and the script."""

    def __init__(self, script):
        if shutil.which("git") is None:
            raise cases.Skip("git is not installed")
        self.folder, tools = pathlib.Path("repository").absolute(), pathlib.Path("tools").absolute()
        for folder in self.folder / ".ci", self.folder / "ref", tools:
            folder.mkdir(parents=True)
        shutil.copy(script, self.folder / ".ci/gate")
        for tool in "cmake", "ninja":
            self.program(tools / tool, TOOL)
        self.told = tools
        self.program(tools / "ipcmark-gate", GATE)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "GITHUB_"))} | {
            "PATH": f"{tools}:{os.environ['PATH']}", "TOLD": str(tools), "HOME": str(tools), "GIT_CONFIG_NOSYSTEM": "1"}
        self.git("init", "-q", "-b", "main")

    @staticmethod
    def program(path, text):
        path.write_text(text)
        path.chmod(0o755)

    def git(self, *words, folder=None):
        cases.run(["git", "-c", "user.name=test", "-c", "user.email=test@localhost", *words], env=self.environment,
                  cwd=folder or self.folder)

    def commit(self, library, **files):
        (self.folder / "ref/library").write_text(library)
        for name, text in files.items():
            (self.folder / name).write_text(text)
        self.git("add", "-A", ":!build")
        self.git("commit", "-q", "--allow-empty", "-m", "x")

    def gate(self, verdict, code, *words, folder=None):
        (self.told / "verdict").write_text(str(verdict))
        (self.told / "compared").unlink(missing_ok=True)
        _, error = cases.run([".ci/gate", *words], code, env=self.environment, cwd=folder or self.folder)
        compared = self.told / "compared"
        return error, compared.read_text() if compared.exists() else None


def each_verdict_has_its_exit_code(script):
    repository = Repository(script)
    repository.commit("old\n")
    repository.commit("new\n")
    for verdict, code in (0, 0), (1, 1), (2, 2), (3, 3), (64, 3), (127, 3):
        error, compared = repository.gate(verdict, code)
        assert compared == "old\nnew\n", compared
        assert ("which is no verdict" in error) == (verdict > 2), error
        assert "--seconds" not in (repository.told / "arguments").read_text()  # as it was tested
    repository.environment["IPCMARK_GATE_SECONDS"] = "30"
    repository.gate(0, 0)
    assert "--seconds 30" in (repository.told / "arguments").read_text()
    assert not (repository.folder / "build/gate/base").exists()


def nothing_to_compare_is_skipped(script):
    repository = Repository(script)
    repository.commit("old\n")
    error, _ = repository.gate(1, 77)
    assert "the first commit" in error, error
    repository.commit("old\n", other="file\n")
    error, compared = repository.gate(1, 77)
    assert "are as in" in error and compared is None, error
    repository.commit("new\n")
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.folder}", "shallow", folder=repository.told)
    error, _ = repository.gate(1, 77, folder=repository.told / "shallow")
    assert "shallow" in error, error
    error, _ = repository.gate(1, 77, "1234567890123456789012345678901234567890")
    assert "is not here" in error, error


def how_it_is_built_counts_as_well(script):
    repository = Repository(script)
    repository.commit("same\n")
    for name in ("CMakeLists.txt", "CMakePresets.json", "ref/CMakeLists.txt", "harness/CMakeLists.txt", "harness/cmake/ipcmarkDriver.cmake",
                 "harness/drivers/CMakeLists.txt", "harness/drivers/mmipc/CMakeLists.txt", "harness/include/ipcmark/driver.h"):
        (repository.folder / name).parent.mkdir(parents=True, exist_ok=True)
        repository.commit("same\n", **{name: "another flag\n"})
        assert repository.gate(0, 0)[1] == "same\nsame\n", name
    (repository.folder / "bench").mkdir()
    repository.commit("same\n", **{"bench/CMakeLists.txt": "nothing of the library's\n"})
    repository.gate(0, 77)


def all_that_is_not_landed_is_compared(script):
    repository = Repository(script)
    repository.commit("landed\n")
    repository.git("clone", "-q", str(repository.folder), "work", folder=repository.told)
    work = repository.told / "work"
    for text in "first\n", "second\n":
        (work / "ref/library").write_text(text)
        repository.git("commit", "-q", "-a", "-m", "x", folder=work)
    assert repository.gate(0, 0, folder=work)[1] == "landed\nsecond\n"
    repository.git("push", "-q", "origin", "HEAD:other", folder=work)
    repository.git("branch", "-q", "--set-upstream-to=origin/other", folder=work)
    assert repository.gate(0, 0, folder=work)[1] == "landed\nsecond\n"  # origin/main has not got it
    repository.git("push", "-q", "--force", "origin", "HEAD:refs/heads/main2", folder=work)
    repository.git("update-ref", "refs/remotes/origin/main", "HEAD", folder=work)
    assert repository.gate(0, 0, folder=work)[1] == "first\nsecond\n"  # all landed: what the last commit did


def what_does_not_build_is_a_warning(script):
    repository = Repository(script)
    repository.commit("old\n", broken="yes\n")
    (repository.folder / "broken").unlink()
    repository.commit("new\n")
    error, compared = repository.gate(0, 2)
    assert "could not be built" in error and compared is None, error


def what_does_not_build_here_fails(script):
    repository = Repository(script)
    repository.commit("old\n")
    repository.commit("new\n")
    (repository.folder / "broken").write_text("yes")
    error, compared = repository.gate(0, 3)
    assert "could not be configured" in error and compared is None, error


if __name__ == "__main__":
    sys.exit(cases.main(globals()))
