package cas

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"
)

const (
	devicePurpose  = "known device"
	deviceLifetime = 180 * 24 * time.Hour
)

// deviceProof makes the cookie by which a browser shows that the password of
// an account was once typed in it. It opens nothing: it only spares its owner
// from being locked out by strangers who try passwords elsewhere.
func (s *Server) deviceProof(login string) *http.Cookie {
	issued := binary.BigEndian.AppendUint64(nil, uint64(s.now().Unix()))
	sealed := s.sealer.Seal(devicePurpose, issued, []byte(login))
	return s.cookies.make(deviceCookie, base64.RawURLEncoding.EncodeToString(sealed), deviceLifetime)
}

// knowsDevice tells whether a browser proves that it knew the account before.
func (s *Server) knowsDevice(r *http.Request, login string) bool {
	c, err := r.Cookie(deviceCookie)
	if err != nil {
		return false
	}
	sealed, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return false
	}
	issued, err := s.sealer.Open(devicePurpose, sealed, []byte(login))
	if err != nil || len(issued) != 8 {
		return false
	}
	return s.now().Sub(time.Unix(int64(binary.BigEndian.Uint64(issued)), 0)) < deviceLifetime
}
