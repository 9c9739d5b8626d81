package ui_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"parvis/ui"
)

// get asks the static files.
func get(pages *ui.Renderer, method, path, encoding string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, "/", nil)
	request.URL.Path = path
	request.Header.Set("Accept-Encoding", encoding)
	answer := httptest.NewRecorder()
	pages.Static().ServeHTTP(answer, request)
	return answer
}

var stylesheet = regexp.MustCompile(`/cas/static/parvis\.[0-9a-f]{12}\.css`)

func TestStatic(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	page := render(t, pages, "fr", sample{"login", 200, &ui.Login{}}).Body.String()
	hashed := stylesheet.FindString(page)
	if hashed == "" {
		t.Fatalf("page names no style sheet:\n%s", page)
	}
	const forEver, never = "public, max-age=31536000, immutable", "no-cache"
	for _, tt := range []struct {
		name, method, path       string
		status                   int
		mediaType, kept, encoded string
	}{
		{"hashed", "GET", hashed, 200, "text/css; charset=utf-8", forEver, ""},
		{"head", "HEAD", hashed, 200, "text/css; charset=utf-8", forEver, ""},
		{"packed", "GET", hashed, 200, "text/css; charset=utf-8", forEver, "gzip"},
		{"of another version", "GET", "/cas/static/parvis.0123456789ab.css", 200, "text/css; charset=utf-8", never, ""},
		{"plain", "GET", "/cas/static/submit.js", 200, "text/javascript; charset=utf-8", never, ""},
		{"icon", "GET", "/cas/static/favicon.svg", 200, "image/svg+xml", never, ""},
		{"unknown", "GET", "/cas/static/none.css", 404, "", "", ""},
		{"folder", "GET", "/cas/static/", 404, "", "", ""},
		{"outside", "GET", "/cas/static/../words/fr.yaml", 404, "", "", ""},
		{"outside, doubled", "GET", "/cas/static//etc/passwd", 404, "", "", ""},
		{"post", "POST", hashed, 405, "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer := get(pages, tt.method, tt.path, tt.encoded)
			if answer.Code != tt.status {
				t.Fatalf("status = %d, want %d", answer.Code, tt.status)
			}
			if tt.status != http.StatusOK {
				return
			}
			h := answer.Header()
			if h.Get("Content-Type") != tt.mediaType || h.Get("Cache-Control") != tt.kept ||
				h.Get("Content-Encoding") != tt.encoded || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers = %v", h)
			}
			if got := answer.Body.Len() == 0; got != (tt.method == "HEAD") {
				t.Errorf("body of %d bytes", answer.Body.Len())
			}
		})
	}
}

func TestPackedIsTheSame(t *testing.T) {
	answer := get(newRenderer(t, sampleOptions()), "GET", "/cas/static/parvis.css", "br, gzip")
	reader, err := gzip.NewReader(answer.Body)
	if err != nil {
		t.Fatalf("unpack: %v", err)
	}
	got, err := io.ReadAll(reader)
	if err != nil {
		t.Fatalf("unpack: %v", err)
	}
	want, err := os.ReadFile("static/parvis.css")
	if err != nil {
		t.Fatalf("read styles: %v", err)
	}
	if string(got) != string(want) {
		t.Error("what is packed is not what is plain")
	}
}

// TestPagesNameFilesThatExist follows every local address of every page.
func TestPagesNameFilesThatExist(t *testing.T) {
	pages := newRenderer(t, sampleOptions())
	for _, s := range samples() {
		for _, e := range parse(t, render(t, pages, "fr", s).Body.Bytes()) {
			for _, address := range []string{e.attributes["src"], e.attributes["href"]} {
				if strings.HasPrefix(address, "/cas/static/") && get(pages, "GET", address, "").Code != 200 {
					t.Errorf("%s: %s is not there", s.name, address)
				}
			}
		}
	}
}
