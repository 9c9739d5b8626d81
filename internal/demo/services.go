package demo

import (
	"embed"
	"io/fs"
)

//go:embed services
var serviceFiles embed.FS

// Services returns the folder of the demonstration's service files: five
// applications on ports 9081 to 9085 of this machine, each of them showing
// another rule.
func Services() fs.FS {
	sub, err := fs.Sub(serviceFiles, "services")
	if err != nil {
		// The name is a constant that the compiler has already checked.
		panic(err)
	}
	return sub
}
