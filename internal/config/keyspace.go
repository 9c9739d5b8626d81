package config

import (
	"fmt"
	"reflect"
	"strings"
)

// fieldOf returns the field that a key of the file fills.
func fieldOf(section reflect.Value, key string) (reflect.Value, bool) {
	for i := range section.NumField() {
		if section.Type().Field(i).Tag.Get("yaml") == key {
			return section.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// keysOf lists the keys of a section, in the order of its fields.
func keysOf(section reflect.Type) []string {
	keys := make([]string, 0, section.NumField())
	for i := range section.NumField() {
		keys = append(keys, section.Field(i).Tag.Get("yaml"))
	}
	return keys
}

// secret tells whether values of a type come from a ..._file as well.
func secret(t reflect.Type) bool {
	return t == reflect.TypeFor[Secret]() || t == reflect.TypeFor[Keys]()
}

func join(where, key string) string {
	if where == "" {
		return key
	}
	return where + "." + key
}

func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

// suggest names the key that was probably meant, or all of them.
func suggest(key string, keys []string) string {
	for _, known := range keys {
		if distance(key, known) <= 2 {
			return fmt.Sprintf("; did you mean %q?", known)
		}
	}
	return "; there are: " + strings.Join(keys, ", ")
}

// distance counts the letters to change, add, drop or swap between two words.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
