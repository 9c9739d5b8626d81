package identity_test

import (
	"strings"
	"testing"

	"parvis/identity"
)

func TestFoldLogin(t *testing.T) { // S22
	for _, test := range []struct{ name, typed, want string }{
		{"plain", "o22502142", "o22502142"},
		{"capitals", "O22502142", "o22502142"},
		{"blanks around", "  jpmartin\t", "jpmartin"},
		{"full-width digits", "ｏ２２５０２１４２", "o22502142"},
		{"a mail address", "Eva.Smith@etu.univ.example", "eva.smith@etu.univ.example"},
		{"accents composed", "Le\u0301a", "léa"},
		{"a zero-width space", "eva\u200b", "eva"},
		{"a soft hyphen and a byte order mark", "\ufeffjean\u00adpierre", "jeanpierre"},
		{"a variation selector", "eva\ufe0f", "eva"},
		{"nothing", "", ""},
		{"only blanks", " \u00a0 ", ""},
		{"a NUL", "eva\x00", ""},
		{"a line feed inside", "eva\nadmin", ""},
		{"broken UTF-8", "eva\xff", ""},
		{"too long", strings.Repeat("a", 257), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := identity.FoldLogin(test.typed); got != test.want {
				t.Errorf("FoldLogin(%q) = %q, want %q", test.typed, got, test.want)
			}
		})
	}
}

func FuzzFoldLogin(f *testing.F) {
	f.Add("Jean-Pierre")
	f.Fuzz(func(t *testing.T, typed string) {
		once := identity.FoldLogin(typed)
		if twice := identity.FoldLogin(once); twice != once {
			t.Errorf("FoldLogin(%q) = %q, folded again %q", typed, once, twice)
		}
	})
}
