package slo_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/base64"
	"encoding/xml"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parvis/internal/audit"
	"parvis/internal/slo"
	"parvis/internal/slo/memory"
	"parvis/tickets"
)

// posted is the body of the logout request for a name and a ticket.
func posted(t *testing.T, name, ticket string) string {
	t.Helper()
	var body string
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1500 * time.Millisecond) // so that the instant has a fraction
		net := &network{}
		n, stop := start(t, slo.Options{Queue: memory.New(memory.Options{}), Client: net, Random: zeros{}})
		one := notice("https://moodle.univ.example/login")
		one.Name, one.Ticket = name, ticket
		n.Tell(t.Context(), slo.Batch{one})
		settle()
		stop()
		if len(net.sent) != 1 {
			t.Fatalf("%d requests", len(net.sent))
		}
		r := net.sent[0].request
		if r.Method != "POST" || r.ContentType != "application/x-www-form-urlencoded" {
			t.Errorf("%s with the type %q", r.Method, r.ContentType)
		}
		body = string(r.Body)
	})
	return body
}

const ticket = "ST-0123456789abcdefghijklmnopqrs"

// Section 1.3: the text that every client reads.
func TestMessage(t *testing.T) {
	tests := []struct{ name, login string }{
		{"usual", "o22502142"},
		{"markup", `a<b>&"c'`},
		{"accents", "léa.martin"},
		{"controls", "a\x00\nb"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := posted(t, test.login, ticket)
			golden(t, "post_"+test.name, body+"\n")
			form, err := url.ParseQuery(body)
			if err != nil || len(form) != 1 || !strings.HasPrefix(body, "logoutRequest=") {
				t.Fatalf("body %q, %v", body, err)
			}
			text := form.Get("logoutRequest")
			golden(t, "xml_"+test.name, text+"\n")
			var parsed struct {
				XMLName xml.Name  `xml:"urn:oasis:names:tc:SAML:2.0:protocol LogoutRequest"`
				ID      string    `xml:"ID,attr"`
				Instant time.Time `xml:"IssueInstant,attr"`
				Version string    `xml:"Version,attr"`
				Name    string    `xml:"urn:oasis:names:tc:SAML:2.0:assertion NameID"`
				Index   string    `xml:"urn:oasis:names:tc:SAML:2.0:protocol SessionIndex"`
			}
			if err := xml.Unmarshal([]byte(text), &parsed); err != nil {
				t.Fatal(err)
			}
			if want := strings.ReplaceAll(test.login, "\x00", "\uFFFD"); parsed.Name != want || parsed.Index != ticket {
				t.Errorf("name %q, index %q", parsed.Name, parsed.Index)
			}
			if strings.ContainsAny(text, "\r\n") || !strings.Contains(text, "<samlp:SessionIndex>"+ticket+"</samlp:SessionIndex>") {
				t.Errorf("text %q", text)
			}
			if !regexp.MustCompile(` IssueInstant="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"`).MatchString(text) {
				t.Errorf("instant in %q", text)
			}
		})
	}
}

// mod_auth_cas reads 1024 bytes at most: whatever the name, the session index
// arrives.
func TestMessageFits(t *testing.T) {
	for _, name := range []string{"o22502142", strings.Repeat("a", 64), strings.Repeat("é", 60), strings.Repeat("<", 300), strings.Repeat("a", 100_000)} {
		body := posted(t, name, ticket)
		form, err := url.ParseQuery(body)
		if err != nil || len(body) >= 1024 {
			t.Errorf("a name of %d bytes: a body of %d, %v", len(name), len(body), err)
		}
		text := form.Get("logoutRequest")
		if !strings.Contains(text, "<samlp:SessionIndex>"+ticket+"</samlp:SessionIndex></samlp:LogoutRequest>") {
			t.Errorf("a name of %d bytes: %q", len(name), text)
		}
		if left := strings.Contains(text, "@NOT_USED@"); left != (len(name) > 120) {
			t.Errorf("a name of %d bytes: left out: %v", len(name), left)
		}
	}
}

