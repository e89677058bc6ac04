#!/usr/bin/env python3
"""One BYOL training step of ResNet-18 in PyTorch, timed: the step of method.CIFAR() in Go, for a ratio on one card.

ResNet-18 with the 3x3 stem of CIFAR, projector 512-512-128 with BatchNorm (without affine part) after its hidden layer,
linear predictor 128x128 without bias, cosine loss in both directions, EMA target (0.996) whose BatchNorm uses its own
batch, SGD with learning rate 0.03, momentum 0.9 and weight decay 4e-4 on every weight. The two views are two forward
passes, and start in the host's memory; every step ends by reading the loss. Convolutions are channels-last.

Every line of output is one timing in JSON with the members of golden.Timing. Precisions: fp32 (TF32 off), tf32 (CUDA
alone), bf16 (autocast). A configuration that fails is named on standard error, the others are timed all the same, and the
exit code is 1. It runs on torch 1.13 and later: the optimiser is the fastest that the device and the version have, fused,
foreach or plain, and torch.compile is left out where there is none. --check needs no torch: it checks the arguments and
prints the size of the network as JSON.
"""
import argparse
import copy
import json
import platform
import statistics
import sys
import time

BASE, SIDE, CHANNELS = 64, 32, 3
PROJECTOR, OUT = 512, 128
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY, TARGET = 0.03, 0.9, 4e-4, 0.996
PRECISIONS = ("fp32", "tf32", "bf16")


def blocks():
    """Input width, output width and stride of the eight basic blocks."""
    width = BASE
    for stage in range(4):
        out = BASE << stage
        for block in range(2):
            yield width, out, 2 if stage and not block else 1
            width = out


def parameters():
    """The number of trained values, from the same table that builds the network."""
    conv = lambda cin, cout, kernel: cin * cout * kernel * kernel + 2 * cout
    n = conv(CHANNELS, BASE, 3)
    for cin, cout, stride in blocks():
        n += conv(cin, cout, 3) + conv(cout, cout, 3)
        if stride != 1 or cin != cout:
            n += conv(cin, cout, 1)
        features = cout
    return n + features * PROJECTOR + PROJECTOR * OUT + OUT + OUT * OUT


def network(torch):
    """Encoder and projector."""
    nn = torch.nn

    def conv(cin, cout, kernel, stride):
        return nn.Sequential(nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(cout))

    class Block(nn.Module):
        def __init__(self, cin, cout, stride):
            super().__init__()
            self.a, self.b = conv(cin, cout, 3, stride), conv(cout, cout, 3, 1)
            self.skip = conv(cin, cout, 1, stride) if stride != 1 or cin != cout else nn.Identity()

        def forward(self, x):
            return torch.relu(self.skip(x) + self.b(torch.relu(self.a(x))))

    table = list(blocks())
    features = table[-1][1]
    return nn.Sequential(
        conv(CHANNELS, BASE, 3, 1), nn.ReLU(), *[Block(*b) for b in table], nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(features, PROJECTOR, bias=False), nn.BatchNorm1d(PROJECTOR, affine=False), nn.ReLU(), nn.Linear(PROJECTOR, OUT))


def optimiser(torch, trained):
    """SGD in the fastest form that this version has for this device: fused, foreach or plain."""
    for form in ({"fused": True}, {"foreach": True}, {}):
        try:
            return torch.optim.SGD(trained, lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY, **form)
        except (TypeError, ValueError, RuntimeError):  # no such argument, or not on this device
            if not form:
                raise


def average(torch, old, new):
    """The moving average of the target, in one call where this version has it."""
    if hasattr(torch, "_foreach_mul_") and hasattr(torch, "_foreach_add_"):
        torch._foreach_mul_(old, TARGET)
        torch._foreach_add_(old, new, alpha=1 - TARGET)
        return
    for a, w in zip(old, new):
        a.mul_(TARGET).add_(w, alpha=1 - TARGET)


