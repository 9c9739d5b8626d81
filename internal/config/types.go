package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// Duration is a length of time: "10s", "2h30m", "30d" (a day is 24 hours).
type Duration time.Duration

// D is the duration as the standard library has it.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String writes whole days as days, everything else as Go does.
func (d Duration) String() string {
	if t := d.D(); t >= day && t%day == 0 {
		return strconv.Itoa(int(t/day)) + "d"
	}
	return d.D().String()
}

// UnmarshalText reads a duration that is not negative.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if n, ok := strings.CutSuffix(s, "d"); ok {
		days, err := strconv.ParseUint(n, 10, 16)
		if err == nil {
			*d = Duration(time.Duration(days) * day)
			return nil
		}
	}
	t, err := time.ParseDuration(s)
	if err != nil || t < 0 {
		return errors.New(`write a duration with its unit, as "10s", "5m", "2h" or "30d"`)
	}
	*d = Duration(t)
	return nil
}

// Secret is a value that is never printed.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[secret]"
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from JSON and its like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Path is a file or a folder; a relative one starts from the folder of the
// configuration file.
type Path string

// Prefix is a range of addresses: "10.1.2.0/24", "2001:db8::/32", or one
// address.
type Prefix struct{ netip.Prefix }

// UnmarshalText reads a range or an address.
func (p *Prefix) UnmarshalText(text []byte) error {
	s := string(text)
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap()
		p.Prefix = netip.PrefixFrom(addr, addr.BitLen())
		return nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return errors.New(`write an address or a range, as "10.1.2.3", "10.1.2.0/24" or "::1"`)
	}
	if prefix.Masked() != prefix {
		return fmt.Errorf("%s has bits after its length; write %s", s, prefix.Masked())
	}
	p.Prefix = prefix
	return nil
}
