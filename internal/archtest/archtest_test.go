package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// listed is what `go list -json` tells of a package.
type listed struct {
	ImportPath   string
	Standard     bool
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// packages gives Wadi's own packages by folder and the standard library's
// import paths.
func packages(t *testing.T) (own map[string]listed, standard map[string]bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,Imports", "./...")
	cmd.Dir = root(t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	own, standard = map[string]listed{}, map[string]bool{"C": true, "unsafe": true}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Standard {
			standard[p.ImportPath] = true
		}
		if folder, ok := strings.CutPrefix(p.ImportPath, module); ok {
			own[folder] = p
		}
	}
	if len(own) < 5 {
		t.Fatalf("go list found only %d packages of Wadi", len(own))
	}
	return own, standard
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// within tells whether folder is prefix or lies below it.
func within(folder, prefix string) bool {
	return folder == prefix || strings.HasPrefix(folder, prefix+"/")
}

func floorOf(folder string) (f floor, ok bool) {
	longest := -1
	for prefix, level := range floors {
		if within(folder, prefix) && len(prefix) > longest {
			f, ok, longest = level, true, len(prefix)
		}
	}
	return f, ok
}

func TestImportsGoDown(t *testing.T) {
	own, _ := packages(t)
	checkImports(own, t.Errorf)
	for folder, targets := range edges {
		for _, target := range targets {
			if !slices.Contains(own[folder].Imports, module+target) {
				t.Errorf("edge %s → %s is in rules.go but not in the code: remove it", folder, target)
			}
		}
	}
}

// report takes a broken rule; it is testing.T's Errorf but in this package's own
// tests.
type report func(format string, args ...any)

func checkImports(own map[string]listed, broken report) {
	for folder, p := range own {
		from, ok := floorOf(folder)
		if !ok {
			broken("%s has no floor: name it in rules.go, so that its place in the design is a decision", folder)
			continue
		}
		for _, path := range p.Imports {
			target, ok := strings.CutPrefix(path, module)
			if !ok {
				continue
			}
			to, _ := floorOf(target)
			switch {
			case to == forTests && from != forTests:
				broken("%s imports %s: only tests may use test packages", folder, target)
			case to > from && from != forTests:
				broken("%s imports %s, which is a floor above: imports go down only, so that a lower part can be read and tested alone", folder, target)
			case to == from && to != forTests && !slices.Contains(edges[folder], target):
				broken("%s imports %s on its own floor: write the edge down in rules.go or cut it; unknown neighbours keep parts replaceable", folder, target)
			}
		}
	}
}

func TestLibrariesStayHome(t *testing.T) {
	own, standard := packages(t)
	checkHomes(own, standard, t.Errorf)
}

func checkHomes(own map[string]listed, standard map[string]bool, broken report) {
	for folder, p := range own {
		level, _ := floorOf(folder)
		for _, path := range p.Imports {
			if level == vocabulary && !standard[path] && !strings.HasPrefix(path, module) {
				broken("%s imports %s: the vocabulary uses the standard library only, because everything imports it", folder, path)
			}
			if reason, bad := impure[path]; bad && (level == vocabulary || level == pure) {
				broken("%s imports %s: %s", folder, path, reason)
			}
			for _, h := range homes {
				if !strings.HasPrefix(path, h.prefix) || level == forTests {
					continue
				}
				if !slices.ContainsFunc(h.folders, func(f string) bool { return within(folder, f) }) {
					broken("%s imports %s, at home in %v: %s", folder, path, h.folders, h.reason)
				}
			}
		}
	}
}

// source is one parsed Go file of the product.
type source struct {
	path   string // relative to the root
	folder string
	test   bool
	text   []byte
	file   *ast.File
	fset   *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	top := root(t)
	var out []source
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != top && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || name == "tools" || name == "wadi-demo" || name == "wadi-data") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(top, path)
		if err != nil {
			return err
		}
		s, err := parse(filepath.ToSlash(rel), text)
		out = append(out, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func parse(path string, text []byte) (source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, text, parser.ParseComments)
	return source{path, path[:max(strings.LastIndexByte(path, '/'), 0)], strings.HasSuffix(path, "_test.go"), text, file, fset}, err
}

func (s *source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(n.Pos()).Line)
}

func functionName(folder string, f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return folder + "." + f.Name.Name
	}
	typ := f.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if generic, ok := typ.(*ast.IndexExpr); ok {
		typ = generic.X
	}
	if ident, ok := typ.(*ast.Ident); ok {
		return folder + "." + ident.Name + "." + f.Name.Name
	}
	return folder + "." + f.Name.Name
}

func TestSizes(t *testing.T) { checkSizes(sources(t), t.Errorf) }

func checkSizes(all []source, broken report) {
	usedFunctions, usedFiles, packageLines := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, s := range all {
		if s.test || ast.IsGenerated(s.file) {
			continue
		}
		lines := bytes.Count(s.text, []byte("\n"))
		packageLines[s.folder] += lines
		if lines > maxFileLines {
			if longFiles[s.path] == "" {
				broken("%s has %d lines, more than %d: split it by what its parts do", s.path, lines, maxFileLines)
			}
			usedFiles[s.path] = true
		}
		if s.file.Name.Name == "main" && lines > maxMainLines {
			broken("%s has %d lines, more than %d: a main turns flags into a Config and calls Run", s.path, lines, maxMainLines)
		}
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			length := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			if length <= maxFunctionLines {
				continue
			}
			name := functionName(s.folder, f)
			if longFunctions[name] == "" {
				broken("%s: %s has %d lines, more than %d", s.at(f), name, length, maxFunctionLines)
			}
			usedFunctions[name] = true
		}
	}
	for folder, lines := range packageLines {
		if lines > maxPackageLines && longPackages[folder] == "" {
			broken("%s has %d lines, more than %d: it is two packages", folder, lines, maxPackageLines)
		}
	}
	for name := range longFunctions {
		if !usedFunctions[name] {
			broken("exception for %s is no longer needed: remove it", name)
		}
	}
	for name := range longFiles {
		if !usedFiles[name] {
			broken("exception for %s is no longer needed: remove it", name)
		}
	}
	for folder := range longPackages {
		if packageLines[folder] <= maxPackageLines {
			broken("exception for %s is no longer needed: remove it", folder)
		}
	}
}

