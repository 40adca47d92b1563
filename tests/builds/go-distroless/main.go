// Command app answers HTTP requests; with -probe it asks itself.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "-probe" {
		probe()
		return
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		<-stop
		os.Exit(0)
	}()
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		zone, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		home, _ := os.Getwd()
		_, certificates := os.Stat("/etc/ssl/certs/ca-certificates.crt")
		fmt.Fprintf(w, "served by %d in %s, %s, certificates: %v\n", os.Getuid(), home, zone, certificates == nil)
	})
	fmt.Println(http.ListenAndServe(":8080", nil))
	os.Exit(1)
}

func probe() {
	response, err := http.Get("http://127.0.0.1:8080/")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	io.Copy(os.Stdout, response.Body)
}
