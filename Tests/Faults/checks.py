"""Counts what was checked, and says what failed."""

import sys

passed = failed = 0


def check(what, problems):
    """Counts one check; `problems` is a list of sentences, empty when all is well."""
    global passed, failed
    if problems:
        failed += 1
        print(f"FAILED {what}")
        for problem in problems[:20]:
            print(f"    {problem}")
    else:
        passed += 1
    sys.stdout.flush()


def say(sentence):
    print(f"  {sentence}")
    sys.stdout.flush()
