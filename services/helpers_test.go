package services_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parvis/identity"
	"parvis/services"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// noon is when the tests take place.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// folder is an in-memory folder from names and contents, in turn.
func folder(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fsys
}

func open(t testing.TB, pairs ...string) *services.Registry {
	t.Helper()
	r, err := services.OpenFS(folder(pairs...), discard(), services.Clock(func() time.Time { return noon }))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// apereo is an entry as Apereo CAS writes it; more is added to its keys.
func apereo(id int, serviceID, more string) string {
	quoted, _ := json.Marshal(serviceID)
	if more != "" {
		more = ", " + more
	}
	return fmt.Sprintf(`{"@class": "org.apereo.cas.services.CasRegisteredService", "id": %d, "name": "S%d", "serviceId": %s%s}`, id, id, quoted, more)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

var (
	alice = identity.Person{UID: "dupont-a", State: identity.Active, Attributes: identity.Attributes{
		"uid": {"dupont-a"}, "mail": {"Alice.Dupont@univ.example"}, "sn": {"Dupont"}, "givenName": {"Alice"},
		"eduPersonAffiliation": {"teacher", "member"}, "supannEntiteAffectation": {"UFR1"},
		"supannEtuCursusAnnee": {"{SUPANN}L2"},
		"memberOf":             {"cn=cours-info-l2,ou=groups,dc=univ,dc=example", "cn=scol,ou=groups,dc=univ,dc=example"},
		"supannCodeINE":        {"secret-ine"}, "userPassword": {"{SSHA}x"},
	}}
	zoe = identity.Person{UID: "z1", State: identity.Active, Attributes: identity.Attributes{
		"uid": {"z1"}, "mail": {"z1@etu.univ.example"}, "eduPersonAffiliation": {"student", "alum"},
	}}
)

// released lists attributes, one value a line.
func released(attrs identity.Attributes) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		for _, value := range attrs[name] {
			lines = append(lines, fmt.Sprintf("  %s = %q", name, value))
		}
	}
	if lines == nil {
		lines = []string{"  nothing"}
	}
	return lines
}

// signsOn tells whether a session opened just now is enough for a service.
func signsOn(s *services.Service) bool {
	return s.Participates(alice.UID, alice.Attributes, noon, noon)
}
