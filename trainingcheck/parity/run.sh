#!/usr/bin/env bash
# Proves and times the GPU engine on this machine: run.sh [OUT [STAGE…]]
# Runs a program in the environment that the engine needs: run.sh OUT -- COMMAND…
#
# Run it from the folder that build.sh made, on a machine with an NVIDIA GPU and a Python environment with
# jax-cuda13-pjrt (and torch, for the peer). Stages, in this order when none is named:
#
#   probe      the engine opens, its device is described, a product is computed
#   parity     the same seeded steps on the CPU and on the GPU: float64, float32 with TF32 off, bfloat16; then with TF32;
#              from views that the host made and from images on the device
#   steptime   ResNet-18 BYOL steps, batch 128 and 512, float32, TF32 and bfloat16; from views and from images there
#   torch      the same steps in PyTorch, eager and compiled (skipped with a line where there is no torch)
#   record     goldens of kind parity, with the timings, to OUT/golden
#
# Everything is left in OUT (default: results): run.log, timings.jsonl, golden/. Stages may be run one at a time into
# one OUT. Each program in them ends after STAGE_TIMEOUT seconds (default 540; all stages but torch start two, without
# TF32 and with it). Exit code 0: all stages passed; 1: one failed, the others
# ran; 2: bad arguments, or no GPU engine here (one line says what was looked for). A command gets INT after STAGE_TIMEOUT
# seconds, and its exit code is that of the script.
#
# Environment: PYTHON (default python3), PJRT_CUDA_PLUGIN (default: found beside PYTHON's packages), ENGINE_TEST (default:
# engine.test beside this script), STAGE_TIMEOUT, TORCH_ARGS (for torch_step.py), RECORD_ARGS (such as -reason=TEXT), and
# ENGINE: cpu or xla-cpu runs every stage but torch on that engine with small networks, to try the script; the second needs
# PJRT_CPU_PLUGIN or its package beside python3.
set -euo pipefail

fail() { echo "run.sh: $*" >&2; exit 2; }

stages=(probe parity steptime torch record)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${ENGINE_TEST:-$here/engine.test}
python=${PYTHON:-python3}
engine=${ENGINE:-gpu}
limit=${STAGE_TIMEOUT:-540}

