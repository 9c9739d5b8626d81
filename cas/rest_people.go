package cas

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"parvis/identity"
	"parvis/internal/audit"
	"parvis/internal/httpx"
	"parvis/services"
)

// restUser is POST /v1/users: it checks a password and opens nothing. What it
// tells of the person is what the named service may know; with none, the login
// name alone.
func (s *Server) restUser(w http.ResponseWriter, r *http.Request) error {
	q, on, err := s.restCredentials(w, r)
	if err != nil {
		return err
	}
	s.record(r, audit.Event{
		Action: audit.Login, Outcome: audit.Success, User: on.UID, Service: q.target, Reason: "checked",
	})
	who := restPrincipal{ID: on.UID, Attributes: identity.Attributes{}}
	if q.service != nil {
		who.ID = q.service.Username(on.UID, on.person.Attributes)
		who.Attributes = q.service.Release(on.UID, on.person.Attributes)
	}
	return writeRESTJSON(w, map[string]restAuthentication{"authentication": {who, on.Proven.UTC().Format(time.RFC3339)}})
}

type restAuthentication struct {
	Principal restPrincipal `json:"principal"`
	Date      string        `json:"authenticationDate"`
}

type restPrincipal struct {
	ID         string              `json:"id"`
	Attributes identity.Attributes `json:"attributes"`
}

var (
	errNotPublisher = errors.New("the person may not add services")
	errNotJSON      = errors.New("the entry is not sent as JSON")
)

// restPublish is POST /v1/services: it adds a service, or replaces the one with
// the same file, for a person whose account says that they may.
func (s *Server) restPublish(w http.ResponseWriter, r *http.Request) error {
	if _, err := httpx.ParseQuery(r); err != nil {
		return err
	}
	on, err := s.publisher(r)
	if err != nil {
		return err
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && kind != "application/vnd.cas.services+json" {
		return httpx.Status(http.StatusUnsupportedMediaType, errNotJSON)
	}
	entry, err := io.ReadAll(http.MaxBytesReader(w, r.Body, httpx.MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return httpx.Status(http.StatusRequestEntityTooLarge, fmt.Errorf("read entry: %w", err))
	case err != nil:
		return httpx.Status(http.StatusBadRequest, fmt.Errorf("read entry: %w", err))
	}
	service, err := s.rest.Publishing.Publisher.Put(entry)
	event := audit.Event{Action: audit.ServicePublished, Outcome: audit.Success, User: on.UID}
	if err != nil {
		event.Outcome, event.Reason = audit.Refused, "not_taken"
		s.record(r, event)
		return refusedEntry(err)
	}
	event.Reason = service.File
	s.record(r, event)
	return writeRESTJSON(w, struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}{service.ID, service.Name})
}

// entryError refuses an entry for what is in it, which its sender is told and
// the log is not.
type entryError struct{ faults *services.EntryError }

func (e *entryError) Error() string { return "the entry cannot be taken" }

func refusedEntry(err error) error {
	var faulty *services.EntryError
	switch {
	case errors.As(err, &faulty):
		return &entryError{faulty}
	case errors.Is(err, services.ErrTaken):
		return httpx.Status(http.StatusConflict, err)
	case errors.Is(err, services.ErrUnwritable):
		return httpx.Status(http.StatusServiceUnavailable, err)
	}
	return fmt.Errorf("keep an entry: %w", err)
}

// publisher is the person who sends an entry.
func (s *Server) publisher(r *http.Request) (passage, error) {
	login, password, _ := r.BasicAuth()
	on, err := s.restPerson(r, loginRequest{}, credentials{login: identity.FoldLogin(login), password: password})
	if httpx.StatusOf(err) == http.StatusBadRequest || errors.Is(err, identity.ErrBadCredentials) {
		return on, &httpx.Error{
			Code: http.StatusUnauthorized, Err: err,
			Header: http.Header{"Www-Authenticate": {`Basic realm="services", charset="UTF-8"`}},
		}
	}
	if err != nil {
		return on, err
	}
	may := s.rest.Publishing
	holds := func(value string) bool { return strings.EqualFold(value, may.Value) }
	if may.Value == "" || !slices.ContainsFunc(on.person.Attributes[may.Attribute], holds) {
		s.record(r, audit.Event{Action: audit.ServicePublished, Outcome: audit.Refused, User: on.UID, Reason: "not_allowed"})
		return on, httpx.Status(http.StatusForbidden, errNotPublisher)
	}
	return on, nil
}
