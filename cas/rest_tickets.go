package cas

import (
	"html"
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"parvis/internal/audit"
	"parvis/internal/httpx"
	"parvis/tickets"
)

// restLogin is POST /v1/tickets: it opens a session, whose identifier is in the
// Location of the answer. No cookie is set or read: the session is the
// program's, not a browser's.
func (s *Server) restLogin(w http.ResponseWriter, r *http.Request) error {
	q, on, err := s.restCredentials(w, r)
	if err != nil {
		return err
	}
	session, err := s.begin(r, s.sessionFor(r, q, on))
	if err != nil {
		return err
	}
	s.record(r, audit.Event{
		Action: audit.Login, Outcome: audit.Success, User: session.UID, Session: session.ID.Hint(), Service: q.target,
	})
	location := s.rest.URL + "/v1/tickets/" + string(session.ID)
	w.Header().Set("Location", location)
	if !wantsHTML(r.Header.Values("Accept")) {
		writeREST(w, http.StatusCreated, restText, []byte(session.ID))
		return nil
	}
	address := html.EscapeString(location)
	writeREST(w, http.StatusCreated, "text/html; charset=utf-8", []byte("<!DOCTYPE html><html><head><title>201 Created</title></head>"+
		`<body><h1>TGT Created</h1><form action="`+address+`" method="POST">Service:<input type="text" name="service" value="">`+
		`<br><input type="submit" value="Submit"></form></body></html>`))
	return nil
}

// wantsHTML tells whether a client takes HTML, as most do that say nothing.
func wantsHTML(accept []string) bool {
	all := strings.Join(accept, ",")
	for kind := range strings.SplitSeq(all, ",") {
		kind, _, _ = strings.Cut(kind, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "text/html", "text/*", "*/*":
			return true
		}
	}
	return strings.TrimSpace(all) == ""
}

// restTicket is /v1/tickets/{id}. The identifier opens a session by itself, as
// a cookie does, so that none but a complete one is looked for.
func (s *Server) restTicket(w http.ResponseWriter, r *http.Request) error {
	p, err := httpx.ParseParams(w, r)
	if err != nil {
		return err
	}
	id := tickets.TGT(mux.Vars(r)["id"])
	switch {
	case r.Method == http.MethodDelete && !id.Valid():
		writeREST(w, http.StatusOK, restText, nil)
		return nil
	case !id.Valid():
		return tickets.ErrNotFound
	case r.Method == http.MethodDelete:
		if _, err := s.end(r, id, audit.Logout, ""); err != nil {
			return err
		}
		writeREST(w, http.StatusOK, restText, nil)
		return nil
	}
	session, err := s.store.Session(r.Context(), id)
	switch {
	case err != nil:
		return err
	case r.Method == http.MethodPost:
		return s.restGrant(w, r, p, session)
	}
	writeREST(w, http.StatusOK, restText, []byte(session.ID))
	return nil
}

// restGrant answers with a ticket for a service. Where the request asks for
// renew, it brings the password again, of the same person; a service that wants
// the password each time takes nothing less.
func (s *Server) restGrant(w http.ResponseWriter, r *http.Request, p httpx.Params, session tickets.Session) error {
	q, err := s.restService(r, p)
	switch {
	case err != nil:
		return err
	case q.target == "":
		return httpx.Status(http.StatusBadRequest, errNoService)
	case q.renew:
		on, err := s.restPerson(r, q, s.readCredentials(p))
		if err != nil {
			return err
		}
		if on.UID != session.UID {
			return httpx.Status(http.StatusForbidden, errOtherPerson)
		}
	case q.needsPassword(session, s.now()):
		s.record(r, audit.Event{
			Action: audit.ServiceRefused, Outcome: audit.Refused, User: session.UID,
			Session: session.ID.Hint(), Service: q.target, Reason: "needs_password",
		})
		return httpx.Status(http.StatusForbidden, errNeedsPassword)
	}
	// What the service will be told is the session's word, so that is what
	// must be allowed, whatever the directory says by now.
	if err := s.restAdmit(r, q, arriving(session)); err != nil {
		return err
	}
	id, err := s.grantTicket(r, session, q.service, q.target, q.renew)
	if err != nil {
		return err
	}
	writeREST(w, http.StatusOK, restText, []byte(id))
	return nil
}
