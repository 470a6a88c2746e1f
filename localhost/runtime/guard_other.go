//go:build !unix

package lambda

// guard has nothing here to do its work with: if we are killed, a process goes on
// until its next call of the Runtime API, which fails.
type guard struct{}

func newGuard(string) (*guard, error) { return &guard{}, nil }
func (*guard) started(int)            {}
func (*guard) ended(int)              {}
func (*guard) close()                 {}
