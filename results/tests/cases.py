"""Runs one function of a test script: python3 SCRIPT CASE ARGUMENT…. A Skip is exit 77."""

import os
import subprocess
import sys
import tempfile
import traceback


class Skip(Exception):
    pass


def run(arguments, code=0, **more):
    """Standard output and standard error of a program that must end in this exit code."""
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False, **more)
    assert done.returncode == code, f"{arguments}: exit {done.returncode} instead of {code}\n{done.stdout}{done.stderr}"
    return done.stdout, done.stderr


def main(cases):
    """In a folder of its own, that is gone afterwards."""
    case = cases[sys.argv[1]]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            case(*sys.argv[2:])
        except Skip as reason:
            print(reason)
            return 77
        except Exception:
            traceback.print_exc()
            return 1
        finally:
            os.chdir("/")
    return 0
