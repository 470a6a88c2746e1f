// Package scaffold changes the project's own sources: it adds a function, and gives the
// project another module path.
package scaffold
