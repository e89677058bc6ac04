package method

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"stopgrad/trainingcheck/engine"
)

// A checkpoint file is, in this order: the magic line, which ends with the
// version of the format; the lengths of header and payload as little-endian
// uint64; the header in JSON; the payload, the tensors of Config.Layout one
// after the other as little-endian float64 (float32 unless the precision is
// Float64); and the SHA-256 of everything before it.
const (
	checkpointMagic   = "stopgrad training checkpoint, version "
	checkpointVersion = "1"
)

// checkpointHeader describes the payload.
type checkpointHeader struct {
	Config  Config           `json:"config"`
	Hash    string           `json:"config_sha256"`
	Seed    uint64           `json:"seed"`
	Step    int              `json:"step"`
	Engine  string           `json:"engine"`
	Tensors []tensorInHeader `json:"tensors"`
}

type tensorInHeader struct {
	Name string `json:"name"`
	Dims []int  `json:"dims"`
}

// CheckpointError reports a file that is no usable checkpoint.
type CheckpointError struct {
	File    string
	Problem string
}

func (e *CheckpointError) Error() string { return "method: checkpoint " + e.File + ": " + e.Problem }

// Save writes the whole state to a file, so that Load continues bit for bit on
// the same engine and machine. The file appears complete or not at all: it is
// written beside its place and renamed.
func (t *Trainer) Save(file string) error {
	h := checkpointHeader{Config: t.config, Hash: t.config.Hash(), Seed: t.seed, Step: t.done, Engine: t.engine.Spec}
	var payload bytes.Buffer
	for _, s := range t.layout {
		h.Tensors = append(h.Tensors, tensorInHeader{s.Name, s.Dims})
		v, _, err := t.Values(s.Name)
		if err != nil {
			return err
		}
		for _, x := range v {
			var word [8]byte
			if t.config.Precision == Float64 {
				payload.Write(binary.LittleEndian.AppendUint64(word[:0], math.Float64bits(x)))
			} else {
				payload.Write(binary.LittleEndian.AppendUint32(word[:0], math.Float32bits(float32(x))))
			}
		}
	}
	header, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("method: checkpoint %s: %w", file, err)
	}
	out := []byte(checkpointMagic + checkpointVersion + "\n")
	out = binary.LittleEndian.AppendUint64(out, uint64(len(header)))
	out = binary.LittleEndian.AppendUint64(out, uint64(payload.Len()))
	out = append(append(out, header...), payload.Bytes()...)
	sum := sha256.Sum256(out)
	return writeFile(file, append(out, sum[:]...))
}

