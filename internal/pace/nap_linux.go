package pace

import (
	"errors"
	"syscall"
	"time"
)

// nap sleeps in the system, which is late by some ten microseconds. It holds a
// thread for as long: naps are shorter than coarse.
func nap(d time.Duration) {
	if d <= 0 {
		return
	}
	left := syscall.NsecToTimespec(int64(d))
	for errors.Is(syscall.Nanosleep(&left, &left), syscall.EINTR) {
		continue // the runtime interrupts threads
	}
}
