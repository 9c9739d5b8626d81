package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // the pages' time zone, where the system has no table of them

	"parvis/tickets/redis"
)

// Exit codes.
const (
	exitFine  = 0
	exitFault = 1
	exitUsage = 2
)

func main() {
	os.Exit(start())
}

// start lends run the process: its arguments, streams, environment and signals.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second Ctrl-C does not wait
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	redis.LogDriver(slog.New(slog.DiscardHandler))
	return run(ctx, os.Args[1:], surroundings{out: os.Stdout, err: os.Stderr, env: os.LookupEnv, hangup: hangup})
}

// surroundings are what a command sees of the process around it.
type surroundings struct {
	out, err io.Writer
	env      func(string) (string, bool)
	// hangup asks to read again what can be read again.
	hangup <-chan os.Signal
}

// command is a subcommand: either it runs, or it has subcommands of its own.
type command struct {
	name     string
	takes    string // what follows the name, in the usage line
	summary  string
	run      func(ctx context.Context, w surroundings, flags *flag.FlagSet, args []string) int
	commands []command
}

func commands() []command {
	return []command{
		{name: "serve", takes: "-config FILE", summary: "run the server", run: serve},
		{name: "demo", takes: "[-listen HOST:PORT] [-services PORT] [-v]", summary: "run a server with everything built in, to try it", run: runDemo},
		{name: "check", takes: "-config FILE", summary: "tell all that is wrong with a configuration and what it points to", run: check},
		{name: "services", summary: "look at the registered services", commands: []command{
			{name: "explain", takes: "URL -config FILE [-person LOGIN]", summary: "tell which entry an address matches, why, and what it would be given", run: explain},
			{name: "lint", takes: "-config FILE", summary: "tell which entries are broken or dangerous", run: lint},
			{name: "import", takes: "DIR [-into DIR] [-replace]", summary: "write a folder of Apereo CAS in our own format, and tell all that is lost", run: importServices},
		}},
		{name: "sessions", summary: "look at the sessions of a person, and end them", commands: []command{
			{name: "list", takes: "LOGIN -config FILE", summary: "tell where a person is logged in", run: listSessions},
			{name: "end", takes: "LOGIN -config FILE [-session NAME]", summary: "log a person out everywhere, and tell the services", run: endSessions},
		}},
		{name: "version", summary: "print the version", run: printVersion},
	}
}

// run runs one command and returns the exit code.
func run(ctx context.Context, args []string, w surroundings) int {
	return dispatch(ctx, w, "parvis", commands(), args)
}

func dispatch(ctx context.Context, w surroundings, path string, known []command, args []string) int {
	if len(args) == 0 {
		listCommands(w.err, path, known)
		return exitUsage
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		listCommands(w.out, path, known)
		return exitFine
	}
	for _, c := range known {
		if c.name != args[0] {
			continue
		}
		if c.run == nil {
			return dispatch(ctx, w, path+" "+c.name, c.commands, args[1:])
		}
		flags := flag.NewFlagSet(path+" "+c.name, flag.ContinueOnError)
		flags.SetOutput(w.err)
		flags.Usage = func() {
			fmt.Fprintf(flags.Output(), "%s: %s\n\nUsage: %s\n", flags.Name(), c.summary, strings.TrimSpace(flags.Name()+" "+c.takes))
			flags.PrintDefaults()
		}
		return c.run(ctx, w, flags, args[1:])
	}
	fmt.Fprintf(w.err, "%s: there is no command %q\n\n", path, args[0])
	listCommands(w.err, path, known)
	return exitUsage
}

func listCommands(out io.Writer, path string, known []command) {
	fmt.Fprintf(out, "Usage: %s COMMAND\n\n", path)
	for _, c := range known {
		fmt.Fprintf(out, "  %-9s %s\n", c.name, c.summary)
	}
	fmt.Fprintf(out, "\n%s COMMAND -h tells more of each.\n", path)
}

// errUsage stops a command whose arguments make no sense; what is wrong has
// been said.
var errUsage = errors.New("usage")

// parse reads flags wherever they stand among the arguments, and wants as many
// other arguments as there are names.
func parse(w surroundings, flags *flag.FlagSet, args []string, names ...string) ([]string, error) {
	if slices.Contains(args, "-h") || slices.Contains(args, "--help") {
		flags.SetOutput(w.out)
	}
	var rest []string
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if args = flags.Args(); len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	if len(rest) == len(names) {
		return rest, nil
	}
	if len(rest) < len(names) {
		fmt.Fprintf(w.err, "%s: give the %s\n\n", flags.Name(), names[len(rest)])
	} else {
		fmt.Fprintf(w.err, "%s: what is %q?\n\n", flags.Name(), rest[len(names)])
	}
	flags.Usage()
	return nil, errUsage
}

// exitOf is the exit code after parse failed.
func exitOf(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		return exitFine
	}
	return exitUsage
}
