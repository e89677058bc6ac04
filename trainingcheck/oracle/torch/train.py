#!/usr/bin/env python3
"""Trains recorded configurations in PyTorch, from given weights on given views: a witness from outside the Go programs.

train.py FOLDER [--device D] [--threads N] reads every NAME.json in FOLDER,

    {"config": a training configuration as package method writes it, "steps": S,
     "tensors": [{"name": "online/encoder/0/w", "dims": [12, 10]}, ...]}

with NAME.weights, the values of those tensors one after another in little-endian float64, and NAME.views, for each step
the first and then the second view of the batch, rows after one another, in little-endian float32. It writes NAME.out in
little-endian float64: the S losses, each before its update, then the tensors after the last step. Dense weights are
in x out, convolutions height x width x in x out, images channels last, as package method keeps them; everything in
between is PyTorch's own: functional layers, autograd, torch.optim.SGD, torch.linalg.eigh.

One line of JSON for each configuration says what became of it; one that fails does not end the others. Exit code 0: all
were trained; 1: one failed; 2: bad arguments, or no torch.
"""
import argparse
import array
import json
import math
import pathlib
import sys

import torch
from torch.nn import functional as F

BN_EPS, BN_MOMENTUM = 1e-5, 0.1
FLOOR = 1e-4  # of the eigenvalues of W_p under the formula "code"


