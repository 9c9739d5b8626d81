package config_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestRedisKinds: one server, Sentinels, a Cluster; and what travels in the
// clear between machines is said (S41).
func TestRedisKinds(t *testing.T) {
	for url, clear := range map[string]bool{
		"redis://localhost":                                                false,
		"redis://redis.univ.example":                                       true,
		"rediss://redis.univ.example":                                      false,
		"unix:///run/redis/redis.sock":                                     false,
		"redis+cluster://localhost:1":                                      false,
		"redis+cluster://[::1]:7000":                                       false,
		"rediss+cluster://r.univ:7000":                                     false,
		"redis+cluster://localhost:7000?addr=r2.univ.example:7000":         true,
		"redis+sentinel://localhost:26379/0?master_name=m":                 false,
		"redis+sentinel://s1.univ.example:26379/0?master_name=m":           true,
		"rediss+sentinel://s1.univ.example/0?master_name=m&addr=s2.univ:1": false,
		"redis+sentinel://sentinel:word@localhost:26379/0?master_name=m":   false,
	} {
		t.Run(url, func(t *testing.T) {
			_, warnings, err := load(t, strings.Replace(minimalFile, "redis://localhost:6379/0", url, 1), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(fmt.Sprint(warnings), "in the clear"); got != clear {
				t.Errorf("warnings = %v, in the clear: %t", warnings, clear)
			}
		})
	}
}
