package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
)

// version is set by the linker; see the Makefile.
var version = "unknown"

func printVersion(_ context.Context, w surroundings, flags *flag.FlagSet, args []string) int {
	if _, err := parse(w, flags, args); err != nil {
		return exitOf(err)
	}
	fmt.Fprintf(w.out, "parvis %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return exitFine
}
