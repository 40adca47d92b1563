// Package greeting makes greetings.
package greeting

import "strings"

// For puts the word before the names.
func For(word string, names []string) string {
	return word + " " + strings.Join(names, ", ")
}
