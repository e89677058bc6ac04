// Command gen writes the assembly of package kernel (amd64, AVX2 and AVX-512) with avo:
//
//	go run . -out ../avx_amd64.s -stubs ../avx_amd64.go -pkg kernel
//
// It is a module of its own, so that the program needs neither avo nor what avo needs. The kernels of one family and the
// other, and of float32 and float64, come from the same functions here, so that what is tested on one is the other.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// mr is the number of rows of a tile, vectors that of its vectors in a row: 6·2 accumulators, two vectors of the right
// factor and a broadcast value fit the 16 registers of AVX2, and 12 independent sums hide the latency of the
// multiply-add (4 or 5 cycles, two a cycle).
const mr, vectors = 6, 2

// family is what instructions work on.
type family struct {
	name string
	size int // bytes of a vector
	reg  func() reg.VecVirtual
}

// scalar is the element type.
type scalar struct {
	name string
	size int
	broadcast, fma, move,
	add, sub, mul, div func(...Op)
	sqrt func(...Op)
}

var families = []family{
	{"AVX2", 32, YMM},
	{"AVX512", 64, ZMM},
}

var scalars = []scalar{
	{"32", 4, VBROADCASTSS, VFMADD231PS, VMOVUPS, VADDPS, VSUBPS, VMULPS, VDIVPS, VSQRTPS},
	{"64", 8, VBROADCASTSD, VFMADD231PD, VMOVUPD, VADDPD, VSUBPD, VMULPD, VDIVPD, VSQRTPD},
}

func main() {
	ConstraintExpr("amd64")
	for _, s := range scalars {
		for _, f := range families {
			tile(f, s)
			packColumns(f, s)
		}
		packRows(s)
		for _, op := range []struct {
			name string
			do   func(...Op)
		}{{"add", s.add}, {"sub", s.sub}, {"mul", s.mul}, {"div", s.div}} {
			binary(s, op.name, op.do)
		}
		greater(s)
		choose(s)
		indicate(s)
		squareRoot(s)
		negate(s)
	}
	pause()
	Generate()
}

// tile is the product of 6 rows and two vectors of columns, see Tile.
func tile(f family, s scalar) {
	TEXT("tile"+f.name+"x"+s.name, NOSPLIT, "func(t *byte)")
	Doc("The product of the Tile that t points to.")
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	// The fields of Tile, by their offsets.
	field := func(offset int) Mem { return Mem{Base: t, Disp: offset} }
	var rows [mr]reg.GPVirtual
	for i := range rows {
		rows[i] = GP64()
		MOVQ(field(72+8*i), rows[i])
	}
	b := GP64()
	MOVQ(field(24), b)
	runs, n, step := GP64(), GP64(), GP64()
	MOVQ(field(120), runs)
	MOVQ(field(128), n)
	MOVQ(field(152), step)
	SHLQ(Imm(uint64(shift(s.size))), step)
	var acc [mr][vectors]reg.VecVirtual
	for i := range acc {
		for j := range acc[i] {
			acc[i][j] = f.reg()
			zero(f, acc[i][j])
		}
	}
	a, k := GP64(), GP64()
	Label("run")
	MOVQ(Mem{Base: runs}, k)
	MOVQ(field(0), a)
	LEAQ(Mem{Base: a, Index: k, Scale: uint8(s.size)}, a)
	MOVQ(field(144), k)
	Label("k")
	var r [vectors]reg.VecVirtual
	for j := range r {
		r[j] = f.reg()
		s.move(Mem{Base: b, Disp: j * f.size}, r[j])
	}
	for i := range rows {
		x := f.reg()
		s.broadcast(Mem{Base: a, Index: rows[i], Scale: uint8(s.size)}, x)
		for j := range r {
			s.fma(r[j], x, acc[i][j])
		}
	}
	ADDQ(step, a)
	ADDQ(Imm(uint64(vectors*f.size)), b)
	DECQ(k)
	JNE(LabelRef("k"))
	ADDQ(Imm(8), runs)
	DECQ(n)
	JNE(LabelRef("run"))

	c, ldc := GP64(), GP64()
	MOVQ(field(48), c)
	MOVQ(field(160), ldc)
	SHLQ(Imm(uint64(shift(s.size))), ldc)
	CMPB(field(168), Imm(0))
	JEQ(LabelRef("store"))
	for i := range acc {
		for j := range acc[i] {
			s.add(Mem{Base: c, Disp: j * f.size}, acc[i][j], acc[i][j])
			s.move(acc[i][j], Mem{Base: c, Disp: j * f.size})
		}
		if i < mr-1 {
			ADDQ(ldc, c)
		}
	}
	VZEROUPPER()
	RET()
	Label("store")
	for i := range acc {
		for j := range acc[i] {
			s.move(acc[i][j], Mem{Base: c, Disp: j * f.size})
		}
		if i < mr-1 {
			ADDQ(ldc, c)
		}
	}
	VZEROUPPER()
	RET()
}

