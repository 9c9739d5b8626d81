// Package memory is the queue of logout requests of a single process. What it
// holds is gone when the process ends, so cmd uses it where sessions are in
// memory as well.
package memory
