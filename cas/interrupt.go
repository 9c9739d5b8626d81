package cas

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"parvis/identity"
	"parvis/internal/httpx"
	"parvis/services"
	"parvis/tickets"
	"parvis/ui"
)

// Interrupt is a page between a login and what the person came for: a charter
// to accept, a password to change, a notice to read. Other rooms provide them;
// this one knows only when they are due and when they were passed.
type Interrupt interface {
	// Name is the interrupt's own, of lower-case letters and dashes. Its forms
	// come back with it as _eventId.
	Name() string
	// Due tells whether the person must pass the interrupt now.
	Due(ctx context.Context, p Passage) (bool, error)
	// Serve draws the page, or takes what its form brought where p.Form says
	// so. Unless the outcome is passed, it has answered the request.
	Serve(w http.ResponseWriter, r *http.Request, p Passage) (Outcome, error)
}

// Passage is a login as an interrupt sees it.
type Passage struct {
	// Person proved their password. Their State may be one that a login does
	// not go on from by itself, such as a password that must be changed.
	Person identity.Person
	// Fresh tells that the password was typed just now; otherwise the person
	// comes with an open session.
	Fresh bool
	// Service is where they are going, nil for nowhere.
	Service *services.Service
	// Frame and Hidden must be on the page: the form posts the hidden fields to
	// Action, and they lead it back here.
	Frame  ui.Frame
	Hidden []ui.Field
	Action string
	// Form holds what the page's form brought; it is empty where the page is
	// to be shown.
	Form httpx.Params
	// Answered tells that Form is an answer to this very page.
	Answered bool
}

// Outcome is how serving an interrupt ended.
type Outcome struct {
	// Passed lets the login go on.
	Passed bool
	// Mended tells that what the account's state asked for was done: the
	// directory's word on it counts again.
	Mended bool
}

// passage is what a login needs to go on after an interrupt. It travels sealed
// in the page's form, so that nothing opens before everything was passed, and
// no node has to remember who is on the way. What the directory says of the
// person is read again after each form.
type passage struct {
	person  identity.Person
	session tickets.Session // of a person who came with one
	// UID and State are the person's.
	UID   string         `json:"uid"`
	State identity.State `json:"state"`
	// Proven is when the password was typed. It is zero for a person who came
	// with a session, whose cookie comes back with the form.
	Proven time.Time `json:"proven,omitzero"`
	// Over is the uid of who had a session in the browser when the password was
	// typed, "" for nobody.
	Over string `json:"over,omitempty"`
	// Login is what was typed, folded, and Choices the boxes of the form.
	Login   string  `json:"login,omitempty"`
	Choices choices `json:"choices"`
	// Passed are the interrupts behind this login, Next the one it stands at.
	Passed []string `json:"passed,omitempty"`
	Next   string   `json:"next,omitempty"`
	// Warned tells that the person was asked whether to enter the service.
	Warned bool `json:"warned,omitempty"`
	// Where is a hash of the login asked for: what was passed on the way to one
	// service is not passed for another.
	Where []byte `json:"where"`
}

// onTheWay is the passage of somebody who proved their password just now.
func (s *Server) onTheWay(c credentials, person identity.Person) passage {
	return passage{
		person: person, UID: person.UID, State: person.State,
		Proven: s.now(), Login: c.login, Choices: c.choices,
	}
}

// arriving is the passage of a person who comes with an open session.
func arriving(session tickets.Session) passage {
	person := identity.Person{UID: session.UID, Attributes: session.Attributes, State: identity.Active}
	return passage{person: person, session: session, UID: person.UID, State: person.State}
}

// fresh tells whether the password was typed for this login.
func (on *passage) fresh() bool { return !on.Proven.IsZero() }

// interrupted shows the first interrupt that is due. It tells whether there was
// one: the request is then answered.
func (s *Server) interrupted(w http.ResponseWriter, r *http.Request, q loginRequest, on passage) (bool, error) {
	i, err := s.due(r.Context(), q, on)
	if i == nil || err != nil {
		return false, err
	}
	if on.fresh() && len(on.Passed) == 0 {
		before, err := s.sessionOf(r)
		if err != nil && !isGone(err) {
			return false, err
		}
		on.Over = before.UID
	}
	if q.silent() && !on.fresh() {
		return true, s.sendBack(w, r, q)
	}
	on.Next = i.Name()
	return true, s.showInterrupt(w, r, q, on, i, httpx.Params{}, false)
}

// due is the first interrupt that a login must still pass, nil for none.
func (s *Server) due(ctx context.Context, q loginRequest, on passage) (Interrupt, error) {
	for _, i := range s.interrupts {
		if slices.Contains(on.Passed, i.Name()) {
			continue
		}
		due, err := i.Due(ctx, on.shown(q))
		if err != nil {
			return nil, fmt.Errorf("ask whether %s is due: %w", i.Name(), err)
		}
		if due {
			return i, nil
		}
	}
	return nil, nil
}

// shown is what an interrupt may know of a login.
func (on passage) shown(q loginRequest) Passage {
	return Passage{Person: on.person, Fresh: on.fresh(), Service: q.service}
}