def measure(torch, device, batch, precision, compiled, warmup, steps):
    """Times of single steps in milliseconds."""
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.benchmark = True
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    online = network(torch).to(device).to(memory_format=torch.channels_last)
    target = copy.deepcopy(online).requires_grad_(False)
    predictor = torch.nn.Linear(OUT, OUT, bias=False).to(device)
    trained = [*online.parameters(), *predictor.parameters()]
    count = sum(p.numel() for p in trained)
    if count != parameters():
        raise SystemExit(f"torch_step.py: the network has {count} parameters, its table says {parameters()}")
    optimizer = optimiser(torch, trained)
    views = [torch.randn(batch, CHANNELS, SIDE, SIDE).to(memory_format=torch.channels_last) for _ in range(2)]

    def loss_of(x1, x2):
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            p1, p2 = predictor(online(x1)), predictor(online(x2))
            with torch.no_grad():
                z1, z2 = target(x1), target(x2)
        cos = torch.nn.functional.cosine_similarity
        return 4 - 2 * cos(p1.float(), z2.float()).mean() - 2 * cos(p2.float(), z1.float()).mean()

    f = torch.compile(loss_of) if compiled else loss_of
    old, new = list(target.parameters()), list(online.parameters())
    ms = []
    for i in range(warmup + steps):
        wait()
        start = time.perf_counter()
        x1, x2 = (v.to(device) for v in views)
        optimizer.zero_grad(set_to_none=True)
        loss = f(x1, x2)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            average(torch, old, new)
        value = loss.item()
        if i >= warmup:
            ms.append((time.perf_counter() - start) * 1e3)
    if not 0 < value < 8:
        raise SystemExit(f"torch_step.py: the loss is {value}, want one of 4 - 2cos - 2cos")
    return ms


def processor():
    """The name of the processor as Linux tells it, as golden.ThisHost does."""
    try:
        with open("/proc/cpuinfo") as f:
            for line in f:
                key, _, value = line.partition(":")
                if key.strip() == "model name" and value.strip():
                    return value.strip()
    except OSError:
        pass
    return platform.machine()


def timing(program, version, device, precision, batch, ms):
    """A timing with the members of golden.Timing."""
    median = statistics.median(ms)
    return {"program": program, "version": version, "device": device, "precision": precision, "batch": batch,
            "steps": len(ms), "ms_median": median, "ms_min": min(ms), "images_per_s": 1000 * batch / median}


def main(argv):
    parser = argparse.ArgumentParser(prog="torch_step.py", description="Time one BYOL step of ResNet-18 in PyTorch.")
    parser.add_argument("--batches", default="128,512", help="examples a step")
    parser.add_argument("--precisions", default="fp32,bf16", help="of " + ", ".join(PRECISIONS))
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"), help="where to train")
    parser.add_argument("--threads", type=int, default=0, help="threads of the processor; 0 leaves torch's choice")
    parser.add_argument("--warmup", type=int, default=5, help="steps before; the first compiles")
    parser.add_argument("--steps", type=int, default=20, help="timed steps")
    parser.add_argument("--eager-only", action="store_true", help="without torch.compile, which takes a minute each")
    parser.add_argument("--check", action="store_true", help="check the arguments, print the network's size, time nothing")
    args = parser.parse_args(argv)
    precisions = args.precisions.split(",")
    for p in precisions:
        if p not in PRECISIONS:
            parser.error(f"--precisions: {p!r} is none of {', '.join(PRECISIONS)}")
    if not all(b.isdigit() and int(b) >= 2 for b in args.batches.split(",")):
        parser.error(f"--batches: {args.batches!r} are not numbers from 2")
    batches = [int(b) for b in args.batches.split(",")]
    if args.steps < 1 or args.warmup < 0:
        parser.error(f"--steps {args.steps}, --warmup {args.warmup}: want at least 1 and 0")
    if args.threads < 0:
        parser.error(f"--threads {args.threads}: want 0 or more")
    if args.device == "cpu" and "tf32" in precisions:
        parser.error("--precisions tf32: a processor has none")
    if args.check:
        example = timing("pytorch-eager", "none", "none", "fp32", batches[0], [1.5, 1.0, 4.0, 2.0])
        print(json.dumps({"parameters": parameters(), "example": example}))
        return 0
    try:
        import torch
    except ImportError as e:
        print(f"torch_step.py: {e}", file=sys.stderr)
        return 2
    if args.device == "cuda" and not torch.cuda.is_available():
        print("torch_step.py: torch sees no CUDA device", file=sys.stderr)
        return 2
    if args.threads > 0:
        torch.set_num_threads(args.threads)
    device = torch.cuda.get_device_name(0) if args.device == "cuda" else processor()
    forms = [False] if args.eager_only else [False, True]
    if not hasattr(torch, "compile"):
        print(f"torch_step.py: torch {torch.__version__} has no torch.compile", file=sys.stderr)
        forms = [False]
    failed = False
    for compiled in forms:
        program = "pytorch-compile" if compiled else "pytorch-eager"
        for precision in precisions:
            for batch in batches:
                try:
                    ms = measure(torch, args.device, batch, precision, compiled, args.warmup, args.steps)
                except Exception as e:
                    print(f"torch_step.py: {program}, {precision}, batch {batch}: {type(e).__name__}: {e}", file=sys.stderr)
                    failed = True
                    continue
                print(json.dumps(timing(program, torch.__version__, device, precision, batch, ms)), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
