package data

import "math/rand/v2"

// Stream separates the random choices of one seed by what they decide.
type Stream uint64

// The streams of a seed. The numbers are part of every recorded result: a
// stream may be added, never renumbered.
const (
	StreamOrder      Stream = 1 // order of the examples in an epoch
	StreamTrainView  Stream = 2 // augmentations of the training batches
	StreamEvalView   Stream = 3 // augmentations of the evaluation views
	StreamGaussian   Stream = 4 // examples and views of the Gaussian data
	StreamSplit      Stream = 5 // the fixed split of the digits
	StreamLabelDraw  Stream = 6 // which images keep their label in a few-label probe
	StreamInitialise Stream = 7 // initial weights
)

// Key names one independent random sequence.
//
// Two keys that differ in any field give unrelated sequences, and a key gives
// the same sequence always: nothing is carried from one step to the next.
type Key struct {
	Seed   uint64
	Stream Stream
	Step   uint64
	Sample uint64
	View   uint64
}

// mix64 is the finaliser of the SplitMix64 generator (Steele, Lea and Flood,
// OOPSLA 2014, figure 15, with the constants of Stafford's variant 13): a
// bijection of 64 bits in which every input bit reaches every output bit.
func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// goldenGamma is the odd integer nearest 2⁶⁴/φ, SplitMix64's increment.
const goldenGamma = 0x9e3779b97f4a7c15

// Start sets p to the start of the key's sequence.
//
// The five fields are absorbed one after another, each through mix64, into two
// lanes that start apart; the lanes are PCG's 128-bit state.
func (k Key) Start(p *rand.PCG) {
	lo, hi := uint64(0), ^uint64(0)
	for _, field := range [...]uint64{k.Seed, uint64(k.Stream), k.Step, k.Sample, k.View} {
		lo = mix64(lo + goldenGamma + field)
		hi = mix64(hi ^ mix64(field+goldenGamma))
	}
	p.Seed(hi, lo)
}

// Rand returns a generator at the start of the key's sequence.
func (k Key) Rand() *rand.Rand {
	p := new(rand.PCG)
	k.Start(p)
	return rand.New(p)
}
