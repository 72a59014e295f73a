package udf

import (
	"fmt"

	"github.com/wadi-project/wadi/internal/kql/dyn"
	"github.com/wadi-project/wadi/internal/schema"
)

// dynamicBags are the functions of property bags.
var dynamicBags = []Func{
	dynFunc("bag_keys", dynamicT, func(dst []byte, a []Value) ([]byte, bool) { return dyn.Keys(dst, element(&a[0])) }, dynamicT),
	variadic("bag_merge", 1, dyn.Merge),
	bagPack("bag_pack", false),
	bagPack("bag_pack_present", true),
	dynFunc("bag_zip", dynamicT, func(dst []byte, a []Value) ([]byte, bool) {
		return dyn.ZipBag(dst, element(&a[0]), element(&a[1]))
	}, dynamicT, dynamicT),
	failing("bag_remove_keys", dynamicT, bagRemoveKeys, dynamicT, dynamicT),
	failing("bag_set_key", dynamicT, func(dst []byte, a []Value) ([]byte, bool, error) {
		path, err := keyPath(a[1].S)
		if err != nil || a[0].Null {
			return dst, false, err
		}
		out, ok := dyn.SetKey(dst, a[0].S, path, element(&a[2]))
		return out, ok, nil
	}, dynamicT, stringT, dynamicT),
	{Name: "bag_has_key", Params: []schema.Type{dynamicT, stringT}, Min: 2, Result: boolT, New: func() Eval {
		return func(a []Value, out *Value) error {
			if a[0].Null || dyn.KindOf(a[0].S) != dyn.Bag {
				out.Null = true
				return nil
			}
			path, err := keyPath(a[1].S)
			if err == nil && dyn.HasKey(a[0].S, path) {
				out.I = 1
			}
			return err
		}
	}},
}

func keyPath(key []byte) (dyn.Path, error) {
	path, ok := dyn.KeyPath(string(key))
	if !ok {
		return nil, fmt.Errorf("cannot follow the path %q in a bag: only $, .name, ['name'] and [n] are supported", key)
	}
	return path, nil
}

// bagPack takes keys and values in turn. With present, nulls and "" are left out.
func bagPack(name string, present bool) Func {
	f := dynFunc(name, dynamicT, func(dst []byte, a []Value) ([]byte, bool) {
		g := dyn.BeginBag(dst)
		for i := 0; i+1 < len(a); i += 2 {
			if a[i].Null || present && (a[i+1].Null || string(a[i+1].S) == `""`) {
				continue
			}
			key := a[i].S
			if dyn.KindOf(key) != dyn.String {
				key = dyn.AppendString(nil, dyn.Text(nil, key))
			}
			g.Add(key, element(&a[i+1]))
		}
		return g.End(), true
	}, dynamicT)
	f.Variadic, f.Min = true, 0
	return f
}

func bagRemoveKeys(dst []byte, a []Value) ([]byte, bool, error) {
	if a[0].Null {
		return dst, false, nil
	}
	var paths []dyn.Path
	for it := dyn.Walk(element(&a[1])); it.Next(); {
		if dyn.KindOf(it.Value) != dyn.String {
			continue
		}
		path, err := keyPath(dyn.Unquote(nil, it.Value))
		if err != nil {
			return dst, false, err
		}
		paths = append(paths, path)
	}
	return dyn.RemoveKeys(dst, a[0].S, paths), true, nil
}
