package golden

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// nodeBinder is implemented by types whose members are not fixed by their Go fields.
type nodeBinder interface {
	bindNode(n *node, path string) error
}

// bind stores n in the value that v points to. Unlike encoding/json it refuses unknown members, missing members
// (unless tagged omitempty), null for anything but a pointer, and numbers that are not integers where integers are
// meant; every error is an *Error with the member's path and offset.
func bind(n *node, v reflect.Value, path string) error {
	if b, ok := v.Addr().Interface().(nodeBinder); ok {
		return b.bindNode(n, path)
	}
	if v.Kind() == reflect.Pointer {
		if n.kind == nullNode {
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		return bind(n, v.Elem(), path)
	}
	want, ok := map[reflect.Kind]nodeKind{
		reflect.String: stringNode, reflect.Bool: boolNode, reflect.Float64: numberNode, reflect.Int: numberNode,
		reflect.Int64: numberNode, reflect.Uint64: numberNode, reflect.Slice: arrayNode, reflect.Map: objectNode,
		reflect.Struct: objectNode,
	}[v.Kind()]
	if !ok {
		panic("golden: no JSON form for " + v.Type().String())
	}
	if n.kind != want {
		return mistyped(n, path, want)
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.text)
	case reflect.Bool:
		v.SetBool(n.boolean)
	case reflect.Float64:
		v.SetFloat(n.number)
	case reflect.Int, reflect.Int64:
		if n.number != math.Trunc(n.number) || math.Abs(n.number) > maxExact {
			return at(n, path, "expected an integer within ±2^53, found %s", formatNumber(n.number))
		}
		v.SetInt(int64(n.number))
	case reflect.Uint64:
		if n.number != math.Trunc(n.number) || n.number < 0 || n.number > maxExact {
			return at(n, path, "expected an integer from 0 to 2^53, found %s", formatNumber(n.number))
		}
		v.SetUint(uint64(n.number))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
		for i, item := range n.items {
			if err := bind(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for _, m := range n.members {
			elem := reflect.New(v.Type().Elem()).Elem()
			if err := bind(m.value, elem, childPath(path, m.key)); err != nil {
				return err
			}
			v.SetMapIndex(reflect.ValueOf(m.key), elem)
		}
	case reflect.Struct:
		return bindStruct(n, v, path)
	}
	return nil
}

func bindStruct(n *node, v reflect.Value, path string) error {
	known := make([]string, 0, v.NumField())
	for i := range v.NumField() {
		name, opts, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		known = append(known, name)
		child := n.get(name)
		if child == nil {
			if opts == "omitempty" {
				continue
			}
			return at(n, childPath(path, name), "missing")
		}
		if err := bind(child, v.Field(i), childPath(path, name)); err != nil {
			return err
		}
	}
	for _, m := range n.members {
		if !slices.Contains(known, m.key) {
			return &Error{Field: childPath(path, m.key), Offset: int64(m.offset),
				Err: fmt.Errorf("unknown key %q; known here: %s", m.key, strings.Join(known, ", "))}
		}
	}
	return nil
}

// maxExact is 2^53: every integer up to it is a float64.
const maxExact = 1 << 53

func childPath(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func at(n *node, path, format string, args ...any) *Error {
	return &Error{Field: path, Offset: int64(n.offset), Err: fmt.Errorf(format, args...)}
}

func mistyped(n *node, path string, want nodeKind) *Error {
	return at(n, path, "expected %s, found %s", want, n.kind)
}