// packColumns copies n groups of two vectors that are step elements apart to consecutive places.
func packColumns(f family, s scalar) {
	TEXT("packColumns"+f.name+"x"+s.name, NOSPLIT, "func(to, from *"+elem(s)+", n, step int)")
	Doc("Copies n groups of one tile's columns, step elements apart, to consecutive places.")
	Pragma("noescape")
	to, from := Load(Param("to"), GP64()), Load(Param("from"), GP64())
	n, step := Load(Param("n"), GP64()), Load(Param("step"), GP64())
	SHLQ(Imm(uint64(shift(s.size))), step)
	Label("k")
	for j := range vectors {
		x := f.reg()
		s.move(Mem{Base: from, Disp: j * f.size}, x)
		s.move(x, Mem{Base: to, Disp: j * f.size})
	}
	ADDQ(step, from)
	ADDQ(Imm(uint64(vectors*f.size)), to)
	DECQ(n)
	JNE(LabelRef("k"))
	VZEROUPPER()
	RET()
}

// packRows copies n groups of six values that are step elements apart to consecutive places.
func packRows(s scalar) {
	TEXT("packRowsx"+s.name, NOSPLIT, "func(to, from *"+elem(s)+", n, step int)")
	Doc("Copies n groups of six values, step elements apart, to consecutive places.")
	Pragma("noescape")
	to, from := Load(Param("to"), GP64()), Load(Param("from"), GP64())
	n, step := Load(Param("n"), GP64()), Load(Param("step"), GP64())
	SHLQ(Imm(uint64(shift(s.size))), step)
	four, two := XMM(), XMM()
	Label("k")
	if s.size == 4 {
		VMOVUPS(Mem{Base: from}, four)
		VMOVSD(Mem{Base: from, Disp: 16}, two)
		VMOVUPS(four, Mem{Base: to})
		VMOVSD(two, Mem{Base: to, Disp: 16})
	} else {
		wide := YMM()
		VMOVUPD(Mem{Base: from}, wide)
		VMOVUPD(Mem{Base: from, Disp: 32}, two)
		VMOVUPD(wide, Mem{Base: to})
		VMOVUPD(two, Mem{Base: to, Disp: 32})
	}
	ADDQ(step, from)
	ADDQ(Imm(uint64(mr*s.size)), to)
	DECQ(n)
	JNE(LabelRef("k"))
	VZEROUPPER()
	RET()
}

// The loops below go over whole vectors of AVX2; n is their number, from 1. Memory in the first level of cache bounds
// them, so that wider ones gain nothing.

const vector = 32

func loop(n reg.Register, pointers []reg.Register, body func()) {
	Label("next")
	body()
	for _, p := range pointers {
		ADDQ(Imm(vector), p)
	}
	DECQ(n)
	JNE(LabelRef("next"))
	VZEROUPPER()
	RET()
}

