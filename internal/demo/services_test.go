package demo_test

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"parvis/identity"
	"parvis/internal/demo"
	"parvis/services"
)

func TestServices(t *testing.T) {
	registry, err := services.OpenFS(demo.Services(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if faults := registry.Faults(); len(faults) > 0 {
		t.Errorf("faults: %v", faults)
	}
	if findings := registry.Lint(); len(findings) > 0 {
		t.Errorf("findings: %v", findings)
	}
	attrs := identity.Attributes{}
	for _, name := range []string{"uid", "mail", "displayName", "givenName", "sn", "eduPersonAffiliation", "memberOf", "supannCodeINE"} {
		attrs[name] = []string{"x"}
	}
	const all = "displayName eduPersonAffiliation givenName mail memberOf sn uid"
	for _, tt := range []struct {
		name, url, released string
		groups              string
		find                error
		denied              bool
	}{
		{name: "Bureau virtuel", url: "http://localhost:9081/any/path?x=1", released: all},
		{name: "Plateforme pédagogique", url: "http://localhost:9082/", released: all},
		{name: "Ressources documentaires", url: "http://localhost:9083/x", released: ""},
		{name: "Administration de l'ENT", url: "http://localhost:9084/", denied: true},
		{name: "Administration de l'ENT", url: "http://localhost:9084/", groups: "cn=ent-admins,ou=groups,dc=univ,dc=example", released: "memberOf"},
		{name: "Inscriptions pédagogiques", url: "http://localhost:9085/", find: services.ErrDisabled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := registry.Find(tt.url)
			if !errors.Is(err, tt.find) || s == nil || s.Name != tt.name {
				t.Fatalf("Find = %+v, %v", s, err)
			}
			if tt.find != nil {
				return
			}
			person := maps.Clone(attrs)
			if tt.groups != "" {
				person["memberOf"] = []string{tt.groups}
			}
			if err := s.Allow("moreau-s", person, time.Now()); (err != nil) != tt.denied {
				t.Fatalf("Allow = %v", err)
			}
			if tt.denied {
				return
			}
			released := strings.Join(slices.Sorted(maps.Keys(s.Release("moreau-s", person))), " ")
			if released != tt.released {
				t.Errorf("released %q, want %q", released, tt.released)
			}
			if s.DescriptionIn("en") == s.DescriptionIn("fr") {
				t.Error("no English description")
			}
		})
	}
}
