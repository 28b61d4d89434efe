"""Runs inside the Python 2.7 that holds the testsuite.  Started by `run` only:

    python driver.py JOB.json

JOB: {"lib": dir, "mode": "list" | "run" | "serve" | "report", ...}
"""
from __future__ import print_function

import io
import json
import os
import pickle
import signal
import site
import sys


def die_with_parent(parent):
    if not sys.platform.startswith("linux"):
        return
    try:
        import ctypes
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))     # PR_SET_PDEATHSIG
    except Exception:
        return
    if os.getppid() != parent:
        os._exit(1)


def load(lib):
    site.addsitedir(lib)
    sys.path.insert(0, lib)
    from autobahntestsuite import choosereactor             # must come first
    from autobahntestsuite import fuzzing
    return fuzzing


def case_set(fz):
    return fz.CaseSet(fz.CaseSetname, fz.CaseBasename, fz.Cases,
                      fz.CaseCategories, fz.CaseSubCategories)


def do_list(fz, job):
    cs = case_set(fz)
    ids = []
    for c in fz.Cases:
        # the weight (bytes to echo) is only used to balance parallel jobs
        w = getattr(c, "LEN", 0) * getattr(c, "COUNT", 0)
        ids.append([cs.caseClasstoId(c), w + 8000000])
    import autobahn
    import autobahntestsuite
    from autobahn.websocket.utf8validator import Utf8Validator
    info = {"cases": ids,
            "suite": str(autobahntestsuite.version),
            "autobahn": str(autobahn.version),
            "python_version": "%d.%d.%d" % sys.version_info[:3],
            "accelerated": "wsaccel" in str(Utf8Validator)}
    with open(job["result"], "w") as f:
        json.dump(info, f)


def do_run(fz, job):
    """The suite as a client: it connects to a server and plays the cases."""
    from twisted.internet import reactor
    prepare(fz, job, fz.FuzzingClientFactory)(job["spec"])
    reactor.run()


def do_serve(fz, job):
    """The suite as a server: clients connect, each to play one case."""
    from twisted.internet import reactor
    reactor.listenTCP(job["port"], prepare(fz, job, fz.FuzzingServerFactory)(job["spec"]), interface="127.0.0.1")
    print("listening")
    sys.stdout.flush()
    reactor.run()


def prepare(fz, job, base):
    """A factory that writes down what became of each case."""
    from twisted.python import log

    cs = case_set(fz)
    messages = job.get("deflate_messages")
    if messages:
        for c in fz.Cases:
            if cs.caseClasstoId(c).split(".")[0] in ("12", "13"):
                c.COUNT = messages

    results = open(job["result"], "wb")
    errors = io.open(job["errors"], "w", encoding="utf8")

    def observe(event):
        # an exception in the suite itself must never pass for a verdict
        if event.get("isError"):
            text = log.textFromEventDict(event) or repr(event)
            if isinstance(text, bytes):
                text = text.decode("utf8", "replace")
            errors.write(u"%s\n\n" % text)
            errors.flush()
    log.addObserver(observe)

    class Factory(base):
        def logCase(self, r):
            pickle.dump(r, results, 2)
            results.flush()
            print("@@ %s %s / %s" % (r["id"], r["behavior"], r["behaviorClose"]))
            sys.stdout.flush()

        def createReports(self, *args, **kwargs):
            pass

    return Factory


def do_report(fz, job):
    f = fz.FuzzingFactory(job["outdir"])
    f.CaseSet = case_set(fz)
    for name in job["results"]:
        with open(name, "rb") as src:
            while True:
                try:
                    r = pickle.load(src)
                except EOFError:
                    break
                except Exception as e:          # cut short by a kill
                    print("incomplete record in %s: %s" % (name, e))
                    break
                fz.FuzzingFactory.logCase(f, r)
    f.createReports()


def main():
    with open(sys.argv[1]) as f:
        job = json.load(f)
    die_with_parent(job["parent"])
    {"list": do_list, "run": do_run, "serve": do_serve, "report": do_report}[job["mode"]](load(job["lib"]), job)


main()