// Each request has an id of its own.
func TestMessageIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &network{}
		n, stop := start(t, slo.Options{Queue: memory.New(memory.Options{}), Client: net})
		n.Tell(t.Context(), slo.Batch{notice("https://a.example/"), notice("https://b.example/")})
		settle()
		stop()
		id := regexp.MustCompile(`ID%3D%22(LR-[0-9a-f]{32})%22`)
		first, second := id.FindStringSubmatch(string(net.sent[0].request.Body)), id.FindStringSubmatch(string(net.sent[1].request.Body))
		if first == nil || second == nil || first[1] == second[1] {
			t.Errorf("ids %q and %q", first, second)
		}
	})
}

// inflate reads what Apereo's Java client and pac4j read: base64, then zlib,
// header and sum included.
func inflate(t *testing.T, value string) string {
	t.Helper()
	packed, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	// Those who skip the two bytes of the header find a raw deflate stream; and
	// the Java client's buffer is ten times what it received.
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed[2:])))
	if err != nil || !bytes.Equal(raw, text) || len(text) > 10*len(packed) {
		t.Errorf("raw: %q, %v", raw, err)
	}
	return string(text)
}

// Front channel: the address keeps its bytes, and the request goes last in its
// query, before the fragment.
func TestFrontAddress(t *testing.T) {
	tests := []struct{ name, visited, before, after string }{
		{"no query", "https://front.univ.example/app", "https://front.univ.example/app?logoutRequest=", ""},
		{"query", "https://front.univ.example/app?a=1&b=%2F", "https://front.univ.example/app?a=1&b=%2F&logoutRequest=", ""},
		{"fragment", "https://front.univ.example/app?a#/menu?x", "https://front.univ.example/app?a&logoutRequest=", "#/menu?x"},
		{"accent", "https://front.univ.example/é", "https://front.univ.example/%C3%A9?logoutRequest=", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"front": "name: Front\nmatch: https://front.univ.example/\nlogout: front\n"}, false)
			id := w.open(t, "o22502142", test.visited)
			ended, err := w.ender.End(t.Context(), id, slo.Why{Action: audit.Logout})
			if err != nil || len(ended.Front) != 1 || len(w.told) != 0 {
				t.Fatalf("%+v, %v, told %v", ended, err, w.told)
			}
			value, ok := strings.CutPrefix(ended.Front[0], test.before)
			value, cut := strings.CutSuffix(value, test.after)
			if !ok || !cut || strings.ContainsAny(value, "+/=&#") {
				t.Fatalf("address %q", ended.Front[0])
			}
			value, err = url.QueryUnescape(value)
			if err != nil {
				t.Fatal(err)
			}
			text := inflate(t, value)
			if !strings.Contains(text, "<samlp:SessionIndex>"+string(w.tickets[0])+"</samlp:SessionIndex>") {
				t.Errorf("text %q", text)
			}
			golden(t, "front", strings.Replace(text, string(w.tickets[0]), "ST-…", 1)+"\n")
		})
	}
}

// Whatever a name holds, the text is XML, and one line.
func FuzzMessage(f *testing.F) {
	for _, name := range []string{"o22502142", "a<b>&\"c'", "a\x00\n\xff", "]]>", "@NOT_USED@"} {
		f.Add(name)
	}
	w := newWorld(f, map[string]string{"front": "name: Front\nmatch: https://front.univ.example/\nlogout: front\n"}, false)
	f.Fuzz(func(t *testing.T, name string) {
		id := w.open(t, name, "https://front.univ.example/")
		ended, err := w.ender.End(t.Context(), id, slo.Why{Action: audit.Logout})
		if err != nil || len(ended.Front) != 1 {
			t.Fatalf("%+v, %v", ended, err)
		}
		address, err := url.Parse(ended.Front[0])
		if err != nil {
			t.Fatal(err)
		}
		text := inflate(t, address.Query().Get("logoutRequest"))
		var parsed struct {
			Index string `xml:"SessionIndex"`
		}
		if err := xml.Unmarshal([]byte(text), &parsed); err != nil || parsed.Index != string(w.tickets[len(w.tickets)-1]) || strings.ContainsAny(text, "\r\n") {
			t.Errorf("text %q, %v", text, err)
		}
	})
}

var _ slo.Sessions = tickets.Store(nil)
