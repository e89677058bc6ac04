package univariate

import (
	"math/big"
	"math/bits"
)

// modulus is the Mersenne prime 2⁶¹ − 1.
const modulus = 1<<61 - 1

// coprime reports whether p and q have no zero in common, as they have none modulo a prime: a common divisor over the rational
// numbers is one modulo every prime that does not divide the leading coefficient of p. Not to know it is reported as false.
func coprime(p, q Polynomial) bool {
	a, b := residues(p.primitive()), residues(q.primitive())
	if len(a) == 0 || len(a) != len(p) || len(b) == 0 {
		return false
	}
	if len(a) < len(b) {
		a, b = b, a
	}
	for len(b) > 1 {
		inverse := power(b[len(b)-1], modulus-2)
		for len(a) >= len(b) {
			c, at := times(a[len(a)-1], inverse), len(a)-len(b)
			for i, y := range b {
				a[at+i] = (a[at+i] + modulus - times(c, y)) % modulus
			}
			a = trimmed(a)
		}
		a, b = b, a
	}
	return len(b) == 1
}

// residues are the coefficients, whole numbers, modulo the prime; leading zeros are left out.
func residues(p Polynomial) []uint64 {
	out, m := make([]uint64, len(p)), big.NewInt(modulus)
	var r big.Int
	for i, c := range p {
		out[i] = r.Mod(c.Num(), m).Uint64()
	}
	return trimmed(out)
}

func trimmed(a []uint64) []uint64 {
	for len(a) > 0 && a[len(a)-1] == 0 {
		a = a[:len(a)-1]
	}
	return a
}

func times(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return bits.Rem64(hi, lo, modulus)
}

func power(a uint64, n uint64) uint64 {
	x := uint64(1)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			x = times(x, a)
		}
		a = times(a, a)
	}
	return x
}