[[ ${1-} != -* ]] || fail "usage: run.sh [OUT [STAGE…]]"
out=${1:-results}
[[ $# -gt 0 ]] && shift
command=()
if [[ ${1-} == -- ]]; then
	shift
	[[ $# -gt 0 ]] || fail "no command behind --"
	command=("$@")
elif [[ $# -gt 0 ]]; then
	for s in "$@"; do
		[[ " ${stages[*]} " == *" $s "* ]] || fail "there is no stage $s; there are ${stages[*]}"
	done
	stages=("$@")
fi
[[ -x $bin ]] || fail "$bin is not there or not executable; build.sh makes it"
[[ $engine == gpu || $engine == cpu || $engine == xla-cpu ]] || fail "ENGINE=$engine, want gpu, cpu or xla-cpu"
[[ $limit =~ ^[1-9][0-9]*$ ]] || fail "STAGE_TIMEOUT=$limit, want seconds"
mkdir -p "$out"
out=$(cd "$out" && pwd)
log=$out/run.log

if [[ $engine == gpu ]]; then
	# The plugin finds the CUDA libraries of the nvidia packages by LD_LIBRARY_PATH, ptxas and libdevice by PATH and XLA_FLAGS.
	site=$("$python" -c 'import importlib.util as u, os
s = u.find_spec("nvidia")
print(os.path.dirname(list(s.submodule_search_locations)[0]) if s else "")' 2>/dev/null || true)
	if [[ -z ${PJRT_CUDA_PLUGIN-} ]]; then
		[[ -n $site ]] || fail "no GPU engine: $python has no nvidia packages, and \$PJRT_CUDA_PLUGIN is not set"
		PJRT_CUDA_PLUGIN=$site/jax_plugins/xla_cuda13/xla_cuda_plugin.so
	fi
	[[ -f $PJRT_CUDA_PLUGIN ]] || fail "no GPU engine: there is no plugin $PJRT_CUDA_PLUGIN; install jax-cuda13-pjrt for $python, or set \$PJRT_CUDA_PLUGIN"
	export PJRT_CUDA_PLUGIN
	libraries=
	for d in "$site"/nvidia/*/lib; do
		if [[ -n $site && -d $d ]]; then libraries+=$d:; fi
	done
	export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH-}
	nvcc=$(readlink -f "$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)" || true)
	cuda=${nvcc%/bin/nvcc}
	if [[ ! -x $cuda/bin/ptxas && -n $site ]]; then
		for d in "$site"/nvidia/cu13 "$site"/nvidia/cuda_nvcc; do # where the Python packages keep ptxas
			if [[ -x $d/bin/ptxas ]]; then cuda=$d; break; fi
		done
	fi
	if [[ -n $cuda && -d $cuda ]]; then
		export PATH=$cuda/bin:$PATH XLA_FLAGS="${XLA_FLAGS:---xla_gpu_cuda_data_dir=$cuda}"
	fi
	export GOMLX_NO_AUTO_INSTALL=1 GOPJRT_CUDA_CHECKS=0 TF_CPP_MIN_LOG_LEVEL=${TF_CPP_MIN_LOG_LEVEL:-1}
	# The engine is opened before anything is run; its own line says what is missing.
	code=0
	timeout "$limit" "$bin" -engine gpu -test.run '^$' >"$out/start.log" 2>&1 || code=$?
	if [[ $code -ne 0 ]]; then
		reason=$(grep -m 1 '^engine: ' "$out/start.log" || echo "the plugin ended the program with exit code $code, see $out/start.log")
		fail "no GPU engine: $reason"
	fi
	rm -f "$out/start.log"
fi

say() { echo "$*" | tee -a "$log"; }

# tests KIND PATTERN [FLAG…] runs tests of engine.test on an engine, with NVIDIA's switch over TF32 as the kind has it.
tests() {
	local kind=$1 pattern=$2 tf32=()
	shift 2
	case $kind in
	gpu) tf32=(NVIDIA_TF32_OVERRIDE=0) ;;
	gpu-tf32) tf32=(-u NVIDIA_TF32_OVERRIDE) ;;
	esac
	say "--- $kind: $pattern"
	env "${tf32[@]}" timeout "$limit" "$bin" -engine "$kind" -timings "$out/timings.jsonl" -test.v \
		-test.run "$pattern" -test.timeout "${limit}s" "$@" 2>&1 | tee -a "$log"
}

# both PATTERN [FLAG…] is tests on the engine without TF32 and then, on a GPU, on the one with it.
both() {
	local code=0
	tests "$engine" "$@" || code=1
	if [[ $engine == gpu ]]; then tests gpu-tf32 "$@" || code=1; fi
	return $code
}

machine() {
	if [[ $engine == gpu ]]; then
		nvidia-smi --query-gpu=name,compute_cap,driver_version,memory.total --format=csv,noheader || true
		"$python" -m pip list 2>/dev/null | grep -iE '^(jax|jaxlib|jax-cuda|torch|nvidia-)' || true
		ldd "$PJRT_CUDA_PLUGIN" | grep 'not found' || true
	fi
	ldd --version | sed -n 1p
}

if [[ ${#command[@]} -gt 0 ]]; then
	say "--- ${command[*]}, $(date -u +%Y-%m-%dT%H:%M:%SZ)"
	timeout --signal=INT --kill-after=60 "$limit" "${command[@]}" 2>&1 | tee -a "$log" # a program of this project keeps what it has on INT
	exit
fi
failed=()
machine 2>&1 | tee -a "$log"
for stage in "${stages[@]}"; do
	say "=== $stage, $(date -u +%Y-%m-%dT%H:%M:%SZ)"
	case $stage in
	probe) both '^TestProbe$' || failed+=("$stage") ;;
	parity) both '^TestParity(OfResidentData)?$' || failed+=("$stage") ;;
	steptime) both '^TestStepTime$' || failed+=("$stage") ;;
	torch)
		if [[ $engine != gpu ]]; then
			say "torch: not timed on a CPU"
		elif ! "$python" -c 'import torch' 2>/dev/null; then
			say "torch: $python has none; not timed"
		else
			# shellcheck disable=SC2086 # several arguments
			env -u NVIDIA_TF32_OVERRIDE timeout "$limit" "$python" "$here/torch_step.py" ${TORCH_ARGS-} 2>"$out/torch.err" |
				tee "$out/torch.jsonl" || failed+=("$stage")
			cat "$out/torch.err" "$out/torch.jsonl" >>"$log"
			cat "$out/torch.jsonl" >>"$out/timings.jsonl"
			rm "$out/torch.err" "$out/torch.jsonl"
		fi
		;;
	record)
		# shellcheck disable=SC2086 # several arguments
		both '^TestRecord$' -out "$out/golden" ${RECORD_ARGS-} || failed+=("$stage")
		;;
	esac
done
if [[ ${#failed[@]} -gt 0 ]]; then
	say "failed: ${failed[*]}"
	exit 1
fi
say "passed: ${stages[*]}"
