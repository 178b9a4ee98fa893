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
*release*) mkdir -p build/release/libexec/ipcmark
    cp "$TOLD/ipcmark-gate" build/release/libexec/ipcmark/ ;;
*) mkdir -p "$2/lib/ipcmark/drivers"; grep -v '^//' ref/library >"$2/lib/ipcmark/drivers/mmipc.so" ;;
esac
"""

# Of scripts that stand for libraries there is nothing to strip. Without it they are no libraries, and may be the same.
STRIP = """#!/bin/sh
cp "$4" "$5"
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
        self.program(tools / "objcopy", "#!/bin/sh\nexit 1\n")
        for tool in "cmake", "ninja":
            self.program(tools / tool, TOOL)
        self.told = tools
        self.program(tools / "ipcmark-gate", GATE)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "GITHUB_", "IPCMARK_"))} | {
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
    assert sorted(os.listdir(repository.folder / "build/gate")) == ["build.log"]
    (repository.folder / "build/gate/junit.xml").write_text("what an earlier run said")
    repository.gate(0, 77, "HEAD")
    assert not (repository.folder / "build/gate").exists()


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
    shutil.rmtree(repository.folder / ".git")
    error, _ = repository.gate(1, 77)
    assert "no git repository" in error, error


def a_repository_that_git_cannot_read_fails(script):
    repository = Repository(script)
    repository.commit("old\n")
    repository.commit("new\n")
    (repository.folder / ".git").rename(repository.folder / "moved")
    (repository.folder / ".git").write_text("gitdir: nowhere\n")
    error, _ = repository.gate(0, 3)
    assert "git cannot read this repository: fatal: not a git repository: " in error and "nowhere" in error, error
    for tool in "sh", "dirname", "rm":
        (repository.told / tool).symlink_to(shutil.which(tool))
    repository.environment["PATH"] = str(repository.told)
    error, _ = repository.gate(0, 77)
    assert "git is not installed" in error, error


def the_same_code_is_not_measured(script):
    repository = Repository(script)
    repository.program(repository.told / "objcopy", STRIP)
    repository.commit("old\n")
    repository.commit("// words\nold\n")
    error, compared = repository.gate(1, 77)
    assert "the same code" in error and compared is None, error
    repository.commit("// words\nnew\n")
    assert repository.gate(0, 0)[1] == "old\nnew\n"


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


def assert_base(repository, folder, code, compared, why):
    error, found = repository.gate(0, code, folder=folder)
    assert found == compared and why in error, (found, error)


def all_that_is_not_landed_is_compared(script):
    repository = Repository(script)
    repository.commit("landed\n")
    assert_base(repository, repository.folder, 77, None, "the first commit")
    repository.git("clone", "-q", str(repository.folder), "work", folder=repository.told)
    work = repository.told / "work"
    for text in "first\n", "second\n":
        (work / "ref/library").write_text(text)
        repository.git("commit", "-q", "-a", "-m", "x", folder=work)
    assert_base(repository, work, 0, "landed\nsecond\n", "where HEAD left origin/main")
    repository.git("push", "-q", "origin", "HEAD:other", folder=work)
    repository.git("branch", "-q", "--set-upstream-to=origin/other", folder=work)
    assert_base(repository, work, 0, "landed\nsecond\n", "where HEAD left origin/main")  # which has not got it
    repository.git("update-ref", "refs/remotes/origin/other", "HEAD^", folder=work)
    assert_base(repository, work, 0, "landed\nsecond\n", "where HEAD left origin/main")
    repository.git("update-ref", "refs/remotes/origin/main", "HEAD", folder=work)
    assert_base(repository, work, 0, "first\nsecond\n", "the parent, for HEAD is in origin/main")
    repository.environment["IPCMARK_GATE_BASE"] = "HEAD~2"  # a push of two
    assert_base(repository, work, 0, "landed\nsecond\n", "as asked for")
    del repository.environment["IPCMARK_GATE_BASE"]
    (work / "ref/library").write_text("third\n")
    assert_base(repository, work, 0, "second\nthird\n", "HEAD, which is in origin/main, and there are edits")
    repository.git("update-ref", "-d", "refs/remotes/origin/main", folder=work)
    assert_base(repository, work, 0, "first\nthird\n", "where HEAD left @{upstream}")
    repository.git("branch", "-q", "--unset-upstream", folder=work)
    assert_base(repository, work, 0, "first\nthird\n", "the parent, for there is neither")


def a_cut_off_merge_base_is_said(script):
    repository = Repository(script)
    repository.commit("landed\n")
    repository.git("checkout", "-q", "-b", "work")
    for text in "first\n", "second\n":
        repository.commit(text)
    repository.git("checkout", "-q", "main")
    repository.commit("landed\n", other="file\n")
    repository.git("clone", "-q", "--depth", "2", "--no-single-branch", "-b", "work", f"file://{repository.folder}", "shallow",
                   folder=repository.told)
    shallow = repository.told / "shallow"
    assert_base(repository, shallow, 0, "first\nsecond\n", "where HEAD left origin/main is not here")


def what_does_not_build_is_a_warning(script):
    repository = Repository(script)
    repository.commit("old\n", broken="yes\n")
    (repository.folder / "broken").unlink()
    repository.commit("new\n")
    error, compared = repository.gate(0, 2)
    assert "could not be built" in error and compared is None, error


def what_does_not_build_here_fails(script):
    repository = Repository(script)
    repository.commit("old\n", broken="yes\n")  # nor does the base: this tree's fault is said
    repository.commit("new\n")
    (repository.folder / "broken").write_text("yes")
    error, compared = repository.gate(0, 3)
    assert "this tree's driver could not be built" in error and compared is None, error


def this_trees_driver_is_built_anew(script):
    repository = Repository(script)
    repository.commit("old\n")
    repository.commit("new\n")
    stale = repository.folder / "build/release/lib/ipcmark/drivers/mmipc.so"
    stale.parent.mkdir(parents=True)
    stale.write_text("of days ago\n")
    (repository.folder / "build/release/build.ninja").write_text("")
    assert repository.gate(0, 0)[1] == "old\nnew\n"


if __name__ == "__main__":
    sys.exit(cases.main(globals()))
