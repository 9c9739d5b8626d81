package cas_test

import (
	"crypto/sha1" // {SSHA} is what directories hold
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"parvis/cas"
	"parvis/internal/ratelimit"
	"parvis/internal/testkit"
	"parvis/ldapstore"
	"parvis/ldapstore/directorytest"
	"parvis/ldapstore/ldif"
)

const secret = "MonChien8Chante"

// TestS19DurationsInMemory: of a file whose people's passwords are hashed by
// several schemes, a stopwatch tells neither who is there nor how.
func TestS19DurationsInMemory(t *testing.T) {
	for name, logins := range map[string][]string{
		"only people of the quick hash are tried": {"quick", "nobody"},
		"all are tried": {"quick", "nobody", "slow", "without"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCampus(t, withDirectory(mixedPeople(t, 4)), withoutLimits)
			directorytest.Durations(t, c.refusal, logins...)
		})
	}
}

// TestS19DurationsOverLDAP: the directory works for milliseconds on a password,
// and on nothing for nobody.
func TestS19DurationsOverLDAP(t *testing.T) {
	for name, withDecoy := range map[string]bool{"decoy": true, "no decoy": false} {
		t.Run(name, func(t *testing.T) {
			server := testkit.Slapd(t)
			server.Modify("cn=default,ou=policies,"+server.BaseDN, "pwdLockout", "FALSE")
			server.LoadConfig("dn: cn=module{0},cn=config\nchangetype: modify\nadd: olcModuleLoad\nolcModuleLoad: argon2.la\n-\n")
			server.Modify("uid="+student+",ou=people,"+server.BaseDN, "userPassword", slowHash(secret))
			server.Modify(server.DecoyDN, "userPassword", slowHash("nobody knows"))
			o := ldapstore.Options{
				URLs: []string{server.URL()}, BindDN: server.BindDN, Password: server.BindPassword,
				DecoyDN: server.DecoyDN, Base: "ou=people," + server.BaseDN,
			}
			if !withDecoy {
				o.DecoyDN = ""
			}
			directory, err := ldapstore.New(o)
			check(t, err)
			t.Cleanup(func() { check(t, directory.Close()) })
			c := newCampus(t, withDirectory(directory), withoutLimits)
			directorytest.Durations(t, c.refusal, student, "nobody", "o22609001", teacher)
		})
	}
}

// TestS19LevellingHoldsNobodyUp: refusals that are made to last wait for
// themselves alone. A right password among 150 wrong ones goes through.
func TestS19LevellingHoldsNobodyUp(t *testing.T) {
	const crowdSize, width = 150, 4
	narrow := func(o *cas.Options, _ map[string]string) {
		o.Gate = ratelimit.NewGate(width, 2*crowdSize, 20*time.Second)
	}
	c := newCampus(t, withDirectory(mixedPeople(t, 10)), withoutLimits, narrow)
	var refusal time.Duration
	for i := range 10 {
		refusal = c.refusal("slow", fmt.Sprint(i))
	}
	type ready struct {
		*browser
		form testkit.Answer
	}
	var crowd []ready
	for range crowdSize + 1 {
		b := c.browser()
		crowd = append(crowd, ready{b, b.Get(testkit.LoginPath(app))})
	}
	var wg sync.WaitGroup
	for _, b := range crowd[1:] {
		wg.Go(func() { b.Submit(b.form, "quick", "wrong") })
	}
	time.Sleep(20 * time.Millisecond) // the crowd goes first: nothing is asserted of it
	begun := time.Now()
	a := crowd[0].Submit(crowd[0].form, "quick", secret)
	took := time.Since(begun)
	wg.Wait()
	wantStatus(t, a, http.StatusSeeOther)
	// Were places held while refusals are made to last, those in front would
	// take as long as this.
	held := refusal * crowdSize / width
	t.Logf("a right password among %d wrong ones took %s, a refusal takes %s", crowdSize, took, refusal)
	if took > held/2 {
		t.Errorf("a right password took %s, want less than half of %s", took, held)
	}
}

// refusal sends a wrong password and returns how long the answer took.
func (c *campus) refusal(login, password string) time.Duration {
	c.t.Helper()
	b := c.browser()
	form := b.Get(testkit.LoginPath(app))
	begun := time.Now()
	a := b.Submit(form, login, password)
	elapsed := time.Since(begun)
	if a.Status != http.StatusUnauthorized {
		c.t.Fatalf("%s: got status %d, want 401", login, a.Status)
	}
	return elapsed
}

func withDirectory(directory cas.Directory) option {
	return func(o *cas.Options, _ map[string]string) { o.Directory = directory }
}

// withoutLimits lets a test guess for ever.
func withoutLimits(o *cas.Options, _ map[string]string) {
	endless := ratelimit.Limit{Burst: 1_000_000, Every: time.Millisecond}
	limiter, err := ratelimit.New(ratelimit.NewMemory(nil), ratelimit.Limits{
		AccountAddress: ratelimit.Limit{Burst: 1_000_000, Every: time.Second}, Address: endless, Account: endless,
	}, func(purpose, value string) string { return purpose + " " + value })
	if err != nil {
		panic(err)
	}
	o.Throttle = limiter
}

// mixedPeople are three people: of a quick hash, of a slow one and without a
// password.
func mixedPeople(t *testing.T, cost int) cas.Directory {
	t.Helper()
	const salt = "saltsalt"
	sum := sha1.Sum([]byte(secret + salt))
	slow, err := bcrypt.GenerateFromPassword([]byte(secret), cost)
	check(t, err)
	var people []string
	for uid, hash := range map[string]string{
		"quick":   "userPassword: {SSHA}" + base64.StdEncoding.EncodeToString(append(sum[:], salt...)) + "\n",
		"slow":    "userPassword: {CRYPT}" + string(slow) + "\n",
		"without": "",
	} {
		people = append(people, fmt.Sprintf("dn: uid=%s,dc=univ\nuid: %[1]s\nmail: %[1]s@univ.example\n%s", uid, hash))
	}
	directory, err := ldif.New([]byte(strings.Join(people, "\n")), ldif.Options{})
	check(t, err)
	return directory
}

func slowHash(password string) string {
	const memory, passes = 2048, 3
	salt := []byte("saltsaltsaltsalt")
	encode := base64.RawStdEncoding.EncodeToString
	sum := argon2.IDKey([]byte(password), salt, passes, memory, 1, 32)
	return fmt.Sprintf("{ARGON2}$argon2id$v=19$m=%d,t=%d,p=1$%s$%s", memory, passes, encode(salt), encode(sum))
}
