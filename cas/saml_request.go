package cas

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// samlRequest is what an application asks in SAML 1.1.
type samlRequest struct {
	// artifact is the ticket, without the blanks that clients put around it.
	artifact string
	// id is the request's own, "" where it has none that may be said back.
	id string
}

// What a message is refused for. The texts travel in the answer.
var (
	errSAMLDirective   = errors.New("document types and entities are not accepted")
	errSAMLInstruction = errors.New("processing instructions are not accepted")
	errSAMLDepth       = errors.New("it is nested too deeply")
	errSAMLRoot        = errors.New("it is not one XML document")
	errSAMLRequests    = errors.New("it holds more than one request or artifact")
	errSAMLCharset     = errors.New("its encoding is not UTF-8")
	errSAMLArtifact    = errors.New("it holds no artifact")
	errSAMLMarkup      = errors.New("its artifact holds elements")
)

const maxSAMLDepth = 16

// samlPath is where the artifact stands. Elements are known by their local
// names: clients declare the namespaces of the prefixes they use, or others, or
// none.
var samlPath = [...]string{"Envelope", "Body", "Request", "AssertionArtifact"}

const (
	samlRequestDepth  = 3
	samlArtifactDepth = 4
)

// readSAMLRequest reads a request as it comes, and stops at what no request
// needs, so that a hostile one costs nothing. The version, the issue instant
// and what else a request may say are not looked at: clients send constants.
// The artifact is there even with an error, where it was read before.
func readSAMLRequest(body io.Reader) (samlRequest, error) {
	r := samlReader{decoder: xml.NewDecoder(withoutMark(body))}
	r.decoder.CharsetReader = samlCharset
	for {
		token, err := r.decoder.Token()
		switch {
		case errors.Is(err, io.EOF) && !r.rooted:
			return r.request, errSAMLRoot
		case errors.Is(err, io.EOF) && r.request.artifact == "":
			return r.request, errSAMLArtifact
		case errors.Is(err, io.EOF):
			return r.request, nil
		case err != nil:
			return r.request, err
		}
		if err := r.take(token); err != nil {
			return r.request, err
		}
	}
}

// withoutMark leaves out the byte order mark that some platforms begin with.
func withoutMark(body io.Reader) io.Reader {
	buffered := bufio.NewReader(body)
	mark := []byte("\ufeff")
	if start, _ := buffered.Peek(len(mark)); bytes.Equal(start, mark) { // a body that is shorter has none
		_, _ = buffered.Discard(len(mark))
	}
	return buffered
}

type samlReader struct {
	decoder *xml.Decoder
	request samlRequest
	// depth is how many elements are open, matched how many of them lead to the
	// artifact.
	depth, matched      int
	requests, artifacts int
	rooted              bool
	text                []byte
}

func (r *samlReader) take(token xml.Token) error {
	switch t := token.(type) {
	case xml.Directive:
		return errSAMLDirective
	case xml.ProcInst:
		if t.Target != "xml" || r.rooted {
			return errSAMLInstruction
		}
	case xml.StartElement:
		return r.open(t)
	case xml.EndElement:
		r.shut()
	case xml.CharData:
		if r.depth == 0 && len(bytes.TrimSpace(t)) > 0 {
			return errSAMLRoot
		}
		if r.matched == samlArtifactDepth {
			r.text = append(r.text, t...)
		}
	}
	return nil
}

func (r *samlReader) open(e xml.StartElement) error {
	switch {
	case r.depth == 0 && r.rooted:
		return errSAMLRoot
	case r.depth == maxSAMLDepth:
		return errSAMLDepth
	case r.matched == samlArtifactDepth:
		return errSAMLMarkup
	}
	r.rooted = true
	r.depth++
	if r.matched != r.depth-1 || e.Name.Local != samlPath[r.matched] {
		return nil
	}
	r.matched++
	switch r.matched {
	case samlRequestDepth:
		r.requests++
		r.request.id = requestID(e.Attr)
	case samlArtifactDepth:
		r.artifacts++
	}
	if r.requests > 1 || r.artifacts > 1 {
		return errSAMLRequests
	}
	return nil
}

func (r *samlReader) shut() {
	if r.matched == samlArtifactDepth {
		r.request.artifact = strings.TrimSpace(string(r.text))
	}
	if r.matched == r.depth {
		r.matched--
	}
	r.depth--
}

// requestID is the identifier of a request, where it looks like one. XML wants
// a name; clients also send numbers and UUIDs.
func requestID(attributes []xml.Attr) string {
	const most = 128
	for _, a := range attributes {
		if a.Name.Local != "RequestID" {
			continue
		}
		if a.Value == "" || len(a.Value) > most || strings.IndexFunc(a.Value, notInID) >= 0 {
			return ""
		}
		return a.Value
	}
	return ""
}

func notInID(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	return !letter && r != '_' && r != '-' && r != '.'
}

// samlCharset reads a document that declares another encoding than UTF-8. A
// request needs no character beyond ASCII, which some encodings share.
func samlCharset(charset string, input io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252":
		return input, nil
	}
	return nil, errSAMLCharset
}
