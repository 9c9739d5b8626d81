package ldif

import (
	"crypto/sha1" //nolint:gosec // {SSHA} is what directories hold; nothing is written with it
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// hash is a stored password (RFC 2307 schemes, as OpenLDAP writes them).
type hash interface {
	matches(password string) bool
	// cost orders hashes by the work of one comparison.
	cost() int
}

// parseHash reads {SHA}, {SSHA} and their 256, 384 and 512 bit kin, {ARGON2} and
// bcrypt as {CRYPT}$2b$… or {BCRYPT}. It refuses everything else, above all a
// password in clear.
func parseHash(stored string) (hash, bool) {
	scheme, rest, ok := strings.Cut(strings.TrimPrefix(stored, "{"), "}")
	if !ok || !strings.HasPrefix(stored, "{") {
		return nil, false
	}
	switch scheme = strings.ToUpper(scheme); scheme {
	case "ARGON2":
		return parseArgon2(rest)
	case "CRYPT", "BCRYPT":
		if cost, err := bcrypt.Cost([]byte(rest)); err == nil {
			return bcryptHash{stored: []byte(rest), rounds: cost}, true
		}
		return nil, false
	}
	return parseDigest(scheme, rest)
}

type digest struct {
	sum  func([]byte) []byte
	want []byte
	salt []byte
}

// parseDigest reads base64 of a digest and, for the salted schemes, the salt.
func parseDigest(scheme, encoded string) (hash, bool) {
	salted := strings.HasPrefix(scheme, "SS")
	sum, size := digestOf(scheme)
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if sum == nil || err != nil || len(raw) < size || salted != (len(raw) > size) {
		return nil, false
	}
	return digest{sum: sum, want: raw[:size], salt: raw[size:]}, true
}

func digestOf(scheme string) (func([]byte) []byte, int) {
	switch scheme {
	case "SHA", "SSHA":
		return sha1Sum, sha1.Size
	case "SHA256", "SSHA256":
		return func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }, sha256.Size
	case "SHA384", "SSHA384":
		return func(b []byte) []byte { s := sha512.Sum384(b); return s[:] }, sha512.Size384
	case "SHA512", "SSHA512":
		return func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }, sha512.Size
	default:
		return nil, 0
	}
}

func sha1Sum(b []byte) []byte {
	sum := sha1.Sum(b) //nolint:gosec // as above
	return sum[:]
}

func (d digest) matches(password string) bool {
	salted := append([]byte(password), d.salt...)
	return subtle.ConstantTimeCompare(d.sum(salted), d.want) == 1
}

func (d digest) cost() int { return len(d.want) }

type bcryptHash struct {
	stored []byte
	rounds int
}

func (b bcryptHash) matches(password string) bool {
	return bcrypt.CompareHashAndPassword(b.stored, []byte(password)) == nil
}

func (b bcryptHash) cost() int { return 1000 << min(b.rounds, 20) }

type argon2Hash struct {
	variant      string
	memory, time uint32
	threads      uint8
	salt, want   []byte
}

// parseArgon2 reads $argon2id$v=19$m=65536,t=3,p=1$salt$hash. The limits keep a
// strange file from taking the machine's memory.
func parseArgon2(encoded string) (hash, bool) {
	fields := strings.Split(encoded, "$")
	if len(fields) != 6 || fields[0] != "" || fields[2] != "v=19" {
		return nil, false
	}
	h := argon2Hash{variant: fields[1]}
	if _, err := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil {
		return nil, false
	}
	if h.memory > 1<<18 || h.time == 0 || h.time > 32 || h.threads == 0 {
		return nil, false
	}
	var errSalt, errWant error
	h.salt, errSalt = base64.RawStdEncoding.DecodeString(fields[4])
	h.want, errWant = base64.RawStdEncoding.DecodeString(fields[5])
	known := h.variant == "argon2id" || h.variant == "argon2i"
	if !known || errSalt != nil || errWant != nil || len(h.want) < 16 || len(h.want) > 64 {
		return nil, false
	}
	return h, true
}

func (h argon2Hash) matches(password string) bool {
	derive := argon2.IDKey
	if h.variant == "argon2i" {
		derive = argon2.Key
	}
	got := derive([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.want)))
	return subtle.ConstantTimeCompare(got, h.want) == 1
}

func (h argon2Hash) cost() int { return 1000 * int(h.time) * int(h.memory) }

// costliest returns the hash to compare with when nobody has a login: the most
// work that anybody's password takes.
func costliest(entries []*entry) hash {
	var decoy hash = digest{sum: sha1Sum, want: make([]byte, sha1.Size), salt: make([]byte, 8)}
	for _, entry := range entries {
		for _, h := range entry.hashes {
			if h.cost() > decoy.cost() {
				decoy = h
			}
		}
	}
	return decoy
}
