// Package bench measures the whole server, as a process of its own, against a
// bare net/http server on the same machine in the same run, and prints ratios:
// absolute figures say more about the machine than about the server. `make
// bench` runs it. It has benchmarks and nothing else; nobody imports it.
package bench
