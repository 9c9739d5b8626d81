package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Load reads a configuration file; env looks a variable up, as [os.LookupEnv].
// The warnings are worth telling and stop nothing. The error is [Faults] when
// the file was read and must be mended: the Config then holds what could be
// read, for whoever wants to look at the sections that have no fault.
func Load(file string, env func(string) (string, bool)) (Config, []Fault, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Config{}, nil, fmt.Errorf("read the configuration: %w", err)
	}
	folder, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return Config{}, nil, fmt.Errorf("find the folder of the configuration: %w", err)
	}
	d := &decoder{
		env:    env,
		folder: folder,
		lines:  strings.Split(string(text), "\n"),
		places: map[string]place{},
	}
	config := Default()
	if root := d.parse(text); root != nil {
		d.mapping(root, reflect.ValueOf(&config).Elem(), "")
	}
	d.warnOpen(file)
	unread := d.faults
	for _, fault := range config.validate() {
		if !unread.cover(fault.Where) {
			d.faults = append(d.faults, d.locate(fault))
		}
	}
	for _, warning := range config.warnings() {
		if !d.faults.cover(warning.Where) {
			d.warnings = append(d.warnings, d.locate(warning))
		}
	}
	if len(d.faults) > 0 {
		return config, d.warnings, d.faults
	}
	return config, d.warnings, nil
}

// parse returns the one mapping that the file is, or nil after a fault.
func (d *decoder) parse(text []byte) *ast.MappingNode {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		d.syntax(err)
		return nil
	}
	if len(file.Docs) != 1 {
		d.faults = append(d.faults, Fault{Message: fmt.Sprintf("the file holds %d documents: keep one, without a --- line in the middle", len(file.Docs))})
		return nil
	}
	switch body := file.Docs[0].Body.(type) {
	case *ast.MappingNode:
		return body
	case nil, *ast.NullNode:
		return &ast.MappingNode{}
	default:
		d.fault(body, "", "the file must be a list of \"key: value\" lines")
		return nil
	}
}

// syntax turns the parser's error into a fault with our own excerpt: the
// parser's would show the lines around, and a secret may be among them.
func (d *decoder) syntax(err error) {
	fault := Fault{Message: "this is not YAML: " + err.Error()}
	if positioned, ok := errors.AsType[yaml.Error](err); ok {
		fault.Message = "this is not YAML: " + positioned.GetMessage()
		if token := positioned.GetToken(); token != nil {
			fault.Line, fault.Column = token.Position.Line, token.Position.Column
			fault.Source = d.source(fault.Line, "")
		}
	}
	d.faults = append(d.faults, fault)
}

// readSecret reads a file that holds a secret. The newline at its end, which
// editors add, is no part of it.
func (d *decoder) readSecret(node ast.Node, where, name string) (string, bool) {
	path := string(d.resolve(name))
	text, err := os.ReadFile(path)
	if err != nil {
		d.fault(node, where, "the file cannot be read: "+reason(err))
		return "", false
	}
	if info, err := os.Stat(path); err == nil && open(info.Mode()) {
		d.warn(node, where, fmt.Sprintf("others on this machine can read or change %s (mode %04o): run `chmod 0640` on it", name, info.Mode().Perm()))
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if secret == "" {
		d.fault(node, where, "the file is empty")
		return "", false
	}
	return secret, true
}

// warnOpen warns of a configuration that holds a secret and that everybody on
// the machine can read.
func (d *decoder) warnOpen(file string) {
	info, err := os.Stat(file)
	if err == nil && d.inlineSecret && open(info.Mode()) {
		d.warnings = append(d.warnings, Fault{Message: fmt.Sprintf(
			"%s holds a secret and others on this machine can read or change it (mode %04o): run `chmod 0640` on it, or move the secret to a file of its own", filepath.Base(file), info.Mode().Perm())})
	}
}

// open tells whether a file's mode is wider than 0640.
func open(mode fs.FileMode) bool { return mode.Perm()&^0o640 != 0 }

// reason is what the system said, without the path, which the fault shows.
func reason(err error) string {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err.Error()
	}
	return err.Error()
}

func (d *decoder) resolve(path string) Path {
	if path == "" || filepath.IsAbs(path) {
		return Path(path)
	}
	return Path(filepath.Join(d.folder, path))
}
