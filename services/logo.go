package services

import (
	"crypto/sha256"
	"encoding/base64"
	"path"
	"regexp"
	"strings"
)

// Logo is a picture of the folder's logos/.
type Logo struct {
	// Type is the media type: SVG, PNG, JPEG or WebP. An SVG that holds a
	// script is not kept; serve it even so with a Content-Security-Policy of its
	// own ("default-src 'none'; style-src 'unsafe-inline'; sandbox"), and show it
	// in an img only.
	Type string
	Data []byte
	// Hash names the contents, for URLs that may be cached for ever.
	Hash string
}

// logoType returns the media type by the file's name, or "".
func logoType(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".webp":
		return "image/webp"
	}
	return ""
}

// activeSVG finds what a picture has no use for: scripts, and what is fetched
// from elsewhere.
var activeSVG = regexp.MustCompile(`(?i)<script|<foreignobject|<!entity|@import|\son[a-z]+\s*=|javascript:|(href|src)\s*=\s*["']?\s*(https?:)?//|url\(\s*["']?\s*(https?:)?//`)

// addLogo keeps the picture that an entry names, or takes the name away.
func (v *snapshot) addLogo(s *Service, logos map[string][]byte) []Fault {
	if s.Logo == "" {
		return nil
	}
	data, ok := logos[s.Logo]
	if !ok {
		fault := Fault{
			File: s.File, Key: "logo", Level: Warning,
			Message: "there is no svg, png, jpeg or webp file of this name in " + logoFolder + "/",
		}
		s.Logo = ""
		return []Fault{fault}
	}
	if logoType(s.Logo) == "image/svg+xml" && activeSVG.Match(data) {
		fault := Fault{
			File: s.File, Key: "logo", Level: Warning,
			Message: "the picture holds a script or loads something from elsewhere; it is not shown",
		}
		s.Logo = ""
		return []Fault{fault}
	}
	sum := sha256.Sum256(data)
	v.logos[s.Logo] = Logo{Type: logoType(s.Logo), Data: data, Hash: base64.RawURLEncoding.EncodeToString(sum[:9])}
	return nil
}
