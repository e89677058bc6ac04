package kernel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

// processor interprets the assembly of products and packing, so that families which this machine lacks are tested too: not
// their speed, nor the assembler's encoding, but what the instructions do. On a machine that has a family, the two must
// agree to the last bit.
type processor struct {
	general map[string]uint64
	vectors map[string]*[64]byte // by number: X, Y and Z registers are one
	memory  []byte
	frame   map[string]uint64 // arguments
	equal   bool              // the flag Z
}

// assembly reads the lines of one function.
func assembly(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile("avx_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "TEXT ·"+name+"(SB)")
	if !ok {
		t.Fatalf("there is no function %s", name)
	}
	body, _, _ := strings.Cut(after, "\nTEXT ")
	var lines []string
	for _, line := range strings.Split(body, "\n")[1:] {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			lines = append(lines, line)
		}
	}
	return lines
}

// run interprets lines up to RET; steps bounds loops.
func (p *processor) run(lines []string) error {
	labels := map[string]int{}
	for i, l := range lines {
		if name, ok := strings.CutSuffix(l, ":"); ok {
			labels[name] = i
		}
	}
	for at, steps := 0, 0; steps < 1e7; at, steps = at+1, steps+1 {
		if at >= len(lines) {
			return fmt.Errorf("the end without RET")
		}
		op, rest, _ := strings.Cut(lines[at], " ")
		var args []string
		for a := range strings.SplitSeq(rest, ", ") {
			args = append(args, strings.TrimSpace(a))
		}
		size := 4
		if strings.HasSuffix(op, "D") {
			size = 8
		}
		switch op {
		case "RET":
			return nil
		case "VZEROUPPER":
		case "MOVQ":
			p.put(args[1], p.value(args[0]))
		case "LEAQ":
			p.put(args[1], p.address(args[0]))
		case "ADDQ":
			p.put(args[1], p.value(args[1])+p.value(args[0]))
		case "SHLQ":
			p.put(args[1], p.value(args[1])<<p.value(args[0]))
		case "DECQ":
			p.put(args[0], p.value(args[0])-1)
			p.equal = p.value(args[0]) == 0
		case "CMPB":
			p.equal = uint64(p.memory[p.address(args[0])]) == p.value(args[1])
		case "JEQ", "JNE":
			if p.equal == (op == "JEQ") {
				to, ok := labels[args[0]]
				if !ok {
					return fmt.Errorf("no label %s", args[0])
				}
				at = to
			}
		case "VPXOR", "VPXORQ":
			x, y := p.load(args[0], width(args[2])), p.load(args[1], width(args[2]))
			for i := range x {
				x[i] ^= y[i]
			}
			p.save(args[2], x)
		case "VMOVUPS", "VMOVUPD":
			n := width(args[0])
			if n == 0 {
				n = width(args[1])
			}
			p.save(args[1], p.load(args[0], n))
		case "VMOVSD":
			p.save(args[1], p.load(args[0], 8))
		case "VBROADCASTSS", "VBROADCASTSD":
			x := p.load(args[0], size)
			for len(x) < width(args[1]) {
				x = append(x, x[:size]...)
			}
			p.save(args[1], x)
		case "VADDPS", "VADDPD", "VFMADD231PS", "VFMADD231PD":
			n := width(args[2])
			x, y, z := p.load(args[0], n), p.load(args[1], n), p.load(args[2], n)
			for i := 0; i < n; i += size {
				if size == 4 {
					a, b, c := get32(x[i:]), get32(y[i:]), get32(z[i:])
					if v := a + b; op == "VADDPS" {
						binary.LittleEndian.PutUint32(z[i:], math.Float32bits(v))
					} else {
						binary.LittleEndian.PutUint32(z[i:], math.Float32bits(fma32(a, b, c)))
					}
				} else {
					a, b, c := get64(x[i:]), get64(y[i:]), get64(z[i:])
					if v := a + b; op == "VADDPD" {
						binary.LittleEndian.PutUint64(z[i:], math.Float64bits(v))
					} else {
						binary.LittleEndian.PutUint64(z[i:], math.Float64bits(math.FMA(a, b, c)))
					}
				}
			}
			p.save(args[2], z)
		default:
			if !strings.HasSuffix(lines[at], ":") {
				return fmt.Errorf("instruction %q is not known here", lines[at])
			}
		}
	}
	return fmt.Errorf("no end")
}

func get32(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }
func get64(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }

