// Package testkit starts the real programs that tests talk to: a directory
// server, a Redis, a browser. Each gets a folder and a free loopback port of
// its own, is ready when the function returns, and is gone when the test ends.
// It builds and runs parvis itself for tests from outside, which give it its
// folder and its ports.
//
// Only tests import it. A program that is not installed fails the test with a
// line that names it: nothing is skipped and nothing is faked.
package testkit