// showInterrupt lets an interrupt answer, with a fresh token in its form, and
// goes on where it was passed.
func (s *Server) showInterrupt(w http.ResponseWriter, r *http.Request, q loginRequest, on passage, i Interrupt, form httpx.Params, answered bool) error {
	token, err := s.sealPassage(w, r, interruptForm, q, on)
	if err != nil {
		return err
	}
	p := on.shown(q)
	p.Frame, p.Form, p.Answered = s.frame(r, &q), form, answered
	p.Hidden, p.Action = s.carried(q)
	if p.Action == "" {
		p.Action = s.base + "/login"
	}
	p.Hidden = append(p.Hidden, ui.Field{Name: "execution", Value: token}, ui.Field{Name: "_eventId", Value: i.Name()})
	noStore(w)
	if q.target != "" {
		httpx.AllowFormTo(w.Header(), q.target)
	}
	outcome, err := i.Serve(w, r, p)
	if err != nil || !outcome.Passed {
		return err
	}
	if outcome.Mended {
		on.State = identity.Active
	}
	on.Passed, on.Next = append(on.Passed, i.Name()), ""
	if err := s.readAgain(r.Context(), &on); err != nil {
		return err
	}
	return s.goOn(w, r, q, on)
}

// resume takes the form of an interrupt. Only the one that the login stands at
// can be answered.
func (s *Server) resume(w http.ResponseWriter, r *http.Request, p httpx.Params, q loginRequest, i Interrupt) error {
	on, err := s.openPassage(r, interruptForm, p.Get("execution"), q)
	switch {
	case errors.Is(err, errFormToken), err == nil && on.Next != i.Name():
		return s.startAgain(w, r, q)
	case err != nil:
		return err
	}
	return s.showInterrupt(w, r, q, on, i, p, true)
}

// sealPassage puts a login into the token of a form of this browser.
func (s *Server) sealPassage(w http.ResponseWriter, r *http.Request, form string, q loginRequest, on passage) (string, error) {
	on.Where = s.where(q)
	record, err := json.Marshal(on)
	if err != nil {
		return "", fmt.Errorf("keep a login for later: %w", err)
	}
	return s.formToken(w, r, form, record)
}

// openPassage takes a login out of a form that came back, and reads the person
// again. It returns errFormToken for a form that cannot be taken: another login
// is asked for, too much time has passed since the password, or somebody else
// sits there now.
func (s *Server) openPassage(r *http.Request, form, token string, q loginRequest) (passage, error) {
	if !sameSite(r) {
		return passage{}, errFormToken
	}
	record, err := s.forms.spend(r.Context(), form, token, s.browserOf(r))
	if err != nil {
		return passage{}, err
	}
	var on passage
	if json.Unmarshal(record, &on) != nil || !bytes.Equal(on.Where, s.where(q)) ||
		on.fresh() && s.now().Sub(on.Proven) > s.limits.Form {
		return passage{}, errFormToken
	}
	session, err := s.sessionOf(r)
	switch {
	case err != nil && !isGone(err):
		return passage{}, err
	case err == nil && session.UID != on.UID && (!on.fresh() || session.UID != on.Over),
		!on.fresh() && (err != nil || q.needsPassword(session, s.now())):
		return passage{}, errFormToken
	}
	on.session = session
	return on, s.readAgain(r.Context(), &on)
}

// where stands for the login that is asked for.
func (s *Server) where(q loginRequest) []byte {
	sum := sha256.Sum256([]byte(s.loginURL(q)))
	return sum[:]
}

// startAgain answers the form of an interrupt that cannot be taken: who has a
// session meets again what is due, anybody else types their password.
func (s *Server) startAgain(w http.ResponseWriter, r *http.Request, q loginRequest) error {
	if _, err := s.sessionOf(r); isGone(err) {
		return s.showForm(w, r, q, http.StatusUnprocessableEntity, ui.Login{Problem: ui.Expired})
	}
	return s.requestLogin(w, r, q)
}

// readAgain fills in what a sealed passage leaves out: the person, from the
// session they came with, else from the directory.
func (s *Server) readAgain(ctx context.Context, on *passage) error {
	if !on.fresh() {
		on.person = arriving(on.session).person
		return nil
	}
	person, err := s.directory.Find(ctx, on.UID)
	if err != nil {
		return fmt.Errorf("read a person again: %w", err)
	}
	if on.State != identity.Active {
		person.State = on.State
	}
	on.person = person
	return nil
}

// goOn takes a login on from where it stands: to the next interrupt, else into
// a session and to the service.
func (s *Server) goOn(w http.ResponseWriter, r *http.Request, q loginRequest, on passage) error {
	if stopped, err := s.interrupted(w, r, q, on); stopped || err != nil {
		return err
	}
	if !on.fresh() {
		return s.arrive(w, r, q, on)
	}
	if on.person.State != identity.Active {
		view := &ui.AccountState{Frame: s.frame(r, &q), State: on.person.State, User: on.UID}
		return s.pages.Write(w, r, http.StatusForbidden, view)
	}
	return s.openSession(w, r, q, on)
}

// interruptNamed finds the interrupt that a form answers.
func (s *Server) interruptNamed(name string) Interrupt {
	for _, i := range s.interrupts {
		if i.Name() == name {
			return i
		}
	}
	return nil
}
