package testkit_test

import (
	"context"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"parvis/internal/testkit"
)

func TestRedisKeepsWhatItAcknowledged(t *testing.T) {
	server := testkit.Redis(t)
	client := goredis.NewClient(&goredis.Options{Addr: server.Addr()})
	defer func() { _ = client.Close() }()
	for name, restart := range map[string]func(){
		"clean": server.Restart,
		"killed": func() {
			server.Kill()
			server.Start()
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := client.Set(context.Background(), name, "kept", 0).Err(); err != nil {
				t.Fatal(err)
			}
			restart()
			if got := client.Get(context.Background(), name).Val(); got != "kept" {
				t.Errorf("got %q, want kept", got)
			}
		})
	}
}