// fma32 is a·b + c with one rounding to float32. The product is exact in float64; the sum is rounded to odd there, after
// which rounding to float32 is right (Boldo and Melquiond 2008).
func fma32(a, b, c float32) float32 {
	x, y := float64(a)*float64(b), float64(c)
	s := x + y
	t := s - x
	rest := (x - (s - t)) + (y - t)                                                 // the error of the sum, exactly (Knuth)
	if bits := math.Float64bits(s); rest != 0 && !math.IsNaN(rest) && bits&1 == 0 { // it is NaN beside infinities
		if (rest > 0) == (s > 0) {
			bits++
		} else {
			bits--
		}
		s = math.Float64frombits(bits)
	}
	return float32(s)
}

// width is the number of bytes of a vector register, 0 for what is none.
func width(arg string) int { return map[byte]int{'X': 16, 'Y': 32, 'Z': 64}[arg[0]] }

func (p *processor) vector(arg string) *[64]byte {
	if p.vectors[arg[1:]] == nil {
		p.vectors[arg[1:]] = new([64]byte)
	}
	return p.vectors[arg[1:]]
}

func (p *processor) load(arg string, n int) []byte {
	if width(arg) > 0 {
		return append([]byte(nil), p.vector(arg)[:n]...)
	}
	return append([]byte(nil), p.memory[p.address(arg):][:n]...)
}

// save writes a vector; what is above it in a register becomes zero.
func (p *processor) save(arg string, x []byte) {
	if n := width(arg); n > 0 {
		v := p.vector(arg)
		clear(v[:])
		copy(v[:n], x)
		return
	}
	if w := len(x); w > 0 {
		copy(p.memory[p.address(arg):][:w], x)
	}
}

// address is that of disp(base)(index*scale).
func (p *processor) address(arg string) uint64 {
	disp, rest, _ := strings.Cut(arg, "(")
	var a uint64
	if disp != "" {
		d, err := strconv.ParseInt(disp, 0, 64)
		if err != nil {
			panic(err)
		}
		a = uint64(d)
	}
	base, index, _ := strings.Cut(strings.TrimSuffix(rest, ")"), ")(")
	a += p.general[base]
	if index != "" {
		r, scale, _ := strings.Cut(index, "*")
		n, err := strconv.Atoi(scale)
		if err != nil {
			panic(err)
		}
		a += p.general[r] * uint64(n)
	}
	return a
}

func (p *processor) value(arg string) uint64 {
	switch {
	case arg[0] == '$':
		v, err := strconv.ParseUint(arg[1:], 0, 64)
		if err != nil {
			panic(err)
		}
		return v
	case strings.HasSuffix(arg, "(FP)"):
		name, _, _ := strings.Cut(arg, "+")
		return p.frame[name]
	case strings.Contains(arg, "("):
		return binary.LittleEndian.Uint64(p.memory[p.address(arg):])
	}
	return p.general[arg]
}

func (p *processor) put(register string, v uint64) { p.general[register] = v }

func newProcessor() *processor {
	return &processor{general: map[string]uint64{}, vectors: map[string]*[64]byte{}, memory: make([]byte, 64), frame: map[string]uint64{}}
}

// place puts values into memory and returns where.
func place[T any](p *processor, x []T) uint64 {
	at := uint64(len(p.memory))
	b, err := binary.Append(nil, binary.LittleEndian, x)
	if err != nil {
		panic(err)
	}
	p.memory = append(p.memory, b...)
	p.memory = append(p.memory, make([]byte, 64)...) // so that nothing is next to anything by chance
	return at
}

func words(x ...int) []int64 {
	w := make([]int64, len(x))
	for i, v := range x {
		w[i] = int64(v)
	}
	return w
}

// interpreted is the assembly's Tile.
func interpreted[T Real](lines []string, x *Tile[T]) error {
	p := newProcessor()
	a, b, c, runs := place(p, x.A), place(p, x.B), place(p, x.C), place(p, words(x.Runs...))
	fields := words(int(a), len(x.A), 0, int(b), len(x.B), 0, int(c), len(x.C), 0)
	fields = append(fields, words(x.Rows[:]...)...)
	fields = append(fields, words(int(runs), len(x.Runs), 0, x.Length, x.Step, x.Stride, 0)...)
	if x.Add {
		fields[len(fields)-1] = 1
	}
	p.frame["t"] = place(p, fields)
	if err := p.run(lines); err != nil {
		return err
	}
	_, err := binary.Decode(p.memory[c:], binary.LittleEndian, x.C)
	return err
}