// writeFile replaces a file in one step.
func writeFile(file string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("method: writing %s: %w", file, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("method: writing %s: %w", file, err)
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// readCheckpoint checks a file from the outside in and returns its contents.
func readCheckpoint(file string) (h checkpointHeader, values [][]float64, err error) {
	bad := func(format string, args ...any) (checkpointHeader, [][]float64, error) {
		return checkpointHeader{}, nil, &CheckpointError{file, fmt.Sprintf(format, args...)}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return h, nil, fmt.Errorf("method: checkpoint: %w", err)
	}
	magic, rest, found := bytes.Cut(data, []byte("\n"))
	version, isOurs := bytes.CutPrefix(magic, []byte(checkpointMagic))
	switch {
	case len(data) == 0:
		return bad("the file is empty")
	case !isOurs || !found:
		return bad("not a checkpoint: it does not begin with %q", checkpointMagic)
	case string(version) != checkpointVersion:
		return bad("format version %q, this program reads %q", version, checkpointVersion)
	case len(rest) < 16:
		return bad("truncated in its first line")
	}
	headerLen, payloadLen := binary.LittleEndian.Uint64(rest), binary.LittleEndian.Uint64(rest[8:])
	size := uint64(len(data))
	if headerLen > size || payloadLen > size {
		return bad("truncated or changed: %d bytes cannot hold the %d and %d it announces", size, headerLen, payloadLen)
	}
	switch want := uint64(len(magic)+1+16) + headerLen + payloadLen + sha256.Size; {
	case size < want:
		return bad("truncated: %d bytes, want %d", size, want)
	case size > want:
		return bad("%d bytes after its end", size-want)
	}
	body, sum := data[:size-sha256.Size], data[size-sha256.Size:]
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) {
		return bad("changed: its SHA-256 is not the one recorded at its end")
	}
	d := json.NewDecoder(bytes.NewReader(rest[16 : 16+headerLen]))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return bad("header: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return bad("header: text after its end")
	}
	if err := h.Config.Validate(); err != nil {
		return bad("header: %v", err)
	}
	if got := h.Config.Hash(); got != h.Hash {
		return bad("its configuration hashes to %.12s… and not to the recorded %.12s…", got, h.Hash)
	}
	if h.Step < 0 || h.Step > h.Config.Steps {
		return bad("header: step %d of a run of %d", h.Step, h.Config.Steps)
	}
	width := 4
	if h.Config.Precision == Float64 {
		width = 8
	}
	payload := rest[16+headerLen : 16+headerLen+payloadLen]
	layout := h.Config.Layout()
	total := 0
	for i, s := range layout {
		if i >= len(h.Tensors) || h.Tensors[i].Name != s.Name || !slices.Equal(h.Tensors[i].Dims, s.Dims) {
			return bad("tensor %d is not the %s %v that its configuration has there", i, s.Name, s.Dims)
		}
		total += s.Size() * width
	}
	if len(h.Tensors) != len(layout) || total != len(payload) {
		return bad("%d tensors in %d bytes, its configuration has %d in %d", len(h.Tensors), len(payload), len(layout), total)
	}
	for _, s := range layout {
		v := make([]float64, s.Size())
		for i := range v {
			if width == 8 {
				v[i] = math.Float64frombits(binary.LittleEndian.Uint64(payload))
			} else {
				v[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(payload)))
			}
			payload = payload[width:]
		}
		values = append(values, v)
	}
	return h, values, nil
}

// Load continues the run saved in a file, with the configuration and seed in it.
// A missing, truncated, changed or foreign file is one error that names it.
func Load(e *engine.Engine, file string) (*Trainer, error) {
	h, values, err := readCheckpoint(file)
	if err != nil {
		return nil, err
	}
	return loaded(e, h, values)
}

func loaded(e *engine.Engine, h checkpointHeader, values [][]float64) (*Trainer, error) {
	t, err := restore(e, h.Config, h.Seed, h.Step, values)
	if err != nil {
		return nil, err
	}
	t.loaded = true
	return t, nil
}

// Resume is Load for a run whose configuration and seed the caller knows: a
// checkpoint of another run is a *CheckpointError that names the difference.
func Resume(e *engine.Engine, file string, c Config, seed uint64) (*Trainer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	h, values, err := readCheckpoint(file)
	if err != nil {
		return nil, err
	}
	if h.Hash != c.Hash() {
		return nil, &CheckpointError{file, "it belongs to another configuration: " + difference(h.Config, c)}
	}
	if h.Seed != seed {
		return nil, &CheckpointError{file, fmt.Sprintf("it belongs to seed %d, not %d", h.Seed, seed)}
	}
	return loaded(e, h, values)
}

// difference names the first field in which two configurations differ.
func difference(theirs, ours Config) string {
	var a, b map[string]any
	if json.Unmarshal(theirs.Canonical(), &a) != nil || json.Unmarshal(ours.Canonical(), &b) != nil {
		panic("method: a canonical configuration is not JSON")
	}
	if d := mapDifference("", a, b); d != "" {
		return d
	}
	return "the hashes differ"
}

func mapDifference(path string, a, b map[string]any) string {
	keys := make([]string, 0, len(a)+len(b))
	for k := range a {
		keys = append(keys, k)
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	show := func(v any, ok bool) string {
		if !ok {
			return "absent"
		}
		text, err := json.Marshal(v)
		if err != nil {
			panic("method: " + err.Error())
		}
		return string(text)
	}
	for _, k := range keys {
		x, inA := a[k]
		y, inB := b[k]
		mx, isMap := x.(map[string]any)
		my, isMapToo := y.(map[string]any)
		if isMap && isMapToo {
			if d := mapDifference(path+k+".", mx, my); d != "" {
				return d
			}
			continue
		}
		if sx, sy := show(x, inA), show(y, inB); sx != sy {
			return fmt.Sprintf("field %s%s is %s there and %s here", path, k, sx, sy)
		}
	}
	return ""
}
