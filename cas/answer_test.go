package cas

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/beevik/etree"
	"pgregory.net/rapid"

	"parvis/identity"
)

var fixedTime = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// TestAnswerIsWhatAParserReads holds that the success written by hand is the
// tree that an XML parser builds, whatever a directory holds: markup, control
// characters, broken UTF-8 (S24, V10, V11).
func TestAnswerIsWhatAParserReads(t *testing.T) {
	anyText := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", " ", "<&>\"'", "]]>", "<!--", "\x00\x01\x1f", "\xff\xfe", "é\u0301", "\ufffe\uffff", "a\rb\r\nc", "𝒳", "</cas:user>",
	}), rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) }))
	rapid.Check(t, func(t *rapid.T) {
		a := assertion{
			user:    anyText.Draw(t, "user"),
			proxies: rapid.SliceOfN(anyText, 0, 3).Draw(t, "proxies"),
		}
		released := rapid.MapOfN(anyText, rapid.SliceOfN(anyText, 1, 3), 0, 5).Draw(t, "released")
		a.attributes = appendReleased(protocolAttributes(fixedTime, true, false), identity.Attributes(released))

		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(a.appendXML(nil)); err != nil {
			t.Fatalf("not XML: %v", err)
		}
		success := doc.FindElement("/cas:serviceResponse/cas:authenticationSuccess")
		if success == nil {
			t.Fatal("no success in the answer")
		}
		if got, want := success.SelectElement("user").Text(), expressible(a.user); got != want {
			t.Fatalf("user: got %q, want %q", got, want)
		}
		var got []attribute
		for _, e := range success.SelectElement("attributes").ChildElements() {
			if n := len(got); n > 0 && got[n-1].name == e.Tag {
				got[n-1].values = append(got[n-1].values, e.Text())
				continue
			}
			got = append(got, attribute{e.Tag, []string{e.Text()}})
		}
		var want []attribute
		for _, attr := range a.attributes {
			values := make([]string, len(attr.values))
			for i, v := range attr.values {
				values[i] = expressible(v)
			}
			if n := len(want); n > 0 && want[n-1].name == attr.name {
				want[n-1].values = append(want[n-1].values, values...)
				continue
			}
			want = append(want, attribute{attr.name, values})
		}
		same := func(a, b attribute) bool { return a.name == b.name && slices.Equal(a.values, b.values) }
		if !slices.EqualFunc(got, want, same) {
			t.Fatalf("attributes: got %q, want %q", got, want)
		}
		if proxies := success.FindElements("proxies/proxy"); len(proxies) != len(a.proxies) {
			t.Fatalf("proxies: got %d, want %d", len(proxies), len(a.proxies))
		}
	})
}

// expressible leaves out of s what no XML 1.0 document can carry.
func expressible(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		broken := r == utf8.RuneError && size == 1
		if !broken && (r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r != 0xFFFE && r != 0xFFFF) {
			out.WriteString(s[i : i+size])
		}
		i += size
	}
	return out.String()
}

func TestElementName(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", "memberOf", "memberOf"},
		{"a space", "member of", "member_of"},
		{"a digit first", "1st", ""},
		{"a colon is a prefix", "cas:user", ""},
		{"markup", "a><b", ""},
		{"an option", "cn;lang-fr", ""},
		{"accents", "prénom", ""},
		{"dots and dashes", "urn-x.y", "urn-x.y"},
		{"nothing", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := elementName(test.in); got != test.want {
				t.Errorf("elementName(%q) = %q, want %q", test.in, got, test.want)
			}
		})
	}
}

// TestReleaseCannotPretendNewLogin: a directory attribute never takes the place
// of what the protocol says of the login itself.
func TestReleaseCannotPretendNewLogin(t *testing.T) {
	list := appendReleased(protocolAttributes(fixedTime, false, false), identity.Attributes{fromNewLogin: {"true"}})
	if got := len(list); got != 3 {
		t.Fatalf("got %d attributes, want the protocol's own 3: %v", got, list)
	}
}