// simulated is a set whose products and packing are the assembly's, interpreted.
func simulated[T Real](t *testing.T, family string) *Set[T] {
	s := generic[T]()
	bits, bytes := "64", 32
	if unsafe.Sizeof(T(0)) == 4 {
		bits = "32"
	}
	if family == "AVX512" {
		bytes = 64
	}
	s.Columns = 2 * bytes / int(unsafe.Sizeof(T(0)))
	lines := assembly(t, "tile"+family+"x"+bits)
	s.Tile = func(x *Tile[T]) {
		if err := interpreted(lines, x); err != nil {
			t.Fatal(err)
		}
	}
	packing := func(name string) func(to, from []T, n, step int) {
		lines := assembly(t, name)
		return func(to, from []T, n, step int) {
			if n == 0 {
				return
			}
			p := newProcessor()
			p.frame = map[string]uint64{"from": place(p, from), "n": uint64(n), "step": uint64(step)}
			p.frame["to"] = place(p, to)
			if err := p.run(lines); err != nil {
				t.Fatal(err)
			}
			if _, err := binary.Decode(p.memory[p.frame["to"]:], binary.LittleEndian, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.PackColumns, s.PackRows = packing("packColumns"+family+"x"+bits), packing("packRowsx"+bits)
	return &s
}

// TestAssemblyMatchesTheDefinition interprets every family's products, whether or not the processor has it.
func TestAssemblyMatchesTheDefinition(t *testing.T) {
	for _, family := range []string{"AVX2", "AVX512"} {
		for name, err := range map[string]error{
			"float32 packing": checkVectors(simulated[float32](t, family)), "float64 packing": checkVectors(simulated[float64](t, family)),
			"float32 tiles": checkTiles(simulated[float32](t, family)), "float64 tiles": checkTiles(simulated[float64](t, family)),
		} {
			if err != nil {
				t.Errorf("%s, %s: %v", family, name, err)
			}
		}
	}
}

// TestInterpretationMatchesTheProcessor compares bits on the families that are here.
func TestInterpretationMatchesTheProcessor(t *testing.T) {
	for _, f := range Available()[1:] {
		family := strings.ToUpper(f.String())
		if err := interpretationIs[float32](t, family, f); err != nil {
			t.Errorf("%s, float32: %v", f, err)
		}
		if err := interpretationIs[float64](t, family, f); err != nil {
			t.Errorf("%s, float64: %v", f, err)
		}
	}
}

func interpretationIs[T Real](t *testing.T, family string, f Family) error {
	r := rand.New(rand.NewPCG(3, 3))
	s, real := simulated[T](t, family), Of[T](f)
	if s.Columns != real.Columns {
		return fmt.Errorf("tiles of %d columns and of %d", s.Columns, real.Columns)
	}
	for range 100 {
		x := drawTile[T](r, s.Columns, nil)
		y := *x
		y.C = append([]T(nil), x.C...)
		s.Tile(x)
		real.Tile(&y)
		if err := equal(x.C, y.C); err != nil {
			return err
		}
	}
	return nil
}

// TestAssemblyIsWhatTheGeneratorWrites needs avo, from the module cache or the module proxy.
func TestAssemblyIsWhatTheGeneratorWrites(t *testing.T) {
	dir := t.TempDir()
	// What names the modules is the project's own: that it cannot be read is no lack of a network.
	read := exec.Command("go", "mod", "edit", "-json")
	read.Dir = "gen"
	if out, err := read.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	fetch := exec.Command("go", "mod", "download")
	fetch.Dir = "gen"
	if out, err := fetch.CombinedOutput(); err != nil {
		if strings.Contains(string(out), "go.sum") || strings.Contains(string(out), "checksum mismatch") {
			t.Fatalf("the generator's modules are others than those named: %s", out)
		}
		t.Skipf("the generator's modules are not here: %v: %s", err, strings.TrimSpace(string(out)))
	}
	generate := exec.Command("go", "run", ".", "-out", filepath.Join(dir, "avx_amd64.s"), "-stubs", filepath.Join(dir, "avx_amd64.go"), "-pkg", "kernel")
	generate.Dir = "gen"
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"avx_amd64.s", "avx_amd64.go"} {
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		// The first line holds the command, with its paths.
		_, got, _ = bytes.Cut(got, []byte("\n"))
		_, want, _ = bytes.Cut(want, []byte("\n"))
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what gen writes: run go generate", name)
		}
	}
}
