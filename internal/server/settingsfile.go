package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// SettingsName is the file of settings in the data folder, read unless --config
// names another.
const SettingsName = "wadi.yaml"

// SettingError is a mistake in the settings. It implements cli.Coder.
type SettingError struct {
	// Where is a file with its line, a flag or a variable.
	Where  string
	Reason string
	Advice string
}

// Error gives one line.
func (e *SettingError) Error() string { return "cannot use " + e.Where + ": " + e.Reason }

// ExitCode is that of wrong usage.
func (e *SettingError) ExitCode() int { return codeUsage }

// Hint gives one line of advice.
func (e *SettingError) Hint() string { return e.Advice }

// Exit codes of package cli.
const (
	codeUsage       = 2
	codeNothingDone = 3
)

// Sources are where settings come from, the strongest first.
type Sources struct {
	// Flags are those that were given, by setting's key.
	Flags map[string]string
	// Getenv gives variables.
	Getenv func(string) string
	// File is --config; empty is wadi.yaml in DataDir, which may be missing.
	File, DataDir string
}

// value is a setting's text and where it stands.
type value struct{ text, where string }

// ReadSettings reads the settings from all sources.
func ReadSettings(from Sources) (*Settings, error) {
	file, name, err := from.read()
	if err != nil {
		return nil, err
	}
	values, err := parseSettings(name, file)
	if err != nil {
		return nil, err
	}
	s := &Settings{}
	all := AllSettings()
	for i := range all {
		one := &all[i]
		v, ok := values[one.Key]
		if text := from.env(one.Env()); text != "" {
			v, ok = value{text, one.Env()}, true
		}
		if text, given := from.Flags[one.Key]; given {
			v, ok = value{text, "--" + one.Flag()}, true
		}
		if !ok {
			v = value{one.Default, "the default of " + one.Key}
		}
		if err := one.apply(s, v.text); err != nil {
			return nil, &SettingError{Where: fmt.Sprintf("%s: %s %q", v.where, one.Key, clip(v.text)), Reason: err.Error()}
		}
	}
	if (s.Cert == "") != (s.Key == "") {
		return nil, &SettingError{Where: "tls.cert and tls.key", Reason: "one is set and the other isn't", Advice: "set both, or none for the certificate that the server makes itself"}
	}
	return s, nil
}

func (from *Sources) env(name string) string {
	if from.Getenv == nil {
		return ""
	}
	return from.Getenv(name)
}

// read gives the file's text; a missing default file is an empty one.
func (from *Sources) read() (text []byte, name string, err error) {
	name = from.File
	if name == "" {
		name = filepath.Join(from.DataDir, SettingsName)
	}
	f, err := os.Open(name)
	if from.File == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, name, nil
	}
	if err != nil {
		return nil, name, &SettingError{Where: "the settings", Reason: err.Error()}
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	if err == nil && (st.Size() > maxSettingsFile || !st.Mode().IsRegular()) {
		err = fmt.Errorf("it is no file of up to %d bytes", maxSettingsFile)
	}
	if err == nil {
		text = make([]byte, st.Size())
		_, err = f.ReadAt(text, 0)
	}
	if err != nil {
		return nil, name, &SettingError{Where: name, Reason: err.Error()}
	}
	return text, name, nil
}

// parseSettings reads wadi.yaml: by its nodes, because a mistake is told with its
// line and a key may not stand twice.
func parseSettings(name string, text []byte) (map[string]value, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, &SettingError{Where: name, Reason: strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	p := &settingsParser{name: name, values: map[string]value{}, known: map[string]*Setting{}}
	all := AllSettings()
	for i := range all {
		p.known[all[i].Key] = &all[i]
	}
	if len(doc.Content) == 0 {
		return p.values, nil
	}
	return p.values, p.object("", doc.Content[0])
}

type settingsParser struct {
	name   string
	known  map[string]*Setting
	values map[string]value
}

func (p *settingsParser) wrong(n *yaml.Node, advice, format string, args ...any) error {
	return &SettingError{Where: p.name + ":" + strconv.Itoa(n.Line), Reason: fmt.Sprintf(format, args...), Advice: advice}
}

func (p *settingsParser) object(prefix string, n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil // a map whose keys are all commented out
	}
	if n.Kind != yaml.MappingNode {
		return p.wrong(n, "", "%s must be a map of keys", strings.TrimSuffix("the file "+prefix, "."))
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key := prefix + k.Value
		if line, twice := seen[key]; twice {
			return p.wrong(k, "", "the key %s stands in line %d too", clip(key), line)
		}
		seen[key] = k.Line
		s := p.known[key]
		var err error
		switch {
		case k.Kind != yaml.ScalarNode:
			err = p.wrong(k, "", "a key must be a name")
		case s != nil:
			err = p.scalar(s, v)
		case p.isGroup(key):
			err = p.object(key+".", v)
		default:
			err = p.wrong(k, p.meant(key), "there is no key %q", clip(key))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isGroup tells whether keys begin with it.
func (p *settingsParser) isGroup(key string) bool {
	for name := range p.known {
		if strings.HasPrefix(name, key+".") {
			return true
		}
	}
	return false
}

// meant gives the known key that ends alike, as a hint.
func (p *settingsParser) meant(key string) string {
	last := key[strings.LastIndexByte(key, '.')+1:]
	all := AllSettings()
	for i := range all {
		if name := all[i].Key; name[strings.LastIndexByte(name, '.')+1:] == last || strings.HasPrefix(name, key) || near(name, key) {
			return "did you mean " + name + "?"
		}
	}
	return "docs/guide/serve.md lists the keys"
}

// near tells whether two keys differ by one character, left out, put in or wrong.
func near(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a)-len(b) > 1 {
		return false
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return i < len(a) && (a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:])
	}
	return a[i+1:] == b[i:]
}

func (p *settingsParser) scalar(s *Setting, v *yaml.Node) error {
	where := p.name + ":" + strconv.Itoa(v.Line)
	if v.Kind == yaml.SequenceNode && s.Kind == List {
		var texts []string
		for _, item := range v.Content {
			if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
				return p.wrong(item, "", "%s must be a list of texts", s.Key)
			}
			texts = append(texts, item.Value)
		}
		p.values[s.Key] = value{strings.Join(texts, ","), where}
		return nil
	}
	if v.Kind != yaml.ScalarNode || v.Tag == "!!null" {
		return p.wrong(v, "", "%s needs one value of the kind %s", s.Key, s.Kind)
	}
	p.values[s.Key] = value{v.Value, where}
	return nil
}
