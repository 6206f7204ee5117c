// Package deploy has examples for Kubernetes and Compose. It is a module of its
// own, so that their types, which the tests hold the examples against, do not
// become dependencies of the program.
package deploy
