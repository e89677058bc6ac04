# Codac as a second opinion: reads a JSON list of statements from standard input, each a list of variables with their
# ranges and functions, all of which have to be positive on the whole box (outside of what fails the conditions "where",
# functions that are >= 0), and answers with the boxes left and the seconds taken, by the paving alone and from the text of the
# functions on: of the best of several runs, if they fit into the time of a round.
import json
import sys
import time

from codac import AnalyticFunction, CtcInter, CtcInverse, CtcUnion, Interval, IntervalVector, PavingOut, VectorVar, oo, pave

out = []
for s in json.load(sys.stdin):
    begun, took, whole = time.perf_counter(), float("inf"), float("inf")
    for _ in range(1 + s["runs"]):
        first = time.perf_counter()
        x = VectorVar(len(s["vars"]))
        names = {v[0]: x[i] for i, v in enumerate(s["vars"])}
        box = IntervalVector([[v[1], v[2]] for v in s["vars"]])
        violated = [CtcInverse(AnalyticFunction([x], eval(f, {}, names)), Interval(-oo, 0)) for f in s["positive"]]
        ctc = violated[0]
        for c in violated[1:]:
            ctc = CtcUnion(ctc, c)
        for w in s["where"]:
            ctc = CtcInter(ctc, CtcInverse(AnalyticFunction([x], eval(w, {}, names)), Interval(0, oo)))
        start = time.perf_counter()
        p = pave(box, ctc, s["eps"], s["seconds"])
        end = time.perf_counter()
        took, whole = min(took, end - start), min(whole, end - first)
        if end - begun + whole > s["round"]:
            break
    left = [b for b in p.boxes(PavingOut.outer) if not b.is_empty()]
    out.append({"left": len(left), "seconds": took, "whole": whole})
json.dump(out, sys.stdout)
