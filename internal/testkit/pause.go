package testkit

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"
)

// pause stops a process and waits until it has stopped: the signal alone may
// come after an answer that the test wants withheld.
func pause(t testing.TB, process *os.Process) {
	t.Helper()
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatalf("pause a server: %v", err)
	}
	for deadline := time.Now().Add(5 * time.Second); !stopped(process.Pid); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a server does not pause")
		}
	}
}

// stopped tells whether all threads of a process stand still: the state is the
// first field behind the name, which is in brackets and may hold anything.
func stopped(pid int) bool {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return false
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/stat", pid, thread.Name()))
		if err != nil {
			return false
		}
		end := bytes.LastIndexByte(stat, ')')
		if end < 0 || len(stat) < end+3 || stat[end+2] != 'T' {
			return false
		}
	}
	return true
}
