// Package memory is the queue of logout requests of a single process. What it
// holds is gone when the process ends, so cmd makes one only where sessions are
// in memory as well. It never waits but in Take, and never holds more than it
// was told to: [ErrFull] says so.
package memory
