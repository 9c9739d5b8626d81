package account_test

import (
	"testing"
	"time"

	"parvis/identity"
	"parvis/ldapstore/internal/account"
)

type entry map[string][]string

func (e entry) Values(name string) []string { return e[name] }

func TestState(t *testing.T) {
	now := time.Date(2026, time.October, 1, 12, 0, 0, 0, time.UTC)
	const today = "20727" // days since 1970
	tests := []struct {
		name  string
		entry entry
		want  identity.State
	}{
		{"nothing said", entry{}, identity.Active},
		{"active", entry{"supannRessourceEtat": {"{COMPTE}A:SupannActif"}}, identity.Active},
		{"active, letter only", entry{"supannRessourceEtat": {"{COMPTE}A"}}, identity.Active},
		{"grace", entry{"supannRessourceEtat": {"{COMPTE}A:SupannSursis"}}, identity.Active},
		{"any case", entry{"supannRessourceEtat": {"{compte}a:supannactif"}}, identity.Active},
		{"pre-created", entry{"supannRessourceEtat": {"{COMPTE}I:SupannAnticipe"}}, identity.PreCreated},
		{"pre-created, letter A", entry{"supannRessourceEtat": {"{COMPTE}A:SupannAnticipe"}}, identity.PreCreated},
		{"suspended", entry{"supannRessourceEtat": {"{COMPTE}S"}}, identity.Suspended},
		{"inactive", entry{"supannRessourceEtat": {"{COMPTE}I"}}, identity.Suspended},
		{"inactive by detail", entry{"supannRessourceEtat": {"{COMPTE}A:SupannInactif"}}, identity.Suspended},
		{"to be deleted", entry{"supannRessourceEtat": {"{COMPTE}I:SupannSupprCompte"}}, identity.Closed},
		{"unknown letter stops", entry{"supannRessourceEtat": {"{COMPTE}X"}}, identity.Suspended},
		{"empty state stops", entry{"supannRessourceEtat": {"{COMPTE}"}}, identity.Suspended},
		{"another resource", entry{"supannRessourceEtat": {"{MAIL}S", "{COMPTE}A"}}, identity.Active},
		{"the gravest of two", entry{"supannRessourceEtat": {"{COMPTE}A", "{COMPTE}S"}}, identity.Suspended},
		{"dated, in force", entry{"supannRessourceEtatDate": {"{COMPTE}A:SupannActif:20260901:20270831"}}, identity.Active},
		{"dated, open end", entry{"supannRessourceEtatDate": {"{COMPTE}S::20260901:"}}, identity.Suspended},
		{"dated, last day", entry{"supannRessourceEtatDate": {"{COMPTE}A:SupannActif:20250901:20261001"}}, identity.Active},
		{"dated, past", entry{"supannRessourceEtatDate": {"{COMPTE}A:SupannActif:20250901:20260930"}}, identity.Suspended},
		{"dated, to the second", entry{"supannRessourceEtatDate": {"{COMPTE}A:SupannActif::20261001115959Z"}}, identity.Suspended},
		{"dated, not a date", entry{"supannRessourceEtatDate": {"{COMPTE}A:SupannActif:soon:"}}, identity.Suspended},
		{"the undated form wins", entry{"supannRessourceEtat": {"{COMPTE}A"}, "supannRessourceEtatDate": {"{COMPTE}S::20200101:"}}, identity.Active},
		{"expired today", entry{"shadowExpire": {today}}, identity.Closed},
		{"expires later", entry{"shadowExpire": {"20728"}}, identity.Active},
		{"never expires", entry{"shadowExpire": {"-1"}}, identity.Active},
		{"password on its last day", entry{"shadowLastChange": {"20717"}, "shadowMax": {"10"}}, identity.Active},
		{"password too old", entry{"shadowLastChange": {"20716"}, "shadowMax": {"10"}}, identity.PasswordExpired},
		{"password without age", entry{"shadowLastChange": {"1"}, "shadowMax": {"99999"}}, identity.Active},
		{"password to change", entry{"shadowLastChange": {"0"}}, identity.MustChange},
		{"closed before expired", entry{"supannRessourceEtat": {"{COMPTE}S"}, "shadowLastChange": {"0"}}, identity.Suspended},
		{"locked by an administrator", entry{"supannRessourceEtat": {"{COMPTE}A"}, "pwdAccountLockedTime": {"000001010000Z"}}, identity.Suspended},
		{"locked after failures", entry{"pwdAccountLockedTime": {"20261001115900Z"}}, identity.Active},
		{"not a number", entry{"shadowExpire": {"never"}}, identity.Active},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := account.State(test.entry, now); got != test.want {
				t.Errorf("state = %s, want %s", got, test.want)
			}
		})
	}
}