func binary(s scalar, name string, do func(...Op)) {
	TEXT(name+"x"+s.name, NOSPLIT, "func(y, a, b *"+elem(s)+", n int)")
	Doc("y = a " + name + " b.")
	Pragma("noescape")
	y, a, b, n := Load(Param("y"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64()), Load(Param("n"), GP64())
	loop(n, []reg.Register{y, a, b}, func() {
		x := YMM()
		s.move(Mem{Base: a}, x)
		do(Mem{Base: b}, x, x)
		s.move(x, Mem{Base: y})
	})
}

func greater(s scalar) {
	TEXT("greaterx"+s.name, NOSPLIT, "func(y, a, b *"+elem(s)+", n int)")
	Doc("The bits of y are all set where a > b, and none elsewhere.")
	Pragma("noescape")
	y, a, b, n := Load(Param("y"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64()), Load(Param("n"), GP64())
	const gt = 0x1e // ordered, quiet
	loop(n, []reg.Register{y, a, b}, func() {
		x := YMM()
		s.move(Mem{Base: a}, x)
		if s.size == 4 {
			VCMPPS(Imm(gt), Mem{Base: b}, x, x)
		} else {
			VCMPPD(Imm(gt), Mem{Base: b}, x, x)
		}
		s.move(x, Mem{Base: y})
	})
}

func choose(s scalar) {
	TEXT("choosex"+s.name, NOSPLIT, "func(y, c, a, b *"+elem(s)+", n int)")
	Doc("y = a where the bits of c are set, else b.")
	Pragma("noescape")
	y, c, a, b := Load(Param("y"), GP64()), Load(Param("c"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	n := Load(Param("n"), GP64())
	loop(n, []reg.Register{y, c, a, b}, func() {
		m, x := YMM(), YMM()
		s.move(Mem{Base: c}, m)
		s.move(Mem{Base: b}, x)
		if s.size == 4 {
			VBLENDVPS(m, Mem{Base: a}, x, x)
		} else {
			VBLENDVPD(m, Mem{Base: a}, x, x)
		}
		s.move(x, Mem{Base: y})
	})
}

func indicate(s scalar) {
	TEXT("indicatex"+s.name, NOSPLIT, "func(y, c, one *"+elem(s)+", n int)")
	Doc("y = one where the bits of c are set, else 0.")
	Pragma("noescape")
	y, c, n := Load(Param("y"), GP64()), Load(Param("c"), GP64()), Load(Param("n"), GP64())
	one := YMM()
	s.broadcast(Mem{Base: Load(Param("one"), GP64())}, one)
	loop(n, []reg.Register{y, c}, func() {
		x := YMM()
		if s.size == 4 {
			VANDPS(Mem{Base: c}, one, x)
		} else {
			VANDPD(Mem{Base: c}, one, x)
		}
		s.move(x, Mem{Base: y})
	})
}

func squareRoot(s scalar) {
	TEXT("sqrtx"+s.name, NOSPLIT, "func(y, a *"+elem(s)+", n int)")
	Doc("y = √a.")
	Pragma("noescape")
	y, a, n := Load(Param("y"), GP64()), Load(Param("a"), GP64()), Load(Param("n"), GP64())
	loop(n, []reg.Register{y, a}, func() {
		x := YMM()
		s.sqrt(Mem{Base: a}, x)
		s.move(x, Mem{Base: y})
	})
}

func negate(s scalar) {
	TEXT("negx"+s.name, NOSPLIT, "func(y, a *"+elem(s)+", n int)")
	Doc("y = −a.")
	Pragma("noescape")
	y, a, n := Load(Param("y"), GP64()), Load(Param("a"), GP64()), Load(Param("n"), GP64())
	sign := YMM()
	VPCMPEQD(sign, sign, sign)
	if s.size == 4 {
		VPSLLD(Imm(31), sign, sign)
	} else {
		VPSLLQ(Imm(63), sign, sign)
	}
	loop(n, []reg.Register{y, a}, func() {
		x := YMM()
		VPXOR(Mem{Base: a}, sign, x)
		s.move(x, Mem{Base: y})
	})
}

func pause() {
	TEXT("pause", NOSPLIT, "func()")
	Doc("Tells the processor that this is a loop that waits.")
	for range 8 {
		PAUSE()
	}
	RET()
}

func zero(f family, r reg.VecVirtual) {
	if f.size == 64 {
		VPXORQ(r, r, r)
		return
	}
	VPXOR(r, r, r)
}

func elem(s scalar) string { return "float" + s.name }

func shift(size int) int {
	switch size {
	case 4:
		return 2
	case 8:
		return 3
	}
	panic(fmt.Sprint("no shift for ", size))
}
