# Codac as a second opinion: reads a JSON list of statements from standard input, each a list of variables with their
# ranges and functions, all of which have to be positive on the whole box (outside of what fails the conditions "where",
# functions that are >= 0), and answers with the boxes left and the seconds taken.
import json
import sys
import time

from codac import AnalyticFunction, CtcInter, CtcInverse, CtcUnion, Interval, IntervalVector, PavingOut, VectorVar, oo, pave

out = []
for s in json.load(sys.stdin):
    x = VectorVar(len(s["vars"]))
    names = {v[0]: x[i] for i, v in enumerate(s["vars"])}
    box = IntervalVector([[v[1], v[2]] for v in s["vars"]])
    violated = [CtcInverse(AnalyticFunction([x], eval(f, {}, names)), Interval(-oo, 0)) for f in s["positive"]]
    ctc = violated[0]
    for c in violated[1:]:
        ctc = CtcUnion(ctc, c)
    for w in s["where"]:
        ctc = CtcInter(ctc, CtcInverse(AnalyticFunction([x], eval(w, {}, names)), Interval(0, oo)))
    start = time.time()
    p = pave(box, ctc, s["eps"], s["seconds"])
    took = time.time() - start
    left = [b for b in p.boxes(PavingOut.outer) if not b.is_empty()]
    out.append({"left": len(left), "seconds": took})
json.dump(out, sys.stdout)
