package identity

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxLogin is how long a login may be, in bytes: a mail address at most
// (RFC 5321, section 4.5.3.1).
const maxLogin = 256

// MaxPassword is how long a password may be, in bytes. Directories hash what
// they get; they refuse a longer one without looking at it.
const MaxPassword = 1024

// FoldLogin brings what a person typed as their login to the one form by which
// it is looked up, counted and compared: Unicode NFKC, no blanks around, lower
// case. It returns "" for what can be no login: empty, too long, broken UTF-8,
// or with control characters in it.
func FoldLogin(typed string) string {
	if len(typed) > maxLogin {
		return ""
	}
	folded := strings.ToLower(strings.TrimSpace(strings.Map(visible, norm.NFKC.String(typed))))
	for _, r := range folded {
		if r == unicode.ReplacementChar || unicode.IsControl(r) {
			return ""
		}
	}
	return folded
}

// visible drops the characters that nobody sees and that come along when a
// login is copied: soft hyphens, zero-width spaces, byte order marks, variation
// selectors. Directories ignore them too (RFC 4518, section 2.2), so a login
// must not have endless spellings.
func visible(r rune) rune {
	if unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) {
		return -1
	}
	return r
}
