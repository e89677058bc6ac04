#!/usr/bin/env bash
# Builds what run.sh needs on a machine with a GPU: build.sh [--allow-dirty] OUT
#
# OUT gets engine.test (the tests of this package), stopgrad (the command), run.sh and torch_step.py. Both programs hold
# the XLA engine and a stamp of commit, dirtiness and source hashes, and need neither Go nor sources nor git; they link
# libc only. It takes cgo on linux/amd64. Exit code 2: bad arguments, a dirty tree, or a program over the size limit.
set -euo pipefail

fail() { echo "build.sh: $*" >&2; exit 2; }

# What a copy to another machine may weigh, both programs together.
limit=$((64 << 20))

dirty=no
if [[ ${1-} == --allow-dirty ]]; then dirty=yes; shift; fi
[[ $# -eq 1 && $1 != -* ]] || fail "usage: build.sh [--allow-dirty] OUT"
mkdir -p "$1"
out=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
go=${GO:-go}
export CGO_ENABLED=1

stamp=$("$go" run -tags xla . golden stamp) # what the linker is told of the sources
if [[ $stamp == *,dirty,* && $dirty == no ]]; then
	fail "the tree has uncommitted changes, so no commit could reproduce its results; commit them, or give --allow-dirty"
fi
flags=(-tags xla -trimpath -ldflags "-s -w $stamp")
"$go" test -c "${flags[@]}" -o "$out/engine.test" ./trainingcheck/parity
"$go" build "${flags[@]}" -o "$out/stopgrad" .
echo '*' >"$out/.gitignore" # a kit inside the project must not make the next one dirty
cp "$here/run.sh" "$here/torch_step.py" "$out/"

total=0
for f in engine.test stopgrad run.sh torch_step.py; do
	size=$(stat -c %s "$out/$f")
	total=$((total + size))
	printf '%10d bytes  %s\n' "$size" "$out/$f"
done
[[ $total -le $limit ]] || fail "$total bytes together, the limit is $limit"
needed=$(ldd "$out/engine.test" | grep -vE 'linux-vdso|libc\.so|ld-linux|libdl|libpthread|libresolv|libm\.so' || true)
[[ -z $needed ]] || fail "engine.test links more than libc: $needed"
echo "stamp: $stamp"
echo "copy the folder to the machine with the GPU and run there: ./run.sh RESULTS"