func TestWordsAndConstructs(t *testing.T) { checkWords(sources(t), t.Errorf) }

func checkWords(all []source, broken report) {
	undone := []string{"TO" + "DO", "FIX" + "ME", "X" + "XX", "not " + "implemented", "un" + "implemented"}
	for _, s := range all {
		for part := range strings.SplitSeq(s.folder, "/") {
			if slices.Contains(bannedFolders, part) {
				broken("%s lies in a folder named %s: the name must say what is inside", s.path, part)
			}
		}
		for _, word := range undone {
			if bytes.Contains(s.text, []byte(word)) {
				broken("%s contains %q: finish it, or refuse it with a clear message and open an issue", s.path, word)
			}
		}
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				broken("%s: init hides work from the reader; call it", s.at(f))
			}
		}
		level, _ := floorOf(s.folder)
		checkCalls(&s, !s.test && (level == vocabulary || level == pure), broken)
	}
}

// checkCalls looks at what a file does: skips without a reason, sleeping tests,
// and, in pure code, the clock and goroutines.
func checkCalls(s *source, isPure bool, broken report) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			if isPure {
				broken("%s: a goroutine in pure code; let the caller decide on concurrency", s.at(n))
			}
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, _ := sel.X.(*ast.Ident)
			switch {
			case sel.Sel.Name == "Go" && isPure:
				broken("%s: a goroutine in pure code; let the caller decide on concurrency", s.at(n))
			case sel.Sel.Name == "Skip" && len(n.Args) == 0, sel.Sel.Name == "SkipNow":
				broken("%s: a skip must print its reason", s.at(n))
			case pkg != nil && pkg.Name == "time" && (sel.Sel.Name == "Now" || sel.Sel.Name == "Since") && isPure:
				broken("%s: the clock in pure code; pass the time in", s.at(n))
			case pkg != nil && pkg.Name == "time" && sel.Sel.Name == "Sleep" && s.test && !usesSynctest(s):
				broken("%s: a sleeping test is slow or flaky; use testing/synctest or wait for the event", s.at(n))
			}
		}
		return true
	})
}

func usesSynctest(s *source) bool {
	return slices.ContainsFunc(s.file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"testing/synctest"` })
}

func TestDocumentation(t *testing.T) { checkDocumentation(sources(t), t.Errorf) }

func checkDocumentation(all []source, broken report) {
	documented, seen := map[string]bool{}, map[string]string{}
	for _, s := range all {
		if s.test {
			continue
		}
		if s.file.Doc != nil {
			documented[s.folder] = true
		}
		if seen[s.folder] == "" {
			seen[s.folder] = s.path
		}
		for _, decl := range s.file.Decls {
			for _, name := range undocumented(decl) {
				broken("%s: exported %s has no doc comment", s.at(decl), name)
			}
		}
	}
	for folder, path := range seen {
		if !documented[folder] {
			broken("%s (%s): no package comment; it is the design memo", folder, path)
		}
	}
}

// undocumented lists the exported names of a declaration that have no comment
// of their own or of their group.
func undocumented(decl ast.Decl) (names []string) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
					names = append(names, spec.Name.Name)
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					if name.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return true
	}
	name := functionName("", f)
	return ast.IsExported(strings.Split(strings.TrimPrefix(name, "."), ".")[0])
}

// TestNoPackageState finds package variables that are assigned inside
// functions: state that two Wadis in one process would share.
func TestNoPackageState(t *testing.T) { checkState(sources(t), t.Errorf) }

func checkState(all []source, broken report) {
	vars := map[string]map[string]bool{}
	for _, s := range all {
		if s.test {
			continue
		}
		for _, decl := range s.file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.VAR {
				continue
			}
			for _, spec := range d.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if vars[s.folder] == nil {
						vars[s.folder] = map[string]bool{}
					}
					vars[s.folder][name.Name] = true
				}
			}
		}
	}
	for _, s := range all {
		if s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			var targets []ast.Expr
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					targets = n.Lhs
				}
			case *ast.IncDecStmt:
				targets = []ast.Expr{n.X}
			}
			for _, target := range targets {
				if name, ok := packageVariable(&s, target, vars[s.folder]); ok {
					broken("%s: package variable %s is changed: keep state in a value that somebody owns", s.at(target), name)
				}
			}
			return true
		})
	}
}

func packageVariable(s *source, target ast.Expr, vars map[string]bool) (string, bool) {
	for {
		switch x := target.(type) {
		case *ast.IndexExpr:
			target = x.X
		case *ast.SelectorExpr:
			target = x.X
		case *ast.StarExpr:
			target = x.X
		case *ast.ParenExpr:
			target = x.X
		case *ast.Ident:
			if !vars[x.Name] {
				return "", false
			}
			// Resolved within the file: a local of the same name is no state.
			if x.Obj != nil {
				spec, ok := x.Obj.Decl.(*ast.ValueSpec)
				return x.Name, ok && s.file.Scope.Lookup(x.Name) != nil && s.file.Scope.Lookup(x.Name).Decl == spec
			}
			return x.Name, true
		default:
			return "", false
		}
	}
}
