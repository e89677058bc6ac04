package flow

import (
	"bytes"
	"fmt"
	"strconv"

	"gonum.org/v1/gonum/mat"
)

// MarshalJSON writes the state as DecodeState reads it, in a fixed order of keys:
// the scalars that were given or differ from their default, and what is present.
// A mode key that was read as a number is written as one. Numbers have the fewest
// digits that read back to the same float64. A non-finite number is an error that
// names the key, the row and the column.
func (s *State) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for k := range numKeys {
		if !s.has(k) {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		name := keyNames[k]
		fmt.Fprintf(&b, "%q:", name)
		var err error
		switch m, v := s.matrix(k), s.modes(k); {
		case m != nil:
			err = appendMatrix(&b, name, *m)
		case v != nil && *v != nil:
			err = appendModes(&b, name, *v, s.number.has(k))
		default:
			f, _ := s.scalar(k)
			err = appendNumber(&b, name, *f)
		}
		if err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func appendNumber(b *bytes.Buffer, where string, x float64) error {
	if x-x != 0 {
		return fmt.Errorf("flow: %s: %v is not a finite number", where, x)
	}
	b.Write(strconv.AppendFloat(b.AvailableBuffer(), x, 'g', -1, 64))
	return nil
}

func appendModes(b *bytes.Buffer, name string, v []float64, number bool) error {
	if number && len(v) == 1 {
		return appendNumber(b, name, v[0])
	}
	b.WriteByte('[')
	for i, x := range v {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := appendNumber(b, fmt.Sprintf("%s column %d", name, i+1), x); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	return nil
}

func appendMatrix(b *bytes.Buffer, name string, m *mat.Dense) error {
	r, c := m.Dims()
	b.WriteByte('[')
	for i := range r {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('[')
		for j := range c {
			if j > 0 {
				b.WriteByte(',')
			}
			if err := appendNumber(b, fmt.Sprintf("%s row %d column %d", name, i+1, j+1), m.At(i, j)); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	}
	b.WriteByte(']')
	return nil
}
