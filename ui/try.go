package ui

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"parvis/identity"
)

// emptyPages has one view of each page, with nothing in it.
func emptyPages() []View {
	return []View{
		&Login{}, &Welcome{}, &Warn{}, &Handoff{Action: "https://service.example/"}, &LoggedOut{}, &Refused{},
		&Interruption{},
		&Throttled{}, &AccountState{State: identity.Suspended}, &Error{}, &Maintenance{},
	}
}

// fullPages has views that reach the parts that empty ones leave out.
func fullPages() []View {
	service := Service{
		Name: "x", Description: "x", LogoURL: "/x", InformationURL: "/x", PrivacyURL: "/x", Address: "https://service.example/",
	}
	frame := Frame{Self: "/x", Service: &service, Theme: "x"}
	fields := []Field{{"x", "x"}}
	all := Choices{RememberMe: true, PublicWorkstation: true, Warn: true}
	contacts := []Contact{{"x", "x@service.example", "1"}}
	views := []View{
		&Login{Frame: frame, Hidden: fields, Renew: "x", Problem: MissingBoth, Offer: all, Ticked: all, Lifetime: time.Hour},
		&Welcome{Frame: frame, User: "x", Name: "x", JustLoggedIn: true, Visits: []Visit{{Service: service}}},
		&Warn{Frame: frame, User: "x", Hidden: fields},
		&Handoff{Frame: frame, Action: "https://service.example/", Fields: fields},
		&LoggedOut{Frame: frame, ReturnURL: "https://service.example/"},
		&LoggedOut{Tell: []string{"https://service.example/"}, Next: "https://service.example/"},
		&Refused{Frame: frame, User: "x", Contacts: contacts},
		&Interruption{
			Frame: frame, Title: "x", Paragraphs: []string{"x"}, Links: []Link{{"x", "/x"}}, Steps: []string{"x"}, Step: 1,
			Hidden: fields, Choices: []Choice{{Name: "x", Label: "x"}}, Submit: "x", Later: "x", Problem: "x",
		},
		&Throttled{Frame: frame, Retry: time.Minute},
		&Error{Frame: frame, Status: 500, Reference: "x"},
		&Maintenance{Frame: frame, Reference: "x"},
	}
	for _, problem := range []Problem{BadCredentials, MissingUsername, MissingPassword, Expired, NoCookies} {
		views = append(views, &Login{Frame: frame, Problem: problem})
	}
	for _, reason := range []Refusal{UnknownService, DisabledService, ExpiredService, NoRight, NoService} {
		views = append(views, &Refused{Frame: frame, Reason: reason})
	}
	for _, state := range []identity.State{
		identity.PreCreated, identity.Closed, identity.Locked, identity.PasswordExpired,
		identity.MustChange, identity.OutOfHours, identity.OtherWorkstation,
	} {
		views = append(views, &AccountState{Frame: frame, State: state, User: "x"})
	}
	return views
}

// try renders every page in a look, empty and full, so that a fault of a template or of
// the words shows when the server starts.
func (p *Renderer) try(theme string) error {
	var faults []error
	for _, lang := range p.languages {
		for _, v := range slices.Concat(emptyPages(), fullPages()) {
			var buffer bytes.Buffer
			if theme != "" {
				v.frame().Theme = theme
			}
			if err := p.render(&buffer, lang, v); err != nil {
				faults = append(faults, fmt.Errorf("try in %s: %w", lang, err))
			}
		}
	}
	return errors.Join(faults...)
}

// pageNames are the names of the pages.
func pageNames() []string {
	var names []string
	for _, v := range emptyPages() {
		names = append(names, v.Page())
	}
	return names
}
