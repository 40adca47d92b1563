package greeting

import "testing"

func TestFor(t *testing.T) {
	if got := For("hi", []string{"a", "b"}); got != "hi a, b" {
		t.Fatal(got)
	}
}
