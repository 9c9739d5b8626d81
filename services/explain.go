package services

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"parvis/identity"
)

// Explanation tells, step by step, what becomes of a service URL.
type Explanation struct {
	// Service is what was asked; Matched is what the patterns were tried on.
	Service, Matched string
	// Unsafe is why no entry was tried, or "".
	Unsafe string
	// Steps are the entries in the order they are tried, up to the one that
	// matches.
	Steps []Step
	// Match is the entry that answers, or nil.
	Match *Service
	// Closed is why it is closed to everybody, or "".
	Closed string
	// Behind are later entries that match too, and are not used.
	Behind []*Service
	// Redirectable tells whether browsers are sent there.
	Redirectable bool
	// Session says when an open session is not enough, or "".
	Session string

	// Person is whom the rest is about, or nil.
	Person *identity.Person
	// Denied is why the person is not let in, or "".
	Denied string
	// Username and Released are what the service would be told.
	Username string
	Released identity.Attributes
}

// Step is one entry tried.
type Step struct {
	Service *Service
	Matches bool
	// Reason is which pattern matches, or why none does.
	Reason string
}

// Explain tells which entry a service belongs to and why, and, for a person who
// is not nil, whether they get in and what the service is told.
func (r *Registry) Explain(service string, person *identity.Person, now time.Time) Explanation {
	t := newTarget(service)
	e := Explanation{Service: service, Matched: t.cleaned, Unsafe: t.fault, Redirectable: t.fault == "" && t.web}
	if t.fault != "" {
		return e
	}
	for _, s := range r.current.Load().services {
		switch matches := s.matches(&t); {
		case matches && e.Match != nil:
			e.Behind = append(e.Behind, s)
		case matches:
			e.Match = s
			e.Steps = append(e.Steps, Step{Service: s, Matches: true, Reason: s.matching(&t)})
		case e.Match == nil:
			e.Steps = append(e.Steps, Step{Service: s, Reason: s.mismatch(&t)})
		}
	}
	if e.Match == nil {
		return e
	}
	e.Closed = e.Match.closedReason(now)
	e.Session = e.Match.sso.String()
	if person == nil {
		return e
	}
	e.Person = person
	if denied, ok := errors.AsType[*AccessError](e.Match.Allow(person.UID, person.Attributes, now)); ok {
		e.Denied = denied.Reason
		return e
	}
	e.Username = e.Match.Username(person.UID, person.Attributes)
	e.Released = e.Match.Release(person.UID, person.Attributes)
	return e
}

// Admits tells whether the service is served and, of a person, whether they may
// log in and are let in.
func (e Explanation) Admits() bool {
	return e.Unsafe == "" && e.Match != nil && e.Closed == "" && e.Denied == "" && e.mayLogIn()
}

// mayLogIn tells whether the account may be used. A person without a state was
// made by the caller.
func (e Explanation) mayLogIn() bool {
	return e.Person == nil || e.Person.State == "" || e.Person.State == identity.Active
}

// matching names the pattern of the entry that matches.
func (s *Service) matching(t *target) string {
	for i := range s.matchers {
		if s.matchers[i].matches(t) {
			return s.matchers[i].String()
		}
	}
	return ""
}

func (s *Service) mismatch(t *target) string {
	var reasons []string
	for i := range s.matchers {
		reasons = append(reasons, fmt.Sprintf("%s (%s)", s.matchers[i].source, s.matchers[i].mismatch(t)))
	}
	return strings.Join(reasons, ", ")
}

// String is the explanation as text, for a terminal.
func (e Explanation) String() string {
	var b strings.Builder
	e.write(&b)
	return b.String()
}

func (e Explanation) write(b *strings.Builder) {
	fmt.Fprintf(b, "service   %q\n", e.Service)
	if e.Matched != e.Service {
		fmt.Fprintf(b, "matched   %q (the session id is left out)\n", e.Matched)
	}
	if e.Unsafe != "" {
		fmt.Fprintf(b, "REFUSED   whatever the entries say: %s\n", e.Unsafe)
		return
	}
	for _, step := range e.Steps {
		s := step.Service
		if step.Matches {
			fmt.Fprintf(b, "MATCH     %d  %s  (%s, order %d): %s\n", s.ID, s.Name, s.File, s.Order, step.Reason)
		} else {
			fmt.Fprintf(b, "no        %d  %s: the service does not match %s\n", s.ID, s.Name, step.Reason)
		}
	}
	if e.Match == nil {
		b.WriteString("REFUSED   no entry matches\n")
		return
	}
	for _, s := range e.Behind {
		fmt.Fprintf(b, "behind    %d  %s (%s, order %d) matches too, and is not used\n", s.ID, s.Name, s.File, s.Order)
	}
	if !e.Redirectable {
		b.WriteString("note      not an http URL: tickets are issued, browsers are never sent there\n")
	}
	if e.Closed != "" {
		fmt.Fprintf(b, "CLOSED    %s\n", e.Closed)
	}
	if e.Session != "" {
		fmt.Fprintf(b, "password  %s\n", e.Session)
	}
	for _, line := range e.Match.settings() {
		b.WriteString(line + "\n")
	}
	e.writePerson(b)
}

func (e Explanation) writePerson(b *strings.Builder) {
	if e.Person == nil {
		return
	}
	if !e.mayLogIn() {
		fmt.Fprintf(b, "ACCOUNT   %s: cannot log in\n", e.Person.State)
	}
	if e.Denied != "" {
		fmt.Fprintf(b, "DENIED    %s: %s\n", e.Person.UID, e.Denied)
		return
	}
	fmt.Fprintf(b, "allowed   %s\n", e.Person.UID)
	fmt.Fprintf(b, "username  %s\n", e.Username)
	if len(e.Released) == 0 {
		b.WriteString("released  nothing\n")
	}
	for _, name := range sortedKeys(e.Released) {
		fmt.Fprintf(b, "released  %s = %s\n", name, strings.Join(e.Released[name], " | "))
	}
}