class Run:
    """The state of one run: tensors by name, and the optimiser over those that are trained."""

    def __init__(self, config, tensors, device):
        self.c = config
        self.dtype = {"float64": torch.float64, "float32": torch.float32}[config["precision"]]
        self.device = device
        self.names = [t["name"] for t in tensors]
        self.t = {}
        for spec in tensors:
            t = spec["values"].to(self.dtype).reshape(spec["dims"]).to(device)
            if t.dim() == 4:  # as PyTorch's convolutions want it
                t = t.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
            self.t[spec["name"]] = t
        o, p, direct = config["optimizer"], config["predictor"], config.get("direct")
        ratio = p["rate_ratio"]
        groups = {}  # by rate, decay, and whether LARS scales the gradient
        for name in self.names:
            own = name.startswith("predictor/")
            if not own and not name.startswith("online/"):
                continue
            self.t[name].requires_grad_(True)
            if own and direct and direct["freq"] == 1:
                continue  # it is set in every step and learns nothing
            plain = bool(o.get("exclude_bias_and_norm")) and self.t[name].dim() == 1
            decay = 0.0 if plain else o["wd"] / ratio if own and o["predictor_decay"] == "theory" else o["wd"]
            groups.setdefault((o["lr"] * ratio if own else o["lr"], decay, not plain), []).append(self.t[name])
        self.trust = o.get("lars_trust", 0)
        self.optimizer = torch.optim.SGD(
            [{"params": ts, "lr": lr, "weight_decay": 0.0 if self.trust and scaled else decay, "decay": decay, "scaled": scaled}
             for (lr, decay, scaled), ts in groups.items()], lr=o["lr"], momentum=o["momentum"])
        self.schedule = o.get("schedule") or {}
        self.rate = self.scheduler()
        names = [n for n in self.names if n.startswith("target/")]
        self.average = [self.t[n] for n in names], [self.t["online/" + n[len("target/"):]] for n in names]
        if not names:
            self.average = None
        self.done = 0

    def scheduler(self):
        """torch's own schedules of the rate: linear from 1/W to 1 over W steps, then a cosine to 0; None without."""
        warmup, steps = self.schedule.get("warmup", 0), self.c["steps"]
        parts, optim = [], torch.optim.lr_scheduler
        if warmup > 1:
            parts.append(optim.LinearLR(self.optimizer, start_factor=1 / warmup, total_iters=warmup - 1))
        if self.schedule.get("cosine"):
            parts.append(optim.CosineAnnealingLR(self.optimizer, T_max=steps - warmup))
        if len(parts) < 2:
            return parts[0] if parts else None
        return optim.SequentialLR(self.optimizer, parts, milestones=[warmup])

    @torch.no_grad()
    def lars(self):
        """Scales each gradient, after the decay, to the length of its weight times the trust coefficient."""
        for group in self.optimizer.param_groups:
            for w in group["params"] if group["scaled"] else []:
                g = w.grad.add_(w, alpha=group["decay"])
                size, length = torch.linalg.vector_norm(w), torch.linalg.vector_norm(g)
                if size > 0 and length > 0:
                    g.mul_(self.trust * size / length)

    def norm(self, name, x, affine=None, track=False):
        """BatchNorm over all axes but that of the channels, the second; buffers move when track is set."""
        mean = self.t.get("buffer/" + name + "/mean") if track else None
        var = self.t.get("buffer/" + name + "/var") if track else None
        scale, shift = affine or (None, None)
        return F.batch_norm(x, mean, var, scale, shift, training=True, momentum=BN_MOMENTUM, eps=BN_EPS)

    def dense(self, name, x, bias=True):
        return F.linear(x, self.t[name + "/w"].T, self.t.get(name + "/b") if bias else None)

    def network(self, group, x):
        """Encoder and projector on one view; the online network's buffers move."""
        net, track = self.c["net"], group == "online"
        if net["kind"] == "linear":
            return F.linear(x, self.t[group + "/w"].T)

        def hidden(name, x):
            x = self.dense(group + "/" + name, x)
            return torch.relu(self.norm(name, x, track=track) if net["batchnorm"] else x)

        def conv(name, x, stride):
            w = self.t[f"{group}/{name}/w"]
            y = F.conv2d(x, w, stride=stride, padding=(w.shape[-1] - 1) // 2)
            return self.norm(name, y, (self.t[f"{group}/{name}/scale"], self.t[f"{group}/{name}/shift"]), track)

        if net["kind"] == "mlp":
            for i in range(len(net["hidden"])):
                x = hidden(f"encoder/{i}", x)
        else:
            x = x.reshape(-1, net["rows"], net["columns"], net["channels"]).permute(0, 3, 1, 2)
            if net["kind"] == "smallconv":
                x = torch.relu(conv("encoder/0", x, 1))
                x = torch.relu(conv("encoder/1", x, 2))
            else:
                x = torch.relu(conv("encoder/stem", x, 1))
                for stage in range(4):
                    for block in range(2):
                        name, stride = f"encoder/{stage}.{block}", 2 if stage and not block else 1
                        y = conv(name + "/b", torch.relu(conv(name + "/a", x, stride)), 1)
                        if f"{group}/{name}/skip/w" in self.t:
                            x = conv(name + "/skip", x, stride)
                        x = torch.relu(x + y)
            x = x.mean((2, 3))
        for i in range(len(net.get("projector") or [])):
            x = hidden(f"projector/{i}", x)
        x = self.dense(group + "/projector/out", x)
        return self.norm("projector/out", x, track=track) if net["output_bn"] else x

    def predict(self, z):
        kind = self.c["predictor"]["kind"]
        if kind == "none":
            return z
        if kind == "mlp2":
            return self.dense("predictor/out", torch.relu(self.norm("predictor/0", self.dense("predictor/0", z), track=True)))
        return F.linear(z, self.t["predictor/w"].T)

    def contrast(self, online):
        """SimCLR: each view is to be told, by the cosine, which of the others is of the same example."""
        n = len(online[0])
        z = F.normalize(torch.cat(online), dim=1)
        logits = (z @ z.T / self.c["loss"]["temperature"]).fill_diagonal_(-math.inf)
        return F.cross_entropy(logits, (torch.arange(2 * n, device=z.device) + n) % (2 * n))

    def variances(self, online):
        """VICReg: invariance, standard deviations of at least 1, and no covariances."""
        loss = 25 * F.mse_loss(*online)
        for z in online:
            loss = loss + 25 * F.relu(1 - torch.sqrt(z.var(dim=0) + 1e-4)).mean() / 2
            loss = loss + torch.cov(z.T).fill_diagonal_(0).pow(2).sum() / z.shape[1]
        return loss

    def loss(self, p, z):
        if self.c["loss"]["kind"] == "euclidean":
            return ((p - z) ** 2).sum() / (2 * len(p))
        return (2 - 2 * (F.normalize(p, dim=1) * F.normalize(z, dim=1)).sum(1)).mean()

    @torch.no_grad()
    def follow(self, views):
        """Moves the moment, and the mean where there is one, by the online projections of a batch."""
        d = self.c["direct"]
        mean = torch.cat(views).mean(0)
        if d["centred"]:
            views = [f - mean for f in views]
        if d["moment"] == "cross":
            m = views[0].T @ views[1] / len(views[0])
            m = (m + m.T) / 2
        else:
            m = sum(f.T @ f / len(f) for f in views) / len(views)
        if d.get("plain_average"):  # the sums go on from the means
            average = lambda past, new: (past * self.done + new) / (self.done + 1)
        else:
            average = lambda past, new: d["rho"] * past + (1 - d["rho"]) * new if self.done else new
        self.t["moment"].copy_(average(self.t["moment"], m))
        if d.get("dyn_zero_mean"):
            self.t["mean"].copy_(average(self.t["mean"], mean))

    @torch.no_grad()
    def set_predictor(self):
        d, method = self.c["direct"], self.c["method"]
        m = self.t["moment"].double()
        if d.get("dyn_zero_mean"):
            m = m - torch.outer(self.t["mean"].double(), self.t["mean"].double())
        s, u = torch.linalg.eigh((m + m.T) / 2)
        s = s.clamp(min=0)
        top = s.max()
        power = {"directpred": 0.5, "directcopy": 1.0, "directset": d.get("gamma", 0)}[method]
        if d.get("eps_inside"):
            p = (s / top + d["epsilon"]).clamp(min=FLOOR) ** power
        elif d["formula"] == "code":
            p = ((s / top) ** power + d["epsilon"]).clamp(min=FLOOR)
        elif method == "directpred":
            p = s ** power + d["epsilon"] * top
        else:
            p = s ** power + d["epsilon"]
        p = p * (1 - d.get("dyn_reg", 0))
        self.t["predictor/w"].copy_((u * p) @ u.T)

    def forward(self, x1, x2):
        """The loss of a batch and the online projections, view by view; what is differentiated and compiled."""
        c, direct = self.c, self.c.get("direct")
        both, shared = c["loss"]["both_directions"], c["target"]["kind"] == "shared"
        crossed = direct is not None and direct["moment"] == "cross"
        online = [self.network("online", x) for x in ([x1, x2] if both or shared or crossed else [x1])]
        features = [f.detach() for f in online]
        if c["loss"]["kind"] == "ntxent":
            return self.contrast(online), features
        if c["loss"]["kind"] == "vic":
            return self.variances(online), features
        if direct and direct["when"] == "before":
            self.follow(features)
            if self.sets():
                self.set_predictor()
        stop = (lambda z: z) if c["method"] == "nostopgrad" else (lambda z: z.detach())
        if shared:
            target = [online[1], online[0]]
        else:
            with torch.no_grad():
                target = [self.network("target", x) for x in ([x2, x1] if both else [x2])]
        pairs = [(online[0], target[0])] + ([(online[1], target[1])] if both else [])
        return sum(self.loss(self.predict(f), stop(z)) for f, z in pairs), features

    def sets(self):
        """Whether this step sets W_p."""
        direct = self.c.get("direct")
        return direct is not None and self.done % direct["freq"] == 0

    def step(self, x1, x2):
        c, direct = self.c, self.c.get("direct")
        loss, features = self.forward(x1, x2)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.trust:
            self.lars()
        self.optimizer.step()
        if self.rate:
            self.rate.step()
        with torch.no_grad():
            if c["predictor"]["symmetrize"]:
                w = self.t["predictor/w"]
                w.copy_((w + w.T) / 2)
            if self.average:
                m = c["target"]["momentum"]
                if self.schedule.get("target_cosine"):
                    m = 1 - (1 - m) * (math.cos(math.pi * self.done / c["steps"]) + 1) / 2
                torch._foreach_mul_(self.average[0], m)
                torch._foreach_add_(self.average[0], self.average[1], alpha=1 - m)
        if direct and direct["when"] == "after":
            self.follow(features)
            if self.sets():
                self.set_predictor()
        self.done += 1
        return loss.item()

    def values(self, name):
        t = self.t[name]
        if name.startswith("velocity/"):
            buffer = self.optimizer.state.get(self.t[name[len("velocity/"):]], {}).get("momentum_buffer")
            t = t if buffer is None else buffer
        return t.permute(2, 3, 1, 0) if t.dim() == 4 else t


def numbers(path, code):
    """The numbers of a little-endian file."""
    a = array.array(code)
    a.frombytes(path.read_bytes())
    if sys.byteorder == "big":
        a.byteswap()
    return torch.frombuffer(a, dtype={"d": torch.float64, "f": torch.float32}[code])


def load(job, device):
    """The run of a job and its views, [steps, 2, batch, dim]."""
    spec = json.loads(job.read_text())
    config, at = spec["config"], 0
    weights = numbers(job.with_suffix(".weights"), "d")
    for t in spec["tensors"]:
        n = math.prod(t["dims"])
        t["values"] = weights[at:at + n].clone()
        at += n
    if at != len(weights):
        raise ValueError(f"{len(weights)} weights for tensors of {at} values")
    run = Run(config, spec["tensors"], device)
    return run, numbers(job.with_suffix(".views"), "f").reshape(spec["steps"], 2, config["batch"], -1).to(run.dtype).to(device)


def train(job, device):
    """Trains one configuration and writes its output."""
    run, views = load(job, device)
    losses = [run.step(v[0], v[1]) for v in views]
    out = array.array("d", losses)
    for name in run.names:
        out.extend(run.values(name).detach().double().cpu().flatten().tolist())
    if sys.byteorder == "big":
        out.byteswap()
    job.with_suffix(".out").write_bytes(out.tobytes())
    return {"job": job.stem, "loss": losses[-1]}


def main(argv):
    parser = argparse.ArgumentParser(prog="train.py", description="Train configurations in PyTorch.")
    parser.add_argument("folder", type=pathlib.Path, help="folder with NAME.json, NAME.weights and NAME.views")
    parser.add_argument("--device", default="cpu", help="a torch device, such as cpu or cuda")
    parser.add_argument("--threads", type=int, default=0, help="threads of the processor; 0 leaves torch's choice")
    args = parser.parse_args(argv)
    jobs = sorted(args.folder.glob("*.json"))
    if not jobs:
        parser.error(f"{args.folder} has no NAME.json")
    if args.threads > 0:
        torch.set_num_threads(args.threads)
    # oneDNN of torch 2.13 ends the process in the backward pass of a float32 ResNet-18 of two channels.
    torch.backends.mkldnn.enabled = False
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    print(json.dumps({"torch": torch.__version__, "device": args.device}), flush=True)
    failed = False
    for job in jobs:
        try:
            said = train(job, args.device)
        except Exception as e:
            said, failed = {"job": job.stem, "error": f"{type(e).__name__}: {e}"}, True
        print(json.dumps(said), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
