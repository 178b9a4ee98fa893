"""What results/gate/README.md says of the self-tests that are kept beside it is what their records say."""

import collections
import json
import pathlib
import sys

import cases


def the_counts_are_those_of_the_records(folder):
    said = (pathlib.Path(folder) / "README.md").read_text()
    files = sorted(pathlib.Path(folder).glob("self-test-*.jsonl"))
    assert files, "no record is kept"
    for file in files:
        records = [json.loads(line) for line in file.read_text().splitlines()]
        builds = {(record["self_test"], record["commit"], record["digest"]) for record in records}
        assert len(builds) == 1, f"{file.name} is of several: {builds}"
        (name, commit, _), = builds
        assert file.name == f"self-test-{name}.jsonl", f"{file.name} is of {name}"
        assert len({record["seed"] for record in records}) == len(records), f"{file.name} has a run twice"
        verdicts = collections.Counter(record["verdict"] for record in records)
        row = (f"| `{name}` | {commit} | {len(records)} | {verdicts['regression']} | {verdicts['inconclusive']} |"
               f" {verdicts['pass']} |")
        assert row in said, f"{file.name} has another count than README.md, in which this should stand: {row}"


if __name__ == "__main__":
    sys.exit(cases.main(globals()))
