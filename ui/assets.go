package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// mediaTypes are the kinds of files that are served. A type is never guessed.
var mediaTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".png":   "image/png",
	".webp":  "image/webp",
	".ico":   "image/x-icon",
	".woff2": "font/woff2",
}

// asset is a file that pages refer to.
type asset struct {
	name, hashed, mediaType string
	plain, packed           []byte // packed is gzip, nil when it saves nothing
}

// assets are all of them, by plain and by hashed name.
type assets struct {
	prefix string
	byName map[string]*asset
	under  *assets // the site's, for those of a service's theme; else nil
}

// loadAssets reads the site's files, or what a service's theme lays over them.
// Those have addresses of their own, so that browsers keep the others.
func loadAssets(basePath string, theme *theme, under *assets) (*assets, error) {
	read, prefix := theme.files, basePath+"/static/"
	if under != nil {
		read, prefix = theme.own, prefix+theme.name+"/"
	}
	files, err := read("static", slices.Collect(maps.Keys(mediaTypes))...)
	if err != nil {
		return nil, fmt.Errorf("load styles and scripts: %w", err)
	}
	loaded := &assets{prefix: prefix, byName: map[string]*asset{}, under: under}
	for name, data := range files {
		sum := sha256.Sum256(data)
		extension := path.Ext(name)
		a := &asset{
			name:      name,
			hashed:    strings.TrimSuffix(name, extension) + "." + hex.EncodeToString(sum[:6]) + extension,
			mediaType: mediaTypes[extension],
			plain:     data,
			packed:    pack(data),
		}
		loaded.byName[a.name], loaded.byName[a.hashed] = a, a
	}
	return loaded, nil
}

func pack(data []byte) []byte {
	var packed bytes.Buffer
	// Neither call fails: the level is a constant and a Buffer takes all.
	writer, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	_, _ = writer.Write(data)
	_ = writer.Close()
	if packed.Len() > len(data)*9/10 {
		return nil
	}
	return packed.Bytes()
}

// url is the address of a file, which changes with its content.
func (a *assets) url(name string) (string, error) {
	if address := a.first(name); address != "" {
		return address, nil
	}
	if a.under != nil {
		return a.under.url(name)
	}
	return "", fmt.Errorf("no file static/%s", name)
}

// first is the address of the first of these files that exists, or "".
func (a *assets) first(names ...string) string {
	for _, name := range names {
		if file, found := a.byName[name]; found {
			return a.prefix + file.hashed
		}
	}
	return ""
}

// logo is a service's logo before the site's.
func (a *assets) logo() string {
	logo := a.first("logo.svg", "logo.png", "logo.webp")
	if logo == "" && a.under != nil {
		return a.under.logo()
	}
	return logo
}

// styles are the addresses of the site's colours, and of those that a service's
// theme lays over them; "" for none.
func (a *assets) styles() (string, string) {
	if a.under == nil {
		return a.first("theme.css"), ""
	}
	return a.under.first("theme.css"), a.first("theme.css")
}

// find is the file of a name, with a hash or without.
func (a *assets) find(name string) (*asset, bool) {
	file, found := a.byName[name]
	if !found {
		file, found = a.byName[unhashed(name)]
	}
	return file, found
}

// Static serves the styles, scripts and pictures below BasePath/static/. A name
// with its hash may be kept for ever. A name with another hash, which a node of
// another version wrote into a page, and a name without one are served too, but
// not kept.
func (p *Renderer) Static() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		site := p.looks[""].assets
		name := strings.TrimPrefix(r.URL.Path, site.prefix)
		file, found := site.find(name)
		if theme, rest, within := strings.Cut(name, "/"); within && theme != "" && p.looks[theme] != nil {
			name = rest
			file, found = p.looks[theme].assets.find(name)
		}
		if !found {
			http.NotFound(w, r)
			return
		}
		file.serve(w, r, name == file.hashed)
	})
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request, forEver bool) {
	h := w.Header()
	h.Set("Content-Type", a.mediaType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	if forEver {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := a.plain
	if a.packed != nil {
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body = a.packed
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	// A reader who went away is nobody's fault.
	_, _ = w.Write(body)
}

// unhashed drops the hash of a name: "parvis.0123456789ab.css".
func unhashed(name string) string {
	extension := path.Ext(name)
	stem := strings.TrimSuffix(name, extension)
	hash := path.Ext(stem)
	if len(hash) != 13 {
		return name
	}
	return strings.TrimSuffix(stem, hash) + extension
}
