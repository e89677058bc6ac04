#!/usr/bin/env python3
"""Makes single training steps on demand and says how long each took, for a measurement beside other programs.

times.py JOB.json [--device D] [--threads N] [--compiled] trains the configuration of a job of train.py on its first
batch. It answers on standard output, a line each: "ready VERSION" after two steps that are not measured (with --compiled
the first compiles), or "failed WHY"; then for every line of input the milliseconds of one step, from the views in the
host's memory to the loss. It ends with the input.
"""
import argparse
import pathlib
import sys
import time

import torch

import train


def say(*words):
    print(*words, flush=True)


def main(argv):
    parser = argparse.ArgumentParser(prog="times.py", description="Time training steps in PyTorch.")
    parser.add_argument("job", type=pathlib.Path, help="JOB.json of train.py")
    parser.add_argument("--device", default="cpu", help="a torch device, such as cpu or cuda")
    parser.add_argument("--threads", type=int, default=0, help="threads of the processor; 0 leaves torch's choice")
    parser.add_argument("--compiled", action="store_true", help="by torch.compile")
    args = parser.parse_args(argv)
    if args.threads > 0:
        torch.set_num_threads(args.threads)
    try:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        run, views = train.load(args.job, args.device)
        if args.compiled:
            run.forward = torch.compile(run.forward)
        x1, x2 = (v.cpu() for v in views[0])

        def step():
            start = time.perf_counter()
            run.step(x1.to(args.device), x2.to(args.device))  # it reads the loss
            return (time.perf_counter() - start) * 1e3

        step(), step()
    except Exception as e:
        say("failed", f"{type(e).__name__}: {e}".splitlines()[0])
        return 1
    say("ready", torch.__version__)
    for _ in sys.stdin:
        say(step())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
