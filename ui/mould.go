package ui

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"
	"sync"
)

// The login page is the one that everybody asks for. Two of them differ in a
// few values only, so a page is drawn once by its template with marks in the
// place of these values, and cut at the marks: that is a mould, and filling it
// in is copying. A mould is cast with marks and with what the registry says of
// the service, never with a request's values.

// maxMoulds bounds what moulds hold: about 9 kB each.
const maxMoulds = 512

// moulds are the login pages drawn so far.
type moulds struct {
	mu   sync.RWMutex
	cast map[loginShape]*mould
}

// loginShape is all that changes a login page, but for the values that fill it
// in: of those, it has only whether they are there.
type loginShape struct {
	lang, theme, action, hidden        string
	service                            Service
	problem                            Problem
	offer, ticked                      Choices
	lives                              int
	hasService, query, username, renew bool
}

// The values of a login page, by number; those of hidden fields follow.
const (
	holeSelf = iota
	holeExecution
	holeUsername
	holeRenew
	holeAddress
	holeHidden
)

func shapeOf(lang, self string, v *Login) loginShape {
	shape := loginShape{
		lang: lang, theme: v.Theme, action: v.Action, problem: v.Problem, offer: v.Offer, ticked: v.Ticked, lives: v.Lives(),
		query: strings.Contains(self, "?"), username: v.Username != "", renew: v.Renew != "",
	}
	if v.Service != nil {
		shape.hasService, shape.service = true, *v.Service
		shape.service.Address = ""
	}
	for _, field := range v.Hidden {
		shape.hidden += field.Name + "\x00"
	}
	return shape
}

// value is what fills a hole.
func (v *Login) value(hole int, self string) string {
	switch hole {
	case holeSelf:
		return self
	case holeExecution:
		return v.Execution
	case holeUsername:
		return v.Username
	case holeRenew:
		return v.Renew
	case holeAddress:
		return v.Service.Address
	default:
		return v.Hidden[hole-holeHidden].Value
	}
}

// mould is a page cut at its holes: there is one part more than there are holes.
// A mould without parts stands for a page that cannot be cut.
type mould struct {
	parts [][]byte
	holes []int
}

func (m *mould) fill(buffer *bytes.Buffer, self string, v *Login) {
	for i, hole := range m.holes {
		buffer.Write(m.parts[i])
		if value := v.value(hole, self); strings.ContainsAny(value, "\"'&<>\x00") {
			template.HTMLEscape(buffer, []byte(value))
		} else {
			buffer.WriteString(value)
		}
	}
	buffer.Write(m.parts[len(m.parts)-1])
}

// renderLogin fills in the mould for a login page, and casts it first where
// there is none.
func (p *Renderer) renderLogin(buffer *bytes.Buffer, lang string, v *Login) error {
	self := p.self(&v.Frame)
	shape := shapeOf(lang, self, v)
	p.moulds.mu.RLock()
	cast := p.moulds.cast[shape]
	p.moulds.mu.RUnlock()
	if cast == nil {
		var err error
		if cast, err = p.castLogin(shape, v); err != nil {
			return err
		}
		p.moulds.mu.Lock()
		if len(p.moulds.cast) >= maxMoulds {
			// Entries of services that have changed are never asked for again.
			clear(p.moulds.cast)
		}
		p.moulds.cast[shape] = cast
		p.moulds.mu.Unlock()
	}
	if cast.parts == nil {
		return p.execute(buffer, lang, v)
	}
	cast.fill(buffer, self, v)
	return nil
}

// mark stands for a value while a mould is cast. Text and quoted attributes
// write it in one and the same way; every other place writes the quote, the
// space or the angle bracket in another, and then nothing is cut.
func mark(hole int) string { return fmt.Sprintf("\"<& %s%d.", markWord, hole) }

const markWord = "parvis-hole-"

// castLogin draws a login page with marks, and cuts it.
func (p *Renderer) castLogin(shape loginShape, v *Login) (*mould, error) {
	if strings.Contains(fmt.Sprint(shape), markWord) {
		return &mould{}, nil
	}
	marked := *v
	marks := make([]string, holeHidden, holeHidden+len(v.Hidden))
	for hole := range marks {
		marks[hole] = mark(hole)
	}
	marks[holeSelf] = "/" + mark(holeSelf)
	if shape.query {
		marks[holeSelf] = "/?" + mark(holeSelf)
	}
	marked.Self, marked.Execution = marks[holeSelf], marks[holeExecution]
	if shape.username {
		marked.Username = marks[holeUsername]
	}
	if shape.renew {
		marked.Renew = marks[holeRenew]
	}
	if shape.hasService {
		service := shape.service
		service.Address = marks[holeAddress]
		marked.Service = &service
	}
	marked.Hidden = nil
	for i, field := range v.Hidden {
		marks = append(marks, mark(holeHidden+i))
		marked.Hidden = append(marked.Hidden, Field{Name: field.Name, Value: marks[holeHidden+i]})
	}
	var drawn bytes.Buffer
	if err := p.execute(&drawn, shape.lang, &marked); err != nil {
		return nil, err
	}
	return cut(drawn.Bytes(), marks), nil
}

// cut parts a page at its marks.
func cut(page []byte, marks []string) *mould {
	cast := &mould{}
	for {
		first, at, length := -1, len(page), 0
		for hole, text := range marks {
			text = template.HTMLEscapeString(text)
			if i := bytes.Index(page, []byte(text)); i >= 0 && i < at {
				first, at, length = hole, i, len(text)
			}
		}
		if bytes.Contains(page[:at], []byte(markWord)) {
			return &mould{}
		}
		cast.parts = append(cast.parts, bytes.Clone(page[:at]))
		if first < 0 {
			return cast
		}
		cast.holes = append(cast.holes, first)
		page = page[at+length:]
	}
}
