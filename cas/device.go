package cas

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"slices"
	"time"
)

const (
	devicePurpose  = "known device"
	deviceLifetime = 180 * 24 * time.Hour
	// deviceLogins bounds the names that a proof holds, deviceLoginSize is
	// the length of each.
	deviceLogins    = 16
	deviceLoginSize = 12
)

// deviceProof makes the cookie by which a browser shows that the password of
// an account was once typed in it. It holds for every name of the person, the
// one that was typed first. It opens nothing: it only spares its owner from
// being locked out by strangers who try passwords elsewhere.
func (s *Server) deviceProof(typed string, logins []string) *http.Cookie {
	plain := binary.BigEndian.AppendUint64(nil, uint64(s.now().Unix()))
	for i, login := range append([]string{typed}, logins...) {
		if i == deviceLogins {
			break
		}
		plain = append(plain, deviceLogin(login)...)
	}
	sealed := s.sealer.Seal(devicePurpose, plain, nil)
	return s.cookies.make(deviceCookie, base64.RawURLEncoding.EncodeToString(sealed), deviceLifetime)
}

// knownLogins returns whether a browser proves that it knew an account before,
// by any name of the account.
func (s *Server) knownLogins(r *http.Request) func(login string) bool {
	logins := s.provenLogins(r)
	return func(login string) bool {
		return slices.ContainsFunc(logins, func(known []byte) bool { return bytes.Equal(known, deviceLogin(login)) })
	}
}

func (s *Server) provenLogins(r *http.Request) [][]byte {
	c, err := r.Cookie(deviceCookie)
	if err != nil {
		return nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return nil
	}
	plain, err := s.sealer.Open(devicePurpose, sealed, nil)
	if err != nil || len(plain) < 8 {
		return nil
	}
	if s.now().Sub(time.Unix(int64(binary.BigEndian.Uint64(plain)), 0)) >= deviceLifetime {
		return nil
	}
	return slices.Collect(slices.Chunk(plain[8:], deviceLoginSize))
}

// deviceLogin stands for a login within the sealed proof: names differ in
// length, and a cookie has little room.
func deviceLogin(login string) []byte {
	sum := sha256.Sum256([]byte(login))
	return sum[:deviceLoginSize]
}
