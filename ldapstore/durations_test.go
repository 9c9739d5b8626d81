package ldapstore_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"golang.org/x/crypto/argon2"

	"parvis/ldapstore/directorytest"
)

// TestDurationsWithASlowHash is S19 where it matters most: the directory works
// for milliseconds on a password, and on nothing for nobody.
func TestDurationsWithASlowHash(t *testing.T) {
	for name, withDecoy := range map[string]bool{"decoy": true, "no decoy": false} {
		t.Run(name, func(t *testing.T) {
			server := contractSlapd(t)
			server.LoadConfig("dn: cn=module{0},cn=config\nchangetype: modify\nadd: olcModuleLoad\nolcModuleLoad: argon2.la\n-\n")
			server.Modify(personDN, "userPassword", slowHash(password))
			server.Modify(personDN, "pwdReset")
			server.Modify(server.DecoyDN, "userPassword", slowHash("nobody knows"))
			o := options(server)
			if !withDecoy {
				o.DecoyDN = ""
			}
			store := open(t, o)
			if _, err := store.Authenticate(t.Context(), login, password); err != nil {
				t.Fatalf("authenticate: %v", err)
			}
			directorytest.Durations(t, store, login)
		})
	}
}

func slowHash(password string) string {
	const memory, passes = 2048, 3
	salt := []byte("saltsaltsaltsalt")
	encode := base64.RawStdEncoding.EncodeToString
	sum := argon2.IDKey([]byte(password), salt, passes, memory, 1, 32)
	return fmt.Sprintf("{ARGON2}$argon2id$v=19$m=%d,t=%d,p=1$%s$%s", memory, passes, encode(salt), encode(sum))
}
