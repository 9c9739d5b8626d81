package slo

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"parvis/services"
)

const (
	// parameter is the name that applications look for.
	parameter = "logoutRequest"
	// contentType has no charset: go-cas compares the whole string.
	contentType = "application/x-www-form-urlencoded"
	// maxBody is one less than the buffer that mod_auth_cas reads a request
	// into: what is longer loses its end, where the session index is.
	maxBody = 1023
	// noName stands for a name in the specification's example (appendix C).
	noName = "@NOT_USED@"
)

// message is the text of a logout request (CAS Protocol Specification 3.0.3,
// section 2.3.3 and appendix C). Applications read it with patterns as often
// as with a parser: it is one line, with these very prefixes, an instant that
// ends in Z, and nothing around the session index.
func message(id string, at time.Time, name, ticket string) string {
	var b strings.Builder
	b.WriteString(`<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="`)
	b.WriteString(id)
	b.WriteString(`" Version="2.0" IssueInstant="`)
	b.WriteString(at.UTC().Format("2006-01-02T15:04:05Z"))
	b.WriteString(`"><saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">`)
	escape(&b, name)
	b.WriteString(`</saml:NameID><samlp:SessionIndex>`)
	escape(&b, ticket)
	b.WriteString(`</samlp:SessionIndex></samlp:LogoutRequest>`)
	return b.String()
}

// escape writes s as text. What XML cannot hold becomes U+FFFD.
func escape(b *strings.Builder, s string) {
	_ = xml.EscapeText(b, []byte(s)) // a strings.Builder takes all it is given
}

// form is a logout request as it is posted. A name so long that the body would
// not fit into [maxBody] is left out: applications end the session by its
// index, which must arrive whole.
func form(id string, at time.Time, name, ticket string) string {
	body := parameter + "=" + url.QueryEscape(message(id, at, name, ticket))
	if len(body) > maxBody {
		body = parameter + "=" + url.QueryEscape(message(id, at, noName, ticket))
	}
	return body
}

// packer makes the addresses by which a browser tells applications. One is
// used for all of a logout: a compressor takes most of a megabyte.
type packer struct {
	packed bytes.Buffer
	w      *zlib.Writer
}

// address adds a logout request to the address of an application, before the
// fragment: deflated, with zlib's header, which is what Apereo's Java client
// and pac4j expect.
func (p *packer) address(address, message string) string {
	if p.w == nil {
		p.w = zlib.NewWriter(&p.packed)
	} else {
		p.packed.Reset()
		p.w.Reset(&p.packed)
	}
	_, _ = io.WriteString(p.w, message) // a bytes.Buffer takes all it is given
	_ = p.w.Close()
	return services.Appended(address, parameter, url.QueryEscape(base64.StdEncoding.EncodeToString(p.packed.Bytes())))
}

// newID draws the id of a logout request.
func newID(random io.Reader) (string, error) {
	const size = 16
	var b [size]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("draw the id of a logout request: %w", err)
	}
	return "LR-" + hex.EncodeToString(b[:]), nil
}
