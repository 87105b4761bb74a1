// Command pause holds a pod's namespaces open and does nothing else. It must end at once when told to, or every deletion of a
// carrier pod would wait for its grace period.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	<-ended
}
