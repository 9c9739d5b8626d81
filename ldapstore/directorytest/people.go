package directorytest

import (
	"crypto/sha1" // {SSHA} is what directories hold
	"encoding/base64"
	"fmt"
	"strings"

	"parvis/internal/demo"
)

// Secret is the password of every person that [People] adds to the
// demonstration's.
const Secret = "MonChien8Chante"

// People returns the LDIF that a directory under test must serve: the
// demonstration's, and people who are hard to tell apart, to quote or to admit.
func People() []byte {
	content := strings.TrimRight(string(demo.People()), "\n")
	for _, p := range []struct{ uid, more string }{
		{"twin-a", "supannAliasLogin: jumeau"},
		{"twin-b", "supannAliasLogin: jumeau"},
		{"both", "mail: both@univ.example"},
		{"other", "supannAliasLogin: both"},
		{"star*", ""},
		{"paren(s)", ""},
		{"elodie", "supannAliasLogin:: w6lsb2RpZQ=="}, // élodie
		{"bare", ""},
		{"grace", "supannRessourceEtat: {COMPTE}A:SupannSursis"},
		{"ended", "supannRessourceEtat: {COMPTE}I:SupannSupprCompte"},
		{"waiting", "supannRessourceEtat: {COMPTE}I:SupannAnticipe"},
		{"expired", "shadowExpire: 1"},
		{"stale", "shadowLastChange: 10\nshadowMax: 10"},
		{"reset", "shadowLastChange: 0"},
		{"inactive", "supannRessourceEtat: {COMPTE}A:SupannInactif"},
		{"strange", "supannRessourceEtat: {COMPTE}X"},
		{"either", "supannRessourceEtat: {COMPTE}A\nsupannRessourceEtat: {COMPTE}S"},
		{"mailless", "supannRessourceEtat: {COMPTE}A\nsupannRessourceEtat: {MAIL}S"},
		{"over", "supannRessourceEtatDate: {COMPTE}A:SupannActif:20200901:20210831"},
		{"current", "supannRessourceEtatDate: {COMPTE}A:SupannActif:20200901:"},
		{"later", "shadowExpire: 99999"},
		{"locked", "pwdAccountLockedTime: 000001010000Z"},
		{"failures", "pwdAccountLockedTime: 20200101000000Z"},
	} {
		content += "\n\n" + person(p.uid, p.more, Secret)
	}
	return []byte(content + "\n\n" + person("nul", "", "avant\x00apres") +
		"\n\n" + person("long", "", strings.Repeat("long", 256)) + "\n")
}

func person(uid, more, password string) string {
	classes := "objectClass: inetOrgPerson\nobjectClass: supannPerson\nobjectClass: shadowAccount"
	record := fmt.Sprintf("dn: uid=%s,ou=people,dc=univ,dc=example\n%s\nuid: %s\ncn: %[1]s\nsn: %[1]s\nuserPassword: %[4]s",
		uid, classes, uid, hashed(password))
	if more != "" {
		record += "\n" + more
	}
	return record
}

func hashed(password string) string {
	const salt = "saltsalt"
	sum := sha1.Sum([]byte(password + salt))
	return "{SSHA}" + base64.StdEncoding.EncodeToString(append(sum[:], salt...))
}
