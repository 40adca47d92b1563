// Command greet says hello.
package main

import (
	"fmt"
	"os"

	"example.org/greet/internal/greeting"
)

var version = "unknown"

func main() {
	fmt.Println(greeting.For(os.Getenv("GREETING"), os.Args[1:]), version, os.Getuid())
}
